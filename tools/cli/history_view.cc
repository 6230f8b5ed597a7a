#include "tools/cli/history_view.h"

#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/cli/csv_output.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

std::string StatusAfter(const v1::ReadHistoryReply::Entry& entry) {
  return entry.has_state() ? entry.state().status().status() : "";
}

}  // namespace

void PrintHistory(GlobalOptions& options, const v1::ReadHistoryReply& history) {
  Table table({{"REV", Table::Align::kRight},
               {"OCCURRED"},
               {"RECORDED"},
               {"EVENT"},
               {"BY"},
               {"WHAT", Table::Align::kLeft, Table::kUncut},
               {"MARKS"},
               {"STATE AFTER"}});
  const absl::TimeZone zone = options.zone();
  bool claimed = false;
  for (const auto& entry : history.entries()) {
    const v1::HistoryEvent& event = entry.event();
    const std::string occurred = FormatMoment(event.event().occurred_at(), zone);
    const std::string recorded = FormatMoment(event.recorded_at(), zone);
    claimed |= event.actor().authentication() == "claimed";
    table.AddRow({absl::StrCat(event.revision()), occurred, recorded == occurred ? "" : recorded, event.type(),
                  ActorText(event.actor()), EventSummary(event.event(), zone), MarksOf(event), StatusAfter(entry)});
  }
  table.Print(*options.out, options.columns);
  if (claimed) *options.out << "(claimed): identity not verified\n";
  *options.out << "position " << history.position() << ", times in " << options.zone_name() << "\n";
}

void PrintHistoryCsvHeader(std::ostream& out) {
  PrintCsvLine({"position", "revision", "occurredAt", "recordedAt", "type", "by", "what", "marks", "statusAfter"}, out);
}

void PrintHistoryCsv(const v1::ReadHistoryReply& history, std::ostream& out) {
  for (const auto& entry : history.entries()) {
    const v1::HistoryEvent& event = entry.event();
    PrintCsvLine(
        {absl::StrCat(event.position()), absl::StrCat(event.revision()),
         FormatUtc(FromProto(event.event().occurred_at())), FormatUtc(FromProto(event.recorded_at())), event.type(),
         WithoutFormula(ActorText(event.actor())), WithoutFormula(EventSummary(event.event(), absl::UTCTimeZone())),
         WithoutFormula(MarksOf(event)), StatusAfter(entry)},
        out);
  }
}

}  // namespace docket::cli
