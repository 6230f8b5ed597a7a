#ifndef DOCKET_TESTS_WORKFLOW_SLA_LIFE_H_
#define DOCKET_TESTS_WORKFLOW_SLA_LIFE_H_

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "docket/v1/event.pb.h"
#include "tests/workflow/sla/clock_twin.h"
#include "tests/workflow/sla/desk.h"
#include "tests/workflow/sla/promises.h"
#include "tests/workflow/sla/world.h"

// A random life of a case by the real rules, told to a twin as it goes on; only inside a property.
namespace docket::sla::testing {

class Life {
 public:
  Life();

  // Whether it has come to the end of the minutes known.
  bool over() const { return over_; }
  // Lets some time pass, does something, and judges what came of it.
  void Step();

 private:
  using Heard = std::pair<absl::Time, uint32_t>;  // when it came, a number of its own
  struct Sent {
    uint32_t revision = 0;
    absl::Time at;
    bool answer = false;  // human and public
    bool asks = false;
    bool bounced = false;
    std::set<Heard> answered;
  };

  void Act(int what);
  absl::Time Moment() const;
  bool ended() const {
    return desk_.state().status().category() == v1::RESOLVED || desk_.state().status().category() == v1::CLOSED;
  }
  static bool Unended(const TwinClock& clock) { return clock.ending == TwinClock::kNone; }
  std::vector<TwinClock*> Running(const TwinRule& rule);
  TwinClock* Start(const TwinRule& rule, absl::Time start, absl::Duration target);
  void Pass();

  // Status.
  void Enter(const char* what, const std::string& status, const v1::Wait& wait);
  void FollowStatus();
  void Hold();
  void Resume();
  void Resolve();
  void Withdraw();
  void Reopen();

  // Facts.
  void Prioritise(uint32_t priority);
  void Triage(uint32_t severity);
  void CatchUp(TwinClock* clock);
  void CorrectReceipt();

  // Messages.
  std::vector<absl::Time> StandingQuestions() const;
  absl::Time OldestUnanswered() const;
  void Hear(absl::Time at, bool from_requester);
  void Send(absl::Time at, bool human, bool public_message);
  void StopBy(const Sent& sent, TwinClock* clock);
  bool CanAnswer(const Sent& sent, const TwinClock& clock) const;
  void Bounce();
  void Deliver(Sent* sent);
  void AskAgain();

  // What people decide about clocks, and hands.
  void Extend();
  void Exempt();
  void Decide();
  void Queue(const std::string& queue);
  void Assign();
  void Release();
  void StartOwn();
  void ChangeHands();

  void JudgeAgainst(const v1::Case& before) const;
  void Compare();
  const v1::Clock& Real(const TwinClock& clock) const;
  void CompareOne(const TwinClock& clock, const v1::Clock& real) const;
  std::vector<absl::Time> Breaches(uint32_t clock_no) const;
  void Do(const char* what, const v1::Event& event);
  void Note(const char* what, const std::vector<std::string>& lines) const;

  World world_;
  Promises promises_;
  ClockTwin twin_;
  Desk desk_;
  absl::Time now_;
  absl::Time received_;
  absl::Time reopened_ = absl::InfinitePast();
  absl::Time withdrawn_ = absl::InfinitePast();
  uint32_t withdrawn_by_ = 0;  // revision
  bool over_ = false;
  bool excused_ = false;  // the last act may take a late duty off the list, or move a regulatory one
  bool pauses_ = false;
  v1::Wait wait_;
  absl::Time heard_ = absl::InfinitePast();    // newest message of the party
  uint32_t asked_by_ = 0;                      // revision of the question
  absl::Time asked_ = absl::InfiniteFuture();  // when the party was last asked something it has not answered
  std::set<Heard> unanswered_;
  std::vector<Sent> sent_;
  std::string queue_;
  std::string owner_;
};

}  // namespace docket::sla::testing

#endif  // DOCKET_TESTS_WORKFLOW_SLA_LIFE_H_
