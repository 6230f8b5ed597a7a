#ifndef DOCKET_TOOLS_CLI_ESCALATION_VIEW_H_
#define DOCKET_TOOLS_CLI_ESCALATION_VIEW_H_

#include <string>

#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/queue_service.pb.h"
#include "tools/cli/global_options.h"

// Escalations for people: which level, who, until when, and what comes next.
namespace docket::cli {

// "helen.marsh", "tomasz.zielinski for helen.marsh"; "anybody" when nobody was found.
std::string EscalationTargets(const v1::Escalation& escalation);

// How it stands at `valid_at`: "waits for approval", "open", "acknowledgement late", "lapsed", "passed, nobody told",
// "acknowledged by x", "declined by x", "closed by x (REASON)", "closed by itself (REASON)".
std::string EscalationStands(const v1::Escalation& escalation, absl::Time valid_at);

// The table below a case; nothing when it has none.
void PrintEscalations(GlobalOptions& options, const v1::Case& value, absl::Time valid_at);

// One row per escalation of many cases.
void PrintEscalationList(GlobalOptions& options, const v1::ListEscalationsReply& reply);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_ESCALATION_VIEW_H_
