#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "workflow/base/time.h"
#include "workflow/policy/documents.h"

namespace docket::policy {
namespace {

// Limits of the message Directory; a pack is too small to reach the last.
constexpr size_t kMaxDepartments = 10'000;
constexpr size_t kMaxPrincipals = 100'000;
constexpr size_t kMaxRoles = 16;
constexpr size_t kMaxSkills = 64;
constexpr size_t kMaxLanguages = 32;
constexpr size_t kMaxRotas = 1000;
constexpr int64_t kMaxCapacity = 100'000;

class DirectoryReader {
 public:
  DirectoryReader(MapReader& reader, ParsedDocument* document, Findings* findings)
      : reader_(reader), document_(document), result_(document->directory.emplace()), findings_(findings) {}

  void Read() {
    const size_t before = findings_->size();
    for (const YamlNode& node : reader_.List("departments", kMaxDepartments, Need::kRequired)) ReadDepartment(node);
    for (const YamlNode& node : reader_.List("queues", kMaxDepartments)) ReadQueue(node);
    for (const YamlNode& node : reader_.List("principals", kMaxPrincipals)) ReadPrincipal(node);
    for (const YamlNode& node : reader_.List("rotas", kMaxRotas)) ReadOneRota(node);
    CheckReferences();
    if (findings_->size() > before) return;  // a name with two meanings makes circles that nobody drew
    CheckNoCycle(parents_, departments_, "DEPARTMENT_CYCLE", "department", "parent");
    CheckNoCycle(managers_, principals_, "MANAGER_CYCLE", "principal", "manager");
  }

 private:
  using Lines = std::map<std::string, int>;  // by id
  struct Use {
    const char* what;  // "department.lead"
    const Lines* among;
    const char* reason;
    std::string id;
    int line;
  };

  std::string ReadId(MapReader& reader, absl::string_view what, Lines* lines) {
    std::string id = reader.Text("id", Syntax::kId, Need::kRequired);
    if (!id.empty() && !lines->emplace(id, reader.line()).second) {
      findings_->Add(reader.line(), "DUPLICATE_ID", absl::StrCat(what, ": found ", id, " again, want each id once"));
    }
    return id;
  }

  // Reads a name defined elsewhere in the directory; it is looked up when everything has been read.
  std::string ReadUse(MapReader& reader, const char* key, const char* what, const Lines& among, const char* reason,
                      Need need = Need::kOptional) {
    std::string id = reader.Text(key, Syntax::kId, need);
    if (!id.empty())
      uses_.push_back({.what = what, .among = &among, .reason = reason, .id = id, .line = reader.LineOf(key)});
    return id;
  }

  void ReadDepartment(const YamlNode& node) {
    MapReader reader(node, "department", findings_);
    v1::Department& department = *result_.directory.add_departments();
    department.set_id(ReadId(reader, "department", &departments_));
    department.set_name(reader.Text("name", Syntax::kText, Need::kRequired));
    department.set_parent(ReadUse(reader, "parent", "department.parent", departments_, "UNKNOWN_DEPARTMENT"));
    department.set_lead(ReadUse(reader, "lead", "department.lead", principals_, "UNKNOWN_PRINCIPAL"));
    if (!department.parent().empty()) parents_.emplace(department.id(), department.parent());
    reader.Finish();
  }

  void ReadQueue(const YamlNode& node) {
    MapReader reader(node, "queue", findings_);
    v1::Queue& queue = *result_.directory.add_queues();
    queue.set_id(ReadId(reader, "queue", &queues_));
    queue.set_name(reader.Text("name", Syntax::kText, Need::kRequired));
    queue.set_department(
        ReadUse(reader, "department", "queue.department", departments_, "UNKNOWN_DEPARTMENT", Need::kRequired));
    queue.set_lead(ReadUse(reader, "lead", "queue.lead", principals_, "UNKNOWN_PRINCIPAL"));
    if (const auto span = reader.Span("default_due")) *queue.mutable_default_due() = ToProto(*span);
    reader.Finish();
  }

