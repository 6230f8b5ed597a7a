#include "services/outbox/webhook.h"

#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "curl/curl.h"
#include "workflow/base/check.h"
#include "workflow/policy/map_reader.h"
#include "workflow/policy/yaml_tree.h"

namespace docket::outbox {
namespace {

using policy::Findings;
using policy::MapReader;
using policy::Need;
using policy::Syntax;

constexpr char kBad[] = "WEBHOOK_INVALID";
constexpr size_t kMaxFilterNames = 64;

// A part of `url`; "" when it has none. nullopt: not a url.
std::optional<std::string> PartOf(const std::string& url, CURLUPart part) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return std::nullopt;
  char* text = nullptr;
  if (curl_url_get(parsed.get(), part, &text, 0) != CURLUE_OK) return std::string();
  std::string found = text;
  curl_free(text);
  return found;
}

// 127.0.0.0/8 in its usual spelling, ::1, localhost.
bool IsLoopback(const std::string& host) {
  if (host == "localhost" || host == "[::1]") return true;
  int parts[4];
  char rest = 0;
  return std::sscanf(host.c_str(), "%3d.%3d.%3d.%3d%c", &parts[0], &parts[1], &parts[2], &parts[3], &rest) == 4 &&
         parts[0] == 127;
}

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  if (bytes.str().size() > max_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", bytes.str().size(), " bytes, want at most ", max_bytes));
  }
  return bytes.str();
}

std::string Beside(const std::string& path, const std::string& name) {
  if (name.empty() || name[0] == '/') return name;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? name : absl::StrCat(path.substr(0, slash + 1), name);
}

absl::StatusOr<std::string> ReadSecret(const std::string& path) {
  DOCKET_ASSIGN_OR_RETURN(std::string secret, ReadFile(path, kMaxSecretBytes));
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (secret.size() < kMinSecretBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": a key of ", secret.size(), " bytes, want at least ", kMinSecretBytes));
  }
  return secret;
}

// Reads the webhooks of one file, collecting what is wrong.
class Reader {
 public:
  Reader(std::string path, Findings* findings) : path_(std::move(path)), findings_(findings) {}

  WebhookOptions ReadOne(const policy::YamlNode& node) {
    WebhookOptions one;
    MapReader map(node, "webhook", findings_);
    one.name = map.Text("name", Syntax::kId, Need::kRequired);
    if (!one.name.empty() && !names_.insert(one.name).second) {
      findings_->Add(map.LineOf("name"), kBad, absl::StrCat("name: \"", one.name, "\" is used twice"));
    }
    one.url = map.Text("url", Syntax::kText, Need::kRequired);
    Note(map.LineOf("url"), one.url.empty() ? absl::OkStatus() : CheckUrl(one.url, map.Bool("insecure", false)));
    ReadSecretFile(map, &one);
    one.ca_file = Beside(path_, map.Text("ca_file", Syntax::kText));
    if (const policy::YamlNode* filter = map.Find("filter")) ReadFilter(*filter, &one.filter);
    one.from_position = ReadFrom(map);
    ReadPace(map, &one);
    map.Finish();
    return one;
  }

 private:
  void Note(int line, const absl::Status& status) {
    if (!status.ok()) findings_->Add(line, status, kBad);
  }

  void ReadSecretFile(MapReader& map, WebhookOptions* one) {
    const std::string file = map.Text("secret_file", Syntax::kText, Need::kRequired);
    if (file.empty()) return;
    auto secret = ReadSecret(Beside(path_, file));
    Note(map.LineOf("secret_file"), secret.status());
    if (secret.ok()) one->secret = *std::move(secret);
  }

  uint64_t ReadFrom(MapReader& map) {
    const std::string from = map.Text("from", Syntax::kText);
    uint64_t position = 0;
    if (from.empty() || from == "end") return 0;
    if (from == "beginning") return 1;
    if (absl::SimpleAtoi(from, &position) && position > 0) return position;
    findings_->Add(map.LineOf("from"), kBad, absl::StrCat("from: \"", from, "\", want beginning, end or a position"));
    return 0;
  }

  void ReadPace(MapReader& map, WebhookOptions* one) {
    if (const auto span = map.Span("timeout")) one->timeout = *span;
    if (const auto span = map.Span("connect_timeout")) one->connect_timeout = *span;
    if (one->timeout > kMaxTimeout) {
      findings_->Add(map.LineOf("timeout"), kBad,
                     absl::StrCat("timeout: ", absl::FormatDuration(one->timeout), ", want at most ",
                                  absl::FormatDuration(kMaxTimeout)));
    }
    if (const auto span = map.Span("retry_first")) one->policy.first_delay = *span;
    if (const auto span = map.Span("retry_longest")) one->policy.longest_delay = *span;
    if (const auto span = map.Span("give_up_after")) one->policy.give_up_after = *span;
    const DeliveryPolicy usual;
    one->policy.max_attempts = static_cast<uint32_t>(map.Int("max_attempts", 1, 1'000'000, usual.max_attempts));
    one->policy.max_in_flight = static_cast<uint32_t>(map.Int("max_in_flight", 1, kMaxInFlight, usual.max_in_flight));
  }

