#ifndef DOCKET_TOOLS_CLI_COMMAND_FORM_H_
#define DOCKET_TOOLS_CLI_COMMAND_FORM_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

// Turns a message type into command-line options, so that a new command or field needs no code here.
namespace docket::cli {

// One option. A singular nested message has an option of its own (the whole message) and one per field of it.
struct FormField {
  std::string option;  // without dashes: "to-queue", "channel.carrier"
  std::vector<const google::protobuf::FieldDescriptor*> path;  // from the message to the field
  bool required = false;  // by the (required) annotation; the server decides
  std::string wanted;     // what a value looks like: "a whole number from 0 to 4294967295"

  const google::protobuf::FieldDescriptor& field() const { return *path.back(); }
  bool repeated() const { return field().is_repeated(); }
  bool is_flag() const;  // a single bool: the option may stand without a value
};

// How values that depend on the place and time of asking are read.
struct FormContext {
  absl::Time now;
  absl::TimeZone zone;
};

// "set_priority" -> "set-priority".
std::string VerbName(const google::protobuf::FieldDescriptor& field);

// In field order; nested fields follow their message.
std::vector<FormField> FormFields(const google::protobuf::Descriptor& type);

// Sets (repeated: adds) `field` in `message` from text. Enums by name in any case, '-' for '_'; timestamps as in
// moments.h; durations as "4h"; messages as JSON or as "name=value,name=value".
// kInvalidArgument: "--waiting-on: "nobody", want one of COMPLAINANT, …".
absl::Status SetField(const FormField& field, absl::string_view text, const FormContext& context,
                      google::protobuf::Message* message);

// The line to type for a command, with the options it cannot do without: "docket case assign CMP-1 --owner …".
std::string CommandLine(const google::protobuf::FieldDescriptor& verb, const std::string& case_name);

// The line to type when `meet_by` (of an unmet condition) names a command; other words stay as the server wrote them.
// `case_name` empty: CASE.
std::string RemedyText(const std::string& meet_by, const std::string& case_name);

// The number of the enum value called `text`, in any case, '-' for '_'. kInvalidArgument lists the names.
absl::StatusOr<int> ParseEnum(const google::protobuf::EnumDescriptor& type, absl::string_view text);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_COMMAND_FORM_H_
