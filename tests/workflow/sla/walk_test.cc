// Random lives of a case. Whatever happens, in whatever order: late stays late, nothing breaches twice, one clock runs
// per duty, the due on record is the one the clock's own intervals make (Desk checks it after every event), and folding
// the events again gives the same clocks.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/workflow/sla/desk.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_apply.h"
#include "workflow/sla/clock_rules.h"

namespace docket::sla {
namespace {

using testing::At;
using testing::Desk;
using testing::Is;
using testing::Metric;
using testing::On;
using testing::Policy;

constexpr char kLondon[] = "Europe/London";

std::string Text(absl::Time t) { return absl::FormatTime("%Y-%m-%d %H:%M:%E*S", t, testing::Zone(kLondon)); }

v1::SlaPolicy RegulatorPolicy() {
  v1::MetricRule final = Metric("FINAL", On("case_received"), On("decision_issued"), "");
  final.set_pausable(true);  // to be ignored
  final.set_reopens(true);   // to be ignored
  testing::AddChoice(&final, Is("case.severity", "1"), "3bd@close");
  testing::AddChoice(&final, testing::All({}), "5cd@end");
  return Policy("law", v1::REGULATOR, 1, "london", {final});
}

v1::SlaPolicy InternalPolicy() {
  v1::MetricRule review = Metric("REVIEW", On("case_received"), On("decision_issued"), "");
  review.set_pausable(true);
  testing::AddChoice(&review, Is("case.severity", "1"), "2bd@close");
  testing::AddChoice(&review, Is("case.severity", "2"), "6h");
  v1::MetricRule own = Metric("OWN", On("case_queued"), On("owner_assigned"), "1h");
  own.set_start_at("occurred_at");
  return Policy("house", v1::INTERNAL, 1, "london", {review, own});
}

class Life {
 public:
  Life() {
    desk_.Publish(testing::StandardPolicy());
    desk_.Publish(RegulatorPolicy());
    desk_.Publish(InternalPolicy());
    v1::CaseReceived received;
    received.set_history(*rc::gen::arbitrary<bool>());
    desk_.state().set_severity(2);
    Note("receive", desk_.Receive(Text(now_), received));
  }

  void Step() {
    now_ += absl::Minutes(*rc::gen::element(0, 0, 1, 30, 60, 119, 300, 900, 1500));
    const std::map<uint32_t, bool> late_before = LateNow();
    const std::string at = Text(now_);
    Note("time", desk_.Advance(at));
    switch (*rc::gen::inRange(0, 10)) {
      case 0:
        Note("wait", desk_.Wait(at, Status(), Until()));
        break;
      case 1:
        Note("wait", desk_.Wait(at, Status(), Until()));
        break;
      case 2:
        Note("open", desk_.Move(at, "OPEN"));
        break;
      case 3:
        Note("resolve", desk_.Move(at, "RESOLVED"));
        break;
      case 4:
        if (desk_.state().status().category() == v1::RESOLVED) {
          Note("reopen", desk_.Reopen(at, *rc::gen::element(v1::NOT_RESOLVED, v1::QUESTION_UNANSWERED, v1::NEW_FACTS)));
        }
        break;
      case 5:
        Note("priority", desk_.Prioritise(at, *rc::gen::inRange<uint32_t>(1, 5)));
        break;
      case 6:
        Note("send", desk_.Send(at, *rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>()));
        break;
      case 7:
        Note("hear", desk_.Hear(at));
        break;
      case 8:
        Note("triage", Triage(at, *rc::gen::inRange<uint32_t>(1, 4)));
        break;
      default:
        Note("other", Other(at));
        break;
    }
    for (const auto& [clock_no, late] : late_before) {
      if (late) RC_ASSERT(IsLate(Find(clock_no), now_) || IsStopped(Find(clock_no)));
    }
  }

  void Judge() const {
    std::set<uint32_t> breached;
    for (const auto& [revision, event] : desk_.log()) {
      if (event.has_clock_breached()) RC_ASSERT(breached.insert(event.clock_breached().clock_no()).second);
    }
    for (const v1::Clock& clock : desk_.state().clocks()) {
      RC_ASSERT(clock.has_breached_due_at() == (breached.count(clock.clock_no()) > 0));
      if (!IsStopped(clock)) RC_ASSERT(clock.has_breached_due_at() == IsLate(clock, now_));
    }
    v1::Case again;
    for (const auto& [revision, event] : desk_.log()) RC_ASSERT(ApplyClockEvent(event, revision, &again).ok());
    RC_ASSERT(again.clocks_size() == desk_.state().clocks_size());
    for (int i = 0; i < again.clocks_size(); ++i) {
      RC_ASSERT(again.clocks(i).SerializeAsString() == desk_.state().clocks(i).SerializeAsString());
    }
  }

 private:
  static bool IsStopped(const v1::Clock& clock) {
    return clock.state() == v1::FULFILLED || clock.state() == v1::CANCELLED;
  }
  const v1::Clock& Find(uint32_t clock_no) const {
    for (const v1::Clock& clock : desk_.state().clocks()) {
      if (clock.clock_no() == clock_no) return clock;
    }
    RC_FAIL("a clock is gone");
    return desk_.state().clocks(0);
  }
  std::map<uint32_t, bool> LateNow() {
    std::map<uint32_t, bool> late;
    for (const v1::Clock& clock : desk_.state().clocks()) late[clock.clock_no()] = IsLate(clock, now_);
    return late;
  }
  std::string Status() const { return *rc::gen::element<std::string>("WAITING", "WAITING_OTHER", "WAITING_INSIDE"); }
  std::string Until() const {
    const int minutes = *rc::gen::element(0, 0, 60, 600, 3000);
    return minutes == 0 ? "" : Text(now_ + absl::Minutes(minutes));
  }
  std::vector<std::string> Triage(const std::string& at, uint32_t severity) {
    v1::Event event;
    event.mutable_case_triaged()->set_severity(severity);
    return desk_.Do(at, event);
  }
  std::vector<std::string> Other(const std::string& at) {
    v1::Event event;
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        event.mutable_case_queued()->set_queue("q");
        break;
      case 1:
        event.mutable_owner_assigned()->set_owner("p");
        break;
      case 2:
        event.mutable_decision_issued();
        break;
      default:
        event.mutable_no_reply_needed_marked();
        break;
    }
    return desk_.Do(at, event);
  }
  void Note(const char* what, const std::vector<std::string>& lines) {
    RC_LOG() << Text(now_) << " " << what << ": " << absl::StrJoin(lines, "; ") << "\n";
    RC_ASSERT(!::testing::Test::HasFailure());
  }

  Desk desk_;
  absl::Time now_ = At(kLondon, "2026-11-18 09:00");
};

RC_GTEST_PROP(Walk, EveryLifeOfACaseKeepsTheLaws, ()) {
  Life life;
  const int steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) life.Step();
  life.Judge();
}

}  // namespace
}  // namespace docket::sla
