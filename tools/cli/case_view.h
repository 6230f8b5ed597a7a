#ifndef DOCKET_TOOLS_CLI_CASE_VIEW_H_
#define DOCKET_TOOLS_CLI_CASE_VIEW_H_

#include <string>

#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "tools/cli/global_options.h"

namespace docket::cli {

// A case for people as it is at `valid_at`, the server's: its facts, matters, clocks and escalations; empty ones left
// out.
void PrintCase(GlobalOptions& options, const v1::Case& value, absl::Time valid_at);

// One row per clock: metric, owed to whom, state, due, first due, how it stands at `valid_at`.
void PrintClocks(GlobalOptions& options, const google::protobuf::RepeatedPtrField<v1::Clock>& clocks,
                 absl::Time valid_at, const v1::Case* of_case = nullptr);

// How a clock stands at `valid_at`: "late by 3h", "met", "waiting", "2h left", "elapsed" …
std::string ClockStands(const v1::Clock& clock, absl::Time valid_at);

// What else there is to say about it: extended, carried over, annulled, disputed …; "" when nothing.
std::string ClockNotes(const v1::Clock& clock, absl::TimeZone zone);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_CASE_VIEW_H_
