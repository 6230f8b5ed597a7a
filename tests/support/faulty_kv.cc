#include "tests/support/faulty_kv.h"

#include <array>
#include <utility>

#include "workflow/base/check.h"
#include "workflow/base/mutex.h"
#include "workflow/base/refusal.h"

namespace docket::test {

struct FaultyKv::Plan {
  mutable Mutex mutex;
  std::array<int, kKvCalls> counts ABSL_GUARDED_BY(mutex){};
  std::array<int, kKvCalls> fail_at ABSL_GUARDED_BY(mutex){};  // 0: never
  std::array<absl::StatusCode, kKvCalls> codes ABSL_GUARDED_BY(mutex){};
  bool failed ABSL_GUARDED_BY(mutex) = false;
  bool latched ABSL_GUARDED_BY(mutex) = false;

  // Counts a call; the error it shall return.
  absl::Status Count(KvCall call) {
    const MutexLock lock(&mutex);
    const auto i = static_cast<size_t>(call);
    if (++counts[i] != fail_at[i]) return absl::OkStatus();
    failed = true;
    return Error(call, codes[i]);
  }

  absl::Status Latch() const {
    const MutexLock lock(&mutex);
    if (!latched) return absl::OkStatus();
    return Refuse(absl::StatusCode::kUnavailable, "WRITES_DISABLED", "injected: an earlier write failed");
  }

 private:
  absl::Status Error(KvCall call, absl::StatusCode code) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const bool writes = call == KvCall::kWriteBefore || call == KvCall::kWriteAfter || call == KvCall::kIngest;
    if (writes && code == absl::StatusCode::kUnavailable) {
      latched = true;
      return Refuse(code, "OUTCOME_UNKNOWN", "injected: the write may or may not have taken effect");
    }
    if (code == absl::StatusCode::kResourceExhausted) return Refuse(code, "DISK_RESERVE", "injected: the disk is full");
    return absl::Status(code, "injected: the store failed");
  }
};

namespace {

class FaultyIterator : public store::KvIterator {
 public:
  FaultyIterator(std::shared_ptr<FaultyKv::Plan> plan, std::unique_ptr<store::KvIterator> behind)
      : plan_(std::move(plan)), behind_(std::move(behind)), error_(plan_->Count(KvCall::kScan)) {}
  bool Valid() const override { return error_.ok() && behind_->Valid(); }
  void Next() override {
    DOCKET_CHECK(Valid());
    error_ = plan_->Count(KvCall::kNext);
    if (error_.ok()) behind_->Next();
  }
  void Seek(absl::string_view key) override {
    if (error_.ok()) error_ = plan_->Count(KvCall::kNext);
    if (error_.ok()) behind_->Seek(key);
  }
  absl::string_view key() const override { return behind_->key(); }
  absl::string_view value() const override { return behind_->value(); }
  absl::Status status() const override { return error_.ok() ? behind_->status() : error_; }

 private:
  std::shared_ptr<FaultyKv::Plan> plan_;
  std::unique_ptr<store::KvIterator> behind_;
  absl::Status error_;
};

class FaultySnapshot : public store::KvSnapshot {
 public:
  FaultySnapshot(std::shared_ptr<FaultyKv::Plan> plan, std::unique_ptr<store::KvSnapshot> behind)
      : plan_(std::move(plan)), behind_(std::move(behind)) {}
  absl::StatusOr<std::optional<std::string>> Get(store::Family family, absl::string_view key) const override {
    DOCKET_RETURN_IF_ERROR(plan_->Count(KvCall::kGet));
    return behind_->Get(family, key);
  }
  absl::StatusOr<std::vector<std::optional<std::string>>> GetMany(store::Family family,
                                                                  const std::vector<std::string>& keys) const override {
    DOCKET_RETURN_IF_ERROR(plan_->Count(KvCall::kGet));
    return behind_->GetMany(family, keys);
  }
  std::unique_ptr<store::KvIterator> Scan(store::Family family, absl::string_view lower,
                                          absl::string_view upper) const override {
    return std::make_unique<FaultyIterator>(plan_, behind_->Scan(family, lower, upper));
  }
  absl::StatusOr<std::optional<std::pair<std::string, std::string>>> Last(store::Family family, absl::string_view lower,
                                                                          absl::string_view upper) const override {
    DOCKET_RETURN_IF_ERROR(plan_->Count(KvCall::kLast));
    return behind_->Last(family, lower, upper);
  }

 private:
  std::shared_ptr<FaultyKv::Plan> plan_;
  std::unique_ptr<store::KvSnapshot> behind_;
};

}  // namespace

FaultyKv::FaultyKv(store::KvStore* behind) : behind_(behind), plan_(std::make_shared<Plan>()) {}
FaultyKv::~FaultyKv() = default;

void FaultyKv::FailCall(KvCall call, int nth, absl::StatusCode code) {
  DOCKET_CHECK(nth >= 1);
  const MutexLock lock(&plan_->mutex);
  const auto i = static_cast<size_t>(call);
  plan_->fail_at[i] = plan_->counts[i] + nth;
  plan_->codes[i] = code;
  plan_->failed = false;
}

int FaultyKv::calls(KvCall call) const {
  const MutexLock lock(&plan_->mutex);
  return plan_->counts[static_cast<size_t>(call)];
}

bool FaultyKv::failed() const {
  const MutexLock lock(&plan_->mutex);
  return plan_->failed;
}

template <class Call>
absl::Status FaultyKv::Mutate(const Call& call) {
  DOCKET_RETURN_IF_ERROR(WriteLatch());
  DOCKET_RETURN_IF_ERROR(plan_->Count(KvCall::kWriteBefore));
  DOCKET_RETURN_IF_ERROR(call());
  return plan_->Count(KvCall::kWriteAfter);
}

absl::Status FaultyKv::Write(const store::KvBatch& batch, bool sync) {
  return Mutate([&] { return behind_->Write(batch, sync); });
}

std::unique_ptr<store::KvSnapshot> FaultyKv::Snapshot() const {
  return std::make_unique<FaultySnapshot>(plan_, behind_->Snapshot());
}

absl::Status FaultyKv::CreateFamily(store::Family family) {
  return Mutate([&] { return behind_->CreateFamily(family); });
}

absl::Status FaultyKv::DropFamily(store::Family family) {
  return Mutate([&] { return behind_->DropFamily(family); });
}

std::vector<store::Family> FaultyKv::Families() const { return behind_->Families(); }

absl::Status FaultyKv::IngestSorted(store::Family family,
                                    const std::vector<std::pair<std::string, std::string>>& entries) {
  DOCKET_RETURN_IF_ERROR(WriteLatch());
  DOCKET_RETURN_IF_ERROR(plan_->Count(KvCall::kIngest));
  return behind_->IngestSorted(family, entries);
}

absl::Status FaultyKv::WriteLatch() const {
  DOCKET_RETURN_IF_ERROR(behind_->WriteLatch());
  return plan_->Latch();
}

}  // namespace docket::test
