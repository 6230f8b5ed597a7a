// What of the time used a retarget carries over (R8). Mon–Fri 09:00–17:00 London, from Wed 18 Nov 2026 on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/workflow/sla/desk.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_math.h"
#include "workflow/sla/clock_rules.h"

namespace docket::sla {
namespace {

using testing::AddChoice;
using testing::All;
using testing::At;
using testing::Desk;
using ::testing::ElementsAre;
using testing::Is;
using ::testing::IsEmpty;
using testing::Metric;
using testing::On;
using testing::Policy;

constexpr char kLondon[] = "Europe/London";

// RESOLUTION by severity: 1 `urgent`, else `ordinary`; pausable; warnings at 50 and 90 %.
class Carry : public ::testing::Test {
 protected:
  void Publish(const std::string& urgent, const std::string& ordinary, const v1::MetricRule::Retarget& retarget,
               const std::string& calendar_of_urgent = "", v1::Obligation obligation = v1::CUSTOMER) {
    v1::MetricRule rule =
        Metric("RESOLUTION", On("case_received"), On("status_changed", {Is("case.category", "RESOLVED")}), "");
    rule.set_pausable(obligation != v1::REGULATOR);
    *rule.mutable_retarget() = retarget;
    rule.add_warnings_permille(500);
    rule.add_warnings_permille(900);
    AddChoice(&rule, Is("case.severity", "1"), urgent, calendar_of_urgent);
    AddChoice(&rule, All({}), ordinary);
    desk_.Publish(Policy("p", obligation, 10, "london", {rule}));
  }
  std::vector<std::string> Severity(const std::string& at, uint32_t severity) {
    v1::Event event;
    event.mutable_case_triaged()->set_severity(severity);
    return desk_.Do(at, event);
  }
  std::string DueAfter(const std::string& at, uint32_t severity) {
    Severity(at, severity);
    return desk_.Standing("RESOLUTION", at);
  }
  static v1::MetricRule::Retarget Loosen(const std::string& carry) {
    v1::MetricRule::Retarget retarget;
    retarget.set_loosen(carry);
    return retarget;
  }
  static v1::MetricRule::Retarget Tighten(const std::string& carry) {
    v1::MetricRule::Retarget retarget;
    retarget.set_tighten(carry);
    return retarget;
  }
  Desk desk_;
};

struct Vector {
  const char* carry;
  const char* due;
};

class N2 : public Carry, public ::testing::WithParamInterface<Vector> {};
TEST_P(N2, ALongerTarget) {
  Publish("8h", "24h", Loosen(GetParam().carry));
  desk_.state().set_severity(1);
  desk_.Receive("2026-11-18 09:00");
  EXPECT_EQ(DueAfter("2026-11-18 16:30", 3), absl::StrCat("RUNNING due ", GetParam().due));
}
INSTANTIATE_TEST_SUITE_P(Carries, N2,
                         ::testing::Values(Vector{"ALL", "Fri 20 17:00"}, Vector{"TIME", "Fri 20 17:00"},
                                           Vector{"SHARE", "Thu 19 10:00"}, Vector{"", "Thu 19 10:00"},
                                           Vector{"NONE", "Mon 23 16:30"}));

class N3 : public Carry, public ::testing::WithParamInterface<Vector> {};
TEST_P(N3, AnotherCalendar) {
  testing::CalendarSpec china = testing::Shanghai();
  china.exceptions.clear();
  desk_.Publish("china", china);
  Publish("16h", "16h", Loosen(GetParam().carry), "china");
  desk_.Receive("2026-11-18 09:00");
  EXPECT_EQ(DueAfter("2026-11-19 10:00", 1), absl::StrCat("RUNNING due ", GetParam().due));
}
INSTANTIATE_TEST_SUITE_P(Carries, N3, ::testing::Values(Vector{"ALL", "Fri 20 10:00"}, Vector{"TIME", "Fri 20 09:30"}));

class V14 : public Carry, public ::testing::WithParamInterface<Vector> {};
TEST_P(V14, AShorterTargetAfterAPause) {
  Publish("4h", "24h", Tighten(GetParam().carry));
  desk_.Receive("2026-11-18 09:00");
  desk_.Wait("2026-11-18 11:00", "WAITING");
  desk_.Move("2026-11-18 16:00", "OPEN");
  ASSERT_EQ(desk_.Standing("RESOLUTION", "2026-11-18 16:00"), "RUNNING due Mon 23 14:00");
  EXPECT_EQ(DueAfter("2026-11-19 10:00", 1), absl::StrCat("RUNNING due ", GetParam().due));
}
INSTANTIATE_TEST_SUITE_P(Carries, V14,
                         ::testing::Values(Vector{"ALL", "Thu 19 10:00"}, Vector{"TIME", "Thu 19 10:00"},
                                           Vector{"SHARE", "Thu 19 13:20"}, Vector{"NONE", "Thu 19 14:00"}));

// What was carried over is carried through later pauses, and a second retarget begins from there.
TEST_F(Carry, LaterPausesMoveWhatIsLeft) {
  Publish("8h", "24h", Loosen("SHARE"));
  desk_.state().set_severity(1);
  desk_.Receive("2026-11-18 09:00");
  ASSERT_EQ(DueAfter("2026-11-18 13:00", 3), "RUNNING due Thu 19 17:00");  // half used: 12 h of 24 are left
  desk_.Wait("2026-11-18 15:00", "WAITING");
  EXPECT_THAT(desk_.Move("2026-11-19 09:00", "OPEN"),
              ElementsAre("RESOLUTION resumed, paused until Thu 19 09:00 due Fri 20 11:00"));
  EXPECT_EQ(DueAfter("2026-11-19 11:00", 1), "RUNNING due Thu 19 11:00");  // 8 h from the start, waits left out
}

TEST_F(Carry, WarningsAreSharesOfTheNewTarget) {
  Publish("8h", "24h", Loosen("SHARE"));
  desk_.state().set_severity(1);
  desk_.Receive("2026-11-18 09:00");
  Severity("2026-11-18 11:00", 3);  // a quarter used: 18 h are left
  EXPECT_EQ(desk_.Standing("RESOLUTION", "2026-11-18 11:00"), "RUNNING due Fri 20 13:00");
  EXPECT_THAT(desk_.Advance("2026-11-20 13:01"),
              ElementsAre("RESOLUTION warning 0 of Wed 18 17:00", "RESOLUTION warning 1 of Fri 20 10:36",
                          "RESOLUTION breached TIME due Fri 20 13:00"));
}

TEST_F(Carry, WhileItWaitsWhatWasUsedBeforeTheWaitCounts) {
  Publish("8h", "24h", Loosen("SHARE"));
  desk_.state().set_severity(1);
  desk_.Receive("2026-11-18 09:00");
  desk_.Wait("2026-11-18 11:00", "WAITING");
  EXPECT_THAT(Severity("2026-11-18 15:00", 3),
              ElementsAre("RESOLUTION retargeted CASE_TRIAGED 8h to 24h no due remaining 18h"));
  EXPECT_THAT(desk_.Move("2026-11-18 16:00", "OPEN"),
              ElementsAre("RESOLUTION resumed, paused until Wed 18 16:00 due Mon 23 10:00"));
}

TEST_F(Carry, BoundsOfTheNewDue) {
  v1::MetricRule::Retarget bounds;
  *bounds.mutable_min_remaining() = ToProto(absl::Hours(2));
  Publish("4h", "24h", bounds);
  desk_.Receive("2026-11-18 09:00");
  EXPECT_THAT(Severity("2026-11-18 15:00", 1),
              ElementsAre("RESOLUTION retargeted CASE_TRIAGED 24h to 4h due Wed 18 17:00"));  // not 13:00, in the past
}

TEST_F(Carry, AShorterTargetJustBeforeTheDueBuysNoTime) {
  v1::MetricRule::Retarget bounds;
  *bounds.mutable_min_remaining() = ToProto(absl::Hours(2));
  Publish("16h", "24h", bounds);
  desk_.Receive("2026-11-18 09:00");
  EXPECT_EQ(DueAfter("2026-11-20 16:55", 1), "RUNNING due Fri 20 17:00");
}

TEST_F(Carry, NeverLaterThanBefore) {
  v1::MetricRule::Retarget bounds;
  bounds.set_not_after_old_due(true);
  Publish("8h", "24h", bounds);
  desk_.state().set_severity(1);
  desk_.Receive("2026-11-18 09:00");
  EXPECT_EQ(DueAfter("2026-11-18 12:00", 3), "RUNNING due Wed 18 17:00");
  desk_.Wait("2026-11-18 13:00", "WAITING");
  EXPECT_THAT(desk_.Move("2026-11-18 14:00", "OPEN"),
              ElementsAre("RESOLUTION resumed, paused until Wed 18 14:00 due Thu 19 10:00"));
}

TEST_F(Carry, NeverEarlierThanBefore) {
  v1::MetricRule::Retarget bounds;
  bounds.set_not_before_old_due(true);
  Publish("4h", "24h", bounds);
  desk_.Receive("2026-11-18 09:00");
  EXPECT_EQ(DueAfter("2026-11-18 12:00", 1), "RUNNING due Fri 20 17:00");
}

// The bounds are those of the clock as it would be without the wait, whichever came first at one instant.
class HeldAndRetargeted : public Carry, public ::testing::WithParamInterface<int> {};
TEST_P(HeldAndRetargeted, InEitherOrderItIsTheSameDue) {
  v1::MetricRule::Retarget bounds;
  const bool tighter = GetParam() != 1;
  if (GetParam() == 0) bounds.set_not_before_old_due(true);
  if (GetParam() == 1) bounds.set_not_after_old_due(true);
  if (GetParam() == 2) *bounds.mutable_min_remaining() = ToProto(absl::Hours(2));
  const auto run = [&](bool hold_first) {
    desk_ = Desk();
    Publish(tighter ? "4h" : "8h", "24h", bounds);
    desk_.state().set_severity(tighter ? 3 : 1);
    desk_.Receive("2026-11-18 09:00");
    if (hold_first) desk_.Wait("2026-11-18 15:00", "WAITING");
    Severity("2026-11-18 15:00", tighter ? 1 : 3);
    if (!hold_first) desk_.Wait("2026-11-18 15:00", "WAITING");
    desk_.Move("2026-11-19 10:00", "OPEN");
    return desk_.Standing("RESOLUTION", "2026-11-19 10:00");
  };
  const char* const due[] = {"RUNNING due Mon 23 12:00", "RUNNING due Thu 19 12:00", "RUNNING due Thu 19 12:00"};
  EXPECT_EQ(run(true), due[GetParam()]);
  EXPECT_EQ(run(false), due[GetParam()]);
}
INSTANTIATE_TEST_SUITE_P(Bounds, HeldAndRetargeted, ::testing::Values(0, 1, 2));

// Nobody is to blame for a due that a retarget put into the past, until the old one has passed too.
TEST_F(Carry, ARetargetIntoThePastIsExcusedUntilTheOldDue) {
  Publish("4h", "24h", {});
  desk_.Receive("2026-11-18 09:00");
  Severity("2026-11-18 15:00", 1);
  const v1::Clock& clock = desk_.Clock("RESOLUTION");
  EXPECT_EQ(clock.breach_cause(), "RETARGET");
  EXPECT_EQ(FromProto(clock.excused_until()), At(kLondon, "2026-11-20 17:00"));
}

TEST_F(Carry, TheHandsACaseGoesThroughMoveNothingOwedToACustomer) {
  v1::MetricRule rule =
      Metric("RESOLUTION", On("case_received"), On("status_changed", {Is("case.category", "RESOLVED")}), "");
  AddChoice(&rule, Is("case.queue", "slow"), "80h");
  AddChoice(&rule, All({}), "8h");
  for (const auto& [obligation, moves] : {std::pair(v1::CUSTOMER, false), std::pair(v1::INTERNAL, true)}) {
    desk_ = Desk();
    desk_.Publish(Policy("p", obligation, 10, "london", {rule}));
    desk_.Receive("2026-11-18 09:00");
    v1::Event event;
    event.mutable_case_queued()->set_queue("slow");
    desk_.state().set_queue("slow");  // as the event makes it
    v1::Case before = desk_.state();
    before.clear_queue();
    *event.mutable_occurred_at() = ToProto(At(kLondon, "2026-11-18 10:00"));
    const auto events =
        ClockConsequences(before, desk_.state(), event, desk_.policies(), {.in_force = FromProto(event.occurred_at())});
    ASSERT_TRUE(events.ok()) << events.status();
    EXPECT_EQ(events->size(), moves ? 1u : 0u);
  }
}

}  // namespace
}  // namespace docket::sla