  void ReadPrincipal(const YamlNode& node) {
    MapReader reader(node, "principal", findings_);
    v1::Principal& principal = *result_.directory.add_principals();
    principal.set_id(ReadId(reader, "principal", &principals_));
    // The name is personal data: it goes beside the compiled directory, never into it.
    const std::string name = reader.Text("name", Syntax::kText);
    if (!principal.id().empty() && !name.empty()) result_.names.emplace_back(principal.id(), name);
    principal.set_department(
        ReadUse(reader, "department", "principal.department", departments_, "UNKNOWN_DEPARTMENT", Need::kRequired));
    principal.set_manager(ReadUse(reader, "manager", "principal.manager", principals_, "UNKNOWN_PRINCIPAL"));
    if (!principal.manager().empty()) managers_.emplace(principal.id(), principal.manager());
    for (Word& word : reader.Texts("roles", Syntax::kCode, kMaxRoles)) {
      if (std::find(KnownRoles().begin(), KnownRoles().end(), word.text) == KnownRoles().end()) {
        findings_->Add(
            word.line, "UNKNOWN_ROLE",
            absl::StrCat("principal.roles: found ", word.text, ", want a role", Suggest(word.text, KnownRoles())));
      }
      principal.add_roles(std::move(word.text));
    }
    for (Word& word : reader.Texts("skills", Syntax::kCode, kMaxSkills)) principal.add_skills(std::move(word.text));
    for (Word& word : reader.Texts("languages", Syntax::kText, kMaxLanguages)) {
      principal.add_languages(std::move(word.text));
    }
    principal.set_capacity(static_cast<uint32_t>(reader.Int("capacity", 0, kMaxCapacity, 0)));
    reader.Finish();
  }

  void ReadOneRota(const YamlNode& node) {
    MapReader reader(node, "rota", findings_);
    v1::Rota& rota = *result_.directory.add_rotas();
    rota.set_id(ReadId(reader, "rota", &rotas_));
    for (Word& word : ReadRota(node, reader, &rota, document_, findings_)) {
      uses_.push_back({.what = "rota.principals",
                       .among = &principals_,
                       .reason = "UNKNOWN_PRINCIPAL",
                       .id = std::move(word.text),
                       .line = word.line});
    }
    reader.Finish();
  }

  void CheckReferences() {
    for (const Use& use : uses_) {
      if (use.among->contains(use.id)) continue;
      std::vector<std::string> ids;
      for (const auto& [id, line] : *use.among) ids.push_back(id);
      findings_->Add(
          use.line, use.reason,
          absl::StrCat(use.what, ": found ", use.id, ", want an id of this directory", Suggest(use.id, ids)));
    }
  }

  // Follows `up` from everybody; each cycle is reported once, at its alphabetically first member.
  void CheckNoCycle(const std::map<std::string, std::string>& up, const Lines& lines, absl::string_view reason,
                    absl::string_view what, absl::string_view key) {
    std::set<std::string> settled;
    for (const auto& [start, unused] : up) {
      std::vector<std::string> path;
      std::set<std::string> on_path;
      std::string at = start;
      while (!settled.contains(at) && on_path.insert(at).second) {
        path.push_back(at);
        const auto next = up.find(at);
        if (next == up.end()) break;
        at = next->second;
      }
      const auto repeated = std::find(path.begin(), path.end(), at);
      if (repeated != path.end() && up.contains(path.back()) && up.at(path.back()) == at) {
        const auto line = lines.find(at);
        findings_->Add(line == lines.end() ? reader_.line() : line->second, reason,
                       absl::StrCat(what, " ", absl::StrJoin(repeated, path.end(), ", "), ": found a circle by ", key,
                                    ", want a chain that ends"));
      }
      settled.insert(path.begin(), path.end());
    }
  }

  MapReader& reader_;
  ParsedDocument* const document_;
  PackDirectory& result_;
  Findings* const findings_;
  Lines departments_, queues_, principals_, rotas_;
  std::map<std::string, std::string> parents_, managers_;
  std::vector<Use> uses_;
};

}  // namespace

// A misspelt role would grant nothing and say nothing, so the list is closed.
const std::vector<std::string>& KnownRoles() {
  static const auto* const roles = new std::vector<std::string>{
      "INTAKE",       "HANDLER", "SUPERVISOR",  "APPROVER",        "REVIEWER",    "DISPUTE_OFFICER", "QUALITY_REVIEWER",
      "POLICY_ADMIN", "AUDITOR", "SLA_MONITOR", "PRIVACY_OFFICER", "INTEGRATION", "COMPLIANCE",      "ADMIN"};
  return *roles;
}

void ReadDirectory(MapReader& reader, ParsedDocument* document, Findings* findings) {
  DirectoryReader(reader, document, findings).Read();
}

}  // namespace docket::policy
