#ifndef DOCKET_WORKFLOW_POLICY_PACK_H_
#define DOCKET_WORKFLOW_POLICY_PACK_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/policy.pb.h"
#include "workflow/policy/policy_set.h"

// A pack is one YAML file of one or more documents (separated by ---), each a policy or the directory. Parsing checks
// everything: a pack with one finding publishes nothing.
namespace docket::policy {

inline constexpr size_t kMaxPackBytes = 256 * 1024;
// Each document is a stream of its own, and a commit may have 16 slices.
inline constexpr size_t kMaxPackDocuments = 16;
// A pack becomes one commit, which holds both forms of every document; a commit may have 1 MiB.
inline constexpr size_t kMaxPackCommitBytes = 960 * 1024;

struct PackDocument {
  v1::PolicyKind kind;
  std::string id;
  std::string yaml;             // exact bytes of this document
  std::string digest;           // SHA-256
  v1::CompiledPolicy compiled;  // version is 0 until published
  // What the author wrote as `effective_from`; unset: the publisher decides. A workflow for imports lies in the past.
  std::optional<absl::Time> effective_from;
};
// Names of people stay out of the compiled directory; the caller seals them.
struct PackDirectory {
  v1::Directory directory;                                 // principals without names
  std::vector<std::pair<std::string, std::string>> names;  // principal id, name
};
struct Finding {
  int line = 0;  // from 1, in the file given
  std::string reason;
  std::string message;
};
struct Pack {
  std::vector<PackDocument> documents;
  std::optional<PackDirectory> directory;
  std::vector<Finding> findings;  // empty: valid
  std::vector<Finding> warnings;  // of a valid one: what may be meant, and is published all the same
};

// Parses and validates against what is already published (a document may refer to calendars, queues and principals of
// `published` or of the same pack). `now` sets the span calendars are compiled for. With findings there are neither
// documents nor a directory. Pure, but for the machine's time-zone data, which a calendar is compiled from.
Pack ParsePack(absl::string_view yaml, const PolicySet& published, absl::Time now);

// The same for the files a server is started with, which do not know what was published since: a document that was
// published before in these words, whatever came after it, is left out, and so is a directory once there is one.
// Neither is checked against the others again.
Pack ParseNewOf(absl::string_view yaml, const PolicySet& published, absl::Time now);

// The events that publish a pack without findings on top of `published`, in order, as a server writes them but for when
// and by whom. In force since ever where a document does not say.
std::vector<v1::Event> PublicationsOf(const Pack& pack, const PolicySet& published);

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_PACK_H_
