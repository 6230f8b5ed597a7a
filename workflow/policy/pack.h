#ifndef DOCKET_WORKFLOW_POLICY_PACK_H_
#define DOCKET_WORKFLOW_POLICY_PACK_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/policy.pb.h"
#include "workflow/policy/policy_set.h"

// A pack is one YAML file of one or more documents (separated by ---), each a policy or the directory. Parsing checks
// everything: a pack with one finding publishes nothing.
namespace docket::policy {

inline constexpr size_t kMaxPackBytes = 256 * 1024;

struct PackDocument {
  v1::PolicyKind kind;
  std::string id;
  std::string yaml;    // exact bytes of this document
  std::string digest;  // SHA-256
  v1::CompiledPolicy compiled;  // version is 0 until published
};
// Names of people stay out of the compiled directory; the caller seals them.
struct PackDirectory {
  v1::Directory directory;                                       // principals without names
  std::vector<std::pair<std::string, std::string>> names;  // principal id, name
};
struct Finding {
  int line = 0;  // from 1
  std::string reason;
  std::string message;
};
struct Pack {
  std::vector<PackDocument> documents;
  std::optional<PackDirectory> directory;
  std::vector<Finding> findings;  // empty: valid
};

// Parses and validates against what is already published (a document may refer to calendars, queues and principals of
// `published` or of the same pack). `now` sets the span calendars are compiled for.
Pack ParsePack(absl::string_view yaml, const PolicySet& published, absl::Time now);

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_PACK_H_
