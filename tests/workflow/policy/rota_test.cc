// Who is on duty, and who stands in for whom.
#include "workflow/policy/rota.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/policy/absences.h"

namespace docket::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Rota::Shift Shift(uint32_t weekday, uint32_t start_h, uint32_t end_h, const std::string& who) {
  v1::Rota::Shift shift;
  shift.set_weekday(weekday);
  shift.set_start_s(start_h * 3600);
  shift.set_end_s(end_h * 3600);
  shift.add_principals(who);
  return shift;
}

// 2026-11-18 is a Wednesday.
TEST(RotaTest, ShiftsAreHalfOpenAndOfTheirWeekday) {
  v1::Rota rota;
  *rota.add_shifts() = Shift(3, 9, 17, "ann");
  *rota.add_shifts() = Shift(3, 12, 24, "bob");
  EXPECT_THAT(OnDuty(rota, absl::CivilSecond(2026, 11, 18, 8, 59, 59)), IsEmpty());
  EXPECT_THAT(OnDuty(rota, absl::CivilSecond(2026, 11, 18, 9, 0, 0)), ElementsAre("ann"));
  EXPECT_THAT(OnDuty(rota, absl::CivilSecond(2026, 11, 18, 12, 0, 0)), ElementsAre("ann", "bob"));
  EXPECT_THAT(OnDuty(rota, absl::CivilSecond(2026, 11, 18, 17, 0, 0)), ElementsAre("bob"));
  EXPECT_THAT(OnDuty(rota, absl::CivilSecond(2026, 11, 18, 23, 59, 59)), ElementsAre("bob"));
  EXPECT_THAT(OnDuty(rota, absl::CivilSecond(2026, 11, 19, 9, 0, 0)), IsEmpty());
}

TEST(RotaTest, ATurnTakesThePlaceOfTheShiftsOnItsDays) {
  v1::Rota rota;
  *rota.add_shifts() = Shift(3, 0, 24, "ann");
  v1::Rota::Turn* turn = rota.add_turns();
  turn->set_first_day(static_cast<int32_t>(absl::CivilDay(2026, 11, 17) - absl::CivilDay(1970, 1, 1)));
  turn->set_last_day(turn->first_day() + 1);
  turn->add_principals("cid");
  EXPECT_THAT(OnDuty(rota, absl::CivilSecond(2026, 11, 16, 23, 59, 59)), IsEmpty());
  EXPECT_THAT(OnDuty(rota, absl::CivilSecond(2026, 11, 17, 0, 0, 0)), ElementsAre("cid"));
  EXPECT_THAT(OnDuty(rota, absl::CivilSecond(2026, 11, 18, 23, 59, 59)), ElementsAre("cid"));
  EXPECT_THAT(OnDuty(rota, absl::CivilSecond(2026, 11, 25, 9, 0, 0)), ElementsAre("ann"));
}

