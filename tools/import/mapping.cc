#include "tools/import/mapping.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/import/mapping_node.h"
#include "workflow/base/check.h"

namespace docket::import_tool {
namespace {

// The optional fields by their key, so that parsing and listing cannot forget one.
struct NamedField {
  absl::string_view key;
  std::optional<FieldRule> Mapping::*field;
  bool number;
};
constexpr NamedField kFields[] = {
    {"queue", &Mapping::queue, false},
    {"owner", &Mapping::owner, false},
    {"category", &Mapping::category, false},
    {"subcategory", &Mapping::subcategory, false},
    {"impact", &Mapping::impact, true},
    {"urgency", &Mapping::urgency, true},
    {"priority", &Mapping::priority, true},
    {"requester_ref", &Mapping::requester_ref, false},
    {"updated_by_ref", &Mapping::updated_by_ref, false},
    {"closure_code", &Mapping::closure_code, false},
    {"department", &Mapping::department, false},
};

absl::StatusOr<ColumnRef> ParseColumns(const MappingNode& node) {
  ColumnRef columns;
  columns.line = node.line();
  DOCKET_ASSIGN_OR_RETURN(columns.names, node.Texts());
  if (columns.names.empty()) return node.Error("want a column name");
  return columns;
}

// `queue: assignment_group`, `queue: [Group, group]` or `queue: {column: …, map: …}`.
absl::StatusOr<FieldRule> ParseField(const MappingNode& node, bool number) {
  FieldRule rule;
  rule.number = number;
  if (!node.is_map()) {
    DOCKET_ASSIGN_OR_RETURN(rule.columns, ParseColumns(node));
    return rule;
  }
  DOCKET_RETURN_IF_ERROR(node.AllowKeys({"column", "map", "default", "slug", "if_set"}));
  DOCKET_ASSIGN_OR_RETURN(const MappingNode column, node.Required("column"));
  DOCKET_ASSIGN_OR_RETURN(rule.columns, ParseColumns(column));
  if (const auto map = node.Find("map")) {
    rule.has_map = true;
    DOCKET_ASSIGN_OR_RETURN(const auto entries, map->Entries());
    for (const auto& [from, to] : entries) {
      DOCKET_ASSIGN_OR_RETURN(rule.map[from], to.Text());
    }
  }
  if (const auto fallback = node.Find("default")) {
    DOCKET_ASSIGN_OR_RETURN(rule.fallback, fallback->Text());
  }
  if (const auto slug = node.Find("slug")) {
    DOCKET_ASSIGN_OR_RETURN(rule.slug, slug->Boolean());
  }
  if (const auto if_set = node.Find("if_set")) {
    DOCKET_ASSIGN_OR_RETURN(const auto entries, if_set->Entries());
    for (const auto& [name, value] : entries) {
      DOCKET_ASSIGN_OR_RETURN(const std::string text, value.Text());
      rule.if_set.emplace_back(name, text);
    }
  }
  return rule;
}

absl::StatusOr<docket::v1::Channel> ParseChannelValue(const MappingNode& node) {
  DOCKET_RETURN_IF_ERROR(node.AllowKeys({"medium", "carrier"}));
  docket::v1::Channel channel;
  DOCKET_ASSIGN_OR_RETURN(const MappingNode medium, node.Required("medium"));
  DOCKET_ASSIGN_OR_RETURN(const std::string name, medium.Text());
  docket::v1::Medium value = docket::v1::MEDIUM_UNSPECIFIED;
  if (!docket::v1::Medium_Parse(name, &value) || value == docket::v1::MEDIUM_UNSPECIFIED) {
    return medium.Error(absl::StrCat("medium \"", name, "\", want TEXT, VOICE, VIDEO, FACE_TO_FACE or POST"));
  }
  channel.set_medium(value);
  DOCKET_ASSIGN_OR_RETURN(const MappingNode carrier, node.Required("carrier"));
  DOCKET_ASSIGN_OR_RETURN(*channel.mutable_carrier(), carrier.Text());
  return channel;
}

absl::StatusOr<ChannelRule> ParseChannel(const MappingNode& node) {
  DOCKET_RETURN_IF_ERROR(node.AllowKeys({"column", "map", "default"}));
  ChannelRule rule;
  DOCKET_ASSIGN_OR_RETURN(const MappingNode column, node.Required("column"));
  DOCKET_ASSIGN_OR_RETURN(rule.columns, ParseColumns(column));
  DOCKET_ASSIGN_OR_RETURN(const MappingNode map, node.Required("map"));
  DOCKET_ASSIGN_OR_RETURN(const auto entries, map.Entries());
  for (const auto& [from, to] : entries) {
    DOCKET_ASSIGN_OR_RETURN(rule.map[from], ParseChannelValue(to));
  }
  if (const auto fallback = node.Find("default")) {
    DOCKET_ASSIGN_OR_RETURN(rule.fallback, ParseChannelValue(*fallback));
  }
  return rule;
}

absl::StatusOr<Template> ParseTemplate(const MappingNode& node) {
  DOCKET_ASSIGN_OR_RETURN(const std::string text, node.Text());
  Template parsed;
  parsed.line = node.line();
  parsed.parts.emplace_back();
  bool in_name = false;
  for (const char c : text) {
    if (c == '{' || c == '}') {
      if (in_name == (c == '{')) return node.Error(absl::StrCat("unpaired brace in \"", text, "\""));
      in_name = !in_name;
      parsed.parts.emplace_back();
    } else {
      parsed.parts.back().push_back(c);
    }
  }
  if (in_name) return node.Error(absl::StrCat("unpaired brace in \"", text, "\""));
  return parsed;
}

absl::Status ParseTime(const MappingNode& node, Mapping* mapping) {
  DOCKET_RETURN_IF_ERROR(node.AllowKeys({"format", "zone"}));
  DOCKET_ASSIGN_OR_RETURN(const MappingNode format, node.Required("format"));
  DOCKET_ASSIGN_OR_RETURN(mapping->time_formats, format.Texts());
  DOCKET_ASSIGN_OR_RETURN(const MappingNode zone, node.Required("zone"));
  DOCKET_ASSIGN_OR_RETURN(const std::string name, zone.Text());
  if (!absl::LoadTimeZone(name, &mapping->zone)) {
    return zone.Error(absl::StrCat("zone \"", name, "\" is unknown, want a name like Europe/London"));
  }
  return absl::OkStatus();
}

absl::Status ParseRejections(const MappingNode& node, Mapping* mapping) {
  DOCKET_ASSIGN_OR_RETURN(const std::vector<MappingNode> rules, node.Elements());
  for (const MappingNode& rule : rules) {
    DOCKET_RETURN_IF_ERROR(rule.AllowKeys({"column", "before", "reason"}));
    Rejection rejection;
    rejection.line = rule.line();
    const std::pair<absl::string_view, std::string*> texts[] = {
        {"column", &rejection.column}, {"before", &rejection.before}, {"reason", &rejection.reason}};
    for (const auto& [key, text] : texts) {
      DOCKET_ASSIGN_OR_RETURN(const MappingNode value, rule.Required(key));
      DOCKET_ASSIGN_OR_RETURN(*text, value.Text());
    }
    mapping->rejections.push_back(std::move(rejection));
  }
  return absl::OkStatus();
}

// `closed_at: {column: …, status: CLOSED}`.
absl::Status ParseClosing(const MappingNode& node, Mapping* mapping) {
  if (mapping->rows == RowMeaning::kSnapshot) {
    return node.Error("closed_at: want it with whole cases or steps only; a snapshot tells by its status");
  }
  DOCKET_RETURN_IF_ERROR(node.AllowKeys({"column", "status", "day_precision"}));
  DOCKET_ASSIGN_OR_RETURN(const MappingNode column, node.Required("column"));
  DOCKET_ASSIGN_OR_RETURN(mapping->closing.columns, ParseColumns(column));
  DOCKET_ASSIGN_OR_RETURN(const MappingNode status, node.Required("status"));
  DOCKET_ASSIGN_OR_RETURN(mapping->closing.status, status.Text());
  if (const auto day = node.Find("day_precision")) {
    DOCKET_ASSIGN_OR_RETURN(mapping->closing.day_precision, day->Boolean());
  }
  return absl::OkStatus();
}

absl::Status ParseAliases(const MappingNode& node, Mapping* mapping) {
  DOCKET_ASSIGN_OR_RETURN(const auto entries, node.Entries());
  for (const auto& [name, spellings] : entries) {
    DOCKET_ASSIGN_OR_RETURN(mapping->aliases[name], spellings.Texts());
    if (mapping->aliases[name].empty()) return spellings.Error("want at least one column name");
  }
  return absl::OkStatus();
}

absl::Status ParseCaseFields(const MappingNode& node, Mapping* mapping) {
  std::vector<absl::string_view> keys = {"key",    "received_at",  "updated_at", "due_at", "closed_at",
                                         "status", "first_status", "channel",    "title"};
  for (const NamedField& named : kFields) keys.push_back(named.key);
  DOCKET_RETURN_IF_ERROR(node.AllowKeys(keys));
  const std::pair<absl::string_view, ColumnRef*> columns[] = {
      {"key", &mapping->key}, {"received_at", &mapping->received_at}, {"updated_at", &mapping->updated_at}};
  for (const auto& [key, ref] : columns) {
    DOCKET_ASSIGN_OR_RETURN(const MappingNode value, node.Required(key));
    DOCKET_ASSIGN_OR_RETURN(*ref, ParseColumns(value));
  }
  DOCKET_ASSIGN_OR_RETURN(const MappingNode status, node.Required("status"));
  DOCKET_ASSIGN_OR_RETURN(mapping->status, ParseField(status, false));
  if (mapping->rows != RowMeaning::kSnapshot) {
    DOCKET_ASSIGN_OR_RETURN(const MappingNode first, node.Required("first_status"));
    DOCKET_ASSIGN_OR_RETURN(mapping->first_status, first.Text());
  } else if (const auto first = node.Find("first_status")) {
    return first->Error(
        "first_status: want it with whole cases or steps only; a snapshot tells the first status itself");
  }
  if (const auto due = node.Find("due_at")) {
    DOCKET_ASSIGN_OR_RETURN(mapping->due_at, ParseColumns(*due));
  }
  if (const auto closed = node.Find("closed_at")) DOCKET_RETURN_IF_ERROR(ParseClosing(*closed, mapping));
  DOCKET_ASSIGN_OR_RETURN(const MappingNode title, node.Required("title"));
  DOCKET_ASSIGN_OR_RETURN(mapping->title, ParseTemplate(title));
  for (const NamedField& named : kFields) {
    if (const auto value = node.Find(named.key)) {
      DOCKET_ASSIGN_OR_RETURN(mapping->*named.field, ParseField(*value, named.number));
    }
  }
  if (const auto channel = node.Find("channel")) {
    DOCKET_ASSIGN_OR_RETURN(mapping->channel, ParseChannel(*channel));
  }
  return absl::OkStatus();
}

absl::Status ParseFormat(const MappingNode& root, Mapping* mapping) {
  DOCKET_ASSIGN_OR_RETURN(const MappingNode format, root.Required("format"));
  DOCKET_ASSIGN_OR_RETURN(const std::string format_name, format.OneOf({"csv", "json", "csv or json"}));
  mapping->format = format_name == "csv"    ? FileFormat::kCsv
                    : format_name == "json" ? FileFormat::kJson
                                            : FileFormat::kEither;
  DOCKET_ASSIGN_OR_RETURN(const MappingNode rows, root.Required("rows"));
  DOCKET_ASSIGN_OR_RETURN(const std::string rows_name,
                          rows.OneOf({"snapshot of a case", "whole case", "step of a case"}));
  mapping->rows = rows_name == "whole case"       ? RowMeaning::kWholeCase
                  : rows_name == "step of a case" ? RowMeaning::kStep
                                                  : RowMeaning::kSnapshot;
  if (const auto delimiter = root.Find("delimiter")) {
    DOCKET_ASSIGN_OR_RETURN(const std::string text, delimiter->Text());
    if (text.size() != 1 || text == "\"" || text == "\n" || text == "\r") {
      return delimiter->Error("delimiter: want one character, no quote and no line break");
    }
    mapping->delimiter = text[0];
  }
  return absl::OkStatus();
}

absl::Status ParseObservedUntil(const MappingNode& node, Mapping* mapping) {
  DOCKET_ASSIGN_OR_RETURN(const std::string text, node.Text());
  mapping->observed_until_import = text == "import";
  if (mapping->observed_until_import) return absl::OkStatus();
  absl::Time instant;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &instant, &error)) {
    return node.Error(absl::StrCat("observed_until \"", text, "\": ", error, ", want 2026-11-23T09:30:00Z or import"));
  }
  mapping->observed_until = instant;
  return absl::OkStatus();
}

