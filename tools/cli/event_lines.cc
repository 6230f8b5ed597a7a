#include "tools/cli/event_lines.h"

#include "absl/strings/str_cat.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"

namespace docket::cli {
namespace {

std::string StreamText(const v1::HistoryEvent& event) {
  switch (event.stream_kind()) {
    case v1::STREAM_KIND_CASE:
      return absl::StrCat("case ", event.stream_id());
    case v1::STREAM_KIND_PARTY:
      return absl::StrCat("party ", event.stream_id());
    case v1::STREAM_KIND_POLICY:
      return absl::StrCat("policy ", event.stream_id());
    case v1::STREAM_KIND_DIRECTORY:
      return "directory";
    default:
      return "system";
  }
}

}  // namespace

std::string EventLine(const GlobalOptions& options, const v1::HistoryEvent& event) {
  std::string line = absl::StrCat(event.position(), "  ", FormatMoment(event.event().occurred_at(), options.zone()),
                                  "  ", StreamText(event), "  rev ", event.revision(), "  ", event.type());
  const std::string actor = ActorText(event.actor());
  if (!actor.empty()) absl::StrAppend(&line, "  ", actor);
  const std::string summary = EventSummary(event.event(), options.zone());
  if (!summary.empty()) absl::StrAppend(&line, "  ", summary);
  const std::string marks = MarksOf(event);
  if (!marks.empty()) absl::StrAppend(&line, "  [", marks, "]");
  return OneLine(line);
}

}  // namespace docket::cli
