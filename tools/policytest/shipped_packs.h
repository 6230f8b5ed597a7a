#ifndef DOCKET_TOOLS_POLICYTEST_SHIPPED_PACKS_H_
#define DOCKET_TOOLS_POLICYTEST_SHIPPED_PACKS_H_

#include <vector>

#include "absl/strings/string_view.h"

// The packs of workflow/policy/packs, put into the program when it is built (embed_packs.cmake).
namespace docket::policytest {

struct ShippedFile {
  absl::string_view name;  // "calendar-london.yaml"
  absl::string_view text;
};
std::vector<ShippedFile> ShippedFiles();

}  // namespace docket::policytest

#endif  // DOCKET_TOOLS_POLICYTEST_SHIPPED_PACKS_H_
