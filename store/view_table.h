#ifndef DOCKET_STORE_VIEW_TABLE_H_
#define DOCKET_STORE_VIEW_TABLE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "store/kv.h"
#include "store/ordered_key.h"

// Typed rows of a view. A Row type says
//   static constexpr uint16_t kKeyspace;                      // prefix, never reused; listed in store/README.md
//   static constexpr uint32_t kVersion;                       // of the view
//   template <class W> void WriteKey(W& w) const;             // w.I64(...).Text(...)
//   template <class R> bool ReadKey(R& r);                    // the same parts back
//   std::string Value() const;  bool SetValue(absl::string_view);
namespace docket::store {

inline std::string KeyspacePrefix(uint16_t keyspace) { return KeyWriter().U16(keyspace).Take(); }

template <class Row>
std::string RowKey(const Row& row) {
  KeyWriter writer;
  writer.U16(Row::kKeyspace);
  row.WriteKey(writer);
  return writer.Take();
}

template <class Row>
absl::StatusOr<Row> ParseRow(absl::string_view key, absl::string_view value) {
  Row row;
  KeyReader reader(key);
  uint16_t keyspace = 0;
  if (!reader.U16(&keyspace) || keyspace != Row::kKeyspace || !row.ReadKey(reader) || !reader.AtEnd() ||
      !row.SetValue(value)) {
    return absl::DataLossError(absl::StrCat("view row of keyspace ", Row::kKeyspace, " does not parse"));
  }
  return row;
}

// Rows of one view in key order, from `lower` up to `upper` (whole keys with their keyspace prefix).
template <class Row>
class RowScan {
 public:
  RowScan(const KvSnapshot& snapshot, Family family, std::string lower = "", std::string upper = "")
      : iterator_(snapshot.Scan(family, lower.empty() ? KeyspacePrefix(Row::kKeyspace) : lower,
                                upper.empty() ? PrefixEnd(KeyspacePrefix(Row::kKeyspace)) : upper)) {}
  bool Valid() const { return iterator_->Valid(); }
  void Next() { iterator_->Next(); }
  void Seek(absl::string_view key) { iterator_->Seek(key); }
  absl::string_view key() const { return iterator_->key(); }
  absl::StatusOr<Row> Get() const { return ParseRow<Row>(iterator_->key(), iterator_->value()); }
  absl::Status status() const { return iterator_->status(); }

 private:
  std::unique_ptr<KvIterator> iterator_;
};

template <class Row>
absl::StatusOr<std::optional<Row>> GetRow(const KvSnapshot& snapshot, Family family, const Row& with_key) {
  auto value = snapshot.Get(family, RowKey(with_key));
  if (!value.ok()) return value.status();
  if (!value->has_value()) return std::optional<Row>();
  auto row = ParseRow<Row>(RowKey(with_key), **value);
  if (!row.ok()) return row.status();
  return std::optional<Row>(*std::move(row));
}

// The rows of many keys, in their order; nullopt: no such row.
template <class Row>
absl::StatusOr<std::vector<std::optional<Row>>> GetRows(const KvSnapshot& snapshot, Family family,
                                                        const std::vector<Row>& with_keys) {
  std::vector<std::string> keys;
  keys.reserve(with_keys.size());
  for (const Row& row : with_keys) keys.push_back(RowKey(row));
  auto values = snapshot.GetMany(family, keys);
  if (!values.ok()) return values.status();
  std::vector<std::optional<Row>> rows(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!(*values)[i].has_value()) continue;
    auto row = ParseRow<Row>(keys[i], *(*values)[i]);
    if (!row.ok()) return row.status();
    rows[i] = *std::move(row);
  }
  return rows;
}

}  // namespace docket::store

#endif  // DOCKET_STORE_VIEW_TABLE_H_
