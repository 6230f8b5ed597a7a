#include "services/query/filter_names.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/case/intake.h"
#include "workflow/projection/rows.h"

namespace docket::query {
namespace {

using policy::NameKind;

const char* UnknownReason(NameKind kind) {
  switch (kind) {
    case NameKind::kDepartment:
      return "UNKNOWN_DEPARTMENT";
    case NameKind::kQueue:
      return "UNKNOWN_QUEUE";
    case NameKind::kPrincipal:
      return "UNKNOWN_PRINCIPAL";
    case NameKind::kStatus:
      return "UNKNOWN_STATUS";
    case NameKind::kMetric:
      return "UNKNOWN_METRIC";
  }
  return "";
}

bool Carries(const v1::RowFacts& facts, NameKind kind, const std::string& name) {
  switch (kind) {
    case NameKind::kDepartment:
      return facts.department() == name;
    case NameKind::kQueue:
      return facts.queue() == name;
    case NameKind::kPrincipal:
      return facts.owner() == name;
    case NameKind::kStatus:
      return facts.status() == name;
    case NameKind::kMetric:
      return false;  // clocks run by published policies only
  }
  return false;
}

}  // namespace

void FilterNames::Add(NameKind kind, const std::string& field, const std::string& name) {
  if (name.empty() || reader_.view.policies->EverHad(kind, name)) return;
  unpublished_.push_back({kind, field, name});
}

void FilterNames::AddOwner(const std::string& field, const std::string& name) {
  if (name != "-") Add(NameKind::kPrincipal, field, name);
}

void FilterNames::AddTiers(const std::string& field, const google::protobuf::RepeatedPtrField<std::string>& tiers) {
  for (int i = 0; i < tiers.size(); ++i) {
    if (absl::c_linear_search(workflow::kTiers, tiers[i])) continue;
    no_tiers_.push_back(
        {absl::StrCat(field, "[", i, "]"), absl::StrCat("\"", tiers[i], "\", want ", workflow::kTiersInWords)});
  }
}

absl::Status FilterNames::LookInCases(std::vector<Name>* names) const {
  const auto in_rows = [](const Name& one) { return one.kind != NameKind::kMetric; };
  if (std::none_of(names->begin(), names->end(), in_rows)) return absl::OkStatus();
  DOCKET_RETURN_IF_ERROR(EnterReplay(reader_));
  store::RowScan<projection::CaseRow> scan(*reader_.view.snapshot, reader_.view.views);
  absl::Status status;
  for (; status.ok() && !names->empty() && scan.Valid(); scan.Next()) {
    if (reader_.abandoned && reader_.abandoned()) {
      status = absl::CancelledError("the caller has gone");
      break;
    }
    const absl::StatusOr<projection::CaseRow> row = scan.Get();
    status = row.status();
    if (!row.ok() || !MaySee(reader_.viewer, {.facts = &row->value.facts()})) continue;
    names->erase(std::remove_if(names->begin(), names->end(),
                                [&](const Name& one) { return Carries(row->value.facts(), one.kind, one.name); }),
                 names->end());
  }
  LeaveReplay(reader_);
  DOCKET_RETURN_IF_ERROR(status);
  return scan.status();
}

absl::Status FilterNames::Check() const {
  if (!no_tiers_.empty()) return RefuseFields("UNKNOWN_TIER", no_tiers_);
  if (unpublished_.empty()) return absl::OkStatus();
  std::vector<Name> unknown = unpublished_;
  DOCKET_RETURN_IF_ERROR(LookInCases(&unknown));
  if (unknown.empty()) return absl::OkStatus();
  std::vector<BadField> bad;
  for (const Name& one : unknown) {
    bad.push_back({one.field, reader_.view.policies->DescribeUnknown(one.kind, one.name)});
  }
  return RefuseFields(UnknownReason(unknown.front().kind), bad);
}

}  // namespace docket::query
