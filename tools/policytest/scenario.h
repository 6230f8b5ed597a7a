#ifndef DOCKET_TOOLS_POLICYTEST_SCENARIO_H_
#define DOCKET_TOOLS_POLICYTEST_SCENARIO_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/policy.pb.h"
#include "tools/policytest/fields.h"
#include "workflow/policy/pack.h"
#include "workflow/policy/policy_set.h"
#include "workflow/policy/yaml_tree.h"

// Scenario files: what policies shall make of what happens. The format is in workflow/policy/README.md.
namespace docket::policytest {

inline constexpr size_t kMaxFileBytes = 256 * 1024;
inline constexpr size_t kMaxPacks = 32;
inline constexpr size_t kMaxScenarios = 256;
inline constexpr size_t kMaxSteps = 256;
inline constexpr size_t kMaxExpected = 64;  // entries of one list of an expectation

// One value that is expected, in the form of fields.h.
struct Wish {
  int line = 0;
  std::string field;
  std::string wanted;
};
struct Entry {
  int line = 0;
  std::vector<Wish> names;  // which clock; of other things empty
  std::vector<Wish> wishes;
};
struct Listing {
  int line = 0;
  std::vector<Entry> entries;  // these and no others, in this order
};

struct Expectation {
  int line = 0;
  std::vector<Entry> clocks;
  std::vector<Entry> no_clocks;  // none of these names
  std::optional<Listing> warnings;
  std::optional<Listing> breaches;
  std::optional<Listing> escalations;
  std::optional<Wish> status;
  std::optional<Wish> refused;  // reasons, joined with ", "
  v1::Condition holds;
  int holds_line = 0;  // 0: nothing has to hold

  bool empty() const {
    return clocks.empty() && no_clocks.empty() && !warnings && !breaches && !escalations && !status && !refused &&
           holds_line == 0;
  }
};

struct Step {
  int line = 0;
  absl::Time at;
  std::string id;       // name of the step, for "$id"
  std::string command;  // field of the oneof of Command; "": time passes, no more
  policy::YamlNode body;
  std::string as;
  std::string approver;
  std::string evidence;
  absl::Time occurred_at = absl::InfinitePast();  // InfinitePast: `at`
  std::optional<Expectation> expect;              // of what happened since the step before
};

struct Scenario {
  std::string name;
  int line = 0;
  absl::Time now;
  std::vector<Step> steps;
  std::optional<Expectation> expect;  // of all that happened
};

struct FileFinding {
  std::string file;
  policy::Finding finding;
};

struct Suite {
  std::string file;
  absl::TimeZone zone;
  std::shared_ptr<const policy::PolicySet> policies;
  std::vector<Scenario> scenarios;
  std::vector<FileFinding> findings;  // empty: it can be run
};

// The text of a pack by the name a scenario file gives it.
using PackSource = std::function<absl::StatusOr<std::string>(const std::string& name)>;

// `file` is its name in messages.
Suite ReadSuite(const std::string& file, absl::string_view text, const PackSource& packs);
// Reads a file of the disk; its packs lie beside it or are shipped ("shipped/calendar-london.yaml"). kNotFound: the
// file itself cannot be read.
absl::StatusOr<Suite> LoadSuite(const std::string& path);

// A pack that this program brings along; kNotFound names those it has.
absl::StatusOr<std::string> ShippedPack(absl::string_view name);

}  // namespace docket::policytest

#endif  // DOCKET_TOOLS_POLICYTEST_SCENARIO_H_
