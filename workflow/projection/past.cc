#include "workflow/projection/past.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"

namespace docket::projection {
namespace {

constexpr int64_t kAfterAll = std::numeric_limits<int64_t>::max();

int64_t OccurredAt(const v1::Event& event) { return absl::ToUnixMicros(FromProto(event.occurred_at())); }

// Folds events with gaps: those that had not occurred yet are left out (DOMAIN R1). A contact entered late may act on
// something that had not happened yet; then it has no effect yet.
class FoldAt {
 public:
  FoldAt(const std::string& case_id, const std::vector<PastEvent>& events) : events_(events) {
    whole_.set_case_id(case_id);
    earliest_from_.resize(events.size() + 1, kAfterAll);
    for (size_t i = events.size(); i-- > 0;) {
      earliest_from_[i] = std::min(earliest_from_[i + 1], OccurredAt(events[i].event));
    }
  }

  // REQUIRES: not before the instant of the last call.
  absl::StatusOr<v1::Case> At(int64_t at_us) {
    for (; next_ < events_.size() && OccurredAt(events_[next_].event) <= at_us; ++next_) {
      DOCKET_RETURN_IF_ERROR(workflow::Apply(events_[next_].event, &whole_));
    }
    v1::Case state = whole_;
    for (size_t i = next_; i < events_.size() && earliest_from_[i] <= at_us; ++i) {
      const v1::Event& event = events_[i].event;
      if (OccurredAt(event) > at_us || (state.revision() == 0 && !event.has_case_received())) continue;
      v1::Case with = state;
      with.set_revision(static_cast<uint32_t>(i));
      const absl::Status applied = workflow::Apply(event, &with);
      if (applied.ok()) state = std::move(with);
      if (!applied.ok() && applied.code() != absl::StatusCode::kDataLoss) return applied;
    }
    return state;
  }

 private:
  const std::vector<PastEvent>& events_;
  std::vector<int64_t> earliest_from_;  // of the events from each on
  v1::Case whole_;                      // of the events before next_, none left out
  size_t next_ = 0;
};

std::vector<int64_t> Instants(const std::vector<PastEvent>& events, int64_t until_us) {
  std::vector<int64_t> instants;
  for (const PastEvent& one : events) {
    if (OccurredAt(one.event) <= until_us) instants.push_back(OccurredAt(one.event));
  }
  std::sort(instants.begin(), instants.end());
  instants.erase(std::unique(instants.begin(), instants.end()), instants.end());
  return instants;
}

// Whether any of [begin, end), events that occurred together, moves a row.
bool AnyMovesRows(const std::vector<v1::Event>& events, size_t begin, size_t end) {
  return std::any_of(events.begin() + begin, events.begin() + end,
                     [](const v1::Event& event) { return MovesRows(event.body_case()); });
}

size_t EndOfStep(const std::vector<v1::Event>& events, size_t begin) {
  size_t end = begin + 1;
  while (end < events.size() && OccurredAt(events[end]) == OccurredAt(events[begin])) ++end;
  return end;
}

size_t EndOfCommit(const std::vector<PastEvent>& events, size_t begin) {
  size_t end = begin + 1;
  while (end < events.size() && events[end].commit == events[begin].commit) ++end;
  return end;
}

// The number of events up to and including the newest commit that goes back; 0: none does.
size_t EndOfGoingBack(const std::vector<PastEvent>& events) {
  size_t end_of_it = 0;
  int64_t newest_us = std::numeric_limits<int64_t>::min();
  for (size_t begin = 0; begin < events.size();) {
    const size_t end = EndOfCommit(events, begin);
    for (; begin < end; ++begin) {
      if (OccurredAt(events[begin].event) < newest_us) end_of_it = end;
      newest_us = std::max(newest_us, OccurredAt(events[begin].event));
    }
  }
  return end_of_it;
}

}  // namespace

bool GoesBack(const v1::CaseListing& listing, const std::vector<v1::Event>& events) {
  int64_t newest_us = listing.since_revision() == 0 ? std::numeric_limits<int64_t>::min() : listing.newest_us();
  for (const v1::Event& event : events) {
    if (OccurredAt(event) < newest_us) return true;
    newest_us = OccurredAt(event);
  }
  return false;
}

absl::Status ApplyAndFollow(const std::vector<v1::Event>& events, v1::Case* state, v1::CaseListing* listing,
                            PastRows* past) {
  std::optional<Standing> stood;
  for (size_t begin = 0; begin < events.size();) {
    const size_t end = EndOfStep(events, begin);
    const int64_t at_us = OccurredAt(events[begin]);
    const bool moves = AnyMovesRows(events, begin, end);
    if (moves && !stood.has_value()) stood = StandingOf(*state);
    for (; begin < end; ++begin) DOCKET_RETURN_IF_ERROR(workflow::Apply(events[begin], state));
    if (moves) {
      Standing stands = StandingOf(*state);
      Follow(state->case_id(), *stood, stands, at_us, state->revision(), listing, past);
      stood = std::move(stands);
    }
    listing->set_newest_us(at_us);
  }
  return absl::OkStatus();
}

absl::Status FollowCommit(const v1::Case& before, const v1::Case& after, const std::vector<v1::Event>& events,
                          v1::CaseListing* listing, PastRows* past) {
  if (events.empty()) return absl::OkStatus();
  if (EndOfStep(events, 0) < events.size()) {
    v1::Case state = before;
    state.set_case_id(after.case_id());
    return ApplyAndFollow(events, &state, listing, past);
  }
  const int64_t at_us = OccurredAt(events[0]);
  if (AnyMovesRows(events, 0, events.size())) {
    Follow(after.case_id(), StandingOf(before), StandingOf(after), at_us, after.revision(), listing, past);
  }
  listing->set_newest_us(at_us);
  return absl::OkStatus();
}

absl::StatusOr<Past> PastInOrderOfTime(const std::string& case_id, const std::vector<PastEvent>& events,
                                       int64_t until_us, v1::Case* last) {
  Past past;
  FoldAt fold(case_id, events);
  v1::Case before;
  Standing stood;
  for (const int64_t at_us : Instants(events, until_us)) {
    DOCKET_ASSIGN_OR_RETURN(v1::Case after, fold.At(at_us));
    if (after.revision() == 0) continue;
    Standing stands = StandingOf(after);
    Follow(case_id, stood, stands, at_us, after.revision(), &past.listing, &past.rows);
    stood = std::move(stands);
    before = std::move(after);
  }
  *last = std::move(before);
  return past;
}

absl::StatusOr<Past> PastOf(const std::string& case_id, const std::vector<PastEvent>& events) {
  const size_t back = EndOfGoingBack(events);
  Past past;
  v1::Case state;
  if (back > 0) {
    const std::vector<PastEvent> until(events.begin(), events.begin() + back);
    DOCKET_ASSIGN_OR_RETURN(past, PastInOrderOfTime(case_id, until, kAfterAll, &state));
  }
  state.set_case_id(case_id);
  for (size_t begin = back; begin < events.size();) {
    const size_t end = EndOfCommit(events, begin);
    std::vector<v1::Event> commit;
    for (; begin < end; ++begin) commit.push_back(events[begin].event);
    DOCKET_RETURN_IF_ERROR(ApplyAndFollow(commit, &state, &past.listing, &past.rows));
  }
  return past;
}

}  // namespace docket::projection
