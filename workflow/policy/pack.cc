#include "workflow/policy/pack.h"

#include <openssl/sha.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "workflow/base/time.h"
#include "workflow/policy/documents.h"
#include "workflow/policy/findings.h"
#include "workflow/policy/map_reader.h"
#include "workflow/policy/yaml_tree.h"

namespace docket::policy {
namespace {

std::string Sha256(absl::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

// The exact bytes between two separators.
struct Chunk {
  absl::string_view bytes;
  int first_line = 1;
};

// A line of --- ends a document, as YAML has it; the separator belongs to neither side.
std::vector<Chunk> Split(absl::string_view yaml, Findings* findings) {
  std::vector<Chunk> chunks;
  size_t start = 0, at = 0;
  int line = 1, first_line = 1;
  while (at < yaml.size()) {
    const size_t feed = std::min(yaml.find('\n', at), yaml.size());
    const absl::string_view text = absl::StripSuffix(yaml.substr(at, feed - at), "\r");
    const size_t next = std::min(feed + 1, yaml.size());
    absl::string_view rest = text;
    if (absl::ConsumePrefix(&rest, "---") && (rest.empty() || rest[0] == ' ' || rest[0] == '\t')) {
      const size_t word = rest.find_first_not_of(" \t");
      if (word != absl::string_view::npos && rest[word] != '#') {
        findings->Add(line, "YAML_SYNTAX", "found content beside ---, want it on a line of its own");
      }
      chunks.push_back({.bytes = yaml.substr(start, at - start), .first_line = first_line});
      start = next;
      first_line = line + 1;
    }
    at = next;
    ++line;
  }
  chunks.push_back({.bytes = yaml.substr(start), .first_line = first_line});
  return chunks;
}

std::optional<absl::Time> ReadEffectiveFrom(MapReader& reader, Findings* findings) {
  const std::string text = reader.Text("effective_from", Syntax::kText);
  if (text.empty()) return std::nullopt;
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &error) && time != absl::InfiniteFuture() &&
      time != absl::InfinitePast()) {
    return time;
  }
  findings->Add(reader.LineOf("effective_from"), "BAD_TIME",
                absl::StrCat("effective_from: found ", text, ", want a time such as 2026-01-31T00:00:00Z"));
  return std::nullopt;
}

// Which kind the first key says; nullopt: a finding has been made.
std::optional<int> KindOf(const YamlNode& root, Findings* findings) {
  std::vector<std::string> keys;
  for (const DocumentKind& kind : kDocumentKinds) keys.emplace_back(kind.key);
  if (!root.is_map() || root.entries.empty()) {
    findings->Add(root.line, "UNKNOWN_DOCUMENT",
                  absl::StrCat("document: found ", root.Describe(), ", want a map that begins with ",
                               "workflow, sla, calendar, ladder, priority_matrix, routing or directory"));
    return std::nullopt;
  }
  const auto it = std::find(keys.begin(), keys.end(), root.entries[0].key);
  if (it != keys.end()) return static_cast<int>(it - keys.begin());
  findings->Add(root.entries[0].line, "UNKNOWN_DOCUMENT",
                absl::StrCat("document: found the first key \"", root.entries[0].key.substr(0, 80),
                             "\", want workflow, sla, calendar, ladder, priority_matrix, routing or directory",
                             Suggest(root.entries[0].key, keys)));
  return std::nullopt;
}

bool ReadDocument(const Chunk& chunk, absl::Time now, ParsedDocument* document, Findings* findings) {
  YamlNode root;
  if (!ParseYaml(chunk.bytes, chunk.first_line, &root, findings)) return false;
  const std::optional<int> kind = KindOf(root, findings);
  if (!kind.has_value()) return false;
  document->kind_index = *kind;
  document->line = root.entries[0].line;
  document->yaml = std::string(chunk.bytes);
  MapReader reader(root, kDocumentKinds[*kind].key, findings);
  document->id = reader.Text(kDocumentKinds[*kind].key, Syntax::kId, Need::kRequired);
  switch (kDocumentKinds[*kind].kind) {
    case v1::WORKFLOW:
      ReadChart(reader, document, findings);
      document->compiled.mutable_chart()->set_id(document->id);
      break;
    case v1::SLA:
      ReadSla(reader, document, findings);
      document->compiled.mutable_sla()->set_id(document->id);
      break;
    case v1::CALENDAR:
      ReadCalendar(reader, now, document, findings);
      document->compiled.mutable_calendar()->set_id(document->id);
      break;
    case v1::LADDER:
      ReadLadder(reader, document, findings);
      document->compiled.mutable_ladder()->set_id(document->id);
      break;
    case v1::PRIORITY_MATRIX:
      ReadMatrix(reader, document, findings);
      document->compiled.mutable_matrix()->set_id(document->id);
      break;
    case v1::ROUTING:
      ReadRouting(reader, document, findings);
      document->compiled.mutable_routing()->set_id(document->id);
      break;
    default:
      ReadDirectory(reader, document, findings);
      break;
  }
  // The directory is of the moment: who leads what in the past is not for a later file to say.
  if (!document->directory.has_value()) document->effective_from = ReadEffectiveFrom(reader, findings);
  reader.Finish();
  return true;
}

size_t CommitBytes(const std::vector<ParsedDocument>& documents) {
  size_t bytes = 0;
  for (const ParsedDocument& document : documents) {
    bytes += document.directory.has_value() ? document.directory->directory.ByteSizeLong()
                                            : document.yaml.size() + document.compiled.ByteSizeLong();
  }
  return bytes;
}

std::vector<ParsedDocument> ReadDocuments(absl::string_view yaml, absl::Time now, Findings* findings) {
  std::vector<ParsedDocument> documents;
  const std::vector<Chunk> chunks = Split(yaml, findings);
  if (chunks.size() > kMaxPackDocuments) {
    findings->Add(chunks[kMaxPackDocuments].first_line - 1, "TOO_MANY",
                  absl::StrCat("pack: found ", chunks.size(), " documents, want at most ", kMaxPackDocuments));
    return documents;
  }
  documents.reserve(chunks.size());
  for (const Chunk& chunk : chunks) {
    documents.emplace_back();
    if (!ReadDocument(chunk, now, &documents.back(), findings)) documents.pop_back();
  }
  if (documents.empty() && findings->empty())
    findings->Add(1, "EMPTY_PACK", "pack: found no document, want at least one");
  return documents;
}

void Release(std::vector<ParsedDocument> documents, Pack* pack) {
  for (ParsedDocument& document : documents) {
    if (document.directory.has_value()) {
      pack->directory = *std::move(document.directory);
      continue;
    }
    pack->documents.push_back({.kind = kDocumentKinds[document.kind_index].kind,
                               .id = std::move(document.id),
                               .yaml = std::move(document.yaml),
                               .digest = {},
                               .compiled = std::move(document.compiled),
                               .effective_from = document.effective_from});
    pack->documents.back().digest = Sha256(pack->documents.back().yaml);
  }
}

// The parser may place "the end of the file" one line beyond the last; readers want a line they can see.
void KeepInside(absl::string_view yaml, std::vector<Finding>* findings) {
  const auto feeds = std::count(yaml.begin(), yaml.end(), '\n');
  const int last = std::max<int>(1, static_cast<int>(feeds) + (yaml.empty() || yaml.back() == '\n' ? 0 : 1));
  for (Finding& finding : *findings) finding.line = std::clamp(finding.line, 1, last);
}

bool IsKnown(const ParsedDocument& document, const PolicySet& published) {
  if (document.directory.has_value()) return published.directory_version() > 0;
  return published.WasPublished(kDocumentKinds[document.kind_index].kind, document.id, Sha256(document.yaml));
}

Pack Parse(absl::string_view yaml, const PolicySet& published, absl::Time now, bool only_new) {
  Pack pack;
  Findings findings;
  Findings warnings;
  if (yaml.size() > kMaxPackBytes) {
    findings.Add(1, "PACK_TOO_LARGE",
                 absl::StrCat("pack: found ", yaml.size(), " bytes, want at most ", kMaxPackBytes));
  } else if (const int line = FirstBadByteLine(yaml); line != 0) {
    findings.Add(line, "NOT_TEXT", "pack: found bytes that are not UTF-8 text, want text");
  } else {
    std::vector<ParsedDocument> documents = ReadDocuments(yaml, now, &findings);
    if (only_new) {
      documents.erase(std::remove_if(documents.begin(), documents.end(),
                                     [&](const ParsedDocument& document) { return IsKnown(document, published); }),
                      documents.end());
    }
    CheckAcross(documents, published, &findings, &warnings);
    if (findings.empty() && CommitBytes(documents) > kMaxPackCommitBytes) {
      findings.Add(1, "PACK_TOO_LARGE",
                   absl::StrCat("pack: found ", CommitBytes(documents), " bytes once compiled, want at most ",
                                kMaxPackCommitBytes, "; publish it in parts"));
    }
    if (findings.empty()) Release(std::move(documents), &pack);
  }
  pack.findings = findings.Take();
  KeepInside(yaml, &pack.findings);
  if (!pack.findings.empty()) return pack;
  pack.warnings = warnings.Take();
  KeepInside(yaml, &pack.warnings);
  return pack;
}

}  // namespace

