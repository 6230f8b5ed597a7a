#ifndef DOCKET_SERVICES_QUERY_QUEUE_SCAN_H_
#define DOCKET_SERVICES_QUERY_QUEUE_SCAN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/query/reader.h"
#include "store/kv.h"
#include "workflow/projection/rows.h"

// The places of a queue in the order of work as of an instant: the rows of now, merged with those of the past when
// something was recorded since (projection::PastQueueRow), so a page costs what it shows, however long the log.
namespace docket::query {

class QueueScan {
 public:
  // Begins behind the row of the key `behind`; "": with the first.
  QueueScan(const Reader& reader, const std::string& queue, absl::Time at, absl::string_view behind);

  bool Valid() const { return valid_; }
  void Next();
  absl::Status status() const { return status_; }

  // Of the place looked at. Several rows of the past may share it, of which at most one stood there at the instant.
  std::string key() const { return now_prefix_ + place_; }
  // Set when one did. Its facts are those of now, or none; it may wait (value.stands_from_us).
  const std::optional<projection::QueueRow>& row() const { return row_; }

 private:
  struct Source {
    std::unique_ptr<store::KvIterator> rows;
    size_t prefix_size = 0;
    bool past = false;
  };

  std::string PastPrefix(uint8_t length_class, int64_t stretch) const;
  void Add(const std::string& prefix, bool past);
  void AddPast();
  // Of the row under `source`.
  absl::string_view PlaceOf(const Source& source) const;
  void Look(const Source& source);
  void FindCurrent();

  const Reader& reader_;
  const std::string queue_;
  const int64_t at_us_;
  const std::string now_prefix_;
  std::string start_;  // encoded place
  std::vector<Source> sources_;
  bool valid_ = false;
  std::string place_;
  std::optional<projection::QueueRow> row_;
  absl::Status status_;
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_QUEUE_SCAN_H_
