#ifndef DOCKET_TOOLS_CLI_EXPLAIN_VIEW_H_
#define DOCKET_TOOLS_CLI_EXPLAIN_VIEW_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "docket/v1/queue_service.pb.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "tools/cli/global_options.h"

namespace docket::cli {

// Why a due is what it is, for people: the clock, what set and moved its due, and a timeline with a line per day.
// "counted 9h"; with what was used on earlier visits, or what a retarget took over and what has counted since.
std::string CountedText(const v1::ExplainDueReply& reply);
void PrintExplanation(GlobalOptions& options, const v1::ExplainDueReply& reply);

// The timeline: a line per civil day of `zone`, half an hour per character ('#' counts, '.' outside hours, '-' paused,
// 'x' set aside, ' ' before the start or after the due), then what counted that day and what the days are called. Days
// of which nothing counts, for one and the same reason, share a line.
std::vector<std::string> Timeline(const google::protobuf::RepeatedPtrField<v1::DueInterval>& intervals,
                                  absl::TimeZone zone);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_EXPLAIN_VIEW_H_