Pack ParsePack(absl::string_view yaml, const PolicySet& published, absl::Time now) {
  return Parse(yaml, published, now, /*only_new=*/false);
}

Pack ParseNewOf(absl::string_view yaml, const PolicySet& published, absl::Time now) {
  return Parse(yaml, published, now, /*only_new=*/true);
}

std::vector<v1::Event> PublicationsOf(const Pack& pack, const PolicySet& published) {
  std::vector<v1::Event> events;
  if (pack.directory.has_value()) {
    v1::DirectoryPublished* directory = events.emplace_back().mutable_directory_published();
    directory->set_version(published.directory_version() + 1);
    *directory->mutable_directory() = pack.directory->directory;
  }
  for (const PackDocument& document : pack.documents) {
    v1::PolicyPublished* policy = events.emplace_back().mutable_policy_published();
    const auto newest = published.Get(document.kind, document.id, 0);
    policy->set_kind(document.kind);
    policy->set_id(document.id);
    policy->set_version(newest.ok() ? newest->pin.version() + 1 : 1);
    policy->set_yaml(document.yaml);
    policy->set_digest(document.digest);
    *policy->mutable_effective_from() = ToProto(document.effective_from.value_or(absl::UnixEpoch()));
    *policy->mutable_compiled() = document.compiled;
  }
  return events;
}

}  // namespace docket::policy
