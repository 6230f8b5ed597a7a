#include "services/engine/lease_table.h"

#include "absl/strings/str_cat.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::engine {

absl::Status Leased(const std::string& case_name, const LeaseTable::Lease& lease) {
  return Refuse(
      absl::StatusCode::kFailedPrecondition, "LEASED",
      absl::StrCat("case ", case_name, ": ", lease.holder, " is at work on it until ", FormatUtc(lease.until)),
      {{"holder", lease.holder}, {"until", FormatUtc(lease.until)}});
}

absl::StatusOr<LeaseTable::Lease> LeaseTable::Take(const std::string& case_id, const std::string& holder,
                                                   absl::Duration span, absl::Time now) {
  const MutexLock lock(&mutex_);
  const auto found = leases_.find(case_id);
  if (found != leases_.end() && found->second.until > now && found->second.holder != holder) {
    return Leased(case_id, found->second);
  }
  if (found == leases_.end() && leases_.size() >= kMaxLeases) DropExpired(now);
  if (found == leases_.end() && leases_.size() >= kMaxLeases) {
    return Refuse(absl::StatusCode::kResourceExhausted, "TOO_MANY_LEASES",
                  absl::StrCat(kMaxLeases, " leases are held already"));
  }
  return leases_[case_id] = Lease{holder, now + span};
}

bool LeaseTable::Release(const std::string& case_id, const std::string& holder, absl::Time now) {
  const MutexLock lock(&mutex_);
  const auto found = leases_.find(case_id);
  if (found == leases_.end() || found->second.holder != holder) return false;
  const bool held = found->second.until > now;
  leases_.erase(found);
  return held;
}

std::optional<LeaseTable::Lease> LeaseTable::Find(const std::string& case_id, absl::Time now) const {
  const MutexLock lock(&mutex_);
  const auto found = leases_.find(case_id);
  if (found == leases_.end() || found->second.until <= now) return std::nullopt;
  return found->second;
}

void LeaseTable::DropExpired(absl::Time now) {
  for (auto it = leases_.begin(); it != leases_.end();)
    it = it->second.until <= now ? leases_.erase(it) : std::next(it);
}

}  // namespace docket::engine
