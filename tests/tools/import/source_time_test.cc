#include "tools/import/source_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workflow/base/time.h"

namespace docket::import_tool {
namespace {

using ::testing::HasSubstr;

absl::TimeZone NewYork() {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone("America/New_York", &zone));
  return zone;
}

// "instant" or "instant, remark" or "error: …".
std::string Read(const std::string& text, const std::string& format, TwiceMeans twice = TwiceMeans::kLast) {
  const auto time = ParseSourceTime(text, {"%d.%m.%Y", format}, NewYork(), twice);
  if (!time.ok()) return "error: " + std::string(time.status().message());
  return FormatUtc(time->at) + (time->remark.empty() ? "" : ", " + time->remark);
}

constexpr char kLocal[] = "%Y-%m-%dT%H:%M:%E*S";

TEST(SourceTimeTest, LocalTimeIsOfTheZone) {
  EXPECT_EQ(Read("2016-07-01T09:00:00.250", kLocal), "2016-07-01T13:00:00.25Z");
  EXPECT_EQ(Read("2016-12-01T09:00:00", kLocal), "2016-12-01T14:00:00Z");
  EXPECT_EQ(Read("01.12.2016", kLocal), "2016-12-01T05:00:00Z");  // the first format
}

TEST(SourceTimeTest, ATimeThatCameTwiceIsTheFirstOrTheLast) {
  EXPECT_EQ(
      Read("2016-11-06T01:30:00", kLocal, TwiceMeans::kFirst),
      "2016-11-06T05:30:00Z, \"2016-11-06T01:30:00\" came twice in America/New_York, the clocks were put back; taken "
      "as the first, 2016-11-06T05:30:00Z");
  EXPECT_THAT(Read("2016-11-06T01:30:00", kLocal, TwiceMeans::kLast), HasSubstr("as the last, 2016-11-06T06:30:00Z"));
  EXPECT_EQ(Read("2016-11-06T00:59:59", kLocal), "2016-11-06T04:59:59Z");
  EXPECT_EQ(Read("2016-11-06T02:00:00", kLocal), "2016-11-06T07:00:00Z");
}

TEST(SourceTimeTest, ATimeThatNeverWasIsOfAClockThatWasNotPutForward) {
  EXPECT_EQ(
      Read("2016-03-13T02:30:00.5", kLocal),
      "2016-03-13T07:30:00.5Z, \"2016-03-13T02:30:00.5\" never was in America/New_York, the clocks were put forward; "
      "taken as 2016-03-13T07:30:00.5Z");
}

TEST(SourceTimeTest, AnOffsetSaysItAll) {
  EXPECT_EQ(Read("2016-11-06T01:30:00-05:00", "%Y-%m-%dT%H:%M:%S%Ez"), "2016-11-06T06:30:00Z");
  EXPECT_EQ(Read("2016-03-13T02:30:00+0100", "%Y-%m-%dT%H:%M:%S%z"), "2016-03-13T01:30:00Z");
  EXPECT_EQ(Read("1457850600", "%s"), "2016-03-13T06:30:00Z");
}

TEST(SourceTimeTest, WhatIsNoTimeIsTold) {
  EXPECT_THAT(Read("soon", kLocal), HasSubstr("error: \"soon\": "));
  EXPECT_THAT(Read("infinite-future", kLocal), HasSubstr("error: "));
  EXPECT_THAT(Read("", kLocal), HasSubstr("want %d.%m.%Y"));
}

TEST(SourceTimeTest, TheServerKeepsTheYears1970To9999) {
  EXPECT_TRUE(IsStorable(absl::UnixEpoch()));
  EXPECT_FALSE(IsStorable(absl::UnixEpoch() - absl::Microseconds(1)));
  const absl::Time end = absl::FromCivil(absl::CivilYear(10000), absl::UTCTimeZone());
  EXPECT_TRUE(IsStorable(end - absl::Microseconds(1)));
  EXPECT_FALSE(IsStorable(end));
}

}  // namespace
}  // namespace docket::import_tool
