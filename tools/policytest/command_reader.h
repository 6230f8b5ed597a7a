#ifndef DOCKET_TOOLS_POLICYTEST_COMMAND_READER_H_
#define DOCKET_TOOLS_POLICYTEST_COMMAND_READER_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "workflow/policy/findings.h"
#include "workflow/policy/yaml_tree.h"

// Commands written as YAML maps: the fields of their messages, by name.
namespace docket::policytest {

struct CommandContext {
  absl::Time at;  // what "+4h" is counted from
  absl::TimeZone zone;
  // Revisions that "$name" stands for in number fields.
  const std::map<std::string, uint32_t>* revisions;
};

// Fills `message` from `node`. Enumerations by name, instants as instants.h has them, spans as "4h". The marks on the
// fields are obeyed as the server does; texts marked personal may be left out, for they decide nothing. What is wrong
// is a finding with its line.
void ReadMessage(const policy::YamlNode& node, const std::string& what, const CommandContext& context,
                 google::protobuf::Message* message, policy::Findings* findings);

}  // namespace docket::policytest

#endif  // DOCKET_TOOLS_POLICYTEST_COMMAND_READER_H_
