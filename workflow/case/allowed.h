#ifndef DOCKET_WORKFLOW_CASE_ALLOWED_H_
#define DOCKET_WORKFLOW_CASE_ALLOWED_H_

#include <string>
#include <vector>

#include "docket/v1/case.pb.h"
#include "workflow/base/refusal.h"
#include "workflow/policy/policy_set.h"

namespace docket::workflow {

struct AllowedCommand {
  std::string command;  // field name in the oneof of Command
  bool allowed = false;
  std::vector<std::string> required_fields;
  std::vector<Unmet> unmet;
  std::string leads_to;  // status, when it is a transition
};

// What may be done with a case now, in the order of the oneof. A command is "allowed" when some choice of its fields
// may pass: conditions over the command's own fields count as met. Commands of importers and timers are left out, and
// those that the case's chart does not know at all. What wants another person than did the thing before is unmet for
// `asker`, who would give the command; "": nobody is known to ask.
std::vector<AllowedCommand> AllowedCommands(const v1::Case& state, const policy::PolicySet& policies,
                                            const std::string& asker = "");

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_ALLOWED_H_
