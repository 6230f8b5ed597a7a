#include "services/query/approvals.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "services/query/list_replay.h"
#include "services/query/listed_case.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"

namespace docket::query {
namespace {

using Item = v1::ListDutiesReply::Item;

Place PlaceOf(const ListedCase& one, const v1::PendingApproval& approval) {
  return {0, approval.since_us(), one.case_id, approval.item()};
}

// Asked for by then, and wanted. What is entered late stands in the case from the instant it is entered for, but waits
// for somebody only from when it was entered.
bool Matches(const DutyQuestion& question, const ListedCase& one, const v1::PendingApproval& approval) {
  return approval.since_us() <= absl::ToUnixMicros(question.at) && question.filter.Matches(approval, one);
}

// Whether it has a row of its own: with by_case only the first matching one of its case has.
bool HasRow(const DutyQuestion& question, const ListedCase& one, const v1::PendingApproval& approval) {
  if (!question.request.by_case()) return true;
  return std::none_of(one.shown.approvals().begin(), one.shown.approvals().end(), [&](const auto& other) {
    return PlaceOf(one, other) < PlaceOf(one, approval) && Matches(question, one, other);
  });
}

void SetEscalation(const v1::PendingApproval& approval, Item* item) {
  item->set_escalation_no(approval.item());
  item->set_escalation_kind(approval.escalation_kind());
  item->set_command("approve_escalation");
  item->set_words("waits for approval");
}

void SetLateEntry(const v1::PendingApproval& approval, Item* item) {
  item->set_clock_no(approval.item());
  item->set_metric(approval.metric());
  item->set_obligation(approval.obligation());
  if (approval.due_at_us() != 0) *item->mutable_due_at() = ToProto(absl::FromUnixMicros(approval.due_at_us()));
  *item->mutable_claimed_at() = ToProto(absl::FromUnixMicros(approval.claimed_at_us()));
  item->set_late(true);
  item->set_command("judge_late_entry");
  item->set_words("late, disputed");
}

absl::StatusOr<Item> MakeItem(const DutyQuestion& question, const ListedCase& one,
                              const v1::PendingApproval& approval) {
  Item item;
  DOCKET_ASSIGN_OR_RETURN(*item.mutable_case_(), Summarise(question.reader, one, question.at));
  approval.kind() == v1::Approval::ESCALATION ? SetEscalation(approval, &item) : SetLateEntry(approval, &item);
  item.set_approval(approval.kind());
  item.set_reason_code(approval.reason_code());
  item.set_asked_by(approval.asked_by());
  item.set_own_request(approval.asked_by() == question.reader.viewer.principal_id);
  *item.mutable_since() = ToProto(absl::FromUnixMicros(approval.since_us()));
  item.set_department(approval.answerable());
  item.set_owner(one.facts.owner());
  item.set_escalation_level(one.shown.escalation_level());
  SetWait(one, question.at, &item);
  return item;
}

// The totals of everything that matched.
class ApprovalCount {
 public:
  void Add(const ListedCase& one, const v1::PendingApproval& approval) {
    ++approvals_;
    regulatory_ += approval.obligation() == v1::REGULATOR ? 1 : 0;
    oldest_us_ = std::min(oldest_us_, approval.since_us());
    cases_.insert(one.case_id);
  }
  v1::ListDutiesReply::Header Header(const Reader& reader, bool complete) const {
    v1::ListDutiesReply::Header header;
    header.set_approvals(approvals_);
    header.set_cases(static_cast<uint32_t>(cases_.size()));
    header.set_regulatory(regulatory_);
    if (approvals_ > 0) *header.mutable_oldest_since() = ToProto(absl::FromUnixMicros(oldest_us_));
    header.set_complete(complete);
    const auto rollouts = reader.view.policies->Rollouts();
    header.set_rollouts(static_cast<uint32_t>(std::count_if(
        rollouts.begin(), rollouts.end(), [](const policy::Rollout* one) { return one->approver.empty(); })));
    return header;
  }

