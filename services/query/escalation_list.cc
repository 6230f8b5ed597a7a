#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "services/query/case_query.h"
#include "services/query/filter_names.h"
#include "services/query/list_page.h"
#include "services/query/lists.h"
#include "services/query/summary.h"
#include "services/query/texts.h"
#include "workflow/base/time.h"
#include "workflow/projection/project.h"
#include "workflow/projection/rows.h"

namespace docket::query {
namespace {

KeyRange RangeOf(bool include_acknowledged) {
  if (include_acknowledged) return WholeView<projection::EscalationRow>();
  store::KeyWriter prefix;
  prefix.U16(projection::EscalationRow::kKeyspace).U8(0);
  return {prefix.str(), store::PrefixEnd(prefix.str())};
}

// Acknowledged after its time, or not yet and the time has passed.
bool AckLate(const v1::Escalation& escalation, absl::Time now) {
  if (!escalation.has_ack_due_at()) return false;
  const absl::Time answered = escalation.has_acknowledged_at() ? FromProto(escalation.acknowledged_at()) : now;
  return answered > FromProto(escalation.ack_due_at());
}

// nullopt: not for this viewer.
absl::StatusOr<std::optional<v1::ListEscalationsReply::Item>> MakeItem(const Reader& reader,
                                                                       const projection::EscalationRow& row) {
  DOCKET_ASSIGN_OR_RETURN(const v1::Case state, LoadCase(reader, row.case_id));
  const v1::RowFacts facts = projection::FactsOf(state);
  if (!MaySee(reader.viewer, {.facts = &facts})) return std::optional<v1::ListEscalationsReply::Item>();
  const auto found =
      std::find_if(state.escalations().begin(), state.escalations().end(),
                   [&](const v1::Escalation& escalation) { return escalation.escalation_no() == row.escalation_no; });
  if (found == state.escalations().end()) {
    return absl::DataLossError(
        absl::StrCat("case ", row.case_id, " has no escalation ", row.escalation_no, ", but its row says so"));
  }
  v1::ListEscalationsReply::Item item;
  DOCKET_ASSIGN_OR_RETURN(*item.mutable_case_(), Summarise(reader, state));
  *item.mutable_escalation() = *found;
  DOCKET_RETURN_IF_ERROR(RevealTexts(*reader.view.snapshot, item.mutable_escalation()));
  for (const v1::Clock& clock : state.clocks()) {
    if (found->clock_no() != 0 && clock.clock_no() == found->clock_no()) item.set_metric(clock.metric());
  }
  item.set_ack_late(AckLate(*found, reader.now));
  return std::optional<v1::ListEscalationsReply::Item>(std::move(item));
}

}  // namespace

absl::StatusOr<v1::ListEscalationsReply> ListEscalations(const Reader& reader,
                                                         const v1::ListEscalationsRequest& request) {
  DOCKET_RETURN_IF_ERROR(CheckPosition(reader, request.min_position()));
  const std::string digest = QueryDigest(request, reader.viewer);
  DOCKET_ASSIGN_OR_RETURN(Cursor cursor,
                          OpenCursor(request.page_token(), digest, {.valid_at = reader.now, .known_at = reader.now}));
  v1::ListEscalationsReply reply;
  ScanBudget budget(*reader.clock);
  DOCKET_ASSIGN_OR_RETURN(
      cursor.key, ScanPage<projection::EscalationRow>(
                      reader, RangeOf(request.include_acknowledged()), cursor, PageSize(request.page_size()), budget,
                      [&](const projection::EscalationRow& row) -> absl::StatusOr<bool> {
                        if (!DepartmentMatches(reader, request.department(), row.value.department())) return false;
                        const auto& targets = row.value.targets();
                        if (!request.target().empty() &&
                            std::find(targets.begin(), targets.end(), request.target()) == targets.end()) {
                          return false;
                        }
                        DOCKET_ASSIGN_OR_RETURN(auto item, MakeItem(reader, row));
                        if (item.has_value()) *reply.add_items() = *std::move(item);
                        return item.has_value();
                      }));
  if (reply.items().empty()) {
    FilterNames names(reader);
    names.Add(policy::NameKind::kDepartment, "department", request.department());
    names.Add(policy::NameKind::kPrincipal, "target", request.target());
    DOCKET_RETURN_IF_ERROR(names.Check());
  }
  if (!cursor.key.empty()) reply.set_next_page_token(EncodePageToken(digest, cursor));
  reply.set_position(reader.view.position);
  *reply.mutable_valid_at() = ToProto(reader.now);
  *reply.mutable_known_at() = ToProto(reader.now);
  return reply;
}

}  // namespace docket::query
