#include "tools/import/row_fault.h"

#include "absl/strings/cord.h"

namespace docket::import_tool {
namespace {

constexpr char kColumn[] = "docket.import/column";
constexpr char kValue[] = "docket.import/value";

std::string Payload(const absl::Status& status, absl::string_view name) {
  const auto payload = status.GetPayload(name);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace

absl::Status RowFault(absl::string_view column, absl::string_view value, absl::string_view reason) {
  absl::Status fault = absl::InvalidArgumentError(reason);
  fault.SetPayload(kColumn, absl::Cord(column));
  fault.SetPayload(kValue, absl::Cord(value));
  return fault;
}

RowProblem ProblemOf(uint64_t line, const std::string& key, const absl::Status& fault) {
  return {line, key, std::string(fault.message()), Payload(fault, kColumn), Payload(fault, kValue)};
}

}  // namespace docket::import_tool