absl::StatusOr<Mapping> ParseRoot(const MappingNode& root) {
  DOCKET_RETURN_IF_ERROR(root.AllowKeys({"source", "workflow", "kind", "format", "delimiter", "rows", "none", "time",
                                         "observed_until", "aliases", "optional", "case", "reject"}));
  Mapping mapping;
  DOCKET_ASSIGN_OR_RETURN(const MappingNode source, root.Required("source"));
  DOCKET_ASSIGN_OR_RETURN(mapping.source, source.Text());
  DOCKET_ASSIGN_OR_RETURN(const MappingNode workflow, root.Required("workflow"));
  DOCKET_ASSIGN_OR_RETURN(mapping.workflow, workflow.Text());
  DOCKET_ASSIGN_OR_RETURN(const MappingNode kind, root.Required("kind"));
  DOCKET_ASSIGN_OR_RETURN(const std::string kind_name, kind.Text());
  if (!docket::v1::CaseKind_Parse(kind_name, &mapping.kind) || mapping.kind == docket::v1::CASE_KIND_UNSPECIFIED) {
    return kind.Error(absl::StrCat("kind \"", kind_name, "\", want a case kind like COMPLAINT or INCIDENT"));
  }
  DOCKET_RETURN_IF_ERROR(ParseFormat(root, &mapping));
  if (const auto none = root.Find("none")) {
    DOCKET_ASSIGN_OR_RETURN(const std::vector<std::string> values, none->Texts());
    mapping.none.insert(values.begin(), values.end());
  }
  DOCKET_ASSIGN_OR_RETURN(const MappingNode time, root.Required("time"));
  DOCKET_RETURN_IF_ERROR(ParseTime(time, &mapping));
  if (const auto until = root.Find("observed_until")) {
    DOCKET_RETURN_IF_ERROR(ParseObservedUntil(*until, &mapping));
  }
  if (const auto aliases = root.Find("aliases")) DOCKET_RETURN_IF_ERROR(ParseAliases(*aliases, &mapping));
  if (const auto optional = root.Find("optional")) {
    DOCKET_ASSIGN_OR_RETURN(const std::vector<std::string> names, optional->Texts());
    mapping.optional.insert(names.begin(), names.end());
  }
  DOCKET_ASSIGN_OR_RETURN(const MappingNode fields, root.Required("case"));
  DOCKET_RETURN_IF_ERROR(ParseCaseFields(fields, &mapping));
  if (const auto reject = root.Find("reject")) {
    DOCKET_RETURN_IF_ERROR(ParseRejections(*reject, &mapping));
  }
  return mapping;
}

