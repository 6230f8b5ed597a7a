#ifndef DOCKET_WORKFLOW_POLICY_MAP_READER_H_
#define DOCKET_WORKFLOW_POLICY_MAP_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/policy.pb.h"
#include "google/protobuf/descriptor.h"
#include "workflow/policy/condition.h"
#include "workflow/policy/findings.h"
#include "workflow/policy/yaml_tree.h"

// Reads one YAML map by its keys. Every key asked for is thereby known; Finish() reports all the others. A value that
// is missing or wrong is a finding and reads as the default, so that one pass finds everything. Not thread-safe.
namespace docket::policy {

inline constexpr size_t kMaxTextBytes = 256;
inline constexpr size_t kMaxIdBytes = 64;
// Longest span of civil time a policy may name: ten years.
inline constexpr absl::Duration kMaxSpan = absl::Hours(24 * 3660);

enum class Need { kOptional, kRequired };

// How a name must be written.
enum class Syntax {
  kText,   // anything of 1..256 bytes
  kId,     // [a-z0-9._-]{1,64}: policies, departments, queues, principals
  kCode,   // [A-Z][A-Z0-9_]{0,63}: statuses, metrics, reasons
  kSnake,  // [a-z][a-z0-9_]{0,63}: commands, events
};
bool HasSyntax(absl::string_view text, Syntax syntax);
std::string DescribeSyntax(Syntax syntax);

struct Word {
  std::string text;
  int line = 0;
};

// "90s", "45m", "1h30m", "14d", "8w": a positive sum of whole units. kInvalidArgument names text and wish.
absl::StatusOr<absl::Duration> ParseSpan(absl::string_view text);

class MapReader {
 public:
  // `what` names the thing for messages: "status", "transition". A node that is no map is a finding; all reads are
  // empty.
  MapReader(const YamlNode& node, std::string what, Findings* findings);

  int line() const { return node_.line; }
  bool Has(absl::string_view key) const;
  int LineOf(absl::string_view key) const;  // line of the key; line() when it is absent

  // Null: absent (a finding when required).
  const YamlNode* Find(absl::string_view key, Need need = Need::kOptional);
  std::string Text(absl::string_view key, Syntax syntax, Need need = Need::kOptional);
  bool Bool(absl::string_view key, bool otherwise);
  int64_t Int(absl::string_view key, int64_t min, int64_t max, int64_t otherwise, Need need = Need::kOptional);
  std::optional<absl::Duration> Span(absl::string_view key, Need need = Need::kOptional);
  // The number of a value of `type`, its zero excepted; 0 when absent or wrong.
  int Enum(absl::string_view key, const google::protobuf::EnumDescriptor& type, Need need = Need::kOptional);
  std::vector<Word> Texts(absl::string_view key, Syntax syntax, size_t max, Need need = Need::kOptional);
  // The elements of a list; empty when absent or wrong.
  const std::vector<YamlNode>& List(absl::string_view key, size_t max, Need need = Need::kOptional);
  v1::Condition When(absl::string_view key, const FactCatalogue& catalogue, Need need = Need::kOptional);

  // Reports every key that nothing asked for.
  void Finish();

 private:
  void Wrong(const YamlNode& node, absl::string_view key, absl::string_view wanted);

  const YamlNode& node_;
  const std::string what_;
  Findings* const findings_;
  std::vector<std::string> known_;
};

// Values outside of maps.
std::optional<std::string> ReadText(const YamlNode& node, absl::string_view what, Syntax syntax, Findings* findings);
std::optional<int64_t> ReadInt(const YamlNode& node, absl::string_view what, int64_t min, int64_t max,
                               Findings* findings);
int ReadEnum(const YamlNode& node, absl::string_view what, const google::protobuf::EnumDescriptor& type,
             Findings* findings);
v1::Condition ReadCondition(const YamlNode& node, const FactCatalogue& catalogue, Findings* findings);

// "; nearest: x", or "" when there are no candidates.
std::string Suggest(absl::string_view name, const std::vector<std::string>& candidates);

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_MAP_READER_H_
