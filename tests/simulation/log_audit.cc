#include "tests/simulation/log_audit.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/engine/case_loader.h"
#include "store/record_format.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/case/case_number.h"
#include "workflow/case/replay.h"
#include "workflow/projection/rows.h"

namespace docket::testing {
namespace {

// Where a stream of any kind stands.
struct StreamHead {
  uint64_t revision = 0;
  uint64_t last_commit_plus_1 = 0;
  std::string leaf;
};

// What the events of one clock say about breach and stop.
struct ClockStory {
  int breaches = 0;          // that stand: not annulled
  absl::Time stop_recorded;  // when the last stop was entered
};

class Auditor {
 public:
  explicit Auditor(LogAudit* out) : out_(*out) {}

  void Take(absl::string_view stored) {
    const absl::StatusOr<v1::CommitRecord> record = store::DecodeRecord(stored);
    if (!record.ok()) return Problem(record.status().ToString());
    Expect(record->commit() == out_.commits, absl::StrCat("is numbered ", record->commit()));
    Expect(record->first_position() == next_position_, absl::StrCat("begins at position ", record->first_position()));
    Expect(record->recorded_at_us() >= last_recorded_us_, "is recorded before the commit before it");
    Expect(record->slices_size() > 0, "has no slices");
    last_recorded_us_ = record->recorded_at_us();
    const std::string leaf = store::LeafHashOf(stored);
    for (const v1::Slice& slice : record->slices()) TakeSlice(*record, slice, leaf);
    ++out_.commits;
  }

  void Finish() {
    CheckCaseNumbers();
    for (const auto& [id, folded] : out_.cases) CheckClocks(folded.state);
  }

 private:
  void Problem(absl::string_view what) { out_.problems.push_back(absl::StrCat("commit ", out_.commits, " ", what)); }
  void Expect(bool holds, absl::string_view what) {
    if (!holds) Problem(what);
  }

  void TakeSlice(const v1::CommitRecord& record, const v1::Slice& slice, const std::string& leaf) {
    StreamHead& head = heads_[{slice.kind(), slice.stream_id()}];
    Expect(slice.first_revision() == head.revision + 1,
           absl::StrCat("revision ", slice.first_revision(), " of ", slice.stream_id(), " follows ", head.revision));
    Expect(slice.prev_commit_plus_1() == head.last_commit_plus_1, "does not link to the stream's commit before");
    Expect(slice.prev_leaf() == head.leaf, "does not hold the leaf of the stream's commit before");
    Expect(slice.events_size() > 0, "has an empty slice");
    head = {slice.first_revision() + slice.events_size() - 1, record.commit() + 1, leaf};
    next_position_ += slice.events_size();
    for (const v1::RecordedEvent& recorded : slice.events()) {
      ++out_.events;
      const absl::StatusOr<v1::Event> event = workflow::DecodeEvent(recorded);
      if (!event.ok()) return Problem(event.status().ToString());
      ++out_.event_types[workflow::EventTypeName(recorded.type())];
      if (slice.kind() == v1::STREAM_KIND_CASE) TakeCaseEvent(record, slice.stream_id(), *event);
    }
    if (slice.kind() != v1::STREAM_KIND_CASE) return;
    FoldedCase& folded = out_.cases[slice.stream_id()];
    folded.last_commit = record.commit();
    folded.states[record.commit()] = folded.state.SerializeAsString();
  }

  void TakeCaseEvent(const v1::CommitRecord& record, const std::string& id, const v1::Event& event) {
    v1::Case& state = out_.cases[id].state;
    state.set_case_id(id);
    const absl::Time occurred = FromProto(event.occurred_at());
    const bool contact = event.has_inbound_received() || event.has_outbound_sent() || event.has_clock_fulfilled() ||
                         event.has_clock_pause_shortened();
    absl::Time& last = last_workflow_event_[id];
    if (!contact && state.revision() > 0) {
      Expect(occurred >= last, absl::StrCat(workflow::EventTypeName(event.body_case()), " of ", id, " occurred at ",
                                            FormatUtc(occurred), ", before ", FormatUtc(last)));
    }
    if (!contact) last = std::max(last, occurred);
    const absl::Status applied = workflow::Apply(event, &state);
    Expect(applied.ok(), applied.ToString());
    if (event.has_clock_breached()) ++clocks_[{id, event.clock_breached().clock_no()}].breaches;
    if (event.has_breach_annulled()) --clocks_[{id, event.breach_annulled().clock_no()}].breaches;
    if (event.has_clock_fulfilled()) {
      clocks_[{id, event.clock_fulfilled().clock_no()}].stop_recorded = absl::FromUnixMicros(record.recorded_at_us());
    }
    if (event.has_case_received()) numbers_.push_back(state.case_no());
    CheckOneRunning(state);
  }

