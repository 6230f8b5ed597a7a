#ifndef DOCKET_TOOLS_CLI_JSON_OUTPUT_H_
#define DOCKET_TOOLS_CLI_JSON_OUTPUT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "tools/cli/global_options.h"

namespace docket::cli {

// The proto JSON mapping (lowerCamelCase names, 64-bit numbers as strings, defaults left out), on one line.
std::string ToJson(const google::protobuf::Message& message);

// The same with defaults: empty lists, false and 0 are there. For lists, whose readers must not take what is left out
// for what is not known.
std::string ToFullJson(const google::protobuf::Message& message);

// Parses the same mapping into `message`, keeping what it has. kInvalidArgument: not JSON, or an unknown field.
absl::Status FromJson(absl::string_view text, google::protobuf::Message* message);

// Prints `reply` as the options ask when they ask for JSON, and returns whether they do. With jsonl each element of the
// repeated field `items` is one line; without `items` the reply is the one line.
bool PrintJson(GlobalOptions& options, const google::protobuf::Message& reply, absl::string_view items = "");

// The same for a list of `items`, with defaults.
bool PrintListJson(GlobalOptions& options, const google::protobuf::Message& reply, absl::string_view items);

// The whole of a file; "-" is standard input. kNotFound names the file and why.
absl::StatusOr<std::string> ReadInput(GlobalOptions& options, const std::string& file);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_JSON_OUTPUT_H_
