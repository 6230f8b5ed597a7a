// Queue, handler, accountable department, transfers.
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/base/time.h"
#include "workflow/case/allowed.h"

namespace docket::workflow::testing {
namespace {

constexpr char kTransfer[] = "transfer { to_queue: 'billing' handoff_note: 'It is about a bill' }";

CaseDesk Filed() {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  return desk;
}

TEST(OwnershipTest, TakingGivingAndStealingAreToldApart) {
  CaseDesk desk = Filed();
  desk.Must("take {}", {.principal = "luis.romero"});
  EXPECT_EQ(desk.events().back().owner_assigned().mode(), v1::TAKE);
  desk.Must("take {}");
  EXPECT_EQ(desk.events().back().owner_assigned().mode(), v1::STEAL);
  EXPECT_EQ(desk.events().back().owner_assigned().previous(), "luis.romero");
  EXPECT_EQ(desk.Must("take {}"), "");  // has it already
  desk.Must("assign { owner: 'sam.doyle' }");
  EXPECT_EQ(desk.events().back().owner_assigned().mode(), v1::GIVE);
  EXPECT_EQ(desk.state().owner_department(), "billing");
  EXPECT_EQ(Told(desk.Would("assign { owner: 'sam.doile' }")), "UNKNOWN_PRINCIPAL");
  desk.Must("release {}");
  EXPECT_EQ(desk.state().owner(), "");
  EXPECT_EQ(Told(desk.Would("release {}")), "CONDITIONS_UNMET: NO_OWNER");
}

TEST(OwnershipTest, OfAnotherDepartmentWhatNobodyWorksOnMayBeQueuedWhatSomebodyDoesIsTransferred) {
  CaseDesk desk = Filed();
  desk.Must("queue { queue: 'it-desk' }");
  desk.Must("queue { queue: 'intake' }");
  desk.Must("take {}");
  desk.Must("queue { queue: 'complaints' }");  // the same department
  EXPECT_EQ(Told(desk.Would("queue { queue: 'it-desk' }")), "CONDITIONS_UNMET: OTHER_DEPARTMENT");
  desk.Must(kTransfer);
  EXPECT_EQ(Told(desk.Would("queue { queue: 'intake' }")), "CONDITIONS_UNMET: TRANSFER_PENDING");
}

TEST(OwnershipTest, AStrangerTakesNothing) {
  CaseDesk desk = Filed();
  EXPECT_EQ(Told(desk.Would("take {}", {.principal = "nobody.known"}, nullptr)), "UNKNOWN_PRINCIPAL");
}

TEST(TransferTest, IsInTransitUntilTheReceiverAnswers) {
  CaseDesk desk = Filed();
  desk.Must("take {}");
  EXPECT_EQ(desk.Must(kTransfer), "CaseTransferred");
  EXPECT_EQ(desk.state().department(), "complaints");  // the sender answers for everything meanwhile
  EXPECT_EQ(desk.state().transfer().to_department(), "billing");
  EXPECT_EQ(Told(desk.Would(kTransfer)), "CONDITIONS_UNMET: TRANSFER_PENDING");
  EXPECT_EQ(Told(desk.Would("accept_transfer {}")), "CONDITIONS_UNMET: NOT_THE_RECEIVER");
  EXPECT_EQ(Told(desk.Would("refuse_transfer { reason_code: 'X' }")), "CONDITIONS_UNMET: NOT_THE_RECEIVER");
}

TEST(TransferTest, IsAnsweredByTheReceiverOrBelowNotFromAbove) {
  CaseDesk desk = Filed();
  desk.Must("transfer { to_queue: 'service-desk' handoff_note: 'x' }");
  EXPECT_EQ(Told(desk.Would("accept_transfer {}", {.principal = "amara.osei"}, nullptr)),
            "CONDITIONS_UNMET: NOT_THE_RECEIVER");
  desk.Must("accept_transfer {}", {.principal = "sam.doyle"});  // billing is below customer-service
}

TEST(TransferTest, WhereNobodyReceivesAnybodyMayAnswer) {
  CaseDesk desk(With(ShippedPolicies(),
                     "directory: small\n"
                     "departments: [{id: complaints, name: Complaints}, {id: empty, name: Empty}]\n"
                     "queues: [{id: intake, name: Intake, department: complaints}, "
                     "{id: other, name: Other, department: empty}]\n"
                     "principals: [{id: grace.lind, name: Grace, department: complaints}]\n"));
  desk.Must(kFileComplaint);
  desk.Must("transfer { to_queue: 'other' handoff_note: 'x' }");
  desk.Must("accept_transfer {}");
}

TEST(TransferTest, WhoHandsOverDoesNotAccept) {
  CaseDesk desk = Filed();
  const CaseDesk::Given sam = {.principal = "sam.doyle"};
  desk.Must(kTransfer, sam);  // to the department sam.doyle is of
  EXPECT_EQ(desk.state().transfer().by(), "sam.doyle");
  EXPECT_EQ(Told(desk.Would("accept_transfer {}", sam, nullptr)), "CONDITIONS_UNMET: SECOND_PERSON_MISSING");
  EXPECT_EQ(Told(desk.Would("refuse_transfer { reason_code: 'X' }", sam, nullptr)), "ok: TransferRefused");
  const auto unmet = [&](const std::string& command, const std::string& asker) {
    for (const AllowedCommand& one : AllowedCommands(desk.state(), desk.policies(), asker)) {
      if (one.command == command) return one.unmet.empty() ? "" : one.unmet.front().reason;
    }
    return std::string("not offered");
  };
  EXPECT_EQ(unmet("accept_transfer", "sam.doyle"), "SECOND_PERSON_MISSING");
  EXPECT_EQ(unmet("refuse_transfer", "sam.doyle"), "");
  EXPECT_EQ(unmet("accept_transfer", "grace.lind"), "NOT_THE_RECEIVER");
  EXPECT_EQ(unmet("accept_transfer", "priya.nair"), "");
  EXPECT_EQ(unmet("accept_transfer", ""), "");
  desk.Must("accept_transfer {}", {.principal = "priya.nair"});
}

TEST(TransferTest, WhoHandsOverAcceptsWhereNobodyElseReceives) {
  CaseDesk desk = Filed();
  const CaseDesk::Given jonas = {.principal = "jonas.weber"};
  desk.Must("transfer { to_queue: 'legal' handoff_note: 'x' }", jonas);
  desk.Must("accept_transfer {}", jonas);
}

// `who` is away all day.
std::shared_ptr<const policy::PolicySet> Away(const std::shared_ptr<const policy::PolicySet>& policies,
                                              const std::string& who, const std::string& deputy) {
  v1::Event event;
  v1::Absence* absence = event.mutable_absence_recorded()->mutable_absence();
  absence->set_principal(who);
  *absence->mutable_from() = ToProto(At("2026-11-18 00:00"));
  *absence->mutable_until() = ToProto(At("2026-11-19 00:00"));
  absence->set_deputy(deputy);
  const auto next = policies->With(event, 1000, At("2026-11-17 12:00"), "mei.tan");
  EXPECT_TRUE(next.ok()) << next.status();
  return next.ok() ? *next : policies;
}

TEST(TransferTest, WhoStandsInForAReceiverAnswersForThem) {
  CaseDesk desk(Away(ShippedPolicies(), "jonas.weber", "luis.romero"));
  desk.Must(kFileComplaint);
  desk.Must("transfer { to_queue: 'legal' handoff_note: 'x' }");
  EXPECT_EQ(Told(desk.Would("accept_transfer {}")), "CONDITIONS_UNMET: NOT_THE_RECEIVER");
  const CaseDesk::Given luis = {.principal = "luis.romero"};
  EXPECT_THAT(Told(desk.Would("accept_transfer {}", luis, nullptr)), ::testing::StartsWith("ok: TransferAccepted"));
  desk.Must("declare_conflict { nature: 'KINSHIP' }", luis);
  EXPECT_EQ(Told(desk.Would("accept_transfer {}", luis, nullptr)), "CONDITIONS_UNMET: NOT_THE_RECEIVER");
}

TEST(TransferTest, ToStandInForTheReceiverIsNoWayToAcceptWhatOneHandedOver) {
  CaseDesk desk(Away(ShippedPolicies(), "jonas.weber", "grace.lind"));
  desk.Must(kFileComplaint);
  desk.Must("transfer { to_queue: 'legal' handoff_note: 'x' }");
  const auto refused = desk.Would("accept_transfer {}");
  EXPECT_EQ(Told(refused), "CONDITIONS_UNMET: SECOND_PERSON_MISSING");
  EXPECT_THAT(std::string(refused.status().message()), ::testing::HasSubstr("where everybody is away now"));
}

TEST(TransferTest, WhoHandsOverAcceptsWhereEverybodyElseIsAwayAndNobodyActsForThem) {
  const CaseDesk::Given sam = {.principal = "sam.doyle"};
  for (const auto& [deputy, told] : {std::pair<std::string, std::string>("luis.romero", "CONDITIONS_UNMET"),
                                     {"sam.doyle", "ok: TransferAccepted"}}) {
    CaseDesk desk(Away(ShippedPolicies(), "priya.nair", deputy));
    desk.Must(kFileComplaint);
    desk.Must(kTransfer, sam);
    EXPECT_THAT(Told(desk.Would("accept_transfer {}", sam, nullptr)), ::testing::StartsWith(told)) << deputy;
  }
}

TEST(TransferTest, AcceptedItMovesQueueAndAccountAndLosesItsHandler) {
  CaseDesk desk = Filed();
  desk.Must("take {}");
  const absl::Time due = FromProto(desk.clock("RESOLUTION").due_at());
  desk.Must(kTransfer);
  desk.MoveTo("2026-11-18 10:00");
  EXPECT_EQ(desk.Must("accept_transfer {}", {.principal = "sam.doyle"}),
            "TransferAccepted OwnerReleased CaseQueued AccountableOwnerSet");
  EXPECT_EQ(desk.state().department(), "billing");
  EXPECT_EQ(desk.state().queue(), "billing");
  EXPECT_FALSE(desk.state().has_transfer());
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), due);  // what we owe the customer does not move (R10)
  EXPECT_EQ(desk.state().transfer_count(), 1u);
}

