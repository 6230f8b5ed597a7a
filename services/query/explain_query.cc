#include "services/query/explain_query.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/engine/case_loader.h"
#include "services/engine/replies.h"
#include "services/query/case_fold.h"
#include "services/query/case_query.h"
#include "store/record_format.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"
#include "workflow/sla/clock_rules.h"
#include "workflow/sla/explain.h"
#include "workflow/sla/policy_match.h"

namespace docket::query {
namespace {

using Clocks = google::protobuf::RepeatedPtrField<v1::Clock>;

const v1::Clock* FindClock(const Clocks& clocks, uint32_t clock_no) {
  for (const v1::Clock& clock : clocks) {
    if (clock.clock_no() == clock_no) return &clock;
  }
  return nullptr;
}

// Null: none is meant.
const v1::Clock* ChooseClock(const Clocks& clocks, const v1::ExplainDueRequest& request) {
  if (request.clock_no() != 0) return FindClock(clocks, request.clock_no());
  const v1::Clock* chosen = nullptr;
  const v1::Clock* last = nullptr;
  for (const v1::Clock& clock : clocks) {
    if (request.obligation() != v1::OBLIGATION_UNSPECIFIED && clock.obligation() != request.obligation()) continue;
    last = &clock;
    if (!request.metric().empty()) {
      if (clock.metric() == request.metric()) chosen = &clock;  // they come in the order of their numbers
      continue;
    }
    const bool sooner = chosen == nullptr || sla::LateFrom(clock) <= sla::LateFrom(*chosen);
    if (clock.nature() == v1::DUTY && sooner) chosen = &clock;
  }
  return chosen == nullptr && request.metric().empty() ? last : chosen;
}

absl::Status NoClock(const v1::ExplainDueRequest& request, const Clocks& clocks) {
  std::string have;
  for (const v1::Clock& clock : clocks)
    absl::StrAppend(&have, have.empty() ? "" : ", ", clock.clock_no(), " ", clock.metric());
  std::string wanted = request.clock_no() != 0    ? absl::StrCat("clock_no: ", request.clock_no())
                       : request.metric().empty() ? "clock_no: any"
                                                  : absl::StrCat("metric: ", request.metric());
  if (request.obligation() != v1::OBLIGATION_UNSPECIFIED) {
    absl::StrAppend(&wanted, ", obligation: ", v1::Obligation_Name(request.obligation()));
  }
  return Refuse(
      absl::StatusCode::kNotFound, "CLOCK_NOT_FOUND",
      absl::StrCat(wanted, " is no clock of the case then", have.empty() ? "; it has none" : "; it has ", have),
      {{"clocks", have}});
}

// "cause" or "mode" of the body of an event about clocks.
std::string CauseOf(const v1::Event& event) {
  if (event.has_clock_breached()) return event.clock_breached().cause();
  if (event.has_clock_retargeted()) return event.clock_retargeted().cause();
  if (event.has_clock_cancelled()) return event.clock_cancelled().cause();
  if (event.has_clock_reopened()) {
    return absl::StrCat(event.clock_reopened().mode(), event.clock_reopened().cause().empty() ? "" : " ",
                        event.clock_reopened().cause());
  }
  if (event.has_clock_extended()) return event.clock_extended().ground();
  if (event.has_clock_exempted()) return event.clock_exempted().cause();
  if (event.has_clock_pause_shortened()) return event.clock_pause_shortened().cause();
  if (event.has_breach_annulled()) return event.breach_annulled().cause();
  return "";
}

bool SameForPeople(const v1::Clock& a, const v1::Clock& b) {
  return a.state() == b.state() && FromProto(a.due_at()) == FromProto(b.due_at()) && a.has_due_at() == b.has_due_at() &&
         a.has_stopped_at() == b.has_stopped_at() && a.has_breached_due_at() == b.has_breached_due_at() &&
         a.disputed() == b.disputed() && a.exempt_cause() == b.exempt_cause() && a.pinned() == b.pinned() &&
         FromProto(a.start_at()) == FromProto(b.start_at()) && a.policy().id() == b.policy().id() &&
         a.policy().version() == b.policy().version() && a.calendar().id() == b.calendar().id() &&
         a.calendar().version() == b.calendar().version() &&
         a.target().SerializeAsString() == b.target().SerializeAsString();
}

// Adds a step for every event after which the clock is another than before.
class StepFinder {
 public:
  StepFinder(const std::string& case_id, uint32_t clock_no, const AsOf& as_of, v1::ExplainDueReply* reply)
      : clock_no_(clock_no), fold_(case_id, as_of), reply_(reply) {}

  absl::StatusOr<bool> Visit(const CaseEvent& one) {
    if (fold_.Finished(one) || reply_->steps_size() == kMaxExplainedIntervals) return false;
    DOCKET_RETURN_IF_ERROR(fold_.Add(one));
    const v1::Clock* clock = FindClock(fold_.state().clocks(), clock_no_);
    if (clock == nullptr || (seen_ && SameForPeople(*clock, before_))) return true;
    seen_ = true;
    before_ = *clock;
    return Add(one, *clock);
  }

