#include "tools/policytest/instants.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace docket::policytest {
namespace {

absl::TimeZone London() {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone("Europe/London", &zone));
  return zone;
}

// What is read, shown again; or what is wrong.
std::string Read(absl::string_view text) {
  const absl::Time base = absl::FromCivil(absl::CivilSecond(2026, 11, 20, 16, 30, 0), London());
  const auto time = ParseInstant(text, base, London());
  return time.ok() ? FormatInstant(*time, London()) : std::string(time.status().message());
}

TEST(Instants, WhatIsShownCanBeWritten) {
  for (const char* text :
       {"Fri 2026-11-20 17:00", "Fri 2026-11-20 17:00:01", "Fri 2026-11-20 17:00:01.000001", "end of Thu 2026-11-26"}) {
    EXPECT_EQ(Read(text), text);
  }
}

TEST(Instants, TheWeekdayMayBeLeftOutAndTheZoneGiven) {
  EXPECT_EQ(Read("2026-11-20 17:00"), "Fri 2026-11-20 17:00");
  EXPECT_EQ(Read("end of 2026-11-26"), "end of Thu 2026-11-26");
  EXPECT_EQ(Read("2026-07-01T09:00:00Z"), "Wed 2026-07-01 10:00");
}

TEST(Instants, SpansCountFromTheBase) {
  EXPECT_EQ(Read("+1h30m"), "Fri 2026-11-20 18:00");
  EXPECT_EQ(Read("+2w"), "Fri 2026-12-04 16:30");
}

TEST(Instants, WhatIsNoneIsSaid) {
  EXPECT_EQ(Read("Thu 2026-11-20 17:00"), "found \"Thu 2026-11-20 17:00\", which is a Fri, want its weekday");
  for (const char* text : {"soon", "-1h", "end of 2026-02-30", "2026-13-01 09:00", "", "+", "+1x", "Fri -1h"}) {
    EXPECT_TRUE(absl::StrContains(Read(text), "want a time such as")) << text << ": " << Read(text);
  }
}

}  // namespace
}  // namespace docket::policytest
