#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/cli/cli_runner.h"

namespace docket::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kLondon[] = R"(zone: Europe/London
week: {mon: ["09:00-17:00"], tue: ["09:00-17:00"], wed: ["09:00-17:00"], thu: ["09:00-17:00"], fri: ["09:00-17:00"]}
exceptions: {"2026-12-25": []}
)";

std::string Due(const std::string& calendar, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"policy", "due", "--calendar", "-", "-o", "json"});
  const Ran ran = RunDocket(arguments, calendar);
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  return ran.out;
}

// The vectors are of the domain's rules: working hours Mon-Fri 09:00-17:00 London.
TEST(DueCommand, AnHourBeforeCloseOnFridayEndsOnMonday) {
  EXPECT_EQ(Due(kLondon, {"--start", "2026-11-20T16:30:00Z", "--target", "1h"}),
            "{\"due\":\"2026-11-23T09:30:00Z\"}\n");
}

TEST(DueCommand, PausesDoNotCount) {
  EXPECT_EQ(Due(kLondon, {"--start", "2026-11-18T09:00:00Z", "--target", "8h", "--pause",
                          "2026-11-18T11:00:00Z/2026-11-19T11:00:00Z"}),
            "{\"due\":\"2026-11-19T17:00:00Z\"}\n");
  EXPECT_EQ(Due(kLondon,
                {"--start", "2026-11-18T09:00:00Z", "--target", "8h", "--pause",
                 "2026-11-18T11:00:00Z/2026-11-18T12:00:00Z", "--pause", "2026-11-18T14:00:00Z/2026-11-18T15:00:00Z"}),
            "{\"due\":\"2026-11-19T11:00:00Z\"}\n");
}

TEST(DueCommand, AnOpenPauseHasNoDue) {
  EXPECT_EQ(Due(kLondon, {"--start", "2026-11-18T09:00:00Z", "--target", "8h", "--pause", "2026-11-18T11:00:00Z/"}),
            "{\"due\":null}\n");
}

TEST(DueCommand, ExceptionsAreDaysOff) {
  EXPECT_EQ(Due(kLondon, {"--start", "2026-12-24T16:30:00Z", "--target", "1h"}),
            "{\"due\":\"2026-12-28T09:30:00Z\"}\n");
}

TEST(DueCommand, AFlowCalendarAndAPackDocumentWorkToo) {
  const std::string flow =
      R"({zone: Asia/Shanghai, week: {fri: ["09:00-12:00", "13:30-18:00"], mon: ["09:00-12:00", "13:30-18:00"]}})";
  EXPECT_EQ(Due(flow, {"--start", "2026-11-20T17:00:00+08:00", "--target", "2h"}),
            "{\"due\":\"2026-11-23T02:00:00Z\"}\n");
  EXPECT_EQ(Due(absl::StrCat("calendar: london\n", kLondon), {"--start", "2026-11-20T16:30:00Z", "--target", "1h"}),
            "{\"due\":\"2026-11-23T09:30:00Z\"}\n");
}

TEST(DueCommand, TheEndOfADayIsShownAsSuch) {
  const Ran ran = RunDocket(
      {"policy", "due", "--calendar", "-", "--start", "2026-12-13T09:00:00Z", "--target", "15cd@end"}, kLondon);
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("end of Mon 2026-12-28"));
}

// Whatever zone the machine is in.
TEST(DueCommand, TimesWithoutAnOffsetAreThoseOfTheCalendar) {
  const std::string shanghai = R"({zone: Asia/Shanghai, week: {mon: ["09:00-18:00"]}})";
  const Ran ran = RunDocket({"policy", "due", "--calendar", "-", "--start", "2026-11-23T09:00", "--pause",
                             "2026-11-23T10:00/2026-11-23T11:00", "--target", "2h"},
                            shanghai, /*utc=*/false);
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_EQ(ran.out, "Mon 2026-11-23 12:00 (Asia/Shanghai), 2026-11-23T04:00:00Z\n");
}

TEST(DueCommand, FindingsNameTheLineOfTheFile) {
  const Ran ran = RunDocket({"policy", "due", "--calendar", "-", "--start", "now", "--target", "1h"},
                            "zone: Europe/Nowhere\nweek: {mon: [\"09:00-17:00\"]}\n");
  EXPECT_EQ(ran.exit_code, kExitUsage);
  EXPECT_THAT(ran.err, HasSubstr("-:1: "));
  EXPECT_EQ(ran.out, "");
}

TEST(DueCommand, AnInstantPromisedForACaseIsNoneOfAnyCalendar) {
  const Ran ran = RunDocket({"policy", "due", "--calendar", "-", "--start", "now", "--target", "fixed"}, kLondon);
  EXPECT_EQ(ran.exit_code, kExitUsage);
  EXPECT_THAT(ran.err, HasSubstr("\"fixed\", is the instant promised for a case, and there is no case here"));
}

TEST(DueCommand, WrongArgumentsAreUsage) {
  const auto code = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"policy", "due"});
    return RunDocket(arguments, kLondon).exit_code;
  };
  EXPECT_EQ(code({"--calendar", "-", "--start", "now"}), kExitUsage);
  EXPECT_EQ(code({"--calendar", "-", "--start", "soon", "--target", "1h"}), kExitUsage);
  EXPECT_EQ(code({"--calendar", "-", "--start", "now", "--target", "8x"}), kExitUsage);
  EXPECT_EQ(code({"--calendar", "-", "--start", "now", "--target", "8h", "--pause", "now"}), kExitUsage);
  EXPECT_EQ(code({"--calendar", "/nonexistent/calendar.yaml", "--start", "now", "--target", "8h"}), kExitUsage);
}

}  // namespace
}  // namespace docket::cli
