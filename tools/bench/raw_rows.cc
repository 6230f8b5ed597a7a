#include "tools/bench/raw_rows.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/engine/engine.h"
#include "store/memory_kv.h"
#include "store/rocks_kv.h"
#include "tools/bench/bench.h"
#include "tools/bench/case_load.h"
#include "workflow/base/check.h"

namespace docket::bench {
namespace {

constexpr size_t kCases = 1000;
constexpr size_t kNotesPerCase = 20;

// Keeps a copy of what is written while `recording`.
class RecordingKv : public store::KvStore {
 public:
  absl::Status Write(const store::KvBatch& batch, bool sync) override {
    if (recording) {
      for (const store::KvBatch::Entry& entry : batch.entries()) entries.push_back(entry);
    }
    return memory_->Write(batch, sync);
  }
  std::unique_ptr<store::KvSnapshot> Snapshot() const override { return memory_->Snapshot(); }
  absl::Status CreateFamily(store::Family family) override { return memory_->CreateFamily(family); }
  absl::Status DropFamily(store::Family family) override { return memory_->DropFamily(family); }
  std::vector<store::Family> Families() const override { return memory_->Families(); }
  absl::Status IngestSorted(store::Family family,
                            const std::vector<std::pair<std::string, std::string>>& rows) override {
    return memory_->IngestSorted(family, rows);
  }
  absl::Status WriteLatch() const override { return memory_->WriteLatch(); }

  bool recording = false;  // changed while nothing is written
  std::vector<store::KvBatch::Entry> entries;

 private:
  std::unique_ptr<store::KvStore> memory_ = store::OpenMemoryKv();
};

// One note on each case, then again from the first: the keys of heads come at random, as from many clients.
absl::Status NotesRoundAndRound(engine::Engine& engine, const std::vector<std::string>& case_ids) {
  for (size_t round = 0; round < kNotesPerCase; ++round) {
    for (const std::string& case_id : case_ids) DOCKET_RETURN_IF_ERROR(AddNotes(engine, case_id, 1));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RawRows> RawRows::Record(const Options& options) {
  RecordingKv kv;
  engine::EngineOptions engine_options;
  engine_options.environment = {engine::MakeSystemClock(), engine::MakeSystemRandomness()};
  DOCKET_ASSIGN_OR_RETURN(const std::unique_ptr<store::EventLog> log,
                          store::OpenLocalLog(&kv, {.new_log_id = engine_options.environment.random(16)}));
  engine_options.kv = &kv;
  engine_options.log = log.get();
  DOCKET_ASSIGN_OR_RETURN(const std::unique_ptr<engine::Engine> engine, engine::Engine::Open(engine_options));
  DOCKET_RETURN_IF_ERROR(PublishPacks(*engine, options.packs));
  DOCKET_ASSIGN_OR_RETURN(const std::vector<std::string> case_ids, FileCases(*engine, kCases, Place::kWrittenTo));
  kv.recording = true;
  DOCKET_RETURN_IF_ERROR(NotesRoundAndRound(*engine, case_ids));
  RawRows rows;
  rows.folder_ = absl::StrCat(options.folder, "/raw");
  size_t in_batch = kCommandsPerWrite;
  for (store::KvBatch::Entry& entry : kv.entries) {
    // The record of a commit comes before its rows.
    if (entry.family == store::kLogFamily) {
      if (in_batch == kCommandsPerWrite) {
        rows.batches_.emplace_back();
        in_batch = 0;
      }
      ++in_batch;
      ++rows.commands_;
    }
    if (entry.value.has_value()) {
      rows.batches_.back().Put(entry.family, std::move(entry.key), *std::move(entry.value));
    } else {
      rows.batches_.back().Delete(entry.family, std::move(entry.key));
    }
  }
  return rows;
}

absl::StatusOr<double> RawRows::Write() const {
  std::filesystem::remove_all(folder_);
  DOCKET_ASSIGN_OR_RETURN(const std::unique_ptr<store::KvStore> kv, store::OpenRocksKv({.path = folder_}));
  std::set<store::Family> families;
  for (const store::KvBatch& batch : batches_) {
    for (const store::KvBatch::Entry& entry : batch.entries()) families.insert(entry.family);
  }
  for (const store::Family family : families) {
    if (family.id >= store::kFirstViewFamily) DOCKET_RETURN_IF_ERROR(kv->CreateFamily(family));
  }
  const Stopwatch watch;
  for (const store::KvBatch& batch : batches_) DOCKET_RETURN_IF_ERROR(kv->Write(batch, true));
  return static_cast<double>(commands_) / absl::ToDoubleSeconds(watch.elapsed());
}

double RawRows::rows_per_command() const {
  size_t rows = 0;
  for (const store::KvBatch& batch : batches_) rows += batch.entries().size();
  return static_cast<double>(rows) / static_cast<double>(commands_);
}

}  // namespace docket::bench
