#ifndef DOCKET_WORKFLOW_PROJECTION_STANDING_H_
#define DOCKET_WORKFLOW_PROJECTION_STANDING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/view.pb.h"
#include "workflow/projection/rows.h"

// How a case stands in the lists by what is recorded of it, and since when. Pure. What time alone makes true (a due
// passes, a wait ends) is not in it: readers compare its instants with the one asked about.
namespace docket::projection {

struct Standing {
  v1::CasePeriodRowValue shown;        // without the revision
  std::vector<v1::ListEntry> entries;  // by list, group and item; without from, and anchor where that is since when
  std::optional<QueueRow> queue;       // without from
};
Standing StandingOf(const v1::Case& state);

// The list facts of a case, carried by its rows, and what lists show beside them.
v1::RowFacts FactsOf(const v1::Case& state);
v1::CaseShown ShownOf(const v1::Case& state);

// The department that answers for a clock now (R11).
std::string AnsweringDepartment(const v1::Case& state, const v1::Clock& clock);

// Whether an event can change where its case stands in any list or when it wakes. False: the rows of the case are the
// same before and after, but for the case row itself.
bool MovesRows(v1::Event::BodyCase type);

// What stood in the lists and does no more.
struct PastRows {
  std::vector<CasePeriodRow> periods;
  std::vector<PastEntryRow> entries;
  std::vector<PastQueueRow> queues;
};

// Brings `listing` from `before` to `after`, which became true at `at_us` by `revision`, and adds to `past` what ceased
// to be. REQUIRES: at_us is not before listing->since_us. What lasted for no time leaves no row.
void Follow(const std::string& case_id, const Standing& before, const Standing& after, int64_t at_us, uint32_t revision,
            v1::CaseListing* listing, PastRows* past);

// Rows of the past lie in classes of how long they stood behind their anchor, about two per octave, so that whoever
// stood there at an instant is found by one short range per class. 0: gone at or before the anchor.
uint8_t LengthClass(int64_t anchor_us, int64_t to_us);
// The longest of a class, microseconds. REQUIRES: 1 <= length_class <= kMaxLengthClass.
inline constexpr uint8_t kMaxLengthClass = 48;
int64_t LongestOf(uint8_t length_class);
// The stretch of its class in which an instant lies; they are numbered from the epoch.
int64_t StretchOf(uint8_t length_class, int64_t at_us);

}  // namespace docket::projection

#endif  // DOCKET_WORKFLOW_PROJECTION_STANDING_H_
