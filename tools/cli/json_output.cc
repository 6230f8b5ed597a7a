#include "tools/cli/json_output.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "workflow/base/check.h"

namespace docket::cli {

namespace {

std::string Json(const google::protobuf::Message& message, bool defaults) {
  google::protobuf::util::JsonPrintOptions how;
  how.always_print_primitive_fields = defaults;
  std::string json;
  if (google::protobuf::util::MessageToJsonString(message, &json, how).ok()) return json;
  // Only an instant outside the years 1 to 9999 gets here; the line must stay valid JSON even then.
  return absl::StrCat("{\"unprintable\":\"", message.GetDescriptor()->name(), "\"}");
}

bool Print(GlobalOptions& options, const google::protobuf::Message& reply, absl::string_view items, bool defaults) {
  if (options.format() == OutputFormat::kTable) return false;
  if (options.format() == OutputFormat::kJson || items.empty()) {
    *options.out << Json(reply, defaults) << "\n";
    return true;
  }
  const auto* field = reply.GetDescriptor()->FindFieldByName(std::string(items));
  DOCKET_CHECK(field != nullptr && field->is_repeated());
  for (int i = 0; i < reply.GetReflection()->FieldSize(reply, field); ++i) {
    *options.out << Json(reply.GetReflection()->GetRepeatedMessage(reply, field, i), defaults) << "\n";
  }
  return true;
}

}  // namespace

std::string ToJson(const google::protobuf::Message& message) { return Json(message, /*defaults=*/false); }
std::string ToFullJson(const google::protobuf::Message& message) { return Json(message, /*defaults=*/true); }

absl::Status FromJson(absl::string_view text, google::protobuf::Message* message) {
  const auto status = google::protobuf::util::JsonStringToMessage(std::string(text), message);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("not the JSON of ", message->GetDescriptor()->name(), ": ", std::string(status.message())));
}

bool PrintJson(GlobalOptions& options, const google::protobuf::Message& reply, absl::string_view items) {
  return Print(options, reply, items, /*defaults=*/false);
}

bool PrintListJson(GlobalOptions& options, const google::protobuf::Message& reply, absl::string_view items) {
  return Print(options, reply, items, /*defaults=*/true);
}

absl::StatusOr<std::string> ReadInput(GlobalOptions& options, const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(*options.in), {});
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return absl::NotFoundError(absl::StrCat(file, ": ", std::strerror(errno)));
  std::string text(std::istreambuf_iterator<char>(stream), {});
  if (stream.bad()) return absl::NotFoundError(absl::StrCat(file, ": cannot be read"));
  return text;
}

}  // namespace docket::cli