// Every group of columns of which the file must have one, with the line that names it.
std::vector<ColumnRef> ColumnGroups(const Mapping& mapping) {
  std::vector<ColumnRef> groups = {mapping.key, mapping.received_at, mapping.updated_at, mapping.due_at,
                                   mapping.closing.columns};
  const auto add_field = [&groups](const FieldRule& rule) {
    groups.push_back(rule.columns);
    for (const auto& [name, value] : rule.if_set) groups.push_back({{name}, rule.columns.line});
  };
  add_field(mapping.status);
  for (const NamedField& named : kFields) {
    if ((mapping.*named.field).has_value()) add_field(*(mapping.*named.field));
  }
  if (mapping.channel.has_value()) groups.push_back(mapping.channel->columns);
  for (size_t i = 1; i < mapping.title.parts.size(); i += 2) {
    groups.push_back({{mapping.title.parts[i]}, mapping.title.line});
  }
  for (const Rejection& rejection : mapping.rejections) {
    groups.push_back({{rejection.column}, rejection.line});
    groups.push_back({{rejection.before}, rejection.line});
  }
  for (ColumnRef& group : groups) {
    std::vector<std::string> spellings;
    for (const std::string& name : group.names) {
      group.optional |= mapping.optional.count(name) > 0;
      for (std::string& spelling : mapping.SpellingsOf(name)) spellings.push_back(std::move(spelling));
    }
    group.names = std::move(spellings);
  }
  groups.erase(std::remove_if(groups.begin(), groups.end(), [](const ColumnRef& group) { return group.names.empty(); }),
               groups.end());
  return groups;
}

}  // namespace

