// The golden vectors of the domain through `docket policy due`, as a script would ask. The same vectors through the
// library are in tests/workflow/sla/vectors_test.cc, with those that this door has no words for: the instants of
// warnings, and what a change of target carries over by share.
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/tools/cli/cli_runner.h"

namespace docket::cli {
namespace {

std::string Week(const std::string& zone, const std::string& days, const std::string& windows) {
  return absl::StrCat("zone: ", zone, "\nweek: {", days, ": [", windows, "]}\n");
}
std::string London(const std::string& exceptions = "") {
  return absl::StrCat(Week("Europe/London", "mon..fri", "09:00-17:00"), "exceptions: {", exceptions, "}\n");
}
std::string NewYork() { return Week("America/New_York", "mon..fri", "09:00-17:00"); }
std::string Shanghai(const std::string& make_up = "") {
  return absl::StrCat(Week("Asia/Shanghai", "mon..fri", "09:00-12:00, 13:30-18:00"),
                      "exceptions: {2026-10-01..2026-10-07: []", make_up, "}\n");
}
std::string ShanghaiWithMakeUp() { return Shanghai(", 2026-10-10: [09:00-12:00, 13:30-18:00]"); }
std::string RoundTheClock() { return Week("Europe/London", "mon..sun", "00:00-24:00"); }
std::string SmallHours() { return Week("Europe/London", "mon..sun", "01:30-03:00"); }

struct Row {
  std::string id;
  std::string calendar;
  std::string start;
  std::string target;
  std::string due;
  std::vector<std::string> pauses = {};
};

std::vector<Row> TimeRows() {
  const std::string v14 = "2026-11-18T11:00:00Z/2026-11-18T16:00:00Z";
  return {
      {"V1", London(), "2026-11-20T16:30:00Z", "1h", "2026-11-23T09:30:00Z"},
      {"V2", London(), "2026-11-20T16:00:00Z", "1h", "2026-11-20T17:00:00Z"},
      {"V3", London(), "2026-11-21T10:00:00Z", "0s", "2026-11-21T10:00:00Z"},
      {"V4", London(), "2026-11-21T10:00:00Z", "1s", "2026-11-23T09:00:01Z"},
      {"V5", Week("America/Sao_Paulo", "mon..fri", "08:00-12:00, 13:30-18:00"), "2026-11-18T11:30:00-03:00", "2h",
       "2026-11-18T18:00:00Z"},
      {"V6", London("2026-12-25: [], 2026-12-28: []"), "2026-12-24T16:00:00Z", "4h", "2026-12-29T12:00:00Z"},
      {"V7", ShanghaiWithMakeUp(), "2026-10-09T17:00:00+08:00", "2h", "2026-10-10T02:00:00Z"},
      {"V7 without the make-up day", Shanghai(), "2026-10-09T17:00:00+08:00", "2h", "2026-10-12T02:00:00Z"},
      {"V8 in autumn", RoundTheClock(), "2026-10-25T00:00:00+01:00", "90000s", "2026-10-26T00:00:00Z"},
      {"V8 in spring", RoundTheClock(), "2026-03-29T00:00:00Z", "82800s", "2026-03-29T23:00:00Z"},
      {"V9 begins", SmallHours(), "2026-03-29T00:00:00Z", "1s", "2026-03-29T01:00:01Z"},
      {"V9 is full", SmallHours(), "2026-03-29T00:00:00Z", "3600s", "2026-03-29T02:00:00Z"},
      {"V9 is over", SmallHours(), "2026-03-29T00:00:00Z", "3601s", "2026-03-30T00:30:01Z"},
      {"V10 begins", SmallHours(), "2026-10-25T00:00:00+01:00", "1s", "2026-10-25T00:30:01Z"},
      {"V10 is full", SmallHours(), "2026-10-25T00:00:00+01:00", "9000s", "2026-10-25T03:00:00Z"},
      {"V10 is over", SmallHours(), "2026-10-25T00:00:00+01:00", "9001s", "2026-10-26T01:30:01Z"},
      {"V11",
       London(),
       "2026-11-18T09:00:00Z",
       "8h",
       "2026-11-23T13:00:00Z",
       {"2026-11-18T11:00:00Z/2026-11-20T15:00:00Z"}},
      {"V12",
       London(),
       "2026-11-18T09:00:00Z",
       "12h",
       "2026-11-19T13:00:00Z",
       {"2026-11-18T18:00:00Z/2026-11-19T08:00:00Z"}},
      {"V13",
       London(),
       "2026-11-18T09:00:00Z",
       "4h",
       "2026-11-18T16:00:00Z",
       {"2026-11-18T10:00:00Z/2026-11-18T12:00:00Z", "2026-11-18T11:00:00Z/2026-11-18T13:00:00Z"}},
      {"V14 before", London(), "2026-11-18T09:00:00Z", "24h", "2026-11-23T14:00:00Z", {v14}},
      {"V14 retroactive", London(), "2026-11-18T09:00:00Z", "4h", "2026-11-19T10:00:00Z", {v14}},
      {"V14 pauses forgotten", London(), "2026-11-18T09:00:00Z", "4h", "2026-11-18T13:00:00Z"},
      {"V14 reset", London(), "2026-11-19T10:00:00Z", "4h", "2026-11-19T14:00:00Z"},
      {"V19", London(), "2026-11-18T13:00:00Z", "8h", "2026-11-19T13:00:00Z"},
      {"N1 not resolved", London(), "2026-11-18T09:00:00Z", "8h", "2026-11-18T17:00:00Z"},
      {"N1 new facts",
       London(),
       "2026-11-18T09:00:00Z",
       "8h",
       "2026-11-23T10:01:00Z",
       {"2026-11-18T16:59:00Z/2026-11-23T10:00:00Z"}},
      {"N2 all and time", London(), "2026-11-18T09:00:00Z", "24h", "2026-11-20T17:00:00Z"},
      {"N2 none", London(), "2026-11-18T16:30:00Z", "24h", "2026-11-23T16:30:00Z"},
      {"N3 all", Shanghai(), "2026-11-18T09:00:00Z", "16h", "2026-11-20T10:00:00Z"},
      // Nine of the sixteen hours are used up when the calendar changes.
      {"N3 time", Shanghai(), "2026-11-19T10:00:00Z", "7h", "2026-11-20T09:30:00Z"},
      {"N4",
       London(),
       "2026-11-18T09:00:00Z",
       "8h",
       "2026-11-19T17:00:00Z",
       {"2026-11-18T11:00:00Z/2026-11-19T11:00:00Z"}},
      {"N6 pinned", London(), "2026-11-18T09:00:00Z", "12h", "2026-11-19T13:00:00Z"},
      {"N6 after the rollout", London("2026-11-19: []"), "2026-11-18T09:00:00Z", "12h", "2026-11-20T13:00:00Z"},
      {"N10", London(), "2026-11-20T09:00:00Z", "8h30m", "2026-11-23T09:30:00Z"},
      {"N12 A, which both have once merged", London(), "2026-11-02T09:00:00Z", "80h", "2026-11-13T17:00:00Z"},
      {"N12 B", London(), "2026-11-16T09:00:00Z", "80h", "2026-11-27T17:00:00Z"},
  };
}

std::vector<Row> DayRows() {
  return {
      {"V15", London(), "2026-11-19T16:59:00Z", "3bd@close", "2026-11-24T17:00:00Z"},
      {"V15 on a Saturday", London(), "2026-11-21T10:00:00Z", "3bd@close", "2026-11-25T17:00:00Z"},
      {"V16", London(), "2026-11-02T10:00:00Z", "8w@end", "2026-12-28T23:59:59.999999Z"},
      {"V16 across the change", London(), "2026-10-01T10:00:00+01:00", "8w@end", "2026-11-26T23:59:59.999999Z"},
      {"V17", NewYork(), "2026-02-20T23:30:00-05:00", "15cd@end", "2026-03-08T04:59:59.999999Z"},
      {"N5 pinned", London(), "2022-09-08T10:00:00+01:00", "15bd@close", "2022-09-29T16:00:00Z"},
      {"N5 after the rollout", London("2022-09-19: []"), "2022-09-08T10:00:00+01:00", "15bd@close",
       "2022-09-30T16:00:00Z"},
      {"N7", London("2026-12-24: [09:00-12:30]"), "2026-12-21T10:00:00Z", "3bd@close", "2026-12-24T12:30:00Z"},
      {"N8", ShanghaiWithMakeUp(), "2026-10-08T10:00:00+08:00", "3bd@close", "2026-10-12T10:00:00Z"},
      {"N9 New York", NewYork(), "2026-11-20T23:30:00-05:00", "15cd@end", "2026-12-06T04:59:59.999999Z"},
      {"N9 London", London(), "2026-11-20T23:30:00-05:00", "15cd@end", "2026-12-06T23:59:59.999999Z"},
      {"N11", London(), "2026-05-05T10:00:00+01:00", "8w@end", "2026-06-30T22:59:59.999999Z"},
  };
}

class DueVectors : public ::testing::TestWithParam<Row> {};

TEST_P(DueVectors, GiveTheDue) {
  const Row& row = GetParam();
  std::vector<std::string> arguments = {"policy", "due",     "--calendar", "-",        "-o",
                                        "json",   "--start", row.start,    "--target", row.target};
  for (const std::string& pause : row.pauses) arguments.insert(arguments.end(), {"--pause", pause});
  const Ran ran = RunDocket(arguments, row.calendar);
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_EQ(ran.out, absl::StrCat("{\"due\":\"", row.due, "\"}\n"));
}

std::string NameOf(const ::testing::TestParamInfo<Row>& info) {
  std::string name = info.param.id;
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Times, DueVectors, ::testing::ValuesIn(TimeRows()), NameOf);
INSTANTIATE_TEST_SUITE_P(Days, DueVectors, ::testing::ValuesIn(DayRows()), NameOf);

}  // namespace
}  // namespace docket::cli
