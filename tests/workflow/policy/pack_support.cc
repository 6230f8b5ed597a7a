#include "tests/workflow/policy/pack_support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "workflow/base/time.h"

namespace docket::policy {
namespace {

constexpr char kPacks[] = "workflow/policy/packs";

// Publishing in the tests is numbered by what is there already, so that a set alone tells the next position.
uint64_t NextPosition(const PolicySet& set) {
  uint64_t last = set.directory_version();
  for (const auto& listed : set.List(v1::POLICY_KIND_UNSPECIFIED))
    last = std::max<uint64_t>(last, listed.pin.position());
  return last + 1;
}

PolicySetPtr WithEvent(const PolicySetPtr& set, const v1::Event& event) {
  auto next = set->With(event, NextPosition(*set), TestNow(), "tester");
  EXPECT_TRUE(next.ok()) << next.status();
  return next.ok() ? *next : set;
}

}  // namespace

absl::Time TestNow() { return absl::FromUnixSeconds(1794992400); }

std::vector<std::string> Brief(const std::vector<Finding>& findings) {
  std::vector<std::string> brief;
  for (const Finding& finding : findings) brief.push_back(absl::StrCat(finding.line, " ", finding.reason));
  return brief;
}

std::string Explain(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    absl::StrAppend(&text, "line ", finding.line, " ", finding.reason, ": ", finding.message, "\n");
  }
  return text;
}

void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

std::string Break(absl::string_view yaml, const Broken& broken) {
  std::string text(yaml);
  const size_t at = text.find(broken.old);
  EXPECT_NE(at, std::string::npos) << broken.old;
  EXPECT_EQ(text.find(broken.old, at + 1), std::string::npos) << "twice: " << broken.old;
  if (at != std::string::npos) text.replace(at, std::string(broken.old).size(), broken.now);
  return text;
}

PolicySetPtr Publish(const PolicySetPtr& set, absl::string_view yaml, absl::Time effective_from) {
  return Publish(set, ParsePack(yaml, *set, TestNow()), effective_from);
}

PolicySetPtr Publish(const PolicySetPtr& set, const Pack& pack, absl::Time effective_from) {
  EXPECT_TRUE(pack.findings.empty()) << Explain(pack.findings);
  PolicySetPtr result = set;
  for (const PackDocument& document : pack.documents) {
    v1::Event event;
    v1::PolicyPublished* published = event.mutable_policy_published();
    const auto newest = result->Get(document.kind, document.id, 0);
    published->set_kind(document.kind);
    published->set_id(document.id);
    published->set_version(newest.ok() ? newest->pin.version() + 1 : 1);
    published->set_yaml(document.yaml);
    published->set_digest(document.digest);
    const absl::Time from = document.effective_from.value_or(effective_from);
    *published->mutable_effective_from() = ToProto(from == absl::InfinitePast() ? absl::UnixEpoch() : from);
    *published->mutable_compiled() = document.compiled;
    result = WithEvent(result, event);
  }
  if (pack.directory.has_value()) {
    v1::Event event;
    event.mutable_directory_published()->set_version(result->directory_version() + 1);
    *event.mutable_directory_published()->mutable_directory() = pack.directory->directory;
    result = WithEvent(result, event);
  }
  return result;
}

std::string ShippedPack(const std::string& name) {
  std::ifstream file(absl::StrCat(kPacks, "/", name));
  EXPECT_TRUE(file.good()) << name << ", looked for in " << std::filesystem::current_path();
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> ShippedPackNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kPacks)) {
    if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace docket::policy
