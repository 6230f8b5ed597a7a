#include "tools/cli/moments.h"

#include "gtest/gtest.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

const absl::TimeZone kHelsinki = absl::FixedTimeZone(2 * 3600);
const absl::Time kNow = absl::FromUnixSeconds(1'795'185'000);  // 2026-11-20T14:30:00Z

std::string Parsed(absl::string_view text) {
  const auto time = ParseMoment(text, kNow, kHelsinki);
  return time.ok() ? FormatUtc(*time) : "";
}

TEST(Moments, EveryFormThatIsPromisedIsRead) {
  EXPECT_EQ(Parsed("now"), "2026-11-20T14:30:00Z");
  EXPECT_EQ(Parsed("2026-11-20T17:00:00Z"), "2026-11-20T17:00:00Z");
  EXPECT_EQ(Parsed("2026-11-20T17:00:00.25+01:00"), "2026-11-20T16:00:00.25Z");
  EXPECT_EQ(Parsed("2026-11-20T17:00Z"), "2026-11-20T17:00:00Z");
  EXPECT_EQ(Parsed("2026-11-20 17:00"), "2026-11-20T15:00:00Z");
  EXPECT_EQ(Parsed("2026-11-20T17:00:30"), "2026-11-20T15:00:30Z");
  EXPECT_EQ(Parsed("+4h"), "2026-11-20T18:30:00Z");
  EXPECT_EQ(Parsed("-1d"), "2026-11-19T14:30:00Z");
}

TEST(Moments, AnythingElseIsRefusedWithWhatWasWanted) {
  for (const char* text : {"", "yesterday", "2026-11-20", "17:00", "2026-13-01T00:00:00Z", "2026-02-30 10:00",
                           "infinite-future", "+", "+4x", "1763647200", "2026-11-20T17:00:00Z trailing"}) {
    const auto time = ParseMoment(text, kNow, kHelsinki);
    ASSERT_FALSE(time.ok()) << text << " read as " << FormatUtc(*time);
    EXPECT_NE(std::string(time.status().message()).find("want an RFC 3339 time"), std::string::npos);
  }
}

TEST(Moments, SpansAreReadInAnyUnit) {
  EXPECT_EQ(*ParseSpan("90s"), absl::Seconds(90));
  EXPECT_EQ(*ParseSpan("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseSpan("2d"), absl::Hours(48));
  EXPECT_EQ(*ParseSpan("8w"), absl::Hours(8 * 7 * 24));
  for (const char* text : {"", "4", "-4h", "inf", "4 hours", "d", "-1d", "100001d", "99999999999h"})
    EXPECT_FALSE(ParseSpan(text).ok()) << text;
}

TEST(Moments, TheLastMicrosecondOfADayIsItsEndAndNeverMidnight) {
  const absl::Time end = absl::FromCivil(absl::CivilDay(2026, 12, 29), kHelsinki) - absl::Microseconds(1);
  EXPECT_EQ(FormatMoment(end, kHelsinki), "end of Mon 2026-12-28");
  EXPECT_EQ(FormatMoment(end, absl::UTCTimeZone()), "Mon 2026-12-28 21:59:59");
  EXPECT_EQ(FormatMoment(end + absl::Microseconds(1), kHelsinki), "Tue 2026-12-29 00:00");
}

TEST(Moments, SecondsAreShownOnlyWhenThereAreAny) {
  EXPECT_EQ(FormatMoment(kNow, absl::UTCTimeZone()), "Fri 2026-11-20 14:30");
  EXPECT_EQ(FormatMoment(kNow + absl::Seconds(5), absl::UTCTimeZone()), "Fri 2026-11-20 14:30:05");
  EXPECT_EQ(FormatMoment(google::protobuf::Timestamp(), absl::UTCTimeZone()), "");
  EXPECT_EQ(FormatMoment(absl::InfiniteFuture(), absl::UTCTimeZone()), "");
}

TEST(Moments, SpansShowTheirTwoLargestUnits) {
  EXPECT_EQ(FormatSpan(absl::ZeroDuration()), "0s");
  EXPECT_EQ(FormatSpan(absl::Seconds(59)), "59s");
  EXPECT_EQ(FormatSpan(absl::Minutes(185)), "3h 5m");
  EXPECT_EQ(FormatSpan(absl::Hours(48) + absl::Seconds(5)), "2d");
  EXPECT_EQ(FormatSpan(absl::Hours(51)), "2d 3h");
  EXPECT_EQ(FormatSpan(-absl::Minutes(45)), "-45m");
}

TEST(FormatWorkingTime, KnowsNoDays) {
  EXPECT_EQ(FormatWorkingTime(absl::Hours(160)), "160h");
  EXPECT_EQ(FormatWorkingTime(absl::Hours(7) + absl::Minutes(30)), "7h 30m");
  EXPECT_EQ(FormatWorkingTime(absl::Seconds(45)), "45s");
}

}  // namespace
}  // namespace docket::cli