 private:
  absl::StatusOr<bool> Add(const CaseEvent& one, const v1::Clock& clock) {
    DOCKET_ASSIGN_OR_RETURN(const v1::Event event, workflow::DecodeEvent(one.event()));
    v1::DueStep* step = reply_->add_steps();
    step->set_position(one.position);
    step->set_revision(one.revision);
    step->set_type(workflow::EventTypeName(event.body_case()));
    step->set_cause(CauseOf(event));
    *step->mutable_occurred_at() = event.occurred_at();
    *step->mutable_recorded_at() = ToProto(absl::FromUnixMicros(one.record.recorded_at_us()));
    *step->mutable_actor() = one.record.actor();
    step->set_rule(event.rule());
    if (clock.has_due_at()) *step->mutable_due_at() = clock.due_at();
    step->set_state(clock.state());
    if (clock.has_stopped_at()) *step->mutable_stopped_at() = clock.stopped_at();
    return true;
  }

  const uint32_t clock_no_;
  CaseFold fold_;
  v1::ExplainDueReply* const reply_;
  bool seen_ = false;
  v1::Clock before_;
};

absl::Status AddSteps(const Reader& reader, const std::string& case_id, const AsOf& as_of, uint32_t clock_no,
                      v1::ExplainDueReply* reply) {
  const engine::CaseLoader loader(*reader.view.snapshot, reader.view.views, *reader.log);
  DOCKET_ASSIGN_OR_RETURN(const std::vector<uint64_t> commits, loader.Commits(case_id));
  StepFinder finder(case_id, clock_no, as_of, reply);
  for (const uint64_t commit : commits) {
    DOCKET_ASSIGN_OR_RETURN(const std::string stored, reader.log->Read(commit));
    DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, store::DecodeRecord(stored));
    DOCKET_ASSIGN_OR_RETURN(const bool go_on,
                            VisitCaseEvents(record, case_id, [&](const CaseEvent& one) { return finder.Visit(one); }));
    if (!go_on) break;
  }
  return absl::OkStatus();
}

v1::DueInterval::Why WhyOf(sla::CountedInterval::Why why) {
  switch (why) {
    case sla::CountedInterval::kCounted:
      return v1::DueInterval::COUNTED;
    case sla::CountedInterval::kOutsideHours:
      return v1::DueInterval::OUTSIDE_HOURS;
    case sla::CountedInterval::kPaused:
      return v1::DueInterval::PAUSED;
    case sla::CountedInterval::kExcluded:
      return v1::DueInterval::EXCLUDED;
  }
  return v1::DueInterval::WHY_UNSPECIFIED;
}

absl::Status AddIntervals(const policy::PolicySet& policies, absl::Time valid_at, v1::ExplainDueReply* reply) {
  const v1::Clock& clock = reply->clock();
  DOCKET_ASSIGN_OR_RETURN(const auto calendar, sla::PinnedCalendar(policies, clock.calendar()));
  reply->set_zone(calendar->compiled().zone());
  absl::Time until = absl::InfiniteFuture();
  if (!clock.has_due_at()) until = valid_at;  // paused without a known end
  if (clock.has_stopped_at()) until = FromProto(clock.stopped_at());
  absl::Duration counted;
  for (const sla::CountedInterval& one : sla::ExplainDue(*calendar, clock, until)) {
    if (reply->intervals_size() == kMaxExplainedIntervals) {
      reply->set_intervals_cut(true);
      break;
    }
    v1::DueInterval* interval = reply->add_intervals();
    *interval->mutable_start() = ToProto(one.span.start);
    *interval->mutable_end() = ToProto(one.span.end);
    interval->set_why(WhyOf(one.why));
    interval->set_label(one.label);
    if (one.why == sla::CountedInterval::kCounted) counted += one.span.end - one.span.start;
  }
  *reply->mutable_counted() = ToProto(counted);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::ExplainDueReply> ExplainDue(const Reader& reader, const v1::ExplainDueRequest& request) {
  DOCKET_ASSIGN_OR_RETURN(const std::string case_id, ResolveCase(reader, {request.case_id(), request.case_no()}));
  v1::GetClocksRequest clocks_request;
  clocks_request.set_case_id(case_id);
  if (request.has_valid_at()) *clocks_request.mutable_valid_at() = request.valid_at();
  if (request.has_known_at()) *clocks_request.mutable_known_at() = request.known_at();
  DOCKET_ASSIGN_OR_RETURN(const v1::GetClocksReply clocks, GetClocks(reader, clocks_request));
  const v1::Clock* clock = ChooseClock(clocks.clocks(), request);
  if (clock == nullptr) return NoClock(request, clocks.clocks());
  v1::ExplainDueReply reply;
  *reply.mutable_clock() = *clock;
  reply.set_position(clocks.position());
  *reply.mutable_valid_at() = clocks.valid_at();
  *reply.mutable_known_at() = clocks.known_at();
  const AsOf as_of{.valid_at = FromProto(clocks.valid_at()), .known_at = FromProto(clocks.known_at())};
  DOCKET_RETURN_IF_ERROR(AddSteps(reader, case_id, as_of, clock->clock_no(), &reply));
  DOCKET_RETURN_IF_ERROR(AddIntervals(*reader.view.policies, as_of.valid_at, &reply));
  return reply;
}

}  // namespace docket::query