absl::Time Day(int day) { return absl::FromUnixSeconds(1'790'000'000) + absl::Hours(24) * day; }

v1::Absence Away(const std::string& who, int from, int until, const std::string& deputy) {
  v1::Absence absence;
  absence.set_principal(who);
  *absence.mutable_from() = ToProto(Day(from));
  *absence.mutable_until() = ToProto(Day(until));
  absence.set_deputy(deputy);
  return absence;
}

TEST(AbsencesTest, ADeputyKnowsWhomTheyStandInFor) {
  Absences absences;
  absences.Record(Away("ann", 1, 5, "bob"));
  absences.Record(Away("ann", 2, 4, "cid"));
  absences.Record(Away("bob", 2, 3, "cid"));
  absences.Record(Away("eve", 1, 9, "bob"));
  EXPECT_THAT(absences.StoodInForBy("bob", Day(0)), IsEmpty());
  EXPECT_THAT(absences.StoodInForBy("bob", Day(1)), ElementsAre("ann", "eve"));
  EXPECT_THAT(absences.StoodInForBy("bob", Day(2)), IsEmpty());  // away too
  EXPECT_THAT(absences.StoodInForBy("cid", Day(2)), ElementsAre("ann", "bob", "eve"));
  EXPECT_THAT(absences.StoodInForBy("bob", Day(3)), ElementsAre("eve"));
  EXPECT_THAT(absences.StoodInForBy("bob", Day(4)), ElementsAre("ann", "eve"));
  EXPECT_THAT(absences.StoodInForBy("ann", Day(1)), IsEmpty());
}

TEST(AbsencesTest, ADeputyActsWhileItLastsAndAChainIsFollowed) {
  Absences absences;
  absences.Record(Away("ann", 1, 5, "bob"));
  absences.Record(Away("bob", 2, 3, "cid"));
  EXPECT_EQ(absences.ActingFor("ann", Day(0)), "ann");
  EXPECT_EQ(absences.ActingFor("ann", Day(1)), "bob");
  EXPECT_EQ(absences.ActingFor("ann", Day(2)), "cid");
  EXPECT_EQ(absences.ActingFor("ann", Day(3)), "bob");
  EXPECT_EQ(absences.ActingFor("ann", Day(5)), "ann");
}

TEST(AbsencesTest, TheSameBeginningReplacesAndAnEmptyOneWithdraws) {
  Absences absences;
  absences.Record(Away("ann", 1, 5, "bob"));
  absences.Record(Away("ann", 1, 3, "cid"));
  EXPECT_EQ(absences.ActingFor("ann", Day(2)), "cid");
  EXPECT_EQ(absences.ActingFor("ann", Day(4)), "ann");
  absences.Record(Away("ann", 1, 1, "cid"));
  EXPECT_THAT(absences.all(), IsEmpty());
}

TEST(AbsencesTest, ALongOneHoldsBehindAShortOne) {
  Absences absences;
  absences.Record(Away("ann", 1, 9, "bob"));
  absences.Record(Away("ann", 3, 4, "cid"));
  EXPECT_EQ(absences.ActingFor("ann", Day(3)), "cid");
  EXPECT_EQ(absences.ActingFor("ann", Day(5)), "bob");
}

TEST(AbsencesTest, RefusesWhatLeavesNobody) {
  Absences absences;
  absences.Record(Away("ann", 1, 5, "bob"));
  absences.Record(Away("bob", 4, 9, "cid"));
  EXPECT_EQ(ReasonOf(absences.Check(Away("cid", 2, 2, "ann"))), "ABSENCE_EMPTY");
  EXPECT_EQ(ReasonOf(absences.Check(Away("cid", 2, 3, "cid"))), "DEPUTY_IS_ABSENT_PERSON");
  // cid → ann → bob → cid on day 4 only.
  EXPECT_TRUE(absences.Check(Away("cid", 2, 4, "ann")).ok());
  EXPECT_EQ(ReasonOf(absences.Check(Away("cid", 2, 5, "ann"))), "DEPUTY_CIRCLE");
  EXPECT_EQ(ReasonOf(absences.Check(Away("bob", 3, 5, "ann"))), "DEPUTY_CIRCLE");
}

// Whatever is accepted one after the other, somebody acts for everybody at every instant.
TEST(AbsencesTest, NoSequenceOfAcceptedAbsencesMakesACircle) {
  std::mt19937_64 dice(7);
  const std::vector<std::string> people = {"ann", "bob", "cid", "dan", "eve"};
  int refused = 0;
  for (int round = 0; round < 200; ++round) {
    Absences absences;
    for (int i = 0; i < 12; ++i) {
      const int from = static_cast<int>(dice() % 10);
      const v1::Absence absence =
          Away(people[dice() % 5], from, from + 1 + static_cast<int>(dice() % 5), people[dice() % 5]);
      if (absences.Check(absence).ok()) {
        absences.Record(absence);
      } else {
        ++refused;
      }
    }
    for (int day = 0; day < 16; ++day) {
      for (const std::string& who : people) {
        const std::string acting = absences.ActingFor(who, Day(day));
        ASSERT_FALSE(acting.empty());
        ASSERT_EQ(absences.At(acting, Day(day)), nullptr);
      }
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace docket::policy
