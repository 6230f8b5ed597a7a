#include "services/query/policy_query.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/engine/replies.h"
#include "services/query/texts.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/policy/pack.h"
#include "workflow/sla/target.h"

namespace docket::query {
namespace {

using CalendarPointer = std::shared_ptr<const sla::WorkingCalendar>;

absl::StatusOr<CalendarPointer> CalendarOfYaml(const Reader& reader, const std::string& yaml) {
  const policy::Pack pack = policy::ParsePack(yaml, *reader.view.policies, reader.now);
  if (!pack.findings.empty()) {
    return RefuseFields(
        "INVALID_FIELD",
        {{"calendar_yaml", absl::StrJoin(pack.findings, "; ", [](std::string* out, const auto& finding) {
            absl::StrAppend(out, "line ", finding.line, ": ", finding.message);
          })}});
  }
  for (const policy::PackDocument& document : pack.documents) {
    if (document.kind == v1::CALENDAR) return sla::WorkingCalendar::FromCompiled(document.compiled.calendar());
  }
  return RefuseFields("INVALID_FIELD", {{"calendar_yaml", "holds no calendar document; want exactly one"}});
}

absl::StatusOr<CalendarPointer> CalendarOf(const Reader& reader, const v1::ComputeDueRequest& request) {
  if (!request.calendar_yaml().empty()) return CalendarOfYaml(reader, request.calendar_yaml());
  if (request.calendar_id().empty()) return sla::WorkingCalendar::Always();
  const auto* published = reader.view.policies->CalendarNamed(request.calendar_id(), reader.now);
  if (published == nullptr) {
    return Refuse(absl::StatusCode::kNotFound, "CALENDAR_NOT_FOUND",
                  absl::StrCat("calendar_id: no published calendar \"", request.calendar_id(), "\""),
                  {{"calendar_id", request.calendar_id()}});
  }
  return published->value;
}

std::string KindAndId(v1::PolicyKind kind, absl::string_view id) {
  return absl::StrCat(v1::PolicyKind_Name(kind), " ", id);
}

}  // namespace

v1::ValidatePoliciesReply ValidatePolicies(const Reader& reader, const v1::ValidatePoliciesRequest& request) {
  const policy::Pack pack = policy::ParsePack(request.yaml(), *reader.view.policies, reader.now);
  v1::ValidatePoliciesReply reply;
  for (const policy::Finding& finding : pack.findings) *reply.add_findings() = engine::ToMessage(finding);
  for (const policy::Finding& warning : pack.warnings) *reply.add_warnings() = engine::ToMessage(warning);
  for (const policy::PackDocument& document : pack.documents) {
    v1::PublishedPolicy* policy = reply.add_policies();
    policy->set_kind(document.kind);
    policy->set_id(document.id);
    policy->set_version(1);
    const auto newest = reader.view.policies->Get(document.kind, document.id, 0);
    if (!newest.ok()) continue;
    policy->set_unchanged(newest->digest == document.digest);
    policy->set_version(newest->pin.version() + (policy->unchanged() ? 0 : 1));
  }
  return reply;
}

absl::StatusOr<v1::GetPolicyReply> GetPolicy(const Reader& reader, const v1::GetPolicyRequest& request) {
  auto policy = reader.view.policies->Get(request.kind(), request.id(), request.version());
  if (!policy.ok()) {
    if (!absl::IsNotFound(policy.status())) return policy.status();
    return Refuse(absl::StatusCode::kNotFound, "POLICY_NOT_FOUND",
                  absl::StrCat("no ", KindAndId(request.kind(), request.id()),
                               request.version() == 0 ? "" : absl::StrCat(" version ", request.version())),
                  {{"id", request.id()}});
  }
  v1::GetPolicyReply reply;
  *reply.mutable_pin() = policy->pin;
  reply.set_kind(policy->kind);
  reply.set_yaml(std::move(policy->yaml));
  reply.set_digest(std::move(policy->digest));
  *reply.mutable_effective_from() = ToProto(policy->effective_from);
  *reply.mutable_compiled() = std::move(policy->compiled);
  return reply;
}

v1::ListPoliciesReply ListPolicies(const Reader& reader, const v1::ListPoliciesRequest& request) {
  v1::ListPoliciesReply reply;
  for (const auto& listed : reader.view.policies->List(request.kind())) {
    v1::ListPoliciesReply::Item* item = reply.add_policies();
    item->set_kind(listed.kind);
    *item->mutable_pin() = listed.pin;
    *item->mutable_effective_from() = ToProto(listed.effective_from);
    *item->mutable_published_at() = ToProto(listed.published_at);
    item->set_published_by(listed.published_by);
  }
  reply.set_position(reader.view.position);
  return reply;
}

absl::StatusOr<v1::GetDirectoryReply> GetDirectory(const Reader& reader) {
  v1::GetDirectoryReply reply;
  *reply.mutable_directory() = reader.view.policies->directory();
  reply.set_version(reader.view.policies->directory_version());
  const auto& absences = reader.view.policies->absences().all();
  reply.mutable_absences()->Assign(absences.begin(), absences.end());
  DOCKET_RETURN_IF_ERROR(RevealTexts(*reader.view.snapshot, reply.mutable_directory()));
  return reply;
}

absl::StatusOr<v1::ComputeDueReply> ComputeDue(const Reader& reader, const v1::ComputeDueRequest& request) {
  const absl::StatusOr<v1::Target> target = sla::ParseTargetOfNoCase(request.target());
  if (!target.ok()) return RefuseFields("INVALID_FIELD", {{"target", std::string(target.status().message())}});
  DOCKET_ASSIGN_OR_RETURN(const CalendarPointer calendar, CalendarOf(reader, request));
  std::vector<sla::TimeSpan> pauses;
  for (const v1::Interval& pause : request.pauses()) {
    pauses.push_back({FromProto(pause.start()), pause.has_end() ? FromProto(pause.end()) : absl::InfiniteFuture()});
  }
  const sla::Due due = sla::ComputeDue(*calendar, FromProto(request.start()), *target, pauses);
  if (due.at == absl::InfiniteFuture()) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "NEVER_DUE",
                  "the calendar's windows and the pauses given never allow the target to be used up");
  }
  v1::ComputeDueReply reply;
  *reply.mutable_due() = ToProto(due.at);
  reply.set_provisional(due.provisional);
  return reply;
}

}  // namespace docket::query
