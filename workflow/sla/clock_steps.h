#ifndef DOCKET_WORKFLOW_SLA_CLOCK_STEPS_H_
#define DOCKET_WORKFLOW_SLA_CLOCK_STEPS_H_

#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/policy.pb.h"
#include "workflow/base/time.h"
#include "workflow/policy/policy_set.h"
#include "workflow/sla/clock_math.h"
#include "workflow/sla/clock_rules.h"
#include "workflow/sla/policy_match.h"

// Internal to workflow/sla: what one event makes of the clocks of a case, step by step. One file per step: clock_stop,
// clock_bounce, clock_retarget, clock_pause, clock_start. Each event found is applied at once to a copy of the clocks,
// so that a later step sees what an earlier one did.
namespace docket::sla {

class Steps {
 public:
  // `event` is what happened, `before` and `after` the states around it. All live as long as the steps.
  Steps(const v1::Case& before, const v1::Case& after, const v1::Event& event, const policy::PolicySet& policies,
        const Occasion& occasion);

  // All steps in their fixed order.
  absl::StatusOr<std::vector<v1::Event>> Run();

  // Single decisions about clock number `i` of the state, for clock_decisions.
  absl::Status Extend(int i, const v1::MetricRule::Extension& extension, uint32_t told_revision,
                      absl::string_view approver);
  absl::Status Exempt(int i, absl::string_view cause, absl::string_view approver, absl::string_view evidence_ref);
  absl::Status SetDue(int i, absl::Time due, absl::string_view approver);
  absl::Status ReleaseDue(int i);
  absl::Status Annul(int i, absl::string_view cause, absl::string_view approver);
  absl::Status RollOut(const v1::PolicyRolloutPlanned& plan);

  std::vector<v1::Event> TakeEvents() { return std::move(events_); }
  absl::StatusOr<const v1::MetricRule*> PinnedRule(const v1::Clock& clock) const;

 private:
  // The terms that apply to a clock now.
  struct Match {
    v1::PolicyPin policy;
    v1::PolicyPin calendar_pin;
    const WorkingCalendar* calendar = nullptr;
    const v1::MetricRule* rule = nullptr;
    v1::Target target;
    bool pausable = false;
  };
  // How a clock comes from its old terms to the new ones.
  struct Carrying {
    std::string cause;
    bool always_all = false;   // whatever the policy says about carrying over
    bool never_later = false;  // what is owed to a regulator moves earlier only
    std::string approver;
    std::string rollout_id;
  };

  // What ended a clock, or may have.
  struct Ending {
    absl::Time at;
    uint32_t revision = 0;
    std::string cancels;  // its cause; "": it fulfils
  };

  const v1::Clock& clock(int i) const { return work_.clocks(i); }
  v1::Event New(const v1::PolicyPin& policy) const;
  absl::Status Emit(v1::Event event);
  absl::Status EmitBreach(const v1::Clock& clock, absl::string_view cause, absl::Time excused_until);
  absl::Status JudgeFormerTerms(int i, absl::string_view cause);
  // A duty that is over must have its breach on record before anything else happens to it.
  absl::Status RecordBreachIfOver(const v1::Clock& clock, absl::string_view cause,
                                  absl::Time excused_until = absl::InfinitePast());

  // clock_stop
  absl::Status StopAndCancel(bool stop);
  absl::Status Fulfil(const v1::Clock& clock, const v1::MetricRule& rule, absl::Time stopped_at, uint32_t revision);
  absl::Status Cancel(const v1::Clock& clock, const Ending& ending);
  absl::Status Withdraw();
  bool EndedByWithdrawal(int i, const v1::MetricRule& rule) const;
  bool OldestAnswered(const v1::Clock& clock) const;
  absl::Status Reopen();
  bool Restarts(const v1::MetricRule& rule) const;
  absl::Status StopAtOnce(int first);
  absl::Status ReopenOne(int i);
  bool EndedByResolution(int i) const;
  absl::Status EmitReopened(int i, bool exclude, absl::string_view cause);
  bool IsNewestCycle(int i) const;
  bool IsOldestRunning(int i) const;

  // clock_bounce
  absl::Status SetBouncedStopsAside();
  absl::Status TakeStartsBack();
  absl::Time OtherStart(const v1::MetricRule& rule) const;
  std::optional<Ending> EndingBy(const v1::Clock& clock, const v1::MetricRule& rule, const v1::Event& what,
                                 absl::Time at, uint32_t revision) const;
  std::optional<Ending> EndingByMessage(const v1::Clock& clock, const v1::MetricRule& rule,
                                        const v1::SentMessage& message) const;
  std::optional<Ending> OtherEnding(const v1::Clock& clock, const v1::MetricRule& rule) const;
  absl::Status End(int i, const v1::MetricRule& rule, const Ending& ending);
  absl::Status RestoreStops();
  absl::Status RestoreStop(int i, const v1::SentMessage& sent);
  absl::Status RestoreStart(int i);

