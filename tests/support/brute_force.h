#ifndef DOCKET_TESTS_SUPPORT_BRUTE_FORCE_H_
#define DOCKET_TESTS_SUPPORT_BRUTE_FORCE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/record.pb.h"
#include "store/event_log.h"
#include "workflow/policy/policy_set.h"

// The twin of the lists: the whole log read from commit 0 by straight-line code that keeps only what lists need, and
// shares nothing with the engine but the format of events. Slow and plain, so that it can be believed.
namespace docket::testing {

struct TwinClock {
  uint32_t clock_no = 0;
  std::string metric;
  v1::Obligation obligation = v1::OBLIGATION_UNSPECIFIED;
  bool duty = false;
  bool stopped = false;
  bool paused = false;
  std::optional<absl::Time> due;    // none: paused without a known end
  std::optional<absl::Time> until;  // known end of the pause
  absl::Duration remaining;         // while paused
  absl::Time paused_since;
  v1::PolicyPin calendar;
  std::string answerable_rule;
  uint32_t item = 0;
  std::optional<absl::Time> breached_due;
  bool disputed = false;
  std::string entered_by;
  absl::Time entered_at;

  // Met, and nobody has to judge whether in time.
  bool Gone() const { return stopped && !disputed; }
  // The due that lies, or has first lain, in the past of whoever finds the duty late.
  std::optional<absl::Time> LateFrom() const { return breached_due.has_value() ? breached_due : due; }
};

struct TwinEscalation {
  absl::Time raised_at;
  bool acknowledged = false;  // and still open
  bool settled = false;       // nobody has to answer
  bool requested = false;     // and neither granted nor declined
  std::string asked_by;
  std::string department;
};

struct TwinCase {
  std::string case_id;
  bool received = false;
  bool active = false;
  bool leaves_queue = false;
  v1::StatusCategory category = v1::STATUS_CATEGORY_UNSPECIFIED;
  // Of the status that the wait goes back to. An import that begins in a wait tells of none: then it stays away until
  // its return is recorded.
  bool leaves_queue_after_wait = true;
  std::optional<absl::Time> wait_until;  // of a wait that ends by itself
  bool history = false;
  bool safety = false;
  uint32_t priority = 0;
  std::map<uint32_t, uint32_t> levels;  // of open escalations, by number
  std::string tier;
  std::string queue;
  std::string department;
  std::string owner;
  std::string owner_department;
  std::string queue_department;
  std::string receiver;  // of the transfer under way
  std::vector<std::string> skills;
  std::set<std::string> conflicts;
  struct Item {
    std::string department;
    std::string asked_by;
    bool returned = false;
  };
  std::map<uint32_t, Item> items;
  absl::Time received_at;
  std::optional<absl::Time> default_due;
  bool waiting = false;
  std::set<std::string> pauses;  // metrics, of the status
  absl::Time waiting_since;
  absl::Time status_since;
  std::map<uint32_t, TwinEscalation> escalations;
  std::map<uint32_t, TwinClock> clocks;
};

struct TwinDuty {
  absl::Time late_from;
  std::string case_id;
  uint32_t clock_no = 0;
  std::optional<absl::Time> due;
  bool paused = false;
  std::string department;

  std::string ToString() const;
};

// The events of all cases, in the order of the log.
struct LogEvent {
  std::string case_id;
  uint32_t revision = 0;
  absl::Time occurred_at;
  absl::Time recorded_at;
  v1::Event event;
};
std::vector<LogEvent> ReadWholeLog(const store::EventLog& log);

class LogTwin {
 public:
  // Reads what had occurred by `valid_at` as far as it was recorded by `known_at`.
  LogTwin(const store::EventLog& log, const policy::PolicySet& policies, absl::Time valid_at = absl::InfiniteFuture(),
          absl::Time known_at = absl::InfiniteFuture());
  // The same of a log that was read before.
  LogTwin(const std::vector<LogEvent>& log, const policy::PolicySet& policies, absl::Time valid_at,
          absl::Time known_at);

  // Duties whose due has passed at `t` without a stop, earliest first (R5).
  std::vector<TwinDuty> OverdueAt(absl::Time t) const;
  // Case ids standing in `queue` at `t`, in the order of work (DOMAIN 7, R19). A wait whose `until` has passed is over,
  // whether or not anybody has recorded it.
  std::vector<std::string> QueueAt(absl::string_view queue, absl::Time t) const;
  // "since case" of the control lists at `t`, in their order: new, open or waiting and unowned, such
  // without a duty, waiting until.
  std::vector<std::string> UnownedAt(absl::Time t) const;
  std::vector<std::string> WithoutClockAt(absl::Time t) const;
  std::vector<std::string> WakingAt(absl::Time t) const;
  // "since case/clock" of the clocks that are paused at `t`, or late and would be, the longest wait first.
  std::vector<std::string> PausedAt(absl::Time t) const;
  // "late-from case/clock" of the duties of `owner`, whatever they are.
  std::vector<std::string> DutiesOf(absl::string_view owner) const;
  // "raised case/number state", those not acknowledged first.
  std::vector<std::string> Escalations() const;
  // "since case/number kind asked by, department" of what waits for a second person at `t`, the longest first.
  std::vector<std::string> ApprovalsAt(absl::Time t) const;
  // The first of a queue that nobody owns and `principal` has the skills for and no conflict of interest with; "":
  // none.
  std::string FirstFree(absl::string_view queue, absl::Time t, const std::string& principal) const;
  // Whether anything that nobody owns stands there.
  bool AnyUnowned(absl::string_view queue, absl::Time t) const;
  // The cases that `owner` has in hand at `t`: at work, or in a wait that is over.
  uint32_t InHand(absl::string_view owner, absl::Time t) const;
  // Instants worth asking at: dues and ends of waits.
  std::vector<absl::Time> Moments() const;
  // When something happened, as far as it was read.
  std::vector<absl::Time> Instants() const;
  // Events that fell between older ones of their case.
  int entered_late() const { return entered_late_; }
  // Facts in the log that contradict each other.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void TakeLogEvent(const LogEvent& one);
  // Cases of which `holds` was true at `t`, and without a break since when, the longest first.
  std::vector<std::string> Since(absl::Time t, bool (*holds)(const TwinCase&)) const;
  void Take(const v1::Event& event, uint32_t revision, TwinCase* one) const;
  void TakeClock(const v1::Event& event, uint32_t revision, TwinCase* one) const;
  void TakePause(const v1::ClockPaused& paused, TwinClock* clock) const;
  void CheckProjectedDue(const TwinClock& clock) const;
  // False: no event of hands or owed items.
  bool TakeHands(const v1::Event& event, uint32_t revision, TwinCase* one) const;
  static std::string Answering(const TwinCase& one, const TwinClock& clock);

  const policy::PolicySet& policies_;
  std::map<std::string, TwinCase> cases_;
  std::map<std::string, std::vector<std::pair<uint32_t, v1::Event>>> events_;  // of a case; not of a log read before
  int entered_late_ = 0;
  mutable std::vector<std::string> problems_;
};

}  // namespace docket::testing

#endif  // DOCKET_TESTS_SUPPORT_BRUTE_FORCE_H_
