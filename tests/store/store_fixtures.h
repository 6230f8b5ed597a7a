#ifndef DOCKET_TESTS_STORE_STORE_FIXTURES_H_
#define DOCKET_TESTS_STORE_STORE_FIXTURES_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/event_log.h"
#include "store/kv.h"
#include "store/memory_kv.h"
#include "store/record_format.h"
#include "store/rocks_kv.h"
#include "tests/support/unsynced_fs.h"

namespace docket::store {

// A folder of its own that is gone after the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = ::testing::TempDir() + "docket_store_XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path(const std::string& name = "") const { return name.empty() ? path_ : path_ + "/" + name; }

 private:
  std::string path_;
};

enum class Kind { kMemory, kRocksInMemory, kRocksOnDisk };

inline std::string KindName(const ::testing::TestParamInfo<Kind>& info) {
  switch (info.param) {
    case Kind::kMemory:
      return "Memory";
    case Kind::kRocksInMemory:
      return "RocksInMemory";
    case Kind::kRocksOnDisk:
      return "RocksOnDisk";
  }
  return "";
}

// A store that can be closed and opened again with what it held.
class ReopenableStore {
 public:
  explicit ReopenableStore(Kind kind) : kind_(kind) {
    if (kind_ == Kind::kRocksInMemory) memory_disk_ = test::MakeMemoryDisk();
    Reopen();
  }

  void Reopen() {
    if (kind_ == Kind::kMemory) {
      if (store_ == nullptr) store_ = OpenMemoryKv();
      return;
    }
    store_.reset();
    RocksOptions options;
    options.path = kind_ == Kind::kRocksOnDisk ? folder_.path("db") : "/data/db";
    options.file_system = memory_disk_;
    options.disk_reserve_bytes = 0;
    auto opened = OpenRocksKv(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  KvStore* get() { return store_.get(); }
  KvStore* operator->() { return store_.get(); }

 private:
  Kind kind_;
  TemporaryFolder folder_;
  std::shared_ptr<rocksdb::FileSystem> memory_disk_;
  std::unique_ptr<KvStore> store_;
};

using Entries = std::vector<std::pair<std::string, std::string>>;

inline Entries ScanAll(const KvSnapshot& snapshot, Family family, absl::string_view lower = "",
                       absl::string_view upper = "") {
  Entries entries;
  auto iterator = snapshot.Scan(family, lower, upper);
  for (; iterator->Valid(); iterator->Next()) entries.emplace_back(iterator->key(), iterator->value());
  EXPECT_TRUE(iterator->status().ok()) << iterator->status();
  return entries;
}

// The next commit after `head`, with `events` events of one stream whose payload is `payload`.
inline EncodedCommit NextCommit(const LogHead& head, int events = 1, const std::string& payload = "payload") {
  v1::CommitRecord record;
  record.set_log_id(head.log_id);
  record.set_commit(head.commits);
  record.set_first_position(head.next_position);
  record.set_recorded_at_us(head.recorded_at_us + 10);
  v1::Slice* slice = record.add_slices();
  slice->set_kind(v1::STREAM_KIND_SYSTEM);
  slice->set_stream_id("stream");
  slice->set_first_revision(head.next_position);
  for (int i = 0; i < events; ++i) slice->add_events()->set_payload(payload);
  EncodedCommit commit;
  commit.commit = record.commit();
  commit.first_position = record.first_position();
  commit.next_position = record.first_position() + static_cast<uint64_t>(events);
  commit.recorded_at_us = record.recorded_at_us();
  auto stored = EncodeRecord(record);
  EXPECT_TRUE(stored.ok()) << stored.status();
  commit.stored = *std::move(stored);
  commit.leaf = LeafHashOf(commit.stored);
  return commit;
}

inline const std::string& TestLogId() {
  static const std::string id = "0123456789abcdef";
  return id;
}

}  // namespace docket::store

#endif  // DOCKET_TESTS_STORE_STORE_FIXTURES_H_
