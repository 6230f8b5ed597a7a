#include "tools/cli/bare_calendar.h"

#include "gtest/gtest.h"

namespace docket::cli {
namespace {

TEST(BareCalendar, ABlockGetsALineInFront) {
  const NamedCalendar named = NameCalendar("# ours\nzone: Europe/London\nweek: {}\n");
  EXPECT_EQ(named.yaml, "# ours\ncalendar: adhoc\nzone: Europe/London\nweek: {}\n");
  EXPECT_EQ(named.lines_added, 1);
}

TEST(BareCalendar, AFlowMappingGetsAPair) {
  const NamedCalendar named = NameCalendar("{zone: Europe/London, week: {}}");
  EXPECT_EQ(named.yaml, "{calendar: adhoc, zone: Europe/London, week: {}}");
  EXPECT_EQ(named.lines_added, 0);
}

TEST(BareCalendar, WhatHasANameOrIsSomethingElseStaysAsItIs) {
  for (const char* yaml : {"calendar: london\nzone: Europe/London\n", "zone: Europe/London\ncalendar: london\n",
                           "{calendar: london, zone: Europe/London}", "sla: x\n", "",
                           "zone: Europe/London\n---\ncalendar: b\n"}) {
    EXPECT_EQ(NameCalendar(yaml).yaml, yaml);
    EXPECT_EQ(NameCalendar(yaml).lines_added, 0);
  }
}

}  // namespace
}  // namespace docket::cli
