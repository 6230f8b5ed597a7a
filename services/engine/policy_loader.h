#ifndef DOCKET_SERVICES_ENGINE_POLICY_LOADER_H_
#define DOCKET_SERVICES_ENGINE_POLICY_LOADER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "store/event_log.h"
#include "store/kv.h"
#include "workflow/policy/policy_set.h"

namespace docket::engine {

// What the log says besides cases.
struct Configuration {
  std::shared_ptr<const policy::PolicySet> policies;
  uint32_t schema_version = 0;  // newest recorded; 0: none
  std::string schema_digest;
};

// Reads the commits listed in the config view. kDataLoss: a commit that does not decode. kFailedPrecondition: the log
// was written with a newer schema than this binary knows.
absl::StatusOr<Configuration> LoadConfiguration(const store::KvSnapshot& snapshot, store::Family views,
                                                const store::EventLog& log);

// The schema this binary writes: its number and the descriptors of all stored messages.
inline constexpr uint32_t kSchemaVersion = 2;
std::string SchemaDescriptors();

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_POLICY_LOADER_H_