  // clock_retarget
  absl::Status Retarget();
  absl::Status RetargetOne(int i, const v1::CaseFacts& facts_before);
  absl::StatusOr<Match> MatchOf(int i, const Candidate& policy, const v1::MetricRule& rule,
                                const v1::MetricRule::Choice& choice) const;
  absl::StatusOr<Match> SameTerms(const v1::Clock& old) const;
  absl::Status EmitRetargeted(int i, const Match& match, const Carrying& carrying);
  absl::Status EmitTerms(int i, const v1::Clock& next, const Match& match, const Terms& terms, const Carrying& carrying,
                         const std::string& mode, absl::Time highest);
  absl::Status CorrectStarts();
  absl::Status CorrectStart(int i, absl::Time start, absl::string_view cause, bool annuls);
  absl::Status CatchUpStart(int i);
  absl::Status MoveStart(int i, absl::Time start, absl::string_view cause, bool annuls);
  absl::Status RollOutOne(int i, const v1::PolicyRolloutPlanned& plan);
  absl::Time DueWithoutOpenPause(const v1::Clock& clock, const Terms& terms) const;
  absl::Status RestoreOne(int i);
  absl::Time CapOf(const v1::Clock& clock, const Terms& terms) const;
  // Somebody did it alone.
  bool NeedsSecondPerson(int i, absl::string_view approver) const;
  absl::Status SecondPersonMissing(absl::string_view why) const;
  absl::Status WantSecondPerson(int i, const WorkingCalendar& calendar, absl::string_view approver) const;

  // clock_pause
  absl::Status PauseAndResume();
  absl::Status ReconcilePause(int i);
  absl::Status PauseByTrigger(int i);
  absl::Status ShortenPauses();
  absl::Status TakePausesBack();
  static bool KeepsWaits(const v1::Clock& clock);
  absl::Status ShortenPause(int i, int pause, const TimeSpan& left, absl::string_view cause);
  absl::Status Pause(int i, bool by_trigger);
  absl::Status Resume(int i);
  absl::Time PauseStart(const v1::Clock& clock) const;
  absl::Time WaitUntil() const;
  bool StatusPauses(const v1::Clock& clock) const;
  void SetWait(v1::ClockPaused* paused) const;
  void FillPaused(const v1::Clock& clock, const Terms& terms, absl::Time since, absl::Time until,
                  v1::ClockPaused* paused) const;

  // clock_start
  absl::Status Start();
  bool Starts(const v1::MetricRule& rule) const;
  bool StartsLate(const v1::MetricRule& rule) const;
  absl::StatusOr<v1::Event> NewClock(const Candidate& match, const v1::MetricRule& rule,
                                     const v1::MetricRule::Choice& choice) const;
  uint32_t NextCycle(const v1::MetricRule& rule, v1::Obligation obligation) const;
  absl::Time StartAt(const v1::MetricRule& rule) const;
  absl::Status Bring(const v1::MetricRule& rule, v1::ClockAttached* attached) const;
  // What a clock started or retargeted now is judged by, with the instants that the ladders in force want of it.
  Terms NewTerms(const v1::MetricRule& rule, const v1::MetricRule::Choice& choice,
                 const WorkingCalendar& calendar) const;

  // Whether a trigger of the rule fires for this clock: of an item's clock, for events of its own item only.
  bool FiresFor(const v1::Clock& clock,
                const google::protobuf::RepeatedPtrField<v1::MetricRule::Trigger>& triggers) const;

  const v1::Case& before_;
  const v1::Case& after_;
  const v1::Event& event_;
  const EventBody body_;
  const policy::PolicySet& policies_;
  const Occasion occasion_;
  const absl::Time at_;
  const uint32_t item_;  // owed item the event is about; 0: none
  const v1::CaseFacts facts_;
  const absl::Time promised_;  // the case's own instant, for FIXED targets
  v1::Case work_;              // only the clocks
  std::set<int> retargeted_;
  uint32_t next_clock_no_ = std::numeric_limits<uint32_t>::max() / 2;
  std::vector<v1::Event> events_;
};

// Whether the requester takes the case back.
bool Withdraws(const v1::Event& event);
// Why an event cancels a clock, as ClockCancelled says it.
std::string CancelCauseOf(const v1::Event& event);
// The message we sent in that event; null: none that is kept.
const v1::SentMessage* SentNumbered(const v1::Case& state, uint32_t revision);

// Copies a plan into any event that carries due, warnings and whether the due is provisional.
template <class Message>
void SetPlan(const Plan& plan, Message* message) {
  if (plan.due.at != absl::InfiniteFuture()) *message->mutable_due_at() = ToProto(plan.due.at);
  message->set_due_provisional(plan.due.provisional);
  message->mutable_warnings()->Assign(plan.warnings.begin(), plan.warnings.end());
}

template <class Message>
void SetRemaining(absl::Duration remaining, Message* message) {
  if (remaining != absl::InfiniteDuration()) *message->mutable_remaining() = ToProto(remaining);
}

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_CLOCK_STEPS_H_
