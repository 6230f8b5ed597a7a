#include "services/engine/replies.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/conflicted.h"
#include "workflow/case/decide.h"
#include "workflow/case/replay.h"
#include "workflow/projection/project.h"
#include "workflow/sla/clock_rules.h"

namespace docket::engine {

int EventCount(const v1::CommitRecord& record) {
  int count = 0;
  for (const v1::Slice& slice : record.slices()) count += slice.events_size();
  return count;
}

uint64_t LastPosition(const v1::CommitRecord& record) { return record.first_position() + EventCount(record) - 1; }

absl::StatusOr<v1::HistoryEvent> ToHistoryEvent(const v1::CommitRecord& record, int slice, int event,
                                                uint64_t position) {
  const v1::Slice& from = record.slices(slice);
  const v1::RecordedEvent& recorded = from.events(event);
  v1::HistoryEvent out;
  out.set_position(position);
  out.set_commit(record.commit());
  out.set_revision(static_cast<uint32_t>(from.first_revision() + event));
  out.set_stream_kind(from.kind());
  out.set_stream_id(from.stream_id());
  out.set_type(workflow::EventTypeName(recorded.type()));
  *out.mutable_recorded_at() = ToProto(absl::FromUnixMicros(record.recorded_at_us()));
  *out.mutable_actor() = record.actor();
  out.set_request_id(record.request_id());
  DOCKET_ASSIGN_OR_RETURN(*out.mutable_event(), workflow::DecodeEvent(recorded));
  const bool imported = record.actor().kind() == v1::ACTOR_KIND_IMPORT;
  const absl::Duration late = absl::Microseconds(record.recorded_at_us() - recorded.occurred_at_us());
  const bool contact = out.event().has_inbound_received() || out.event().has_outbound_sent();
  out.set_entered_late(!imported && contact && late > workflow::kClockTolerance);
  return out;
}

absl::StatusOr<std::vector<v1::HistoryEvent>> ToHistoryEvents(const v1::CommitRecord& record) {
  std::vector<v1::HistoryEvent> out;
  uint64_t position = record.first_position();
  for (int slice = 0; slice < record.slices_size(); ++slice) {
    for (int event = 0; event < record.slices(slice).events_size(); ++event) {
      DOCKET_ASSIGN_OR_RETURN(v1::HistoryEvent one, ToHistoryEvent(record, slice, event, position++));
      out.push_back(std::move(one));
    }
  }
  return out;
}

void DescribeCase(const v1::Case& state, absl::Time now, v1::ExecuteReply* reply) {
  reply->set_case_id(state.case_id());
  reply->set_case_no(state.case_no());
  reply->set_revision(state.revision());
  reply->set_status(state.status().status());
  const v1::Clock* next = nullptr;
  for (const v1::Clock& clock : state.clocks()) {
    if (clock.nature() != v1::DUTY || sla::LateFrom(clock) == absl::InfiniteFuture()) continue;
    if (next == nullptr || sla::LateFrom(clock) < sla::LateFrom(*next)) next = &clock;
  }
  if (next == nullptr) return;
  v1::NextDuty* duty = reply->mutable_next_duty();
  duty->set_metric(next->metric());
  *duty->mutable_due_at() = ToProto(sla::LateFrom(*next));
  duty->set_late(sla::IsLate(*next, now));
  duty->set_department(projection::AnsweringDepartment(state, *next));
}

v1::PolicyFinding ToMessage(const policy::Finding& finding) {
  v1::PolicyFinding message;
  message.set_line(static_cast<uint32_t>(finding.line));
  message.set_reason(finding.reason);
  message.set_message(finding.message);
  return message;
}

void WarnOf(const v1::Event& event, const v1::Case& after, const policy::Absences& absences, absl::Time at,
            v1::ExecuteReply* reply) {
  if (event.owner_assigned().mode() != v1::GIVE) return;
  const std::string& owner = event.owner_assigned().owner();
  const v1::Absence* away = absences.At(owner, at);
  if (away == nullptr) return;
  const std::string deputy = absences.ActingFor(owner, at);
  const char* conflict = workflow::ConflictOf(after, deputy) == nullptr ? "" : ", who has a conflict of interest";
  v1::CommandWarning* warning = reply->add_warnings();
  warning->set_reason("OWNER_ABSENT");
  warning->set_description(absl::StrCat(owner, " is away until ", FormatUtc(FromProto(away->until())), ", ",
                                        deputy.empty() ? "nobody" : deputy, " stands in", conflict));
}

absl::StatusOr<v1::ExecuteReply> ReplyOf(const v1::CommitRecord& record, const v1::Case& after,
                                         const policy::Absences& absences, bool brief) {
  const absl::Time recorded_at = absl::FromUnixMicros(record.recorded_at_us());
  v1::ExecuteReply reply;
  DescribeCase(after, recorded_at, &reply);
  reply.set_commit(record.commit());
  reply.set_first_position(record.first_position());
  reply.set_last_position(LastPosition(record));
  *reply.mutable_recorded_at() = ToProto(recorded_at);
  for (const v1::Slice& slice : record.slices()) {
    for (const v1::RecordedEvent& recorded : slice.events()) {
      if (recorded.type() != v1::Event::kOwnerAssigned) continue;
      DOCKET_ASSIGN_OR_RETURN(const v1::Event event, workflow::DecodeEvent(recorded));
      WarnOf(event, after, absences, recorded_at, &reply);
    }
  }
  if (brief) return reply;
  DOCKET_ASSIGN_OR_RETURN(std::vector<v1::HistoryEvent> events, ToHistoryEvents(record));
  for (v1::HistoryEvent& event : events) *reply.add_events() = std::move(event);
  return reply;
}

}  // namespace docket::engine