 private:
  uint32_t approvals_ = 0;
  uint32_t regulatory_ = 0;
  int64_t oldest_us_ = projection::kNever;
  absl::flat_hash_set<std::string> cases_;
};

// The one a row of the list names, as it was then.
absl::StatusOr<v1::PendingApproval> ApprovalAt(const ListedCase& one, uint32_t item) {
  for (const v1::PendingApproval& approval : one.shown.approvals()) {
    if (approval.item() == item) return approval;
  }
  return absl::DataLossError(absl::StrCat("nothing of number ", item, " waits for a second person in case ",
                                          one.case_id, ", but a row of the list says so"));
}

struct FoundApproval {
  v1::PendingApproval approval;
  std::shared_ptr<const v1::Case> state;
};

}  // namespace

absl::Status ApprovalsFromIndex(const DutyQuestion& question, v1::ListDutiesReply* reply, std::optional<Place>* next) {
  const size_t size = PageSize(question.request.page_size());
  PageReach reach(question);
  ApprovalCount count;
  PageTitles titles;
  ListScan scan(question.reader, {.list = v1::LISTED_APPROVAL, .group = "", .last_us = absl::ToUnixMicros(question.at)},
                question.at, question.start);
  for (; scan.Valid(); scan.Next()) {
    if (!reach.GoOn(scan.place(), static_cast<size_t>(reply->items_size()) == size)) break;
    if (!scan.stood()) continue;
    DOCKET_ASSIGN_OR_RETURN(const ListedCase one, MustFindListed(question.reader, scan.place().case_id, question.at));
    DOCKET_ASSIGN_OR_RETURN(const v1::PendingApproval approval, ApprovalAt(one, scan.place().item));
    if (!Matches(question, one, approval)) continue;
    count.Add(one, approval);
    if (reach.next().has_value() || !HasRow(question, one, approval)) continue;
    DOCKET_ASSIGN_OR_RETURN(*reply->add_items(), MakeItem(question, one, approval));
    titles.Add(one);
  }
  *next = reach.next();
  if (question.first_page) *reply->mutable_header() = count.Header(question.reader, reach.complete());
  DOCKET_RETURN_IF_ERROR(scan.status());
  return titles.Reveal(question.reader, reply->mutable_items());
}

absl::Status ApprovalsByReplay(const DutyQuestion& question, absl::Time known_at, v1::ListDutiesReply* reply,
                               std::optional<Place>* next) {
  ApprovalCount count;
  FirstPlaces<FoundApproval> page(question.start, PageSize(question.request.page_size()));
  const auto visit = [&](const v1::Case& state, const v1::CaseListing&) {
    const ListedCase one = FromState(state);
    std::shared_ptr<const v1::Case> kept;
    for (const v1::PendingApproval& approval : one.shown.approvals()) {
      if (!Matches(question, one, approval)) continue;
      count.Add(one, approval);
      if (!HasRow(question, one, approval)) continue;
      if (kept == nullptr) kept = std::make_shared<const v1::Case>(state);
      page.Add(PlaceOf(one, approval), {approval, kept});
    }
    return absl::OkStatus();
  };
  DOCKET_RETURN_IF_ERROR(ReplayCases(question.reader, {question.at, known_at}, visit));
  PageTitles titles;
  DOCKET_ASSIGN_OR_RETURN(*next, page.Visit([&](const FoundApproval& found) -> absl::Status {
    DOCKET_ASSIGN_OR_RETURN(const v1::Case then,
                            workflow::StateAt(*found.state, *question.reader.view.policies, question.at));
    const ListedCase one = FromState(then);
    DOCKET_ASSIGN_OR_RETURN(*reply->add_items(), MakeItem(question, one, found.approval));
    titles.Add(one);
    return absl::OkStatus();
  }));
  if (question.first_page) *reply->mutable_header() = count.Header(question.reader, /*complete=*/true);
  return titles.Reveal(question.reader, reply->mutable_items());
}

}  // namespace docket::query
