#ifndef DOCKET_TOOLS_IMPORT_ROW_FAULT_H_
#define DOCKET_TOOLS_IMPORT_ROW_FAULT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// What is told of a row: where it was met, which value, and why.
namespace docket::import_tool {

struct RowProblem {
  uint64_t line = 0;
  std::string key;     // of the case; "" when unknown
  std::string reason;  // for people; names the value itself
  std::string column;  // of the file; "" when the reason is about the row or the case
  std::string value;   // as the file has it
};

// kInvalidArgument with `reason`, carrying the column and the value it is about.
absl::Status RowFault(absl::string_view column, absl::string_view value, absl::string_view reason);

// `fault` as it is told; column and value are empty unless it is a RowFault.
RowProblem ProblemOf(uint64_t line, const std::string& key, const absl::Status& fault);

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_ROW_FAULT_H_
