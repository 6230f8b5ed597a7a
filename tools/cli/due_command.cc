#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tools/cli/bare_calendar.h"
#include "tools/cli/commands.h"
#include "tools/cli/json_output.h"
#include "tools/cli/moments.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/policy/pack.h"
#include "workflow/sla/calendar.h"
#include "workflow/sla/target.h"

// `docket policy due`: when a promise falls due, by the same arithmetic as the server's, without a server.
namespace docket::cli {
namespace {

struct DueInput {
  std::string calendar_file;
  std::string calendar_id;
  std::string start;
  std::string target;
  std::vector<std::string> pauses;
};

absl::StatusOr<sla::TimeSpan> ParsePause(const GlobalOptions& options, absl::TimeZone zone, const std::string& text) {
  const std::pair<std::string, std::string> ends = absl::StrSplit(text, absl::MaxSplits('/', 1));
  if (!absl::StrContains(text, "/")) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\", want START/END, or START/ for one that is still open"));
  }
  DOCKET_ASSIGN_OR_RETURN(const absl::Time start, ParseMoment(ends.first, options.now(), zone));
  if (ends.second.empty()) return sla::TimeSpan{start, absl::InfiniteFuture()};
  DOCKET_ASSIGN_OR_RETURN(const absl::Time end, ParseMoment(ends.second, options.now(), zone));
  if (end < start) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" ends before it starts, want START/END"));
  }
  return sla::TimeSpan{start, end};
}

// Calendars are compiled around the start rather than around today, so that the answer is the same on any day.
absl::StatusOr<std::shared_ptr<const sla::WorkingCalendar>> ReadCalendar(const std::string& text, const DueInput& input,
                                                                         absl::Time start) {
  const NamedCalendar named = NameCalendar(text);
  const policy::Pack pack = policy::ParsePack(named.yaml, policy::PolicySet(), start);
  if (!pack.findings.empty()) {
    std::vector<std::string> lines;
    for (const policy::Finding& finding : pack.findings) {
      const int line = std::max(1, finding.line - named.lines_added);
      lines.push_back(absl::StrCat(input.calendar_file, ":", line, ": ", finding.reason, " ", finding.message));
    }
    return absl::InvalidArgumentError(absl::StrJoin(lines, "\n"));
  }
  for (const policy::PackDocument& document : pack.documents) {
    const bool wanted = input.calendar_id.empty() || input.calendar_id == document.id;
    if (document.kind == v1::CALENDAR && wanted) {
      return sla::WorkingCalendar::FromCompiled(document.compiled.calendar());
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat(input.calendar_file, ": no calendar", input.calendar_id.empty() ? "" : " ", input.calendar_id));
}

struct Found {
  sla::Due due;
  absl::TimeZone zone;
};

absl::StatusOr<absl::Time> ParseStart(const GlobalOptions& options, const DueInput& input, absl::TimeZone zone) {
  const auto start = ParseMoment(input.start, options.now(), zone);
  if (!start.ok()) return absl::InvalidArgumentError(absl::StrCat("--start: ", start.status().message()));
  return start;
}

// What names no zone is meant in that of the calendar, which is known only when it has been read.
absl::StatusOr<Found> Compute(GlobalOptions& options, const DueInput& input) {
  DOCKET_ASSIGN_OR_RETURN(absl::Time start, ParseStart(options, input, absl::UTCTimeZone()));
  const auto target = sla::ParseTargetOfNoCase(input.target);
  if (!target.ok()) return target.status();  // names the target itself
  DOCKET_ASSIGN_OR_RETURN(const std::string text, ReadInput(options, input.calendar_file));
  DOCKET_ASSIGN_OR_RETURN(auto calendar, ReadCalendar(text, input, start));
  Found found;
  if (options.utc || !absl::LoadTimeZone(calendar->compiled().zone(), &found.zone)) found.zone = absl::UTCTimeZone();
  DOCKET_ASSIGN_OR_RETURN(start, ParseStart(options, input, found.zone));
  std::vector<sla::TimeSpan> pauses;
  for (const std::string& one : input.pauses) {
    const auto pause = ParsePause(options, found.zone, one);
    if (!pause.ok()) return absl::InvalidArgumentError(absl::StrCat("--pause: ", pause.status().message()));
    pauses.push_back(*pause);
  }
  found.due = sla::ComputeDue(*calendar, start, *target, pauses);
  return found;
}

int Due(GlobalOptions& options, const DueInput& input) {
  const auto found = Compute(options, input);
  if (!found.ok()) return ReportUsage(options, found.status().message());
  const sla::Due& due = found->due;
  const bool never = due.at == absl::InfiniteFuture();
  if (options.format() != OutputFormat::kTable) {
    const std::string value = never ? "null" : absl::StrCat("\"", FormatUtc(due.at), "\"");
    *options.out << "{\"due\":" << value << (due.provisional ? ",\"provisional\":true" : "") << "}\n";
    return kExitOk;
  }
  if (never) {
    *options.out << "never, as things stand\n";
    return kExitOk;
  }
  *options.out << FormatMoment(due.at, found->zone) << " (" << found->zone.name() << "), " << FormatUtc(due.at)
               << (due.provisional ? ", provisional: the calendar is not complete that far" : "") << "\n";
  return kExitOk;
}

}  // namespace

void AddDueCommand(CLI::App& policy, GlobalOptions& options) {
  const auto input = std::make_shared<DueInput>();
  CLI::App* due = AddCommand(policy, "due", "When a target is due, without a server", options,
                             [&options, input] { return Due(options, *input); });
  due->add_option("--calendar", input->calendar_file, "YAML of a calendar or a pack with one, - for standard input")
      ->required();
  due->add_option("--calendar-id", input->calendar_id, "Which calendar of a pack; default the first");
  due->add_option("--start", input->start, "When the clock starts; without an offset, in the calendar's zone")
      ->required();
  due->add_option("--target", input->target, "45m, 8h, 3bd@close, 15cd@end, 8w@end, 2mo@end+next …")->required();
  due->add_option("--pause", input->pauses, "START/END that does not count; may be repeated")->allow_extra_args(false);
  due->footer(R"(Example:
  docket policy due --calendar london.yaml --start 2026-11-20T16:30:00Z --target 1h
where london.yaml holds
  zone: Europe/London
  week: {mon: ["09:00-17:00"], tue: ["09:00-17:00"], wed: ["09:00-17:00"], thu: ["09:00-17:00"], fri: ["09:00-17:00"]}
  exceptions: {"2026-12-25": []})");
}

}  // namespace docket::cli
