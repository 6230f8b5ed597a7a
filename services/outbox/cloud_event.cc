#include "services/outbox/cloud_event.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "google/protobuf/util/json_util.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::outbox {
namespace {

std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&out, "\\", absl::string_view(&c, 1));
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

// The log as a URI: its id is 16 bytes, as a UUID is.
std::string SourceOf(absl::string_view log_id) {
  const std::string hex = absl::BytesToHexString(log_id);
  if (hex.size() != 32) return absl::StrCat("docket:", hex);
  return absl::StrCat("urn:uuid:", hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-",
                      hex.substr(16, 4), "-", hex.substr(20));
}

// What it is about: a case, or the rollout that waits.
const std::string& SubjectOf(const v1::Alert& alert) {
  return alert.case_no().empty() ? alert.approval().rollout().rollout_id() : alert.case_no();
}

}  // namespace

std::string CloudEventId(absl::string_view log_id, uint64_t position) {
  return absl::StrCat(absl::BytesToHexString(log_id), "/", position);
}

std::optional<uint64_t> ParseCloudEventId(absl::string_view id, absl::string_view log_id) {
  const std::string prefix = absl::StrCat(absl::BytesToHexString(log_id), "/");
  absl::ConsumePrefix(&id, prefix);
  uint64_t position = 0;
  if (!absl::SimpleAtoi(id, &position) || position == 0) return std::nullopt;
  return position;
}

std::string CloudEventBody(absl::string_view log_id, const v1::Alert& alert, absl::string_view preceding_lost) {
  std::string data;
  // Every instant of the log lies within the years that JSON can name.
  DOCKET_CHECK(google::protobuf::util::MessageToJsonString(alert, &data).ok());
  const std::string time =
      absl::FormatTime("%Y-%m-%d%ET%H:%M:%E*SZ", FromProto(alert.occurred_at()), absl::UTCTimeZone());
  std::string body = absl::StrCat(
      "{\"specversion\":\"1.0\",\"id\":", Quoted(CloudEventId(log_id, alert.position())),
      ",\"source\":", Quoted(SourceOf(log_id)),
      ",\"type\":", Quoted(absl::StrCat("docket.v1.alert.", absl::AsciiStrToLower(v1::AlertKind_Name(alert.kind())))),
      ",\"subject\":", Quoted(SubjectOf(alert)), ",\"time\":", Quoted(time));
  if (!preceding_lost.empty()) absl::StrAppend(&body, ",\"docketprecedinglost\":", Quoted(preceding_lost));
  absl::StrAppend(&body, ",\"datacontenttype\":\"application/json\",\"data\":", data, "}");
  return body;
}

}  // namespace docket::outbox
