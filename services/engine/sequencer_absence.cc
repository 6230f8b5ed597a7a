// Who is away: commits of the DIRECTORY stream beside the directory itself.
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/engine/replies.h"
#include "services/engine/sequencer.h"
#include "store/requests.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/decide.h"
#include "workflow/case/replay.h"
#include "workflow/escalation/targets.h"

namespace docket::engine {
namespace {

// Is `principal` a manager of `who`, directly or further up?
bool IsAbove(const policy::PolicySet& policies, const std::string& principal, std::string who) {
  for (int depth = 0; depth < escalation::kMaxLineDepth && !who.empty(); ++depth) {
    const v1::Principal* known = policies.Principal(who);
    who = known == nullptr ? "" : known->manager();
    if (who == principal) return true;
  }
  return false;
}

// What the commit that recorded an absence answered then.
absl::StatusOr<v1::AbsenceReply> AnswerOf(const v1::CommitRecord& record) {
  v1::AbsenceReply reply;
  for (const v1::Slice& slice : record.slices()) {
    for (const v1::RecordedEvent& recorded : slice.events()) {
      DOCKET_ASSIGN_OR_RETURN(const v1::Event event, workflow::DecodeEvent(recorded));
      if (event.has_absence_recorded()) *reply.mutable_absence() = event.absence_recorded().absence();
    }
  }
  reply.set_commit(record.commit());
  reply.set_last_position(LastPosition(record));
  return reply;
}

}  // namespace

absl::StatusOr<v1::Absence> Sequencer::AbsenceToRecord(const v1::Absence& absence, const std::string& by) const {
  std::vector<BadField> bad;
  for (const auto& [field, who] :
       {std::pair<const char*, const std::string&>("principal", absence.principal()), {"deputy", absence.deputy()}}) {
    if (policies_->Principal(who) == nullptr) {
      bad.push_back({field, policies_->DescribeUnknown(policy::NameKind::kPrincipal, who)});
    }
  }
  if (!bad.empty()) return RefuseFields("UNKNOWN_PRINCIPAL", bad);
  v1::Absence result = absence;
  if (!result.has_from()) *result.mutable_from() = ToProto(now_);
  if (result.deputy() == by && !IsAbove(*policies_, by, result.principal())) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "DEPUTY_BY_HIMSELF",
                  absl::StrCat("absence.deputy: ", by, " records it and is no manager of ", result.principal(),
                               ", want it recorded by ", result.principal(), " or a manager"));
  }
  if (FromProto(result.until()) <= now_) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "ABSENCE_OVER",
                  absl::StrCat("until: ", FormatUtc(FromProto(result.until())), " is past, want an instant after ",
                               FormatUtc(now_)));
  }
  if (FromProto(result.from()) < now_ - workflow::kClockTolerance) {
    return Refuse(
        absl::StatusCode::kFailedPrecondition, "ABSENCE_BACK_DATED",
        absl::StrCat("from: ", FormatUtc(FromProto(result.from())), " is past, want at least ", FormatUtc(now_)));
  }
  DOCKET_RETURN_IF_ERROR(policies_->absences().Check(result));
  return result;
}

absl::StatusOr<v1::Absence> Sequencer::AbsenceToEnd(const v1::Absence& absence) const {
  const v1::Absence* found = absence.has_from() ? nullptr : policies_->absences().At(absence.principal(), now_);
  for (const v1::Absence& one : policies_->absences().all()) {
    if (found != nullptr) break;
    const bool named = absence.has_from() && FromProto(one.from()) == FromProto(absence.from());
    const bool next = !absence.has_from() && FromProto(one.from()) > now_;
    if (one.principal() == absence.principal() && (named || next)) found = &one;
  }
  if (found == nullptr || FromProto(found->until()) <= now_) {
    return Refuse(absl::StatusCode::kNotFound, "NO_ABSENCE",
                  absl::StrCat("principal: ", absence.principal(), " has no absence",
                               absence.has_from() ? absl::StrCat(" from ", FormatUtc(FromProto(absence.from()))) : "",
                               " that could end"));
  }
  v1::Absence result = *found;
  *result.mutable_until() = FromProto(result.from()) < now_ ? ToProto(now_) : result.from();
  return result;
}

PreparedAbsence Sequencer::ChangeAbsence(const AbsenceChange& change, const Caller& caller) {
  const std::string canonical =
      absl::StrCat(caller.principal_id, "\nabsence\n", change.end ? "end\n" : "", change.absence.SerializeAsString());
  const absl::StatusOr<std::optional<Earlier>> earlier = FindEarlier(change.request_id, canonical);
  if (!earlier.ok()) return {earlier.status()};
  if (earlier->has_value()) {
    absl::StatusOr<v1::AbsenceReply> again = AnswerOf(*(*earlier)->record);
    if (again.ok()) again->set_replayed(true);
    return {std::move(again), (*earlier)->staged};
  }
  if (policies_->Principal(caller.principal_id) == nullptr) {
    return {RefuseFields("UNKNOWN_PRINCIPAL",
                         {{"docket-principal", absl::StrCat("\"", caller.principal_id,
                                                            "\" is not in the directory, who records has to be")}})};
  }
  absl::StatusOr<v1::Absence> absence =
      change.end ? AbsenceToEnd(change.absence) : AbsenceToRecord(change.absence, caller.principal_id);
  if (!absence.ok()) return {absence.status()};
  v1::Event event;
  *event.mutable_occurred_at() = ToProto(now_);
  event.set_visibility(v1::VISIBILITY_INTERNAL);
  *event.mutable_absence_recorded()->mutable_absence() = *std::move(absence);
  v1::CommitRecord record = NewRecord();
  auto policies = policies_->With(event, record.first_position(), now_, caller.principal_id);
  if (!policies.ok()) return {policies.status()};
  *record.mutable_actor() = ActorFor(v1::ExecuteRequest(), caller);
  record.set_request_id(change.request_id);
  record.set_request_digest(store::RequestDigest("", canonical));  // nothing personal in it
  v1::AbsenceReply reply;
  *reply.mutable_absence() = event.absence_recorded().absence();
  reply.set_commit(record.commit());
  reply.set_last_position(record.first_position());
  std::vector<NewSlice> slices(1);
  slices[0] = {v1::STREAM_KIND_DIRECTORY, kDirectoryStream, {std::move(event)}};
  const absl::Status staged = StageOther(std::move(record), std::move(slices), {});
  if (!staged.ok()) return {staged};
  policies_ = *std::move(policies);
  return {std::move(reply), true};
}

}  // namespace docket::engine
