#ifndef DOCKET_SERVICES_QUERY_LIST_SCAN_H_
#define DOCKET_SERVICES_QUERY_LIST_SCAN_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/query/page_token.h"
#include "services/query/reader.h"
#include "store/kv.h"
#include "workflow/base/time.h"
#include "workflow/projection/rows.h"

// What stood in a list at an instant, in the order of the list: the rows of now, merged with those of the past when
// something was recorded since. Of the past it reads one short range per length class (projection/standing.h), so a
// page costs what it shows, however long the log.
namespace docket::query {

// Where in a list. What follows the page of a list, or, `item` counting its duties, within a case.
struct Place {
  uint8_t part = 0;  // of a list made of several, one behind the other
  int64_t anchor_us = INT64_MIN;
  std::string case_id;
  uint32_t item = 0;

  friend bool operator==(const Place& a, const Place& b) = default;
  friend bool operator<(const Place& a, const Place& b) {
    return std::tie(a.part, a.anchor_us, a.case_id, a.item) < std::tie(b.part, b.anchor_us, b.case_id, b.item);
  }
};
// The form in page tokens. Decode: INVALID_ARGUMENT PAGE_TOKEN_MISMATCH.
std::string EncodePlace(const Place& place);
absl::StatusOr<Place> DecodePlace(absl::string_view key);

// Nothing that the index holds was recorded for an instant after `valid_at`: the rows of now are those of then.
bool NothingSince(const Reader& reader, absl::Time valid_at);

// Where the first page of a list begins: the times asked for, or now. A known_at of the past is answered by replay.
template <class Request>
Cursor FirstCursor(const Reader& reader, const Request& request) {
  Cursor first;
  first.valid_at = request.has_valid_at() ? FromProto(request.valid_at()) : reader.now;
  first.known_at = request.has_known_at() ? std::min(FromProto(request.known_at()), reader.now) : reader.now;
  first.by_replay = !NothingSince(reader, first.known_at);
  return first;
}

class ListScan {
 public:
  struct Range {
    v1::ListKind list;
    std::string group;
    int64_t first_us = INT64_MIN;  // anchors, both ends belong to it
    int64_t last_us = INT64_MAX;
  };
  // Begins at `start` or behind it.
  ListScan(const Reader& reader, Range range, absl::Time at, const Place& start);

  bool Valid() const { return valid_; }
  void Next();
  absl::Status status() const { return status_; }

  // Of the place looked at; several rows of the past may share it, of which at most one stood there at the instant.
  const Place& place() const { return place_; }
  bool stood() const { return stood_; }
  bool regulatory() const { return regulatory_; }
  // Rows of now, of LISTED_DUTY and LISTED_ESCALATION, if it is they that stood; else null.
  const projection::DutyRow* duty() const { return stood_now_ && is_duty_ ? &duty_ : nullptr; }
  const projection::EscalationRow* escalation() const { return stood_now_ && is_escalation_ ? &escalation_ : nullptr; }

 private:
  struct Source {
    std::unique_ptr<store::KvIterator> rows;
    uint8_t length_class = 0;
    Place place;
    int64_t from_us = 0;
    int64_t to_us = INT64_MAX;
    bool regulatory = false;
  };

  void AddNow(const Place& start);
  void AddPast(const Place& start);
  std::string PastKey(uint8_t length_class, const Place& from) const;
  // Read the row under a source; false: it is at its end.
  bool LoadNow();
  bool LoadPast(Source* source);
  bool AtRow(const Source& source);
  void Look(const Source& source);
  void FindCurrent();

  const Reader& reader_;
  const Range range_;
  const int64_t at_us_;
  const bool is_duty_;
  const bool is_escalation_;
  std::optional<Source> now_;
  std::vector<Source> past_;
  bool valid_ = false;
  Place place_;
  bool stood_ = false;
  bool stood_now_ = false;
  bool regulatory_ = false;
  projection::DutyRow duty_;  // one for all, because most of the cost of a row is its memory
  projection::EscalationRow escalation_;
  absl::Status status_;
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_LIST_SCAN_H_
