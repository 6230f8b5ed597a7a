#ifndef DOCKET_TOOLS_CLI_CASE_VIEW_H_
#define DOCKET_TOOLS_CLI_CASE_VIEW_H_

#include "docket/v1/case.pb.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "tools/cli/global_options.h"

namespace docket::cli {

// A case for people: its facts, matters, clocks and escalations; empty ones left out.
void PrintCase(GlobalOptions& options, const v1::Case& value);

// One row per clock: metric, owed to whom, state, due, first due, how it stands.
void PrintClocks(GlobalOptions& options, const google::protobuf::RepeatedPtrField<v1::Clock>& clocks,
                 const v1::Case* of_case = nullptr);

// How a clock stands at `now`: "late by 3h", "met", "waiting", "2h left", "elapsed" …
std::string ClockStands(const v1::Clock& clock, absl::Time now);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_CASE_VIEW_H_