std::vector<std::string> Mapping::SpellingsOf(const std::string& name) const {
  const auto found = aliases.find(name);
  return found == aliases.end() ? std::vector<std::string>{name} : found->second;
}

std::vector<std::string> Mapping::Columns() const {
  std::vector<std::string> columns;
  for (const ColumnRef& group : ColumnGroups(*this)) {
    for (const std::string& name : group.names) {
      if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
    }
  }
  return columns;
}

absl::Status Mapping::CheckColumns(const std::vector<std::string>& missing,
                                   const std::vector<std::string>& header) const {
  for (const ColumnRef& group : ColumnGroups(*this)) {
    const bool absent = std::all_of(group.names.begin(), group.names.end(), [&missing](const std::string& name) {
      return std::find(missing.begin(), missing.end(), name) != missing.end();
    });
    if (absent && !group.optional) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", group.line, ": the file has no column \"",
                                                     absl::StrJoin(group.names, "\" or \""), "\", it has ",
                                                     absl::StrJoin(header, ", ")));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Mapping> ParseMapping(absl::string_view yaml, const std::string& path) {
  DOCKET_ASSIGN_OR_RETURN(const MappingNode root, MappingNode::Parse(yaml, path));
  DOCKET_ASSIGN_OR_RETURN(Mapping mapping, ParseRoot(root));
  mapping.path = path;
  return mapping;
}

absl::StatusOr<Mapping> LoadMapping(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
  const std::string yaml{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return ParseMapping(yaml, path);
}

}  // namespace docket::import_tool
