#include "store/rocks_options.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "rocksdb/convenience.h"
#include "rocksdb/file_checksum.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/listener.h"
#include "rocksdb/slice_transform.h"
#include "rocksdb/table.h"
#include "workflow/base/refusal.h"

namespace docket::store {
namespace {

// Memory: at most kMemtableBytes of memtables and kBlockCacheBytes of blocks, whatever the number of families.
constexpr size_t kMemtableBytes = size_t{96} << 20;
constexpr size_t kBlockCacheBytes = size_t{96} << 20;
// A block larger than its shard is never kept, so shards hold many of the largest.
constexpr int kBlockCacheShardBits = 3;
// Of the cache, for blocks of indexes and filters: every read of a row needs one of each.
constexpr double kMetadataShare = 0.5;
constexpr size_t kMetadataBlockBytes = size_t{8} << 10;
// Of a memtable, for a filter of its keys: most rows that are read were written long ago.
constexpr double kMemtableFilterShare = 0.02;
constexpr size_t kWriteBufferBytes = size_t{32} << 20;
// Replayed when opening after a crash; bounds the start-up time to about a second.
constexpr uint64_t kMaxWalBytes = uint64_t{64} << 20;
constexpr int kBloomBitsPerKey = 10;
constexpr absl::string_view kViewPrefix = "views.g";

// Decides on what RocksDB reports here, not on what a failing Write returns: the returned status has severity 0 where
// the listener sees a fatal error.
class LatchingListener : public rocksdb::EventListener {
 public:
  explicit LatchingListener(std::shared_ptr<ErrorLatch> latch) : latch_(std::move(latch)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status* error) override {
    latch_->Set(error->ToString());
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status error,
                            bool* auto_recovery) override {
    // A disk that failed once has lost pages without telling; only a restart that reads it again may write.
    *auto_recovery = false;
    latch_->Set(error.ToString());
  }

 private:
  std::shared_ptr<ErrorLatch> latch_;
};

rocksdb::CompressionType FirstSupported(std::initializer_list<rocksdb::CompressionType> wanted) {
  const auto supported = rocksdb::GetSupportedCompressions();
  for (rocksdb::CompressionType type : wanted) {
    if (std::find(supported.begin(), supported.end(), type) != supported.end()) return type;
  }
  return rocksdb::kNoCompression;
}

}  // namespace

void ErrorLatch::Set(absl::string_view cause) {
  if (set_.exchange(true, std::memory_order_acq_rel)) return;
  if (notice_) notice_(absl::StrCat("writing is disabled until a restart, because of: ", cause));
}

absl::Status ErrorLatch::status() const {
  if (!IsSet()) return absl::OkStatus();
  // The cause goes to the operator through the notice; what is told to clients holds no detail of the disk.
  return Refuse(absl::StatusCode::kUnavailable, "WRITES_DISABLED",
                "an earlier write failed, so the server takes no writes until it is restarted; nothing was written");
}

rocksdb::DBOptions MakeDbOptions(rocksdb::Env* env, std::shared_ptr<ErrorLatch> latch) {
  rocksdb::DBOptions options;
  options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;

  // The default, kPointInTimeRecovery, opens a damaged WAL with whatever precedes the damage and calls that OK.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.best_efforts_recovery = false;
  options.paranoid_checks = true;
  options.track_and_verify_wals_in_manifest = true;
  options.verify_sst_unique_id_in_manifest = true;
  options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();

  // Fail-stop: no retry, no resuming.
  options.max_bgerror_resume_count = 0;
  options.listeners.push_back(std::make_shared<LatchingListener>(std::move(latch)));

  // One writer, one group in flight, each synced before it is visible: this is what lets a torn tail be told from
  // damage when opening.
  options.enable_pipelined_write = false;
  options.unordered_write = false;
  options.two_write_queues = false;
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  options.manual_wal_flush = false;
  options.wal_bytes_per_sync = 0;
  options.recycle_log_file_num = 0;
  options.allow_mmap_writes = false;
  options.avoid_flush_during_shutdown = false;
  options.WAL_ttl_seconds = 0;
  options.WAL_size_limit_MB = 0;

  options.max_total_wal_size = kMaxWalBytes;
  options.db_write_buffer_size = kMemtableBytes;
  options.max_background_jobs = 2;
  options.max_open_files = 512;
  options.bytes_per_sync = 1 << 20;  // spreads the writing of SST files; they are synced when complete all the same
  options.keep_log_file_num = 4;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

std::shared_ptr<rocksdb::Cache> MakeBlockCache() {
  return rocksdb::NewLRUCache(kBlockCacheBytes, kBlockCacheShardBits, /*strict_capacity_limit=*/false, kMetadataShare);
}

rocksdb::ColumnFamilyOptions MakeFamilyOptions(Family family, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;  // counts them against the cache, so memory stays bounded
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // In parts: the filter of a large file as one block is megabytes, and was read from the disk again for every row.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.metadata_block_size = kMetadataBlockBytes;
  table.pin_top_level_index_and_filter = true;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  options.write_buffer_size = kWriteBufferBytes;
  options.memtable_prefix_bloom_size_ratio = kMemtableFilterShare;
  options.memtable_whole_key_filtering = true;
  options.level_compaction_dynamic_level_bytes = true;
  options.paranoid_file_checks = true;  // every file is read back before it replaces its inputs
  options.compression = FirstSupported({rocksdb::kLZ4Compression});
  if (family == kLogFamily) {
    // Keys only grow: a hint makes inserts O(1), and files never overlap, so compaction only moves them, given that all
    // levels compress alike and no age limit rewrites them.
    options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(4));
    options.ttl = 0;
    options.periodic_compaction_seconds = 0;
    table.block_size = 16 << 10;
  } else if (family == kPersonalFamily) {
    table.block_size = 8 << 10;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));  // titles of lists are read one by one
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  } else {
    // Rows of one keyspace often arrive in order (requests, new ids), so each keyspace keeps its own hint.
    options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(2));
    options.bottommost_compression = FirstSupported({rocksdb::kZSTD, rocksdb::kLZ4Compression});
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;  // case rows of a page
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

std::string FamilyName(Family family) {
  if (family == kLogFamily) return "log";
  if (family == kPersonalFamily) return "personal";
  if (family == kOutboxFamily) return "outbox";
  return absl::StrCat(kViewPrefix, family.id - kFirstViewFamily);
}

std::optional<Family> ParseFamilyName(absl::string_view name) {
  if (name == "log") return kLogFamily;
  if (name == "personal") return kPersonalFamily;
  if (name == "outbox") return kOutboxFamily;
  uint32_t generation = 0;
  if (!absl::ConsumePrefix(&name, kViewPrefix) || !absl::SimpleAtoi(name, &generation)) return std::nullopt;
  return ViewFamily(generation);
}

}  // namespace docket::store
