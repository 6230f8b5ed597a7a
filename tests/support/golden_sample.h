#ifndef DOCKET_TESTS_SUPPORT_GOLDEN_SAMPLE_H_
#define DOCKET_TESTS_SUPPORT_GOLDEN_SAMPLE_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"

// Frozen samples of events, a file each in tests/golden: named after the event, or after it and the field it is there
// to show.
namespace docket::testing {

struct GoldenSample {
  v1::Event event;
  std::string stored;  // v1::RecordedEvent
  v1::Case before;     // that and after: of an event of a case
  v1::Case after;
  bool of_case = false;
};

std::string PathOfSample(absl::string_view name);
// Of all there are, in order.
std::vector<std::string> SamplePaths();
// INVALID_ARGUMENT when the file is no sample.
absl::StatusOr<GoldenSample> ReadGoldenSample(const std::string& path);
// Full names of the fields that are set in an event's body, at any depth.
std::set<std::string> FieldsOf(const v1::Event& event);
// Full names of all fields that a body may have, at any depth; each once.
std::set<std::string> FieldsOfAllEvents();

}  // namespace docket::testing

#endif  // DOCKET_TESTS_SUPPORT_GOLDEN_SAMPLE_H_
