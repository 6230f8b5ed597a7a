#ifndef DOCKET_WORKFLOW_PROJECTION_QUEUE_PLACE_H_
#define DOCKET_WORKFLOW_PROJECTION_QUEUE_PLACE_H_

#include <cstdint>
#include <optional>

#include "docket/v1/case.pb.h"
#include "docket/v1/view.pb.h"
#include "workflow/projection/rows.h"

// Where a case stands in its queue, in the order of work (DOMAIN 7, R19). Pure.
namespace docket::projection {

// Without from. nullopt: it stands in none, and will not by itself.
std::optional<QueueRow> QueueRowOf(const v1::Case& state);

// The facts without those that move with every status: rows that do not list by status need not be written for it.
v1::RowFacts StableFactsOf(const v1::RowFacts& all);

// The row of the past of a place left at `to_us`.
PastQueueRow PastQueueRowOf(const QueueRow& row, int64_t from_us, int64_t to_us);

// Whether two are the same place, shown the same; facts may differ.
bool IsSamePlace(const std::optional<QueueRow>& a, const std::optional<QueueRow>& b);

}  // namespace docket::projection

#endif  // DOCKET_WORKFLOW_PROJECTION_QUEUE_PLACE_H_
