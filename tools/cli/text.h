#ifndef DOCKET_TOOLS_CLI_TEXT_H_
#define DOCKET_TOOLS_CLI_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/record.pb.h"

// Values of the domain in words.
namespace docket::cli {

// The text, or "[erased]", or "[withheld]" when there is one that the caller may not see; "" when there is none.
std::string TextOf(const v1::SealedText& text);

// "alice", with "(claimed)" after it while identities are not verified, and for whom.
std::string ActorText(const v1::Actor& actor);

// "entered late", "by rule …", "imported (file, row)", separated by commas.
std::string MarksOf(const v1::HistoryEvent& event);

// The event's fields on one line: "status=ON_HOLD from=ASSESSMENT". Instants in `zone`.
std::string EventSummary(const v1::Event& event, absl::TimeZone zone);

// What 0 says nothing of, a level, a priority: "" for 0.
std::string NumberText(uint64_t number);

// "12", or "at least 12" when not all was counted; then nothing found is "none found so far", which is no all-clear.
std::string AtLeastText(uint64_t number, bool complete);

// "1 case", "2 cases".
std::string CountText(uint64_t number, absl::string_view one, absl::string_view many);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_TEXT_H_
