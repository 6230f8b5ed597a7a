#include "workflow/case/owed_items.h"

#include <initializer_list>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/ownership.h"
#include "workflow/case/status.h"

namespace docket::workflow {
namespace {

using State = v1::OwedItem::State;

std::string DepartmentOfActor(const DecideContext& context) {
  const v1::Principal* principal = context.policies->Principal(context.actor->principal_id());
  return principal != nullptr ? principal->department() : context.actor->department_id();
}

// Whether whoever acts belongs to a department, above or below it. Where it has left the directory, anybody does.
bool ActsFor(const DecideContext& context, const std::string& department) {
  if (context.policies->Department(department) == nullptr) return true;
  const std::string own = DepartmentOfActor(context);
  return context.policies->IsWithin(own, department) || context.policies->IsWithin(department, own);
}

// Who was given an order does not lift it: only who gave it, or somebody of the giver's department or above it.
void AddUnmetForLifting(const DecideContext& context, const v1::OwedItem& order, std::vector<Unmet>* unmet) {
  const std::string& actor = context.actor->principal_id();
  const std::string own = DepartmentOfActor(context);
  const bool gave = !actor.empty() && actor == order.asked_by();
  const bool ordered = context.policies->IsWithin(own, order.department());
  const bool above = context.policies->Department(order.asked_by_department()) == nullptr ||
                     context.policies->IsWithin(order.asked_by_department(), own);
  if (gave || (above && !ordered)) return;
  unmet->push_back({"NOT_YOUR_ITEM",
                    absl::StrCat("an order is lifted by who gave it, or by department ", order.asked_by_department(),
                                 " or above, and not from within ", order.department(), "; ", actor, " may not"),
                    ""});
}

// Whether its due has passed, by the date given by hand or by the clock that counts it.
bool IsLate(const v1::Case& state, const v1::OwedItem& item, absl::Time now) {
  if (item.has_due_at() && FromProto(item.due_at()) < now) return true;
  return absl::c_any_of(state.clocks(), [&](const v1::Clock& clock) {
    return clock.item() == item.item_no() && clock.has_breached_due_at();
  });
}

enum class Side { kOwes, kAsked };

// The item meant, in one of the states wanted, by somebody of the right side; null with what is unmet otherwise.
const v1::OwedItem* ChooseItem(const Draft& draft, absl::string_view verb, uint32_t item_no,
                               std::initializer_list<State> wanted, Side side, std::vector<Unmet>* unmet) {
  std::vector<const v1::OwedItem*> found;
  for (const v1::OwedItem& item : draft.state().items()) {
    if (item_no != 0 ? item.item_no() == item_no : absl::c_linear_search(wanted, item.state())) found.push_back(&item);
  }
  if (found.empty()) {
    unmet->push_back(
        {"ITEM_NOT_FOUND", absl::StrCat(verb, ".item_no: ", item_no, " is nothing owed for this case"), "ask_item"});
    return nullptr;
  }
  if (found.size() > 1) {
    unmet->push_back(
        {"ITEM_AMBIGUOUS",
         absl::StrCat(verb, ".item_no: missing, ", found.size(), " items fit, the first is ", found.front()->item_no()),
         ""});
    return nullptr;
  }
  const v1::OwedItem* item = found.front();
  if (!absl::c_linear_search(wanted, item->state())) {
    unmet->push_back(
        {"ITEM_STATE", absl::StrCat("item ", item->item_no(), " is ", v1::OwedItem::State_Name(item->state())), ""});
  }
  if (side == Side::kAsked && item->kind() == v1::SUPERVISION_ORDER) {
    AddUnmetForLifting(draft.context(), *item, unmet);
    return item;
  }
  const std::string& department = side == Side::kOwes ? item->department() : item->asked_by_department();
  if (!ActsFor(draft.context(), department)) {
    unmet->push_back({"NOT_YOUR_ITEM",
                      absl::StrCat("only department ", department, " can do this, ",
                                   draft.context().actor->principal_id(), " is not of it"),
                      ""});
  }
  return item;
}

// Work is refused when it is asked. Later that would only take it off the list of what is owed.
void AddUnmetForRefusal(const Draft& draft, const v1::OwedItem& item, std::vector<Unmet>* unmet) {
  if (item.kind() == v1::SUPERVISION_ORDER) {
    unmet->push_back({"ORDER_NOT_REFUSABLE", "a supervision order is answered, not refused", "complete_item"});
  }
  if (item.state() == v1::OwedItem::TAKEN_ON) {
    unmet->push_back({"ITEM_ACCEPTED",
                      absl::StrCat("item ", item.item_no(), " was accepted by ", item.principal(),
                                   ", want it completed or returned"),
                      "complete_item"});
  }
  if (IsLate(draft.state(), item, draft.context().effective)) {
    unmet->push_back({"ITEM_LATE",
                      absl::StrCat("the due of item ", item.item_no(), " has passed, want it completed or returned"),
                      "complete_item"});
  }
}

v1::OwedItem* FindItem(uint32_t item_no, v1::Case* state) {
  for (v1::OwedItem& item : *state->mutable_items()) {
    if (item.item_no() == item_no) return &item;
  }
  return nullptr;
}

absl::Status End(State how, const google::protobuf::Timestamp& at, v1::OwedItem* item) {
  item->set_state(how);
  *item->mutable_ended_at() = at;
  return absl::OkStatus();
}

absl::Status ApplyAsked(const v1::Event& event, uint32_t revision, v1::Case* state) {
  const v1::OwedItemAsked& asked = event.owed_item_asked();
  v1::OwedItem* item = asked.item_no() != 0 ? FindItem(asked.item_no(), state) : state->add_items();
  if (item == nullptr) return absl::DataLossError(absl::StrCat("OwedItemAsked again of item ", asked.item_no()));
  if (asked.item_no() == 0) item->set_item_no(revision);
  item->set_kind(asked.kind());
  item->set_state(v1::OwedItem::ASKED);
  item->set_department(asked.department());
  item->set_principal(asked.principal());
  item->set_asked_by(asked.asked_by());
  item->set_asked_by_department(asked.asked_by_department());
  item->set_what(asked.what());
  if (asked.has_text()) *item->mutable_text() = asked.text();
  if (!item->has_asked_at()) *item->mutable_asked_at() = event.occurred_at();
  if (asked.has_due_at()) *item->mutable_due_at() = asked.due_at();
  item->set_visits(item->visits() + 1);
  item->clear_reason_code();
  return absl::OkStatus();
}

}  // namespace

bool IsOpen(const v1::OwedItem& item) {
  return item.state() == v1::OwedItem::ASKED || item.state() == v1::OwedItem::TAKEN_ON ||
         item.state() == v1::OwedItem::RETURNED;
}

absl::Status DecideAskItem(Draft& draft, const v1::Command& command) {
  const v1::AskItem& ask = command.ask_item();
  const DecideContext& context = draft.context();
  std::vector<BadField> bad;
  CheckDepartment(context, "ask_item.department", ask.department(), &bad);
  if (!ask.principal().empty()) CheckPrincipal(context, "ask_item.principal", ask.principal(), &bad);
  if (ask.has_due_at() && FromProto(ask.due_at()) <= context.now) {
    bad.push_back({"ask_item.due_at", absl::StrCat(FormatUtc(FromProto(ask.due_at())), ", want an instant after ",
                                                   FormatUtc(context.now))});
  }
  if (!bad.empty()) return RefuseFields("INVALID_FIELD", bad);
  std::vector<Unmet> unmet;
  const v1::OwedItem* again = nullptr;
  if (ask.item_no() != 0) {
    again = ChooseItem(draft, "ask_item", ask.item_no(), {v1::OwedItem::RETURNED}, Side::kAsked, &unmet);
    if (again != nullptr && again->kind() != ask.kind()) {
      unmet.push_back(
          {"ITEM_KIND",
           absl::StrCat("ask_item.kind: item ", again->item_no(), " is ", v1::OwedItemKind_Name(again->kind())), ""});
    }
    if (ask.has_due_at()) {
      unmet.push_back({"ITEM_DUE", "ask_item.due_at: given, but what was returned keeps its date", ""});
    }
  } else if (draft.state().items_size() >= kMaxOwedItems) {
    unmet.push_back({"TOO_MANY_ITEMS", absl::StrCat("the case has ", kMaxOwedItems, " owed items, the limit"), ""});
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  v1::OwedItemAsked* asked = event.mutable_owed_item_asked();
  asked->set_kind(ask.kind());
  asked->set_department(ask.department());
  asked->set_principal(ask.principal());
  asked->set_asked_by(context.actor->principal_id());
  asked->set_asked_by_department(again != nullptr ? again->asked_by_department() : DepartmentOfActor(context));
  if (asked->asked_by_department().empty()) asked->set_asked_by_department(draft.state().department());
  asked->set_what(ask.what());
  if (!ask.text().empty()) *asked->mutable_text() = draft.Seal(ask.text());
  if (ask.has_due_at()) *asked->mutable_due_at() = ask.due_at();
  asked->set_item_no(ask.item_no());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideAcceptItem(Draft& draft, const v1::Command& command) {
  std::vector<Unmet> unmet;
  const v1::OwedItem* item =
      ChooseItem(draft, "accept_item", command.accept_item().item_no(), {v1::OwedItem::ASKED}, Side::kOwes, &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  event.mutable_owed_item_accepted()->set_item_no(item->item_no());
  event.mutable_owed_item_accepted()->set_by(draft.context().actor->principal_id());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideReturnItem(Draft& draft, const v1::Command& command) {
  const v1::ReturnItem& request = command.return_item();
  std::vector<Unmet> unmet;
  const v1::OwedItem* item = ChooseItem(draft, "return_item", request.item_no(),
                                        {v1::OwedItem::ASKED, v1::OwedItem::TAKEN_ON}, Side::kOwes, &unmet);
  if (item != nullptr && item->kind() == v1::SUPERVISION_ORDER) {
    unmet.push_back({"ORDER_NOT_RETURNABLE", "a supervision order is answered, not handed back", "complete_item"});
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  v1::OwedItemReturned* returned = event.mutable_owed_item_returned();
  returned->set_item_no(item->item_no());
  returned->set_reason_code(request.reason_code());
  if (!request.text().empty()) *returned->mutable_text() = draft.Seal(request.text());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideCompleteItem(Draft& draft, const v1::Command& command) {
  const v1::CompleteItem& request = command.complete_item();
  std::vector<Unmet> unmet;
  const v1::OwedItem* item = ChooseItem(draft, "complete_item", request.item_no(),
                                        {v1::OwedItem::ASKED, v1::OwedItem::TAKEN_ON}, Side::kOwes, &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  v1::OwedItemDone* done = event.mutable_owed_item_done();
  done->set_item_no(item->item_no());
  done->set_by(draft.context().actor->principal_id());
  *done->mutable_result() = draft.Seal(request.result());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideRefuseItem(Draft& draft, const v1::Command& command) {
  const v1::RefuseItem& request = command.refuse_item();
  std::vector<Unmet> unmet;
  const v1::OwedItem* item = ChooseItem(draft, "refuse_item", request.item_no(),
                                        {v1::OwedItem::ASKED, v1::OwedItem::TAKEN_ON}, Side::kOwes, &unmet);
  if (item != nullptr) AddUnmetForRefusal(draft, *item, &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  v1::OwedItemRefused* refused = event.mutable_owed_item_refused();
  refused->set_item_no(item->item_no());
  refused->set_reason_code(request.reason_code());
  if (!request.text().empty()) *refused->mutable_text() = draft.Seal(request.text());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideCancelItem(Draft& draft, const v1::Command& command) {
  const v1::CancelItem& request = command.cancel_item();
  std::vector<Unmet> unmet;
  const v1::OwedItem* item =
      ChooseItem(draft, "cancel_item", request.item_no(),
                 {v1::OwedItem::ASKED, v1::OwedItem::TAKEN_ON, v1::OwedItem::RETURNED}, Side::kAsked, &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  event.mutable_owed_item_cancelled()->set_item_no(item->item_no());
  event.mutable_owed_item_cancelled()->set_reason_code(request.reason_code());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status ApplyOwedItemEvent(const v1::Event& event, uint32_t revision, v1::Case* state) {
  const auto missing = [&](uint32_t item_no) {
    return absl::DataLossError(
        absl::StrCat("event type ", event.body_case(), " names item ", item_no, ", which the case does not have"));
  };
  switch (event.body_case()) {
    case v1::Event::kOwedItemAsked:
      return ApplyAsked(event, revision, state);
    case v1::Event::kOwedItemAccepted: {
      v1::OwedItem* item = FindItem(event.owed_item_accepted().item_no(), state);
      if (item == nullptr) return missing(event.owed_item_accepted().item_no());
      item->set_state(v1::OwedItem::TAKEN_ON);
      item->set_principal(event.owed_item_accepted().by());
      return absl::OkStatus();
    }
    case v1::Event::kOwedItemReturned: {
      v1::OwedItem* item = FindItem(event.owed_item_returned().item_no(), state);
      if (item == nullptr) return missing(event.owed_item_returned().item_no());
      item->set_state(v1::OwedItem::RETURNED);
      item->set_reason_code(event.owed_item_returned().reason_code());
      return absl::OkStatus();
    }
    case v1::Event::kOwedItemDone: {
      v1::OwedItem* item = FindItem(event.owed_item_done().item_no(), state);
      if (item == nullptr) return missing(event.owed_item_done().item_no());
      *item->mutable_result() = event.owed_item_done().result();
      return End(v1::OwedItem::DONE, event.occurred_at(), item);
    }
    case v1::Event::kOwedItemRefused: {
      v1::OwedItem* item = FindItem(event.owed_item_refused().item_no(), state);
      if (item == nullptr) return missing(event.owed_item_refused().item_no());
      item->set_reason_code(event.owed_item_refused().reason_code());
      return End(v1::OwedItem::REFUSED, event.occurred_at(), item);
    }
    case v1::Event::kOwedItemCancelled: {
      v1::OwedItem* item = FindItem(event.owed_item_cancelled().item_no(), state);
      if (item == nullptr) return missing(event.owed_item_cancelled().item_no());
      item->set_reason_code(event.owed_item_cancelled().reason_code());
      return End(v1::OwedItem::CALLED_OFF, event.occurred_at(), item);
    }
    default:
      return absl::DataLossError(absl::StrCat("event type ", event.body_case(), " is no event of an owed item"));
  }
}

}  // namespace docket::workflow
