#ifndef DOCKET_WORKFLOW_POLICY_ROTA_H_
#define DOCKET_WORKFLOW_POLICY_ROTA_H_

#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "docket/v1/policy.pb.h"

// Who is on duty. Pure.
namespace docket::policy {

// The principals of `rota` at a local time: those of the turn that covers the day, else of the weekly shifts that
// cover the time of day (start included, end not), each once, in the order written. Empty: nobody.
std::vector<std::string> OnDuty(const v1::Rota& rota, absl::CivilSecond local);

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_ROTA_H_
