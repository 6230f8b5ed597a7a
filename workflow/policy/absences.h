#ifndef DOCKET_WORKFLOW_POLICY_ABSENCES_H_
#define DOCKET_WORKFLOW_POLICY_ABSENCES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/policy.pb.h"

// Who is away and who stands in (R12). Half-open spans [from, until). Values only; not thread-safe while changed.
namespace docket::policy {

// The most absences kept; one that is over makes room for a new one.
inline constexpr size_t kMaxAbsences = 20'000;
// A deputy of a deputy of …: no further than this.
inline constexpr int kMaxDeputies = 16;

class Absences {
 public:
  // Replaces the absence of the same principal with the same `from`; one that is empty withdraws it.
  void Record(const v1::Absence& absence);

  // The absence of `principal` at `at`; null: present. Of several the one that began last.
  const v1::Absence* At(absl::string_view principal, absl::Time at) const;

  // Who acts for `principal` at `at`: itself when present, else the first of its chain of deputies who is there. ""
  // when the chain ends nowhere.
  std::string ActingFor(absl::string_view principal, absl::Time at) const;

  // Those who are away at `at` and for whom `deputy` acts then; by id, without the deputy itself.
  std::vector<std::string> StoodInForBy(absl::string_view deputy, absl::Time at) const;

  // FAILED_PRECONDITION: DEPUTY_IS_ABSENT_PERSON, DEPUTY_CIRCLE (at some instant of it everybody in the chain is away),
  // TOO_MANY_ABSENCES. INVALID_ARGUMENT ABSENCE_EMPTY.
  absl::Status Check(const v1::Absence& absence) const;

  const std::vector<v1::Absence>& all() const { return absences_; }

 private:
  std::vector<v1::Absence> absences_;  // by principal, then `from`
};

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_ABSENCES_H_
