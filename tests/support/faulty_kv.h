#ifndef DOCKET_TESTS_SUPPORT_FAULTY_KV_H_
#define DOCKET_TESTS_SUPPORT_FAULTY_KV_H_

#include <memory>

#include "absl/status/status.h"
#include "store/kv.h"

namespace docket::test {

// Places where a store can fail. A failed write is tried both ways, for the caller cannot know which it was.
enum class KvCall {
  kWriteBefore,  // Write, CreateFamily, DropFamily: nothing took effect
  kWriteAfter,   // the same: it took effect and is reported as failed all the same
  kGet,          // one of GetMany counts as one
  kScan,         // the iterator is born with an error
  kNext,         // Next or Seek: the iterator ends early with an error
  kLast,
  kIngest,  // nothing took effect
};
inline constexpr int kKvCalls = 7;

// Another store whose n-th call of a kind fails. "Restarting" after a failed write is to make a new FaultyKv over the
// same store. Thread-safe as far as the store behind it is. Snapshots must not outlive it.
class FaultyKv : public store::KvStore {
 public:
  explicit FaultyKv(store::KvStore* behind);
  ~FaultyKv() override;

  // The `nth` call (from 1, counted from now on) of `call` fails with `code`, once. A write that fails with
  // kUnavailable (reason OUTCOME_UNKNOWN) latches as RocksKv does; one that fails with kResourceExhausted
  // (DISK_RESERVE, kWriteBefore and kIngest only) does not.
  void FailCall(KvCall call, int nth, absl::StatusCode code = absl::StatusCode::kUnavailable);
  // How many there were since the start; run once without a fault to learn how many places there are to fail at.
  int calls(KvCall call) const;
  // Whether the failure asked for has happened.
  bool failed() const;

  absl::Status Write(const store::KvBatch& batch, bool sync) override;
  std::unique_ptr<store::KvSnapshot> Snapshot() const override;
  absl::Status CreateFamily(store::Family family) override;
  absl::Status DropFamily(store::Family family) override;
  std::vector<store::Family> Families() const override;
  absl::Status IngestSorted(store::Family family,
                            const std::vector<std::pair<std::string, std::string>>& entries) override;
  absl::Status WriteLatch() const override;

  struct Plan;

 private:
  template <class Call>
  absl::Status Mutate(const Call& call);

  store::KvStore* behind_;
  std::shared_ptr<Plan> plan_;
};

}  // namespace docket::test

#endif  // DOCKET_TESTS_SUPPORT_FAULTY_KV_H_
