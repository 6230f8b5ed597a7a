#ifndef DOCKET_WORKFLOW_POLICY_POLICY_SET_H_
#define DOCKET_WORKFLOW_POLICY_POLICY_SET_H_

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/policy.pb.h"
#include "workflow/policy/absences.h"
#include "workflow/sla/calendar.h"

// All published policies and the directory, as the log up to some position makes them. Immutable: publishing makes a
// new set that shares what did not change. Thread-safe.
namespace docket::policy {

template <class T>
struct Published {
  v1::PolicyPin pin;
  absl::Time effective_from;
  absl::Time published_at;
  std::string published_by;
  std::string yaml;
  std::string digest;  // SHA-256 of yaml
  std::shared_ptr<const T> value;
};

// Another version for clocks that run already, as far as it has come.
struct Rollout {
  v1::PolicyRolloutPlanned plan;
  std::string approver;  // "": not approved
  std::optional<v1::PolicyRolloutApplied> applied = std::nullopt;
};

// Names that people give: of the directory, of charts, of SLA policies.
enum class NameKind { kDepartment, kQueue, kPrincipal, kStatus, kMetric };

class PolicySet {
 public:
  PolicySet();

  // The set after a PolicyPublished, DirectoryPublished or AbsenceRecorded; any other event: the same set. kDataLoss:
  // does not compile.
  absl::StatusOr<std::shared_ptr<const PolicySet>> With(const v1::Event& event, uint64_t position,
                                                        absl::Time recorded_at, absl::string_view principal) const;

  // The newest version effective at `at`; null: none.
  const Published<v1::Chart>* ChartFor(v1::CaseKind kind, absl::Time at) const;  // newest position that lists the kind
  const Published<v1::Chart>* ChartNamed(absl::string_view id, absl::Time at) const;
  // A pinned version; null: not known.
  const v1::Chart* Chart(const v1::PolicyPin& pin) const;
  const v1::SlaPolicy* Sla(const v1::PolicyPin& pin) const;
  const v1::Ladder* LadderAt(const v1::PolicyPin& pin) const;
  std::shared_ptr<const sla::WorkingCalendar> Calendar(const v1::PolicyPin& pin) const;
  const Published<sla::WorkingCalendar>* CalendarNamed(absl::string_view id, absl::Time at) const;
  const Published<v1::PriorityMatrix>* MatrixFor(v1::CaseKind kind, absl::Time at) const;
  // Newest effective version of every SLA policy, by obligation, then order, then id.
  std::vector<const Published<v1::SlaPolicy>*> SlaPolicies(absl::Time at) const;
  std::vector<const Published<v1::Ladder>*> Ladders(absl::Time at) const;    // by id
  std::vector<const Published<v1::Routing>*> Routings(absl::Time at) const;  // by order, then id

  // The plan of an approved rollout; null: none such.
  const v1::PolicyRolloutPlanned* ApprovedRollout(absl::string_view id) const;
  std::vector<const Rollout*> Rollouts() const;  // by id, so in order of planning

  // For PolicyService: the newest of each id, every kind; and one version (0: newest).
  struct Listed {
    v1::PolicyKind kind;
    v1::PolicyPin pin;
    absl::Time effective_from;
    absl::Time published_at;
    std::string published_by;
    std::string yaml;
    std::string digest;
    v1::CompiledPolicy compiled;
  };
  std::vector<Listed> List(v1::PolicyKind kind) const;  // UNSPECIFIED: all; yaml and compiled left empty
  absl::StatusOr<Listed> Get(v1::PolicyKind kind, absl::string_view id, uint32_t version) const;
  // In these words, as any of its versions.
  bool WasPublished(v1::PolicyKind kind, absl::string_view id, absl::string_view digest) const;

  // Directory. Null: unknown.
  const v1::Directory& directory() const;
  uint32_t directory_version() const;
  const v1::Department* Department(absl::string_view id) const;
  const v1::Queue* Queue(absl::string_view id) const;
  const v1::Principal* Principal(absl::string_view id) const;
  const v1::Rota* Rota(absl::string_view id) const;
  bool IsWithin(absl::string_view department, absl::string_view ancestor) const;  // itself included
  // Principals on duty at `at`; empty: nobody, or no such rota.
  std::vector<std::string> OnDuty(absl::string_view rota, absl::Time at) const;
  // Kept when a directory is published.
  const Absences& absences() const;

  // Whether any version published so far had the name: what has gone from the newest still stands in older cases.
  bool EverHad(NameKind kind, absl::string_view name) const;
  // For refusals: `"hlod" is not in the directory, nearest is "hold"`.
  std::string DescribeUnknown(NameKind kind, absl::string_view name) const;

  ~PolicySet();
  PolicySet(const PolicySet&);
  PolicySet& operator=(const PolicySet&) = delete;

 private:
  std::set<std::string, std::less<>> StatusesEver() const;
  std::set<std::string, std::less<>> MetricsEver() const;

  struct Data;
  std::shared_ptr<const Data> data_;
};

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_POLICY_SET_H_
