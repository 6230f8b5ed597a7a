#ifndef DOCKET_SERVICES_ENGINE_LEASE_TABLE_H_
#define DOCKET_SERVICES_ENGINE_LEASE_TABLE_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "workflow/base/mutex.h"

// Who is at work on a case just now, so that two people do not answer the same letter. A lease is short, is renewed
// while somebody works, and lives in memory only: after a restart nobody holds one. It keeps others from acting on the
// case; what the world sends and what time makes true goes on. Thread-safe.
namespace docket::engine {

inline constexpr absl::Duration kDefaultLease = absl::Minutes(5);
inline constexpr absl::Duration kMaxLease = absl::Minutes(30);
inline constexpr size_t kMaxLeases = 100'000;

class LeaseTable {
 public:
  struct Lease {
    std::string holder;
    absl::Time until;
  };

  // Takes or renews the lease of a case until `now` + `span`. FAILED_PRECONDITION LEASED: somebody else holds it, with
  // who and until when. RESOURCE_EXHAUSTED TOO_MANY_LEASES.
  absl::StatusOr<Lease> Take(const std::string& case_id, const std::string& holder, absl::Duration span,
                             absl::Time now);
  // False: `holder` holds none.
  bool Release(const std::string& case_id, const std::string& holder, absl::Time now);
  // The lease in force at `now`; nullopt: none.
  std::optional<Lease> Find(const std::string& case_id, absl::Time now) const;

 private:
  void DropExpired(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  std::map<std::string, Lease> leases_ ABSL_GUARDED_BY(mutex_);
};

// FAILED_PRECONDITION LEASED, in words.
absl::Status Leased(const std::string& case_name, const LeaseTable::Lease& lease);

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_LEASE_TABLE_H_
