#include "tools/cli/text.h"

#include "gtest/gtest.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

TEST(Text, ErasedWithheldAndAbsentDiffer) {
  v1::SealedText text;
  EXPECT_EQ(TextOf(text), "");
  text.set_length(5);
  EXPECT_EQ(TextOf(text), "[withheld]");
  text.set_text("hello");
  EXPECT_EQ(TextOf(text), "hello");
  text.set_erased(true);
  EXPECT_EQ(TextOf(text), "[erased]");
}

TEST(Text, AClaimedIdentityIsMarked) {
  v1::Actor actor;
  actor.set_principal_id("alice");
  EXPECT_EQ(ActorText(actor), "alice");
  actor.set_authentication("claimed");
  actor.set_on_behalf_of("bob");
  EXPECT_EQ(ActorText(actor), "alice for bob (claimed)");
  v1::Actor timer;
  timer.set_kind(v1::ACTOR_KIND_TIMER);
  EXPECT_EQ(ActorText(timer), "timer");
}

TEST(Text, MarksTellHowAnEventCameIn) {
  v1::HistoryEvent event;
  EXPECT_EQ(MarksOf(event), "");
  event.set_entered_late(true);
  event.mutable_event()->set_rule("basic@3");
  event.mutable_event()->mutable_source_row_recorded()->set_file("a.csv");
  event.mutable_event()->mutable_source_row_recorded()->set_line(17);
  EXPECT_EQ(MarksOf(event), "entered late, by rule basic@3, imported (a.csv, row 17)");
}

TEST(Text, AnEventIsItsFieldsOnOneLine) {
  v1::Event event;
  auto* changed = event.mutable_status_changed();
  changed->set_from("ASSESSMENT");
  changed->mutable_entered()->set_status("ON_HOLD");
  changed->mutable_wait()->set_on(v1::COMPLAINANT);
  *changed->mutable_wait()->mutable_until() = ToProto(absl::FromUnixSeconds(1'795'185'000));
  EXPECT_EQ(EventSummary(event, absl::UTCTimeZone()),
            "from=ASSESSMENT entered=ON_HOLD wait={on=COMPLAINANT until=Fri 2026-11-20 14:30}");
  EXPECT_EQ(EventSummary(v1::Event(), absl::UTCTimeZone()), "");
}

TEST(Text, TargetsArePrintedAsTheyAreWritten) {
  v1::Event event;
  event.mutable_clock_attached()->mutable_target()->set_unit(v1::Target::BUSINESS_DAYS);
  event.mutable_clock_attached()->mutable_target()->set_count(3);
  event.mutable_clock_attached()->mutable_target()->set_at(v1::Target::CLOSE);
  EXPECT_EQ(EventSummary(event, absl::UTCTimeZone()), "target=3bd@close");
}

TEST(Text, ManyElementsAreCountedAndBytesMeasured) {
  v1::Event event;
  event.mutable_outbound_sent()->add_parts("REASONS");
  event.mutable_outbound_sent()->add_parts("DEADLINE");
  EXPECT_EQ(EventSummary(event, absl::UTCTimeZone()), "parts=2 of them");
  event.mutable_schema_recorded()->set_descriptor_set("abc");
  EXPECT_EQ(EventSummary(event, absl::UTCTimeZone()), "descriptor_set=3 bytes");
}

}  // namespace
}  // namespace docket::cli