  void CheckOneRunning(const v1::Case& state) {
    std::set<std::tuple<std::string, int, uint32_t>> running;
    for (const v1::Clock& clock : state.clocks()) {
      if (clock.state() != v1::RUNNING && clock.state() != v1::PAUSED) continue;
      Expect(running.emplace(clock.metric(), clock.obligation(), clock.item()).second,
             absl::StrCat("case ", state.case_no(), " has two running clocks of ", clock.metric()));
    }
  }

  void CheckCaseNumbers() {
    std::map<std::pair<std::string, uint32_t>, uint64_t> counters;
    for (const std::string& text : numbers_) {
      const auto number = workflow::ParseCaseNumber(text);
      if (!number.has_value()) {
        Problem(absl::StrCat("has the malformed case number ", text));
        continue;
      }
      uint64_t& counter = counters[{number->prefix, number->year}];
      Expect(number->counter == counter + 1, absl::StrCat("case number ", text, " follows counter ", counter));
      counter = number->counter;
    }
  }

  // A breach stands if and only if no effective stop lies at or before the due. A stop entered after the breach was on
  // record is not effective until a second person confirms it (R7), so the breach stays.
  void CheckClocks(const v1::Case& state) {
    for (const v1::Clock& clock : state.clocks()) {
      const std::string name = absl::StrCat("clock ", clock.clock_no(), " (", clock.metric(), ") of ", state.case_no());
      const ClockStory& story = clocks_[{state.case_id(), clock.clock_no()}];
      Expect(story.breaches == 0 || story.breaches == 1, absl::StrCat(name, " breached ", story.breaches, " times"));
      Expect((story.breaches == 1) == clock.has_breached_due_at(),
             absl::StrCat(name, ": breach event and state differ"));
      const absl::Time due = clock.has_breached_due_at() ? FromProto(clock.breached_due_at())
                             : clock.has_due_at()        ? FromProto(clock.due_at())
                                                         : absl::InfiniteFuture();
      const absl::Time stop = FromProto(clock.stopped_at());
      const bool breached = clock.has_breached_due_at();
      if (clock.nature() == v1::WINDOW) {
        Expect(!breached, absl::StrCat(name, " breached, though a window only elapses"));
        const bool in_time = clock.state() != v1::FULFILLED || clock.on_time() == (stop <= due);
        Expect(in_time, absl::StrCat(name, " ended at ", FormatUtc(stop), ", which is told wrongly"));
      } else if (clock.state() == v1::FULFILLED) {
        Expect(clock.on_time() == !breached, absl::StrCat(name, ": on time and breached at once, or neither"));
        if (breached) {
          Expect(stop > due || story.stop_recorded > due,
                 absl::StrCat(name, " breached at ", FormatUtc(due), " although stopped at ", FormatUtc(stop)));
        } else {
          Expect(stop <= due, absl::StrCat(name, " stopped at ", FormatUtc(stop), " after its due without a breach"));
        }
      } else if (clock.state() == v1::CANCELLED) {
        Expect(breached || stop <= due, absl::StrCat(name, " cancelled after its due without a breach"));
      }
    }
  }