  template <class Add>
  void ReadEnums(MapReader& map, const char* key, const google::protobuf::EnumDescriptor& type, Add add) {
    for (const policy::YamlNode& node : map.List(key, kMaxFilterNames)) {
      if (const int value = policy::ReadEnum(node, key, type, findings_); value != 0) add(value);
    }
  }

  void ReadFilter(const policy::YamlNode& node, v1::AlertFilter* filter) {
    MapReader map(node, "filter", findings_);
    filter->set_department(map.Text("department", Syntax::kId));
    for (const policy::Word& word : map.Texts("metrics", Syntax::kCode, kMaxFilterNames)) {
      filter->add_metrics(word.text);
    }
    for (const policy::Word& word : map.Texts("targets", Syntax::kId, kMaxFilterNames)) filter->add_targets(word.text);
    ReadEnums(map, "case_kinds", *v1::CaseKind_descriptor(),
              [&](int value) { filter->add_case_kinds(static_cast<v1::CaseKind>(value)); });
    ReadEnums(map, "obligations", *v1::Obligation_descriptor(),
              [&](int value) { filter->add_obligations(static_cast<v1::Obligation>(value)); });
    ReadEnums(map, "kinds", *v1::AlertKind_descriptor(),
              [&](int value) { filter->add_kinds(static_cast<v1::AlertKind>(value)); });
    map.Finish();
  }

  const std::string path_;
  Findings* const findings_;
  std::set<std::string> names_;
};

absl::Status StatusOf(const std::string& path, Findings findings) {
  std::string message;
  for (const policy::Finding& finding : findings.Take()) {
    absl::StrAppend(&message, message.empty() ? "" : "\n", path, ":", finding.line, ": ", finding.message);
  }
  return absl::InvalidArgumentError(message);
}

}  // namespace

absl::Status CheckUrl(const std::string& url, bool insecure) {
  const auto wrong = [&](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("url: \"", ShownUrl(url), "\" ", why));
  };
  const std::optional<std::string> scheme = PartOf(url, CURLUPART_SCHEME);
  const std::string host = PartOf(url, CURLUPART_HOST).value_or("");
  if (!scheme.has_value() || host.empty() || (*scheme != "https" && *scheme != "http")) {
    return wrong("is no address, want https://HOST/PATH");
  }
  if (!PartOf(url, CURLUPART_USER)->empty() || !PartOf(url, CURLUPART_PASSWORD)->empty()) {
    return wrong("names a user or password; want none, the messages are signed");
  }
  if (*scheme == "http" && !insecure && !IsLoopback(host)) {
    return wrong("leaves this machine in clear; want https, or `insecure: true`");
  }
  return absl::OkStatus();
}

std::string ShownUrl(const std::string& url) {
  std::string shown = url.substr(0, url.find_first_of("?#"));
  // Credentials, should there be any.
  const size_t host = shown.find("://");
  const size_t at = shown.rfind('@', shown.find('/', host == std::string::npos ? 0 : host + 3));
  if (host != std::string::npos && at != std::string::npos && at > host) shown.erase(host + 3, at + 1 - (host + 3));
  return shown;
}

absl::StatusOr<std::vector<WebhookOptions>> ReadWebhooks(const std::string& path) {
  DOCKET_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxWebhookFileBytes));
  Findings findings;
  policy::YamlNode root;
  std::vector<WebhookOptions> webhooks;
  if (const int line = policy::FirstBadByteLine(text); line != 0) {
    findings.Add(line, kBad, "holds a byte that is no text");
  } else if (policy::ParseYaml(text, 1, &root, &findings)) {
    if (!root.is_list())
      findings.Add(root.line, kBad, absl::StrCat("want a list of webhooks, found ", root.Describe()));
    if (root.items.size() > kMaxWebhooks) {
      findings.Add(root.line, kBad, absl::StrCat(root.items.size(), " webhooks, want at most ", kMaxWebhooks));
    }
    Reader reader(path, &findings);
    for (const policy::YamlNode& node : root.items) webhooks.push_back(reader.ReadOne(node));
  }
  if (!findings.empty()) return StatusOf(path, std::move(findings));
  return webhooks;
}

}  // namespace docket::outbox
