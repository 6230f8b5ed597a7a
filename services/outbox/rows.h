#ifndef DOCKET_SERVICES_OUTBOX_ROWS_H_
#define DOCKET_SERVICES_OUTBOX_ROWS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "docket/v1/alert.pb.h"
#include "store/kv.h"
#include "store/view_table.h"

// The rows of the outbox, in the outbox family of its own store (store/README.md). Unlike view rows they cannot be made
// again from the log.
namespace docket::outbox {

// How far a webhook has come.
struct PositionRow {
  static constexpr uint16_t kKeyspace = 1;
  static constexpr uint32_t kVersion = 1;
  std::string webhook;
  v1::OutboxPosition value;

  template <class W>
  void WriteKey(W& w) const {
    w.Text(webhook);
  }
  template <class R>
  bool ReadKey(R& r) {
    return r.Text(&webhook);
  }
  std::string Value() const { return value.SerializeAsString(); }
  bool SetValue(absl::string_view bytes) { return value.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())); }
};

// An alert at or before that position that is not delivered yet.
struct PendingRow {
  static constexpr uint16_t kKeyspace = 2;
  static constexpr uint32_t kVersion = 1;
  std::string webhook;
  uint64_t position = 0;
  v1::OutboxLetter value;

  template <class W>
  void WriteKey(W& w) const {
    w.Text(webhook).U64(position);
  }
  template <class R>
  bool ReadKey(R& r) {
    return r.Text(&webhook) && r.U64(&position);
  }
  std::string Value() const { return value.SerializeAsString(); }
  bool SetValue(absl::string_view bytes) { return value.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())); }
};

// An alert that was given up. By case, so that the later ones of a case find it.
struct DeadRow {
  static constexpr uint16_t kKeyspace = 3;
  static constexpr uint32_t kVersion = 1;
  std::string webhook;
  std::string case_id;
  uint64_t position = 0;
  v1::OutboxLetter value;

  template <class W>
  void WriteKey(W& w) const {
    w.Text(webhook).Text(case_id).U64(position);
  }
  template <class R>
  bool ReadKey(R& r) {
    return r.Text(&webhook) && r.Text(&case_id) && r.U64(&position);
  }
  std::string Value() const { return value.SerializeAsString(); }
  bool SetValue(absl::string_view bytes) { return value.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())); }
};

inline PendingRow PendingOf(const std::string& webhook, const v1::OutboxLetter& letter) {
  return {.webhook = webhook, .position = letter.position(), .value = letter};
}
inline DeadRow DeadOf(const std::string& webhook, const v1::OutboxLetter& letter) {
  return {.webhook = webhook, .case_id = letter.case_id(), .position = letter.position(), .value = letter};
}

// The rows of one webhook: the key parts after the keyspace begin with its name.
template <class Row>
store::RowScan<Row> ScanOf(const store::KvSnapshot& snapshot, const std::string& webhook) {
  const std::string prefix = store::KeyWriter().U16(Row::kKeyspace).Text(webhook).Take();
  return store::RowScan<Row>(snapshot, store::kOutboxFamily, prefix, store::PrefixEnd(prefix));
}

template <class Row>
void Put(const Row& row, store::KvBatch* batch) {
  batch->Put(store::kOutboxFamily, store::RowKey(row), row.Value());
}
template <class Row>
void Delete(const Row& row, store::KvBatch* batch) {
  batch->Delete(store::kOutboxFamily, store::RowKey(row));
}

}  // namespace docket::outbox

#endif  // DOCKET_SERVICES_OUTBOX_ROWS_H_