  LogAudit& out_;
  uint64_t next_position_ = 1;
  int64_t last_recorded_us_ = 0;
  std::map<std::pair<v1::StreamKind, std::string>, StreamHead> heads_;
  std::map<std::string, absl::Time> last_workflow_event_;
  std::map<std::pair<std::string, uint32_t>, ClockStory> clocks_;
  std::vector<std::string> numbers_;
};

}  // namespace

LogAudit AuditLog(const store::EventLog& log) {
  LogAudit audit;
  Auditor auditor(&audit);
  const auto cursor = log.ReadFrom(0);
  for (;;) {
    const absl::StatusOr<std::optional<std::string>> stored = cursor->Next();
    if (!stored.ok()) {
      audit.problems.push_back(stored.status().ToString());
      break;
    }
    if (!stored->has_value()) break;
    auditor.Take(**stored);
  }
  auditor.Finish();
  const store::LogHead head = log.Head();
  if (head.commits != audit.commits) audit.problems.push_back(absl::StrCat("the head says ", head.commits, " commits"));
  if (head.next_position != audit.events + 1) {
    audit.problems.push_back(absl::StrCat("the head's next position is ", head.next_position));
  }
  return audit;
}

void CheckNothingIsDue(absl::Time now, LogAudit* audit) {
  for (const auto& [id, folded] : audit->cases) {
    const absl::Time wake = workflow::WakeAt(folded.state);
    if (wake <= now) {
      audit->problems.push_back(absl::StrCat("case ", folded.state.case_no(), " slept through ", FormatUtc(wake)));
    }
    if (folded.state.history()) continue;
    for (const v1::Clock& clock : folded.state.clocks()) {
      const bool open = clock.state() == v1::RUNNING || clock.state() == v1::PAUSED;
      if (!open || clock.nature() != v1::DUTY || !clock.has_due_at() || clock.has_breached_due_at()) continue;
      if (FromProto(clock.due_at()) < now) {
        audit->problems.push_back(absl::StrCat("clock ", clock.clock_no(), " of ", folded.state.case_no(),
                                               " was due at ", FormatUtc(FromProto(clock.due_at())),
                                               ", no breach on record"));
      }
    }
  }
}

std::vector<std::string> CompareLoaded(const LogAudit& audit, const store::KvSnapshot& snapshot, store::Family views,
                                       const store::EventLog& log) {
  std::vector<std::string> problems;
  const engine::CaseLoader loader(snapshot, views, log);
  for (const auto& [id, folded] : audit.cases) {
    const auto loaded = loader.LoadWithHead(id);
    if (!loaded.ok() || !loaded->has_value()) {
      problems.push_back(absl::StrCat("case ", id, " does not load: ", loaded.status().ToString()));
      continue;
    }
    if ((*loaded)->state.SerializeAsString() != folded.state.SerializeAsString()) {
      problems.push_back(absl::StrCat("case ", folded.state.case_no(), " loads other than it folds"));
    }
    if ((*loaded)->last_commit != folded.last_commit)
      problems.push_back(absl::StrCat("case ", id, ": other last commit"));
    projection::SnapshotRow key;
    key.case_id = id;
    const auto kept = store::GetRow(snapshot, views, key);
    DOCKET_CHECK(kept.ok());
    if (!kept->has_value()) continue;
    const auto state = folded.states.find((*kept)->value.last_commit());
    if (state == folded.states.end() || state->second != (*kept)->value.state()) {
      problems.push_back(absl::StrCat("case ", folded.state.case_no(), " is kept other than it folded at commit ",
                                      (*kept)->value.last_commit()));
    }
  }
  store::RowScan<projection::CaseRow> rows(snapshot, views);
  size_t count = 0;
  for (; rows.Valid(); rows.Next()) ++count;
  if (count != audit.cases.size())
    problems.push_back(absl::StrCat(count, " case rows of ", audit.cases.size(), " cases"));
  return problems;
}

std::vector<std::string> FindOutsidePersonal(const store::KvStore& kv, absl::string_view text) {
  std::vector<std::string> found;
  std::vector<store::Family> families = kv.Families();
  families.push_back(store::kLogFamily);
  const auto snapshot = kv.Snapshot();
  for (const store::Family family : families) {
    for (auto row = snapshot->Scan(family, "", ""); row->Valid(); row->Next()) {
      if (absl::StrContains(row->key(), text) || absl::StrContains(row->value(), text)) {
        found.push_back(absl::StrCat("family ", family.id, " key ", absl::CHexEscape(row->key())));
      }
    }
  }
  return found;
}

}  // namespace docket::testing
