#include "tools/cli/explain_view.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

using ::testing::ElementsAre;

absl::TimeZone London() {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone("Europe/London", &zone));
  return zone;
}

absl::Time At(int day, int hour, int minute = 0) {
  return absl::FromCivil(absl::CivilMinute(2026, 11, day, hour, minute), London());
}

void Add(absl::Time start, absl::Time end, v1::DueInterval::Why why, const std::string& label,
         google::protobuf::RepeatedPtrField<v1::DueInterval>* intervals) {
  v1::DueInterval* one = intervals->Add();
  *one->mutable_start() = ToProto(start);
  *one->mutable_end() = ToProto(end);
  one->set_why(why);
  one->set_label(label);
}

TEST(Timeline, ALineADayAndOneForDaysOfWhichNothingCounts) {
  google::protobuf::RepeatedPtrField<v1::DueInterval> intervals;
  Add(At(20, 9), At(20, 10), v1::DueInterval::COUNTED, "", &intervals);
  Add(At(20, 10), At(20, 12), v1::DueInterval::PAUSED, "", &intervals);
  Add(At(20, 12), At(20, 17), v1::DueInterval::COUNTED, "", &intervals);
  Add(At(20, 17), At(23, 9), v1::DueInterval::OUTSIDE_HOURS, "", &intervals);
  Add(At(23, 9), At(23, 9, 10), v1::DueInterval::COUNTED, "day of receipt", &intervals);
  const std::string night(18, ' ');
  EXPECT_THAT(
      Timeline(intervals, London()),
      ElementsAre("Fri 20 Nov 2026  " + night + "##----##########..............  6h",
                  "Sat 21 Nov 2026  " + std::string(48, '.') + "  until Sun 22 Nov 2026",
                  "Mon 23 Nov 2026  " + std::string(18, '.') + "#" + std::string(29, ' ') + "  10m  day of receipt"));
}

TEST(Timeline, TheHourThatIsMissingInSpringDrawsNothingTwice) {
  google::protobuf::RepeatedPtrField<v1::DueInterval> intervals;
  const absl::Time start = absl::FromCivil(absl::CivilHour(2026, 3, 29, 0), London());
  Add(start, start + absl::Hours(23), v1::DueInterval::COUNTED, "", &intervals);
  EXPECT_THAT(Timeline(intervals, London()), ElementsAre("Sun 29 Mar 2026  ##" + std::string(46, '#') + "  23h"));
}

// N2 with SHARE: of 8 h, 7 h 30 min were used on Wednesday 16:30, and it becomes 24 h.
TEST(CountedText, WhatARetargetTookOverSumsUpToTheTarget) {
  v1::ExplainDueReply reply;
  reply.set_zone("Europe/London");
  Add(At(18, 9), At(18, 17), v1::DueInterval::COUNTED, "", reply.mutable_intervals());
  Add(At(18, 17), At(19, 9), v1::DueInterval::OUTSIDE_HOURS, "", reply.mutable_intervals());
  Add(At(19, 9), At(19, 10), v1::DueInterval::COUNTED, "", reply.mutable_intervals());
  *reply.mutable_counted() = ToProto(absl::Hours(9));
  EXPECT_EQ(CountedText(reply), "counted 9h");
  reply.mutable_clock()->mutable_target()->set_unit(v1::Target::WORKING_TIME);
  *reply.mutable_clock()->mutable_target()->mutable_duration() = ToProto(absl::Hours(24));
  *reply.mutable_clock()->mutable_carried_at() = ToProto(At(18, 16, 30));
  *reply.mutable_clock()->mutable_carried_used() = ToProto(absl::Hours(22) + absl::Minutes(30));
  EXPECT_EQ(CountedText(reply),
            "counted 7h 30m until Wed 2026-11-18 16:30, taken over as 22h 30m of 24h, and 1h 30m since");
  reply.mutable_clock()->clear_carried_at();
  *reply.mutable_clock()->mutable_brought() = ToProto(absl::Hours(15));
  EXPECT_EQ(CountedText(reply), "counted 9h, and 15h on earlier visits");
}

}  // namespace
}  // namespace docket::cli
