#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/engine/sequencer.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/case/conflicted.h"
#include "workflow/projection/project.h"
#include "workflow/projection/standing.h"

// The next piece of work of a queue for somebody who asks for one.
namespace docket::engine {
namespace {

constexpr int kMaxQueueLook = 20'000;     // rows of a queue looked at before it is said to be busy
constexpr size_t kMaxOwnedLook = 10'000;  // cases of one owner looked at to count what is in hand

std::vector<std::string> Missing(const google::protobuf::RepeatedPtrField<std::string>& wanted,
                                 const v1::Principal& principal) {
  std::vector<std::string> missing;
  for (const std::string& skill : wanted) {
    if (!absl::c_linear_search(principal.skills(), skill)) missing.push_back(skill);
  }
  return missing;
}

}  // namespace

// Free cases of a queue that are not for whoever asks.
struct Sequencer::PassedOver {
  uint32_t lacking_skills = 0;
  std::set<std::string> skills;  // those that were lacking
  uint32_t conflicts = 0;
  uint32_t leased = 0;
  uint32_t others = 0;

  uint32_t All() const { return lacking_skills + conflicts + leased + others; }
  bool Lacks(const std::vector<std::string>& missing) {
    lacking_skills += missing.empty() ? 0 : 1;
    skills.insert(missing.begin(), missing.end());
    return !missing.empty();
  }
  absl::Status Refuse(const std::string& queue, const std::string& principal) const;
};

absl::Status Sequencer::PassedOver::Refuse(const std::string& queue, const std::string& principal) const {
  if (All() == 0) {
    return docket::Refuse(absl::StatusCode::kNotFound, "QUEUE_EMPTY",
                          absl::StrCat("queue ", queue, " holds no case without an owner"), {{"queue", queue}});
  }
  const std::string wanted = absl::StrJoin(skills, " ");
  std::vector<std::string> reasons;
  if (lacking_skills > 0) reasons.push_back(absl::StrCat(lacking_skills, " want skills they lack (", wanted, ")"));
  if (conflicts > 0) reasons.push_back(absl::StrCat(conflicts, " with a conflict of interest"));
  if (leased > 0) reasons.push_back(absl::StrCat(leased, " leased by somebody else"));
  if (others > 0) reasons.push_back(absl::StrCat(others, " not to be taken as they stand"));
  return docket::Refuse(absl::StatusCode::kFailedPrecondition, "NOTHING_FOR_YOU",
                        absl::StrCat("queue ", queue, ": ", All(), " without an owner, none of them for ", principal,
                                     ": ", absl::StrJoin(reasons, ", ")),
                        {{"queue", queue},
                         {"principal", principal},
                         {"unowned", absl::StrCat(All())},
                         {"lacking_skills", absl::StrCat(lacking_skills)},
                         {"skills", wanted},
                         {"conflicts", absl::StrCat(conflicts)},
                         {"leased", absl::StrCat(leased)},
                         {"others", absl::StrCat(others)}});
}

absl::StatusOr<bool> Sequencer::IsInHand(const std::string& case_id, const std::string& principal) {
  if (const LoadedCase* held = cache_.Find(case_id); held != nullptr) {
    const v1::Case& state = held->state;
    return state.owner() == principal &&
           projection::InHand(projection::FactsOf(state), projection::ShownOf(state), now_);
  }
  projection::CaseRow key;
  key.case_id = case_id;
  DOCKET_ASSIGN_OR_RETURN(const std::optional<projection::CaseRow> row, store::GetRow(*snapshot_, views(), key));
  if (!row.has_value()) return absl::DataLossError(absl::StrCat("a row names case ", case_id, ", which has no row"));
  return projection::InHand(row->value.facts(), row->value.shown(), now_);
}

absl::StatusOr<uint32_t> Sequencer::CountInHand(const std::string& principal) {
  std::set<std::string> owned;
  if (const auto staged = staged_owned_.find(principal); staged != staged_owned_.end()) owned = staged->second;
  const std::string lower = store::KeyWriter()
                                .U16(projection::EntryRow::kKeyspace)
                                .U8(static_cast<uint8_t>(v1::LISTED_OWNED))
                                .Text(principal)
                                .Take();
  store::RowScan<projection::EntryRow> rows(*snapshot_, views(), lower, store::PrefixEnd(lower));
  for (; rows.Valid(); rows.Next()) {
    DOCKET_ASSIGN_OR_RETURN(projection::EntryRow row, rows.Get());
    owned.insert(std::move(row.case_id));
    if (owned.size() <= kMaxOwnedLook) continue;
    return Refuse(absl::StatusCode::kResourceExhausted, "OWNS_TOO_MANY",
                  absl::StrCat(principal, " owns more than ", kMaxOwnedLook,
                               " unfinished cases, too many to count those in hand"),
                  {{"principal", principal}});
  }
  DOCKET_RETURN_IF_ERROR(rows.status());
  uint32_t in_hand = 0;
  for (const std::string& case_id : owned) {
    DOCKET_ASSIGN_OR_RETURN(const bool counts, IsInHand(case_id, principal));
    in_hand += counts ? 1 : 0;
  }
  return in_hand;
}

absl::Status Sequencer::CheckCapacity(const v1::Principal& principal) {
  if (principal.capacity() == 0) return absl::OkStatus();
  DOCKET_ASSIGN_OR_RETURN(const uint32_t in_hand, CountInHand(principal.id()));
  if (in_hand < principal.capacity()) return absl::OkStatus();
  return Refuse(absl::StatusCode::kFailedPrecondition, "CAPACITY_REACHED",
                absl::StrCat(principal.id(), " has ", in_hand, in_hand == 1 ? " case" : " cases", " in hand, capacity ",
                             principal.capacity()),
                {{"principal", principal.id()},
                 {"in_hand", absl::StrCat(in_hand)},
                 {"capacity", absl::StrCat(principal.capacity())}});
}

absl::StatusOr<LoadedCase*> Sequencer::FreeFor(const v1::Principal& principal, const projection::QueueRow& row,
                                               PassedOver* passed) {
  if (!row.value.facts().owner().empty() || row.value.stands_from_us() > absl::ToUnixMicros(now_)) return nullptr;
  const LoadedCase* held = cache_.Find(row.case_id);
  // What is not held stands as its row says, so that a long queue of work for others is passed over without loading it.
  if (held == nullptr && passed->Lacks(Missing(row.value.skills(), principal))) return nullptr;
  DOCKET_ASSIGN_OR_RETURN(LoadedCase * loaded, Load(row.case_id));
  const v1::Case& state = loaded->state;  // with what this group did before
  if (!state.owner().empty() || state.queue() != row.queue || !projection::StandsInQueue(state, now_)) return nullptr;
  if (passed->Lacks(Missing(state.required_skills(), principal))) return nullptr;
  if (workflow::ConflictOf(state, principal.id()) != nullptr) {
    ++passed->conflicts;
    return nullptr;
  }
  const std::optional<LeaseTable::Lease> lease = leases_->Find(state.case_id(), now_);
  if (lease.has_value() && lease->holder != principal.id()) {
    ++passed->leased;
    return nullptr;
  }
  return loaded;
}

Prepared Sequencer::TakeNext(const std::string& queue, const std::string& request_id, const Caller& caller) {
  if (policies_->Queue(queue) == nullptr) {
    return {RefuseFields("UNKNOWN_QUEUE", {{"queue", policies_->DescribeUnknown(policy::NameKind::kQueue, queue)}})};
  }
  const std::string canonical = absl::StrCat(caller.principal_id, "\ntake_next\n", queue);
  if (auto earlier = EarlierAnswer(request_id, canonical, {.brief = caller.brief}); earlier.has_value())
    return *std::move(earlier);
  const v1::Principal* principal = policies_->Principal(caller.principal_id);
  if (principal == nullptr) {
    return {RefuseFields(
        "UNKNOWN_PRINCIPAL",
        {{"docket-principal", policies_->DescribeUnknown(policy::NameKind::kPrincipal, caller.principal_id)}})};
  }
  if (const absl::Status full = CheckCapacity(*principal); !full.ok()) return {full};
  const std::string lower = store::KeyWriter().U16(projection::QueueRow::kKeyspace).Text(queue).Take();
  store::RowScan<projection::QueueRow> rows(*snapshot_, views(), lower, store::PrefixEnd(lower));
  PassedOver passed;
  int looked = 0;
  for (; rows.Valid() && looked < kMaxQueueLook; rows.Next(), ++looked) {
    const auto row = rows.Get();
    if (!row.ok()) return {row.status()};
    const absl::StatusOr<LoadedCase*> loaded = FreeFor(*principal, *row, &passed);
    if (!loaded.ok()) return {loaded.status()};
    if (*loaded == nullptr) continue;
    v1::ExecuteRequest request;
    request.set_request_id(request_id);
    request.set_case_id(row->case_id);
    request.mutable_command()->mutable_take();
    Prepared prepared = DecideAndStage(request, caller, canonical, *loaded);
    if (prepared.answer.ok() || prepared.answer.status().code() != absl::StatusCode::kFailedPrecondition)
      return prepared;
    ++passed.others;
  }
  if (const absl::Status status = rows.status(); !status.ok()) return {status};
  if (looked == kMaxQueueLook) {
    return {Refuse(absl::StatusCode::kResourceExhausted, "QUEUE_BUSY",
                   absl::StrCat("none of the first ", looked, " cases of queue ", queue, " is free"),
                   {{"queue", queue}})};
  }
  return {passed.Refuse(queue, principal->id())};
}

}  // namespace docket::engine
