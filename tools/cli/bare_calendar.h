#ifndef DOCKET_TOOLS_CLI_BARE_CALENDAR_H_
#define DOCKET_TOOLS_CLI_BARE_CALENDAR_H_

#include <string>

#include "absl/strings/string_view.h"

namespace docket::cli {

// A calendar that a pack can hold: packs name every document, a calendar in a file of its own has no need to.
struct NamedCalendar {
  std::string yaml;
  int lines_added = 0;  // in front, to be taken off line numbers
};

// `yaml` as it is when it names a document (a top-level key `calendar`, or several documents); else with the name
// "adhoc" put in, for block style as a line in front, for flow style (`{zone: …}`) as the first pair.
NamedCalendar NameCalendar(absl::string_view yaml);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_BARE_CALENDAR_H_
