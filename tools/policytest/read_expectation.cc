#include "tools/policytest/read_expectation.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/policytest/instants.h"
#include "workflow/policy/map_reader.h"
#include "workflow/sla/target.h"

namespace docket::policytest {
namespace {

using policy::MapReader;
using policy::Need;
using policy::Syntax;
using policy::YamlNode;

class Reader {
 public:
  Reader(absl::Time base, absl::TimeZone zone, policy::Findings* findings)
      : base_(base), zone_(zone), findings_(*findings) {}

  Expectation Read(const YamlNode& node) {
    MapReader reader(node, "expect", &findings_);
    Expectation expect;
    expect.line = node.line;
    for (const YamlNode& one : reader.List("clocks", kMaxExpected)) {
      expect.clocks.push_back(ReadEntry(one, "clock", ClockFields(), /*all=*/true));
    }
    for (const YamlNode& one : reader.List("no_clocks", kMaxExpected)) {
      expect.no_clocks.push_back(ReadEntry(one, "no_clock", ClockFields(), /*all=*/false));
    }
    expect.warnings = ReadListing(reader, "warnings", "warning", WarningFields());
    expect.breaches = ReadListing(reader, "breaches", "breach", BreachFields());
    expect.escalations = ReadListing(reader, "escalations", "escalation", EscalationFields());
    if (const YamlNode* status = reader.Find("status")) {
      expect.status = Wish{status->line, "status", Scalar(*status, "expect.status")};
    }
    if (const YamlNode* refused = reader.Find("refused")) {
      expect.refused = Wish{refused->line, "refused", Words(*refused, "expect.refused")};
    }
    if (reader.Has("holds")) {
      expect.holds_line = reader.LineOf("holds");
      expect.holds =
          reader.When("holds", {.case_facts = v1::CaseFacts::descriptor(), .command = nullptr, .event = nullptr});
    }
    reader.Finish();
    if (expect.empty()) {
      findings_.Add(node.line, "NOTHING_EXPECTED", "expect: found nothing in it, want something that can fail");
    }
    return expect;
  }

 private:
  std::optional<Listing> ReadListing(MapReader& reader, const char* key, const std::string& what,
                                     absl::Span<const Field> fields) {
    if (!reader.Has(key)) return std::nullopt;
    Listing listing;
    listing.line = reader.LineOf(key);
    for (const YamlNode& one : reader.List(key, kMaxExpected)) {
      listing.entries.push_back(ReadEntry(one, what, fields, /*all=*/true));
    }
    return listing;
  }

  // `all`: also what is expected, not only which is meant.
  Entry ReadEntry(const YamlNode& node, const std::string& what, absl::Span<const Field> fields, bool all) {
    Entry entry;
    entry.line = node.line;
    MapReader reader(node, what, &findings_);
    for (const Field& field : fields) {
      if (!all && !field.names) continue;
      const Need need = absl::string_view(field.name) == "metric" && field.names ? Need::kRequired : Need::kOptional;
      const YamlNode* value = reader.Find(field.name, need);
      if (value == nullptr) continue;
      Wish wish{value->line, field.name, Canonical(*value, absl::StrCat(what, ".", field.name), field.form)};
      (field.names ? entry.names : entry.wishes).push_back(std::move(wish));
    }
    reader.Finish();
    if (all && node.is_map() && entry.wishes.empty()) {
      findings_.Add(node.line, "NOTHING_EXPECTED", absl::StrCat(what, ": found no value to expect, want one"));
    }
    return entry;
  }

  std::string Canonical(const YamlNode& node, const std::string& what, Form form) {
    switch (form) {
      case Form::kText:
        return Scalar(node, what);
      case Form::kTexts:
        return Words(node, what);
      case Form::kInteger:
        return absl::StrCat(policy::ReadInt(node, what, 0, 1'000'000, &findings_).value_or(0));
      case Form::kBool:
        if (node.is_scalar() && (node.text == "true" || node.text == "false")) return node.text;
        findings_.Add(node.line, "WRONG_TYPE", absl::StrCat(what, ": found ", node.Describe(), ", want true or false"));
        return "";
      case Form::kSpan:
        return Span(node, what);
      case Form::kTarget: {
        const auto target = sla::ParseTarget(node.is_scalar() ? node.text : "");
        if (target.ok()) return sla::FormatTarget(*target);
        findings_.Add(node.line, target.status(), "BAD_TARGET");
        return "";
      }
      case Form::kInstant:
        return Instant(node, what);
      case Form::kInstants: {
        std::vector<std::string> instants;
        if (!node.is_list()) {
          findings_.Add(node.line, "WRONG_TYPE", absl::StrCat(what, ": found ", node.Describe(), ", want a list"));
        }
        for (const YamlNode& item : node.items) instants.push_back(Instant(item, what));
        return absl::StrJoin(instants, ", ");
      }
    }
    return "";
  }

  std::string Scalar(const YamlNode& node, const std::string& what) {
    return policy::ReadText(node, what, Syntax::kText, &findings_).value_or("");
  }

  // One word or a list of them.
  std::string Words(const YamlNode& node, const std::string& what) {
    if (!node.is_list()) return Scalar(node, what);
    std::vector<std::string> words;
    for (const YamlNode& item : node.items) words.push_back(Scalar(item, what));
    return absl::StrJoin(words, ", ");
  }

  std::string Span(const YamlNode& node, const std::string& what) {
    if (node.is_scalar() && node.text == "none") return "none";
    if (node.is_scalar() && (node.text == "0" || node.text == "0s")) return FormatSpan(absl::ZeroDuration());
    const auto span = policy::ParseSpan(node.is_scalar() ? node.text : "");
    if (span.ok()) return FormatSpan(*span);
    findings_.Add(node.line, "BAD_SPAN", absl::StrCat(what, ": ", span.status().message()));
    return "";
  }

  std::string Instant(const YamlNode& node, const std::string& what) {
    if (node.is_scalar() && node.text == "none") return "none";
    const auto time = ParseInstant(node.is_scalar() ? node.text : "", base_, zone_);
    if (time.ok()) return FormatInstant(*time, zone_);
    findings_.Add(node.line, "BAD_TIME", absl::StrCat(what, ": ", time.status().message()));
    return "";
  }

  const absl::Time base_;
  const absl::TimeZone zone_;
  policy::Findings& findings_;
};

}  // namespace

Expectation ReadExpectation(const YamlNode& node, absl::Time base, absl::TimeZone zone, policy::Findings* findings) {
  return Reader(base, zone, findings).Read(node);
}

}  // namespace docket::policytest
