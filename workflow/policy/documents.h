#ifndef DOCKET_WORKFLOW_POLICY_DOCUMENTS_H_
#define DOCKET_WORKFLOW_POLICY_DOCUMENTS_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "docket/v1/policy.pb.h"
#include "workflow/policy/findings.h"
#include "workflow/policy/map_reader.h"
#include "workflow/policy/policy_set.h"

// One reader per kind of document: YAML map in, compiled message and findings out. Each checks what one document can
// tell by itself; what needs the other documents or what is published is left to CheckAcross. Internal to ParsePack.
namespace docket::policy {

// A name used in one document and defined in another, or in the set already published.
struct Reference {
  enum class To { kCalendar, kQueue, kRota, kDepartment };
  To to;
  std::string id;
  int line = 0;
  const char* what = nullptr;  // "level.move_queue"; null: "calendar" or "default_queue"
};

// A metric named by a status or a level.
struct MetricUse {
  const char* what;  // "status.pauses"
  std::string metric;
  int line = 0;
};

struct ParsedDocument {
  int kind_index = 0;  // in kDocumentKinds
  int line = 0;        // of the document's first key
  std::string id;
  std::string yaml;
  std::optional<absl::Time> effective_from;
  v1::CompiledPolicy compiled;             // unset for the directory
  std::optional<PackDirectory> directory;  // set for the directory
  std::vector<Reference> references;
  std::vector<MetricUse> metric_uses;
  std::map<std::string, int> status_lines;  // chart: by status id
  std::vector<int> metric_lines;            // SLA policy: by index
  std::vector<int> level_lines;             // ladder: by index
};

// The first key of a document says what it is.
struct DocumentKind {
  const char* key;
  v1::PolicyKind kind;  // UNSPECIFIED: the directory
};
inline constexpr DocumentKind kDocumentKinds[] = {{"workflow", v1::WORKFLOW},
                                                  {"sla", v1::SLA},
                                                  {"calendar", v1::CALENDAR},
                                                  {"ladder", v1::LADDER},
                                                  {"priority_matrix", v1::PRIORITY_MATRIX},
                                                  {"routing", v1::ROUTING},
                                                  {"directory", v1::POLICY_KIND_UNSPECIFIED}};

void ReadChart(MapReader& reader, ParsedDocument* document, Findings* findings);
void ReadSla(MapReader& reader, ParsedDocument* document, Findings* findings);
void ReadCalendar(MapReader& reader, absl::Time now, ParsedDocument* document, Findings* findings);
void ReadLadder(MapReader& reader, ParsedDocument* document, Findings* findings);
void ReadMatrix(MapReader& reader, ParsedDocument* document, Findings* findings);
void ReadRouting(MapReader& reader, ParsedDocument* document, Findings* findings);
void ReadDirectory(MapReader& reader, ParsedDocument* document, Findings* findings);
// All of a rota but its id. Returns the principals it names, for the directory to look up.
std::vector<Word> ReadRota(const YamlNode& node, MapReader& reader, v1::Rota* rota, ParsedDocument* document,
                           Findings* findings);
// The roles a principal may have.
const std::vector<std::string>& KnownRoles();

// Levels in an order that can be climbed, each with what its trigger, target and actions need. `lines` by index.
void CheckLadder(const v1::Ladder& ladder, const std::vector<int>& lines, Findings* findings);

// The chart as a graph: reachability, ways out, what each command and category may do.
struct ChartLines {
  std::map<std::string, int> statuses;
  std::vector<int> transitions;                  // by index in the chart
  std::set<std::string> import_only;             // entered by imports alone: need no way in
  std::set<std::string> pauses_outside_waiting;  // declared to pause though work goes on
  int initial = 0;
  int document = 0;
  bool sound = true;  // nothing was found while reading
};
void CheckChart(const v1::Chart& chart, const ChartLines& lines, Findings* findings);

// Everything that takes more than one document. `warnings` refuse nothing.
void CheckAcross(const std::vector<ParsedDocument>& documents, const PolicySet& published, Findings* findings,
                 Findings* warnings);

// Reads `kinds`, a list of distinct case kinds.
std::vector<v1::CaseKind> ReadKinds(MapReader& reader, Need need, Findings* findings);

// Names of the fields of a oneof: every command, every event.
const std::vector<std::string>& CommandNames();
const std::vector<std::string>& EventNames();
// The message inside the oneof; null: no such command or event.
const google::protobuf::Descriptor* CommandDescriptor(const std::string& name);
const google::protobuf::Descriptor* EventDescriptor(const std::string& name);

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_DOCUMENTS_H_
