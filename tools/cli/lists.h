#ifndef DOCKET_TOOLS_CLI_LISTS_H_
#define DOCKET_TOOLS_CLI_LISTS_H_

#include <algorithm>
#include <ostream>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/cli/csv_output.h"
#include "tools/cli/global_options.h"
#include "tools/cli/json_output.h"
#include "workflow/base/check.h"

// What the lists share: the two times, the limit, the pages.
namespace docket::cli {

inline constexpr uint32_t kMaxPage = 500;
inline constexpr uint32_t kTableRows = 100;  // of a table, unless asked otherwise; JSON is never cut

// --limit; 0: all. Unset: kTableRows for tables, all for JSON. --page-token: behind an earlier answer.
struct ListLimit {
  uint32_t rows = 0;
  bool given = false;
  std::string page_token;
  void AddTo(CLI::App* command);
  uint32_t For(const GlobalOptions& options) const {
    return given || options.format() != OutputFormat::kTable ? rows : kTableRows;
  }
};

// --as-of T: true at T, known now. --as-known T: both T. Both given: valid at the one, known at the other.
struct AsOf {
  std::string as_of;
  std::string as_known;
  void AddTo(CLI::App* command);

  template <class Request>
  absl::Status Apply(const GlobalOptions& options, Request* request) const {
    DOCKET_RETURN_IF_ERROR(
        Set(options, "--as-of", as_of.empty() ? as_known : as_of, [&] { return request->mutable_valid_at(); }));
    return Set(options, "--as-known", as_known, [&] { return request->mutable_known_at(); });
  }

 private:
  static absl::Status Set(const GlobalOptions& options, absl::string_view option, const std::string& text,
                          absl::FunctionRef<google::protobuf::Timestamp*()> field);
};

// "valid at …, known at …, position …, times in …".
template <class Reply>
std::string Footing(const GlobalOptions& options, const Reply& reply);
std::string FootingOf(const GlobalOptions& options, const google::protobuf::Timestamp& valid_at,
                      const google::protobuf::Timestamp& known_at, uint64_t position);
template <class Reply>
std::string Footing(const GlobalOptions& options, const Reply& reply) {
  return FootingOf(options, reply.valid_at(), reply.known_at(), reply.position());
}

// Reads pages until the end or the limit and answers them as one reply, whose next_page_token is set
// when rows were left. With jsonl and csv each page's elements of the field `items` are printed as they come, and
// dropped.
template <class Request, class Reply>
absl::StatusOr<Reply> ReadPages(GlobalOptions& options, Request request, const ListLimit& wanted, const char* items,
                                int (*count)(const Reply&),
                                absl::FunctionRef<absl::StatusOr<Reply>(const Request&)> fetch) {
  const uint32_t limit = wanted.For(options);
  Reply all;
  uint32_t rows = 0;
  request.set_page_token(wanted.page_token);
  while (true) {
    request.set_page_size(limit == 0 ? kMaxPage : std::min(limit - rows, kMaxPage));
    DOCKET_ASSIGN_OR_RETURN(Reply page, fetch(request));
    rows += static_cast<uint32_t>(count(page));
    const std::string token = page.next_page_token();
    if (options.format() == OutputFormat::kJsonl) {
      PrintListJson(options, page, items);
    } else if (options.format() == OutputFormat::kCsv) {
      if (request.page_token() == wanted.page_token) PrintCsvHeader(page, items, *options.out);
      PrintCsv(page, items, *options.out);
    } else {
      all.MergeFrom(page);
      all.set_next_page_token(token);
    }
    if (token.empty() || (limit != 0 && rows >= limit)) return all;
    request.set_page_token(token);
  }
}

// Prints what ReadPages has read when JSON is asked for; false: a table is, and not printed yet. With jsonl and csv
// ReadPages has printed it.
inline bool WasPrinted(GlobalOptions& options, const google::protobuf::Message& all, absl::string_view items) {
  if (options.format() == OutputFormat::kJson) PrintListJson(options, all, items);
  return options.format() != OutputFormat::kTable;
}

// Answered by replay, the server's clock in doubt: what a reader must know about a list.
template <class Reply>
void PrintListWarnings(GlobalOptions& options, const Reply& reply) {
  if (reply.by_replay()) *options.out << "answered by replaying the log\n";
  if constexpr (requires { reply.clock_suspect(); }) {
    if (reply.clock_suspect()) {
      *options.out << "WARNING: the server's clock is in doubt; timers stand still until `docket admin clock accept`\n";
    }
  }
}

// What stands before the count of a list's rows: they are not all when the list began behind a token or ended at one.
inline const char* CountPrefix(const ListLimit& limit, const std::string& next_page_token) {
  if (!limit.page_token.empty()) return "continued, ";
  return next_page_token.empty() ? "" : "at least ";
}
// Says on `out` that a table was cut.
void PrintMore(GlobalOptions& options, const std::string& next_page_token);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_LISTS_H_
