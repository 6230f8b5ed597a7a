#ifndef DOCKET_WORKFLOW_PROJECTION_PROJECT_H_
#define DOCKET_WORKFLOW_PROJECTION_PROJECT_H_

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "workflow/projection/rows.h"
#include "workflow/projection/standing.h"

// The rows that a case has in every view of now, as a pure function of its state and of since when it stands where it
// stands (standing.h). What a command changes is the difference of two such sets; what a rebuild writes is the set of
// the last state. No other code makes rows, so both agree by construction.
namespace docket::projection {

struct Rows {
  std::optional<CaseNumberRow> number;
  std::optional<ExternalRow> external;
  std::vector<DutyRow> duties;
  std::optional<QueueRow> queue;
  std::optional<WakeRow> wake;
  std::vector<EscalationRow> escalations;
  std::vector<EntryRow> entries;
};

// All rows but the case row.
Rows RowsOf(const v1::Case& state, const Standing& standing, const v1::CaseListing& listing);
// With instants of standing left out, for who does not ask for them.
Rows RowsOf(const v1::Case& state);

// The case row without what only the log knows: last_commit and last_leaf.
CaseRow CaseRowOf(const v1::Case& state, const v1::CaseListing& listing);

// Whether the case stands in its queue at `at`, if nothing more is recorded until then: a wait that has ended by itself
// counts as over.
bool StandsInQueue(const v1::Case& state, absl::Time at);

// Whether whoever owns a case has it in hand at `at`, as far as capacity goes: it is at work (NEW, OPEN), or its wait
// has ended by itself. What waits or is resolved stands in no queue and takes up nobody.
bool InHand(const v1::RowFacts& facts, const v1::CaseShown& shown, absl::Time at);

}  // namespace docket::projection

#endif  // DOCKET_WORKFLOW_PROJECTION_PROJECT_H_