TEST(TransferTest, RefusedItStaysWhereItWas) {
  CaseDesk desk = Filed();
  desk.Must(kTransfer);
  EXPECT_EQ(desk.Must("refuse_transfer { reason_code: 'NOT_OURS' }", {.principal = "priya.nair"}), "TransferRefused");
  EXPECT_EQ(desk.state().queue(), "intake");
  EXPECT_EQ(desk.state().department(), "complaints");
  EXPECT_EQ(Told(desk.Would("refuse_transfer { reason_code: 'X' }", {.principal = "priya.nair"}, nullptr)),
            "CONDITIONS_UNMET: NO_PENDING_TRANSFER");
}

TEST(TransferTest, WithinOneDepartmentItIsNone) {
  CaseDesk desk = Filed();  // queue intake, of complaints
  const auto refused = desk.Would("transfer { to_queue: 'complaints' handoff_note: 'x' }");
  EXPECT_EQ(Told(refused), "CONDITIONS_UNMET: SAME_DEPARTMENT");
  EXPECT_THAT(MetBy(refused.status()), ::testing::ElementsAre("queue"));
  EXPECT_EQ(Told(desk.Would("transfer { to_queue: 'biling' handoff_note: 'x' }")), "UNKNOWN_QUEUE");
}

}  // namespace
}  // namespace docket::workflow::testing
