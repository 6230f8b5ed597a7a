#ifndef DOCKET_TESTS_SIMULATION_LOG_AUDIT_H_
#define DOCKET_TESTS_SIMULATION_LOG_AUDIT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "store/event_log.h"
#include "store/kv.h"

// What must hold of every log, whatever was asked of the engine: read straight from commit 0, with no cache, no kept
// state and no view.
namespace docket::testing {

// One case as its events make it.
struct FoldedCase {
  v1::Case state;
  uint64_t last_commit = 0;
  std::map<uint64_t, std::string> states;  // serialised, by the commit after which it stood so
};

struct LogAudit {
  std::map<std::string, FoldedCase> cases;  // by case id
  uint64_t commits = 0;
  uint64_t events = 0;
  std::map<std::string, int> event_types;
  std::vector<std::string> problems;  // one line each; empty: all invariants hold
};

// Folds the whole log and checks: commits, positions and revisions without gaps, links to the commit before, times that
// do not go back, case numbers without gaps, one running clock per identity (R3), and a breach if and only if there is
// no effective stop by its due (R5, R7).
LogAudit AuditLog(const store::EventLog& log);

// Adds a problem for each duty whose breach, and each case whose next moment, lies before `now` and is not on record.
// For houses whose timers run and have settled.
void CheckNothingIsDue(absl::Time now, LogAudit* audit);

// Problems where the state the engine loads (kept state plus later events) is not the folded one.
std::vector<std::string> CompareLoaded(const LogAudit& audit, const store::KvSnapshot& snapshot, store::Family views,
                                       const store::EventLog& log);

// Places, outside the personal family, whose bytes hold `text`.
std::vector<std::string> FindOutsidePersonal(const store::KvStore& kv, absl::string_view text);

}  // namespace docket::testing

#endif  // DOCKET_TESTS_SIMULATION_LOG_AUDIT_H_
