#include "tools/cli/lists.h"

#include <ostream>

#include "absl/strings/str_cat.h"
#include "tools/cli/moments.h"
#include "workflow/base/time.h"

namespace docket::cli {

void ListLimit::AddTo(CLI::App* command) {
  command->add_option_function<uint32_t>(
      "--limit",
      [this](uint32_t value) {
        rows = value;
        given = true;
      },
      absl::StrCat("Rows at most, 0 for all; tables show ", kTableRows, " unless told"));
  command->add_option(
      "--page-token", page_token,
      "Go on behind an earlier answer: its nextPageToken (-o json), with the same filters and, if any, the same "
      "absolute instants");
}

void AsOf::AddTo(CLI::App* command) {
  command->add_option("--as-of", as_of, "As it was true at this time, with all that is known now");
  command->add_option("--as-known", as_known, "As it was known at this time (the screen of then)");
}

absl::Status AsOf::Set(const GlobalOptions& options, absl::string_view option, const std::string& text,
                       absl::FunctionRef<google::protobuf::Timestamp*()> field) {
  if (text.empty()) return absl::OkStatus();
  const auto time = ParseMoment(text, options.now(), options.zone());
  if (!time.ok()) return absl::InvalidArgumentError(absl::StrCat(option, ": ", time.status().message()));
  *field() = ToProto(*time);
  return absl::OkStatus();
}

std::string FootingOf(const GlobalOptions& options, const google::protobuf::Timestamp& valid_at,
                      const google::protobuf::Timestamp& known_at, uint64_t position) {
  return absl::StrCat("valid at ", FormatMoment(valid_at, options.zone()), ", known at ",
                      FormatMoment(known_at, options.zone()), ", position ", position, ", times in ",
                      options.zone_name());
}

void PrintMore(GlobalOptions& options, const std::string& next_page_token) {
  if (!next_page_token.empty()) *options.out << "… more; --limit 0 shows all\n";
}

}  // namespace docket::cli
