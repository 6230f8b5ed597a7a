#ifndef DOCKET_TESTS_SIMULATION_SCENARIO_H_
#define DOCKET_TESTS_SIMULATION_SCENARIO_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/event.pb.h"
#include "tests/support/house.h"

// Stories that people read: one line per command, what happened below it, indented. Times are London's.
//
//   grace.lind files C1: kind: COMPLAINT title: 'No water'
//   grace.lind on C1: accept {}
//   luis.romero on C1 at 2026-11-18 11:00 with call-17: record_inbound { body: 'Where is it?' }     (entered late)
//   grace.lind on C1 agreed by helen.marsh: set_priority { priority: 5 override_reason: 'CALM' }
//   publish internal-ola.yaml       one more of the packs
//   importer on C1 at 2016-03-01 09:00: record_source_row { … }
//   advance 2026-11-19 09:00        time passes, timers run
//   downtime 2026-11-21 09:00       the server is down until then
//   overdue | queue intake          what the lists show now
namespace docket::testing {

class Scenario {
 public:
  Scenario();

  // The text with everything that happens written below each line; what was indented before is left out.
  std::string Tell(const std::string& text);

 private:
  void AdvanceTo(absl::Time time);
  void DoLine(const std::string& line, std::string* out);
  bool DoCommand(const std::string& line, std::string* out);
  void ShowOverdue(std::string* out);
  void ShowQueue(const std::string& queue, std::string* out);
  void ShowNewEvents(std::string* out);
  std::string Words(const v1::Event& event, const v1::Case& state) const;

  House house_;
  std::map<std::string, std::string> ids_;    // "C1" to case id
  std::map<std::string, std::string> names_;  // and back
  std::map<std::string, v1::Case> states_;    // folded with what was shown
  uint64_t shown_ = 0;                        // commits
};

}  // namespace docket::testing

#endif  // DOCKET_TESTS_SIMULATION_SCENARIO_H_
