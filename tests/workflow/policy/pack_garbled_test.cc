#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/workflow/policy/pack_support.h"

// What authors and accidents do to files: parsing must end, in a valid pack or in findings that point into the file.
namespace docket::policy {
namespace {

// Everything is published, so that a garbled pack is checked against all it may refer to.
const PolicySet& Everything() {
  static const PolicySetPtr* const set = [] {
    auto* result = new PolicySetPtr(std::make_shared<PolicySet>());
    for (const char* name : {"directory-sample.yaml", "calendar-always.yaml", "calendar-london.yaml",
                             "priority-matrix.yaml", "sla-standard.yaml", "ticket-basic.yaml",
                             "complaint-iso10002.yaml", "ladder-standard.yaml", "servicenow-incident.yaml"}) {
      *result = Publish(*result, ShippedPack(name));
    }
    return result;
  }();
  return **set;
}

void CheckSane(const std::string& yaml) {
  const Pack pack = ParsePack(yaml, Everything(), TestNow());
  const int lines =
      static_cast<int>(std::count(yaml.begin(), yaml.end(), '\n')) + (yaml.empty() || yaml.back() == '\n' ? 0 : 1);
  for (const Finding& finding : pack.findings) {
    RC_ASSERT(finding.line >= 1);
    RC_ASSERT(finding.line <= std::max(lines, 1));
    RC_ASSERT(!finding.reason.empty());
    RC_ASSERT(!finding.message.empty());
  }
  RC_ASSERT(pack.findings.empty() == (!pack.documents.empty() || pack.directory.has_value()));
  // What is called valid can be published, which compiles it once more.
  if (!pack.findings.empty()) return;
  for (const PackDocument& document : pack.documents) {
    v1::CompiledPolicy copy;
    RC_ASSERT(copy.ParseFromString(document.compiled.SerializeAsString()));
    RC_ASSERT(!document.id.empty());
  }
  Publish(std::make_shared<PolicySet>(Everything()), pack);
}

std::string AnyPack() { return ShippedPack(*rc::gen::elementOf(ShippedPackNames())); }

TEST(GarbledPack, LinesLeftOut) {
  EXPECT_TRUE(rc::check("lines left out", [] {
    std::vector<std::string> lines = absl::StrSplit(AnyPack(), '\n');
    const int count = *rc::gen::inRange(1, 6);
    for (int i = 0; i < count && lines.size() > 1; ++i)
      lines.erase(lines.begin() + *rc::gen::inRange<size_t>(0, lines.size()));
    CheckSane(absl::StrJoin(lines, "\n"));
  }));
}

TEST(GarbledPack, LinesSwappedAndRepeated) {
  EXPECT_TRUE(rc::check("lines swapped and repeated", [] {
    std::vector<std::string> lines = absl::StrSplit(AnyPack(), '\n');
    const size_t a = *rc::gen::inRange<size_t>(0, lines.size());
    const size_t b = *rc::gen::inRange<size_t>(0, lines.size());
    if (*rc::gen::arbitrary<bool>()) {
      std::swap(lines[a], lines[b]);
    } else {
      lines.insert(lines.begin() + static_cast<ptrdiff_t>(b), lines[a]);
    }
    CheckSane(absl::StrJoin(lines, "\n"));
  }));
}

TEST(GarbledPack, BytesReplaced) {
  EXPECT_TRUE(rc::check("bytes replaced", [] {
    std::string yaml = AnyPack();
    const int count = *rc::gen::inRange(1, 8);
    for (int i = 0; i < count; ++i) {
      const size_t at = *rc::gen::inRange<size_t>(0, yaml.size());
      // Mostly what means something to YAML, now and then anything.
      yaml[at] = *rc::gen::weightedOneOf<char>(
          {{9, rc::gen::elementOf(std::string("[]{}:,-#&*!|>'\"%@ \n\t.aZ09"))}, {1, rc::gen::arbitrary<char>()}});
    }
    CheckSane(yaml);
  }));
}

TEST(GarbledPack, WordsExchanged) {
  EXPECT_TRUE(rc::check("words exchanged", [] {
    std::vector<std::string> words = absl::StrSplit(AnyPack(), ' ');
    const size_t a = *rc::gen::inRange<size_t>(0, words.size());
    const size_t b = *rc::gen::inRange<size_t>(0, words.size());
    std::swap(words[a], words[b]);
    CheckSane(absl::StrJoin(words, " "));
  }));
}

TEST(GarbledPack, CutOffAnywhere) {
  for (const std::string& name : ShippedPackNames()) {
    const std::string yaml = ShippedPack(name);
    EXPECT_TRUE(rc::check(absl::StrCat(name, " cut off"),
                          [&] { CheckSane(yaml.substr(0, *rc::gen::inRange<size_t>(0, yaml.size()))); }));
  }
}

TEST(GarbledPack, AnythingAtAll) {
  EXPECT_TRUE(rc::check("anything", [](const std::string& bytes) { CheckSane(bytes); }));
  EXPECT_TRUE(
      rc::check("anything in a document", [](const std::string& bytes) { CheckSane("workflow: x\n" + bytes); }));
}

}  // namespace
}  // namespace docket::policy
