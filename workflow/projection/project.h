#ifndef DOCKET_WORKFLOW_PROJECTION_PROJECT_H_
#define DOCKET_WORKFLOW_PROJECTION_PROJECT_H_

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "workflow/projection/rows.h"

// The rows that a case has in every view, as a pure function of its state. What a command changes is the difference of
// two such sets; what a rebuild writes is the set of the last state. No other code makes rows, so both agree by
// construction.
namespace docket::projection {

struct Rows {
  std::optional<CaseNumberRow> number;
  std::optional<ExternalRow> external;
  std::vector<DutyRow> duties;
  std::optional<QueueRow> queue;
  std::optional<WakeRow> wake;
  std::vector<EscalationRow> escalations;
};

Rows RowsOf(const v1::Case& state);

// Whether the case stands in its queue at `at`, if nothing more is recorded until then: a wait that has ended by itself
// counts as over.
bool StandsInQueue(const v1::Case& state, absl::Time at);

// The list facts of a case, carried by its rows.
v1::RowFacts FactsOf(const v1::Case& state);

// The department that answers for a clock now (R11).
std::string AnsweringDepartment(const v1::Case& state, const v1::Clock& clock);

}  // namespace docket::projection

#endif  // DOCKET_WORKFLOW_PROJECTION_PROJECT_H_
