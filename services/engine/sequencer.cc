#include "services/engine/sequencer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "docket/v1/event.pb.h"
#include "services/engine/command_sealer.h"
#include "services/engine/projector.h"
#include "services/engine/replies.h"
#include "services/engine/sealed_texts.h"
#include "store/personal.h"
#include "store/record_format.h"
#include "store/requests.h"
#include "store/uuid.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/case_number.h"
#include "workflow/case/decide.h"
#include "workflow/case/replay.h"
#include "workflow/projection/rows.h"

namespace docket::engine {
namespace {

constexpr int kMaxCatchUpCommits = 16;
// Forgetting keeps up with remembering without ever being a large part of a group.
constexpr size_t kForgottenPerCommit = 2;
constexpr absl::Duration kForgetEvery = absl::Minutes(1);

absl::Status CaseNotFound(absl::string_view what) {
  return Refuse(absl::StatusCode::kNotFound, "CASE_NOT_FOUND", absl::StrCat("no case ", what),
                {{"case", std::string(what)}});
}

// What "the same content" means for a retry: the request without its id and without what only shapes the answer.
std::string CanonicalOf(const v1::ExecuteRequest& request, const Caller& caller) {
  v1::ExecuteRequest copy = request;
  copy.clear_request_id();
  copy.clear_return_case();
  return absl::StrCat(caller.principal_id, "\n", copy.SerializeAsString());
}

bool IsHistory(const v1::ExecuteRequest& request) {
  return request.command().has_record_source_row() || request.command().has_end_history() ||
         (request.command().has_file() && request.command().file().history());
}

// The least key of a keyspace that `rows` put, or "".
std::string FirstPut(const store::KvBatch& rows, store::Family family, uint16_t keyspace) {
  const std::string prefix = store::KeyspacePrefix(keyspace);
  const std::string* first = nullptr;
  for (const store::KvBatch::Entry& row : rows.entries()) {
    if (row.family != family || !row.value.has_value() || row.key.compare(0, prefix.size(), prefix) != 0) continue;
    if (first == nullptr || row.key < *first) first = &row.key;
  }
  return first == nullptr ? "" : *first;
}

std::string ExternalKey(const v1::ExternalRef& ref) {
  return absl::StrCat(ref.source(), std::string(1, '\0'), ref.key());
}

}  // namespace

Sequencer::Sequencer(store::KvStore* kv, store::EventLog* log, const Environment& environment, const LeaseTable* leases,
                     size_t cached_cases, uint32_t view_generation, std::shared_ptr<const policy::PolicySet> policies)
    : kv_(kv),
      log_(log),
      environment_(environment),
      leases_(leases),
      generation_(view_generation),
      policies_(policies),
      durable_policies_(policies),
      cache_(cached_cases) {}

void Sequencer::SwitchGeneration(uint32_t generation) {
  DOCKET_CHECK(encoded_.empty());
  generation_ = generation;
  forgotten_to_.clear();
}

void Sequencer::BeginGroup() {
  DOCKET_CHECK(encoded_.empty());
  const store::LogHead head = log_->Head();
  snapshot_ = kv_->Snapshot();
  now_ = std::max(environment_.clock->Now(), absl::FromUnixMicros(head.recorded_at_us));
  next_commit_ = head.commits;
  next_position_ = head.next_position;
}

v1::CommitRecord Sequencer::NewRecord() const {
  v1::CommitRecord record;
  record.set_log_id(log_->Head().log_id);
  record.set_commit(next_commit_);
  record.set_first_position(next_position_);
  record.set_recorded_at_us(absl::ToUnixMicros(now_));
  return record;
}

absl::StatusOr<std::string> Sequencer::Stage(v1::CommitRecord record, store::KvBatch rows, size_t row_count) {
  DOCKET_ASSIGN_OR_RETURN(std::string stored, store::EncodeRecord(record));
  store::EncodedCommit commit;
  commit.commit = record.commit();
  commit.first_position = record.first_position();
  commit.next_position = LastPosition(record) + 1;
  commit.recorded_at_us = record.recorded_at_us();
  commit.leaf = store::LeafHashOf(stored);
  commit.stored = std::move(stored);
  row_count += ProjectCommit(record, views(), &rows);
  if (!record.request_id().empty()) staged_requests_[record.request_id()] = records_.size();
  next_commit_ = commit.commit + 1;
  next_position_ = commit.next_position;
  staged_bytes_ += commit.stored.size() + rows.bytes();  // personal texts are as large as the record or larger
  staged_rows_ += row_count;
  rows_.Append(std::move(rows));
  records_.push_back(std::make_shared<const v1::CommitRecord>(std::move(record)));
  encoded_.push_back(std::move(commit));
  return encoded_.back().leaf;
}

absl::StatusOr<Sequencer::Committed> Sequencer::Commit() {
  Committed committed;
  if (encoded_.empty()) {
    cache_.Shrink();
    snapshot_.reset();
    return committed;
  }
  ForgetOldRequests();
  for (const store::EncodedCommit& one : encoded_) committed.bytes.push_back(one.stored.size());
  committed.first_wake = FirstPut(rows_, views(), projection::WakeRow::kKeyspace);
  const absl::Status written = log_->Append(encoded_, std::move(rows_));
  if (!written.ok()) {
    Forget();
    cache_.Clear();
    case_counters_.clear();
    other_heads_.clear();
    forgotten_to_.clear();
    policies_ = durable_policies_;
    return written;
  }
  committed.records = std::move(records_);
  durable_policies_ = policies_;
  Forget();
  cache_.Shrink();
  return committed;
}

void Sequencer::ForgetOldRequests() {
  if (now_ < next_forgetting_) return;
  if (forgotten_to_.empty()) forgotten_to_ = store::KeyspacePrefix(store::RequestRow::kKeyspace);
  auto rows = snapshot_->Scan(views(), forgotten_to_, FirstRememberedRequest(now_));
  size_t left = kForgottenPerCommit * encoded_.size();
  for (; rows->Valid() && left > 0; rows->Next(), --left) {
    forgotten_to_ = std::string(rows->key());
    rows_.Delete(views(), forgotten_to_);
  }
  if (!rows->Valid()) next_forgetting_ = now_ + kForgetEvery;
}

void Sequencer::Forget() {
  encoded_.clear();
  records_.clear();
  rows_ = store::KvBatch();
  staged_bytes_ = 0;
  staged_rows_ = 0;
  staged_requests_.clear();
  staged_external_.clear();
  staged_numbers_.clear();
  staged_owned_.clear();
  snapshot_.reset();
}

absl::StatusOr<LoadedCase*> Sequencer::Load(const std::string& case_id) {
  if (LoadedCase* held = cache_.Find(case_id); held != nullptr) return held;
  const CaseLoader loader(*snapshot_, views(), *log_);
  DOCKET_ASSIGN_OR_RETURN(std::optional<LoadedCase> loaded, loader.LoadWithHead(case_id));
  if (!loaded.has_value()) return CaseNotFound(case_id);
  return cache_.Insert(case_id, *std::move(loaded));
}

absl::StatusOr<std::optional<std::string>> Sequencer::FindExternal(const v1::ExternalRef& ref) {
  if (const auto staged = staged_external_.find(ExternalKey(ref)); staged != staged_external_.end()) {
    return std::optional<std::string>(staged->second);
  }
  projection::ExternalRow key{.source = ref.source(), .external_key = ref.key(), .case_id = ""};
  DOCKET_ASSIGN_OR_RETURN(const std::optional<projection::ExternalRow> row, store::GetRow(*snapshot_, views(), key));
  if (!row.has_value()) return std::optional<std::string>();
  return std::optional<std::string>(row->case_id);
}

absl::StatusOr<std::string> Sequencer::ResolveCase(const v1::ExecuteRequest& request) {
  if (!request.case_id().empty()) return request.case_id();
  if (!request.case_no().empty()) {
    if (const auto staged = staged_numbers_.find(request.case_no()); staged != staged_numbers_.end())
      return staged->second;
    const auto number = workflow::ParseCaseNumber(request.case_no());
    if (!number.has_value()) {
      return RefuseFields(
          "CASE_NO_INVALID",
          {{"case_no", absl::StrCat("\"", request.case_no(), "\" is no case number or its check character is wrong")}});
    }
    projection::CaseNumberRow key;
    key.prefix = number->prefix;
    key.year = number->year;
    key.counter = number->counter;
    DOCKET_ASSIGN_OR_RETURN(const std::optional<projection::CaseNumberRow> row,
                            store::GetRow(*snapshot_, views(), key));
    if (!row.has_value()) return CaseNotFound(request.case_no());
    return row->case_id;
  }
  if (!request.external_ref().source().empty()) {
    DOCKET_ASSIGN_OR_RETURN(const std::optional<std::string> found, FindExternal(request.external_ref()));
    if (!found.has_value()) {
      return CaseNotFound(absl::StrCat(request.external_ref().source(), ":", request.external_ref().key()));
    }
    return *found;
  }
  return RefuseFields("INVALID_FIELD", {{"case_id", "missing, want case_id, case_no or external_ref"}});
}

v1::Actor Sequencer::ActorFor(const v1::ExecuteRequest& request, const Caller& caller) const {
  v1::Actor actor;
  actor.set_principal_id(caller.principal_id);
  actor.set_kind(IsHistory(request) ? v1::ACTOR_KIND_IMPORT : caller.kind);
  actor.set_authentication(caller.authentication);
  if (const v1::Principal* principal = policies_->Principal(caller.principal_id); principal != nullptr) {
    actor.set_department_id(principal->department());
  }
  return actor;
}

Prepared Sequencer::Execute(const v1::ExecuteRequest& request, const Caller& caller) {
  const std::string canonical = CanonicalOf(request, caller);
  if (!request.validate_only()) {
    const AnswerShape shape{caller.brief, request.return_case()};
    if (auto earlier = EarlierAnswer(request.request_id(), canonical, shape); earlier.has_value()) {
      return *std::move(earlier);
    }
  }
  return ExecuteNew(request, caller, canonical);
}

// What the world does is recorded whoever is at work; a second person's word, an alarm, a conflict or the answer of
// another department is not the holder's work.
absl::Status Sequencer::CheckLease(const v1::ExecuteRequest& request, const Caller& caller,
                                   const v1::Case& state) const {
  const v1::Command& command = request.command();
  const bool goes_on = command.has_record_inbound() || command.has_report_delivery() || command.has_advance() ||
                       command.has_add_note() || command.has_escalate() || command.has_acknowledge_escalation() ||
                       command.has_approve_escalation() || command.has_decline_escalation() ||
                       command.has_close_escalation() || command.has_declare_conflict() ||
                       command.has_accept_transfer() || command.has_refuse_transfer() ||
                       command.has_judge_late_entry() || IsHistory(request);
  if (goes_on || caller.kind != v1::ACTOR_KIND_STAFF) return absl::OkStatus();
  const std::optional<LeaseTable::Lease> lease = leases_->Find(state.case_id(), now_);
  if (!lease.has_value() || lease->holder == caller.principal_id) return absl::OkStatus();
  return Leased(state.case_no(), *lease);
}

Prepared Sequencer::ExecuteNew(const v1::ExecuteRequest& request, const Caller& caller, const std::string& canonical) {
  if (!request.command().has_file()) {
    const absl::StatusOr<std::string> case_id = ResolveCase(request);
    if (!case_id.ok()) return {case_id.status()};
    const absl::StatusOr<LoadedCase*> loaded = Load(*case_id);
    if (!loaded.ok()) return {loaded.status()};
    if (const absl::Status leased = CheckLease(request, caller, (*loaded)->state); !leased.ok()) return {leased};
    return DecideAndStage(request, caller, canonical, *loaded);
  }
  const v1::ExternalRef& ref = request.command().file().external_ref();
  if (!ref.source().empty()) {
    const absl::StatusOr<std::optional<std::string>> known = FindExternal(ref);
    if (!known.ok()) return {known.status()};
    if (known->has_value()) {
      const absl::StatusOr<LoadedCase*> loaded = Load(**known);
      if (!loaded.ok()) return {loaded.status()};
      v1::ExecuteReply reply;
      DescribeCase((*loaded)->state, now_, &reply);
      reply.set_unchanged(true);
      const bool staged = staged_external_.count(ExternalKey(ref)) > 0;
      return {std::move(reply), staged};
    }
  }
  if (request.has_expected_revision() && request.expected_revision() != 0) {
    return {Refuse(absl::StatusCode::kAborted, "REVISION_MISMATCH", "expected_revision: a new case has revision 0",
                   {{"expected", absl::StrCat(request.expected_revision())}, {"actual", "0"}})};
  }
  LoadedCase fresh;
  fresh.state.set_case_id(request.case_id());
  if (request.case_id().empty()) {
    fresh.state.set_case_id(store::MakeUuidV7(absl::ToUnixMillis(now_), environment_.random(store::kUuidRandomBytes)));
  } else if (const auto taken = Load(request.case_id()); taken.ok()) {
    return {Refuse(absl::StatusCode::kAlreadyExists, "CASE_EXISTS",
                   absl::StrCat("case_id: ", request.case_id(), " is taken"),
                   {{"case_no", (*taken)->state.case_no()}})};
  } else if (taken.status().code() != absl::StatusCode::kNotFound) {
    return {taken.status()};
  }
  return DecideAndStage(request, caller, canonical, &fresh);
}

absl::StatusOr<uint64_t> Sequencer::NextCaseCounter(const std::string& prefix, uint32_t year) {
  const std::string name = absl::StrCat(prefix, "/", year);
  if (const auto found = case_counters_.find(name); found != case_counters_.end()) return found->second + 1;
  const std::string lower = store::KeyWriter().U16(projection::CaseNumberRow::kKeyspace).Text(prefix).U32(year).Take();
  DOCKET_ASSIGN_OR_RETURN(const auto last, snapshot_->Last(views(), lower, store::PrefixEnd(lower)));
  uint64_t counter = 0;
  if (last.has_value()) {
    DOCKET_ASSIGN_OR_RETURN(const projection::CaseNumberRow row,
                            store::ParseRow<projection::CaseNumberRow>(last->first, last->second));
    counter = row.counter;
  }
  case_counters_[name] = counter;
  return counter + 1;
}

Prepared Sequencer::DecideAndStage(const v1::ExecuteRequest& request, const Caller& caller,
                                   const std::string& canonical, LoadedCase* loaded) {
  if (request.has_expected_revision() && request.expected_revision() != loaded->state.revision()) {
    return {Refuse(
        absl::StatusCode::kAborted, "REVISION_MISMATCH",
        absl::StrCat("expected_revision: ", request.expected_revision(), ", case ", loaded->state.case_no(), " is at ",
                     loaded->state.revision()),
        {{"expected", absl::StrCat(request.expected_revision())}, {"actual", absl::StrCat(loaded->state.revision())}})};
  }
  const absl::StatusOr<absl::Time> effective =
      workflow::EffectiveTime(loaded->state, request.command(),
                              request.has_occurred_at() ? FromProto(request.occurred_at()) : absl::InfinitePast(),
                              !request.evidence_ref().empty(), now_);
  if (!effective.ok()) return {effective.status()};
  const v1::Actor actor = ActorFor(request, caller);
  CommandSealer sealer(environment_.random, next_commit_);
  absl::Status counter_status;
  std::string counter_name;
  workflow::DecideContext context;
  context.now = now_;
  context.effective = *effective;
  context.actor = &actor;
  context.policies = policies_.get();
  context.sealer = &sealer;
  context.approver = request.approver();
  context.evidence_ref = request.evidence_ref();
  context.new_case_id = loaded->state.case_id();
  context.next_case_no = [&](absl::string_view prefix, int year) -> std::string {
    counter_name = absl::StrCat(prefix, "/", year);
    const auto counter = NextCaseCounter(std::string(prefix), year);
    if (!counter.ok()) {
      counter_status = counter.status();
      return "";
    }
    return workflow::FormatCaseNumber({std::string(prefix), static_cast<uint32_t>(year), *counter});
  };
  v1::Case after;
  absl::StatusOr<std::vector<v1::Event>> events = workflow::Decide(loaded->state, request.command(), context, &after);
  if (!counter_status.ok()) return {counter_status};
  if (!events.ok()) {
    if (ReasonOf(events.status()) != "CASE_CATCHING_UP" || request.validate_only()) return {events.status()};
    for (int i = 0; i < kMaxCatchUpCommits; ++i) {
      const Prepared advanced = Advance(loaded->state.case_id());
      if (!advanced.answer.ok()) return {advanced.answer.status()};
      if (advanced.answer->unchanged()) break;
    }
    v1::ExecuteRequest again = request;
    again.clear_expected_revision();  // it was checked above, before the automatic facts
    return DecideAndStage(again, caller, canonical, loaded);
  }
  v1::CommitRecord record = NewRecord();
  if (request.validate_only()) {
    v1::ExecuteReply reply;
    DescribeCase(after, now_, &reply);
    uint32_t revision = loaded->state.revision();
    for (v1::Event& event : *events) {
      WarnOf(event, after, policies_->absences(), now_, &reply);
      v1::HistoryEvent* one = reply.add_events();
      one->set_revision(++revision);
      one->set_type(workflow::EventTypeName(event.body_case()));
      *one->mutable_event() = std::move(event);
    }
    if (request.return_case()) *reply.mutable_case_() = after;
    return {std::move(reply)};
  }
  if (events->empty()) {
    v1::ExecuteReply reply;
    DescribeCase(loaded->state, now_, &reply);
    reply.set_unchanged(true);
    return {std::move(reply)};
  }
  *record.mutable_actor() = actor;
  record.set_request_id(request.request_id());
  record.set_request_digest(store::RequestDigest(sealer.first_salt(), canonical));
  record.set_correlation_id(request.correlation_id());
  record.set_traceparent(caller.traceparent);
  const bool filing = loaded->state.revision() == 0;
  LoadedCase* target = filing ? cache_.Insert(loaded->state.case_id(), LoadedCase{loaded->state, 0, "", 0}) : loaded;
  const absl::Status staged = StageCase(std::move(record), target, after, *std::move(events), sealer.TakeRows());
  if (!staged.ok()) {
    // A filing that did not stage must leave no empty case in the cache; nothing else holds pointers into it here.
    if (filing) cache_.Erase(after.case_id());
    return {staged};
  }
  if (filing) {
    ++case_counters_[counter_name];
    staged_numbers_[after.case_no()] = after.case_id();
    if (!after.external_ref().source().empty()) staged_external_[ExternalKey(after.external_ref())] = after.case_id();
  }
  absl::StatusOr<v1::ExecuteReply> reply = ReplyOf(*records_.back(), after, policies_->absences(), caller.brief);
  if (reply.ok() && request.return_case()) *reply->mutable_case_() = std::move(after);
  return {std::move(reply), true};
}

absl::Status Sequencer::StageCase(v1::CommitRecord record, LoadedCase* loaded, v1::Case after,
                                  std::vector<v1::Event> events, store::KvBatch personal) {
  v1::Slice* slice = record.add_slices();
  slice->set_kind(v1::STREAM_KIND_CASE);
  slice->set_stream_id(after.case_id());
  slice->set_first_revision(loaded->state.revision() + 1);
  if (loaded->state.revision() > 0) {
    slice->set_prev_commit_plus_1(loaded->last_commit + 1);
    slice->set_prev_leaf(loaded->last_leaf);
  }
  for (const v1::Event& event : events) *slice->add_events() = workflow::EncodeEvent(event);
  const uint64_t commit = record.commit();
  v1::CaseListing listing = loaded->listing;
  const auto earlier = [&] { return EarlierEvents(*loaded); };
  DOCKET_ASSIGN_OR_RETURN(const PastChange past,
                          FollowInLists(loaded->state, after, events, commit, earlier, &listing));
  // The rows need the leaf hash, which only the encoded record gives; so the record is staged first.
  DOCKET_ASSIGN_OR_RETURN(const std::string leaf, Stage(std::move(record), std::move(personal), 0));
  staged_rows_ +=
      ProjectChange({loaded->state, after, events, loaded->listing, listing, past, {commit, leaf}}, views(), &rows_);
  if (!after.owner().empty()) staged_owned_[after.owner()].insert(after.case_id());
  loaded->state = std::move(after);
  loaded->listing = std::move(listing);
  loaded->last_commit = commit;
  loaded->last_leaf = leaf;
  if (loaded->state.revision() / kSnapshotEvery > loaded->kept_revision / kSnapshotEvery) {
    KeepState(loaded->state, commit, views(), &rows_);
    loaded->kept_revision = loaded->state.revision();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<projection::PastEvent>> Sequencer::EarlierEvents(const LoadedCase& loaded) {
  const std::string& case_id = loaded.state.case_id();
  const uint64_t first_staged = next_commit_ - records_.size();
  std::vector<Feed::Record> staged;
  uint64_t commits_left = loaded.state.revision() == 0 ? 0 : loaded.last_commit + 1;
  while (commits_left > first_staged) {
    staged.push_back(records_[commits_left - 1 - first_staged]);
    commits_left = SliceOf(*staged.back(), case_id)->prev_commit_plus_1();
  }
  std::vector<projection::PastEvent> all;
  if (commits_left > 0) {
    const CaseLoader loader(*snapshot_, views(), *log_);
    DOCKET_ASSIGN_OR_RETURN(all, loader.Events(case_id, commits_left - 1));
  }
  for (auto record = staged.rbegin(); record != staged.rend(); ++record) {
    DOCKET_ASSIGN_OR_RETURN(std::vector<v1::Event> events, EventsOf(*SliceOf(**record, case_id)));
    for (v1::Event& event : events) all.push_back({(*record)->commit(), std::move(event)});
  }
  return all;
}

Prepared Sequencer::Advance(const std::string& case_id) {
  v1::Command command;
  command.mutable_advance();
  return Propose(case_id, command, v1::ACTOR_KIND_TIMER);
}

Prepared Sequencer::RollOut(const std::string& case_id, const std::string& rollout_id) {
  v1::Command command;
  command.mutable_roll_out()->set_rollout_id(rollout_id);
  Prepared prepared = Propose(case_id, command, v1::ACTOR_KIND_SYSTEM_RULE);
  for (int i = 0; i < kMaxCatchUpCommits && ReasonOf(prepared.answer.status()) == "CASE_CATCHING_UP"; ++i) {
    const Prepared advanced = Advance(case_id);
    if (!advanced.answer.ok()) return {advanced.answer.status()};
    prepared = Propose(case_id, command, v1::ACTOR_KIND_SYSTEM_RULE);
  }
  return prepared;
}

Prepared Sequencer::Propose(const std::string& case_id, const v1::Command& command, v1::ActorKind kind) {
  const absl::StatusOr<LoadedCase*> found = Load(case_id);
  if (!found.ok()) return {found.status()};
  LoadedCase* loaded = *found;
  v1::Actor actor;
  actor.set_principal_id(kSystemPrincipal);
  actor.set_kind(kind);
  CommandSealer sealer(environment_.random, next_commit_);
  workflow::DecideContext context;
  context.now = now_;
  context.effective = now_;
  context.actor = &actor;
  context.policies = policies_.get();
  context.sealer = &sealer;
  v1::Case after;
  absl::StatusOr<std::vector<v1::Event>> events = workflow::Decide(loaded->state, command, context, &after);
  if (!events.ok()) return {events.status()};
  v1::ExecuteReply reply;
  DescribeCase(after, now_, &reply);
  reply.set_unchanged(events->empty());
  if (events->empty()) return {std::move(reply)};
  v1::CommitRecord record = NewRecord();
  *record.mutable_actor() = actor;
  const absl::Status staged = StageCase(std::move(record), loaded, std::move(after), *std::move(events), {});
  if (!staged.ok()) return {staged};
  // Nobody reads what a timer is answered.
  if (!command.has_advance())
    return {ReplyOf(*records_.back(), loaded->state, policies_->absences(), /*brief=*/false), true};
  return {std::move(reply), true};
}

}  // namespace docket::engine
