// Random lives of a case by the real rules, beside a twin that knows the rulings and counts minute by minute, in zones
// and at times where the clocks change.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "tests/workflow/sla/life.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_math.h"
#include "workflow/sla/clock_rules.h"

namespace docket::sla {
namespace {

using testing::Entered;
using testing::Life;
using testing::Promises;
using testing::SomePromises;
using testing::World;

RC_GTEST_PROP(ClockTwin, EveryLifeOfACaseGoesAsTheTwinSays, ()) {
  Life life;
  const int steps = *rc::gen::inRange(1, 30);
  for (int i = 0; i < steps && !life.over(); ++i) life.Step();
}

// A hold and another priority at the same instant, in either order (glpi#6902).
RC_GTEST_PROP(ClockTwin, PauseThenRetargetEqualsRetargetThenPause, ()) {
  const World world;
  const Promises promises = SomePromises();
  const absl::Time start = world.Instant();
  const absl::Time at = start + absl::Minutes(*rc::gen::inRange(0, 2000));
  const absl::Time later = at + absl::Minutes(*rc::gen::inRange(0, 3000));
  const uint32_t from = *rc::gen::inRange<uint32_t>(1, 5);
  const uint32_t to = *rc::gen::inRange<uint32_t>(1, 5);
  const int minutes = *rc::gen::element(0, 0, 60, 600);
  std::vector<absl::Time> dues;
  for (const bool pause_first : {true, false}) {
    testing::Desk desk;
    desk.Publish("place", world.spec);
    Publish(promises, &desk);
    v1::Event received;
    *received.mutable_case_received()->mutable_entered() = Entered("OPEN");
    desk.state().set_priority(from);
    desk.Do(start, received);
    v1::Event hold;
    *hold.mutable_status_changed()->mutable_entered() = Entered("WAITING");
    *hold.mutable_status_changed()->mutable_wait()->mutable_since() = ToProto(at);
    if (minutes > 0) {
      *hold.mutable_status_changed()->mutable_wait()->mutable_until() = ToProto(at + absl::Minutes(minutes));
    }
    v1::Event priority;
    priority.mutable_priority_set()->set_priority(to);
    desk.Do(at, pause_first ? hold : priority);
    desk.Do(at, pause_first ? priority : hold);
    v1::Event open;
    *open.mutable_status_changed()->mutable_entered() = Entered("OPEN");
    desk.Do(later, open);
    dues.push_back(desk.Clock("RESOLUTION").has_breached_due_at()
                       ? FromProto(desk.Clock("RESOLUTION").breached_due_at())
                       : DueAt(desk.Clock("RESOLUTION")));
  }
  RC_ASSERT(dues[0] == dues[1]);
}

}  // namespace
}  // namespace docket::sla
