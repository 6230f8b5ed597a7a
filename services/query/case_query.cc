#include "services/query/case_query.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/engine/case_loader.h"
#include "services/query/case_fold.h"
#include "services/query/texts.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/case/allowed.h"
#include "workflow/case/case_number.h"
#include "workflow/projection/rows.h"

namespace docket::query {
namespace {

absl::Status NotFound(absl::string_view field, absl::string_view value) {
  return Refuse(absl::StatusCode::kNotFound, "CASE_NOT_FOUND", absl::StrCat(field, ": no case ", value),
                {{std::string(field), std::string(value)}});
}

absl::StatusOr<std::string> ByNumber(const Reader& reader, absl::string_view case_no) {
  const std::optional<workflow::CaseNumber> number = workflow::ParseCaseNumber(case_no);
  if (!number.has_value()) {
    return RefuseFields("CASE_NO_INVALID",
                        {{"case_no", absl::StrCat("\"", case_no, "\"",
                                                  workflow::LooksLikeCaseNumber(case_no)
                                                      ? " has a wrong check character, so it was mistyped"
                                                      : " is no case number; want the form CMP-2026-000017-K")}});
  }
  projection::CaseNumberRow key;
  key.prefix = number->prefix;
  key.year = number->year;
  key.counter = number->counter;
  DOCKET_ASSIGN_OR_RETURN(const auto row, store::GetRow(*reader.view.snapshot, reader.view.views, key));
  if (!row.has_value()) return NotFound("case_no", case_no);
  return row->case_id;
}

absl::StatusOr<std::string> ByExternalRef(const Reader& reader, const v1::ExternalRef& ref) {
  projection::ExternalRow key;
  key.source = ref.source();
  key.external_key = ref.key();
  DOCKET_ASSIGN_OR_RETURN(const auto row, store::GetRow(*reader.view.snapshot, reader.view.views, key));
  if (!row.has_value()) return NotFound("external_ref", absl::StrCat(ref.source(), "/", ref.key()));
  return row->case_id;
}

template <class Request>
absl::Time ValidAt(const Reader& reader, const Request& request) {
  return request.has_valid_at() ? FromProto(request.valid_at()) : reader.now;
}
// Nothing can be known that is not yet: a later instant means now.
template <class Request>
absl::Time KnownAt(const Reader& reader, const Request& request) {
  return request.has_known_at() ? std::min(FromProto(request.known_at()), reader.now) : reader.now;
}

// The state as of the times asked for, without texts. What was known last counts whatever the clock says of it.
absl::StatusOr<v1::Case> CaseAsOf(const Reader& reader, const std::string& case_id, absl::Time valid_at,
                                  absl::Time known_at) {
  if (valid_at >= reader.now && known_at >= reader.now) {
    DOCKET_ASSIGN_OR_RETURN(v1::Case newest, LoadCase(reader, case_id));
    return workflow::StateAt(std::move(newest), *reader.view.policies, valid_at);
  }
  const AsOf as_of{.valid_at = valid_at, .known_at = known_at >= reader.now ? absl::InfiniteFuture() : known_at};
  DOCKET_ASSIGN_OR_RETURN(std::optional<v1::Case> state, FoldCase(reader, case_id, as_of));
  if (!state.has_value()) {
    return Refuse(absl::StatusCode::kNotFound, "CASE_NOT_FOUND",
                  absl::StrCat("case ", case_id, " has no event as of valid_at ", FormatUtc(valid_at), ", known_at ",
                               FormatUtc(known_at)),
                  {{"case_id", case_id}});
  }
  return workflow::StateAt(*std::move(state), *reader.view.policies, valid_at);
}

// The state that one revision left. kOutOfRange REVISION_BEYOND_END.
absl::StatusOr<v1::Case> CaseAtRevision(const Reader& reader, const std::string& case_id, uint32_t revision) {
  DOCKET_ASSIGN_OR_RETURN(std::optional<v1::Case> state, FoldCase(reader, case_id, {.revision = revision}));
  if (!state.has_value()) return NotFound("case_id", case_id);
  if (state->revision() != revision) {
    return Refuse(absl::StatusCode::kOutOfRange, "REVISION_BEYOND_END",
                  absl::StrCat("revision: ", revision, ", the last is ", state->revision()),
                  {{"revision", absl::StrCat(state->revision())}});
  }
  return *std::move(state);
}

}  // namespace

absl::StatusOr<std::string> ResolveCase(const Reader& reader, const CaseName& name) {
  std::string case_id(name.case_id);
  if (!name.case_no.empty()) {
    DOCKET_ASSIGN_OR_RETURN(case_id, ByNumber(reader, name.case_no));
  } else if (case_id.empty() && name.external_ref != nullptr) {
    DOCKET_ASSIGN_OR_RETURN(case_id, ByExternalRef(reader, *name.external_ref));
  }
  projection::CaseRow key;
  key.case_id = case_id;
  DOCKET_ASSIGN_OR_RETURN(const auto row, store::GetRow(*reader.view.snapshot, reader.view.views, key));
  // A case that may not be seen is answered like one that does not exist: the refusal must not tell.
  if (!row.has_value() || !MaySee(reader.viewer, Subject{.facts = &row->value.facts()})) {
    return NotFound("case_id", case_id);
  }
  return case_id;
}

absl::StatusOr<v1::Case> LoadCase(const Reader& reader, const std::string& case_id) {
  const engine::CaseLoader loader(*reader.view.snapshot, reader.view.views, *reader.log);
  DOCKET_ASSIGN_OR_RETURN(std::optional<v1::Case> state, loader.Load(case_id));
  if (!state.has_value()) return NotFound("case_id", case_id);
  return *std::move(state);
}

absl::StatusOr<v1::GetCaseReply> GetCase(const Reader& reader, const v1::GetCaseRequest& request) {
  DOCKET_RETURN_IF_ERROR(CheckPosition(reader, request.min_position()));
  DOCKET_ASSIGN_OR_RETURN(const std::string case_id,
                          ResolveCase(reader, {request.case_id(), request.case_no(),
                                               request.has_external_ref() ? &request.external_ref() : nullptr}));
  const absl::Time valid_at = ValidAt(reader, request);
  const absl::Time known_at = KnownAt(reader, request);
  v1::GetCaseReply reply;
  DOCKET_ASSIGN_OR_RETURN(*reply.mutable_case_(), request.revision() != 0
                                                      ? CaseAtRevision(reader, case_id, request.revision())
                                                      : CaseAsOf(reader, case_id, valid_at, known_at));
  DOCKET_RETURN_IF_ERROR(RevealTexts(*reader.view.snapshot, reply.mutable_case_()));
  reply.set_position(reader.view.position);
  *reply.mutable_valid_at() = ToProto(valid_at);
  *reply.mutable_known_at() = ToProto(known_at);
  return reply;
}

absl::StatusOr<v1::GetClocksReply> GetClocks(const Reader& reader, const v1::GetClocksRequest& request) {
  DOCKET_ASSIGN_OR_RETURN(const std::string case_id, ResolveCase(reader, {request.case_id(), request.case_no()}));
  const absl::Time valid_at = ValidAt(reader, request);
  const absl::Time known_at = KnownAt(reader, request);
  DOCKET_ASSIGN_OR_RETURN(v1::Case state, CaseAsOf(reader, case_id, valid_at, known_at));
  v1::GetClocksReply reply;
  reply.mutable_clocks()->Swap(state.mutable_clocks());
  reply.set_position(reader.view.position);
  *reply.mutable_valid_at() = ToProto(valid_at);
  *reply.mutable_known_at() = ToProto(known_at);
  return reply;
}

absl::StatusOr<v1::ListAllowedCommandsReply> ListAllowedCommands(const Reader& reader,
                                                                 const v1::ListAllowedCommandsRequest& request) {
  DOCKET_ASSIGN_OR_RETURN(const std::string case_id, ResolveCase(reader, {request.case_id(), request.case_no()}));
  DOCKET_ASSIGN_OR_RETURN(const v1::Case state, LoadCase(reader, case_id));
  v1::ListAllowedCommandsReply reply;
  const std::string asker = reader.viewer.principal_id == kAnonymous ? "" : reader.viewer.principal_id;
  for (const workflow::AllowedCommand& one : workflow::AllowedCommands(state, *reader.view.policies, asker)) {
    auto* command = reply.add_commands();
    command->set_command(one.command);
    command->set_allowed(one.allowed);
    command->set_leads_to(one.leads_to);
    for (const std::string& field : one.required_fields) command->add_required_fields(field);
    for (const Unmet& unmet : one.unmet) {
      auto* added = command->add_unmet();
      added->set_reason(unmet.reason);
      added->set_description(unmet.description);
      added->set_meet_by(unmet.meet_by);
    }
  }
  reply.set_revision(state.revision());
  reply.set_status(state.status().status());
  reply.set_position(reader.view.position);
  return reply;
}

}  // namespace docket::query
