#ifndef DOCKET_SERVICES_QUERY_FACT_FILTER_H_
#define DOCKET_SERVICES_QUERY_FACT_FILTER_H_

#include "docket/v1/view.pb.h"
#include "services/query/filter_names.h"
#include "services/query/reader.h"
#include "services/query/summary.h"
#include "services/query/visibility.h"

// The filters that requests of several lists have alike: department, kinds, priorities, tiers, owner, queue.
namespace docket::query {

// Whether the viewer may see a case with these facts and the request wants it, but for the department, which says
// something else in each list.
template <class Request>
bool FactsMatch(const Reader& reader, const Request& request, const v1::RowFacts& facts) {
  return MaySee(reader.viewer, {.facts = &facts}) && EmptyOrHas(request.kinds(), facts.kind()) &&
         EmptyOrHas(request.priorities(), facts.priority()) && EmptyOrHas(request.tiers(), facts.tier()) &&
         OwnerMatches(request.owner(), facts.owner()) && (request.queue().empty() || request.queue() == facts.queue());
}

template <class Request>
FilterNames NamesOfFacts(const Reader& reader, const Request& request) {
  FilterNames names(reader);
  names.Add(policy::NameKind::kDepartment, "department", request.department());
  names.Add(policy::NameKind::kQueue, "queue", request.queue());
  names.AddOwner("owner", request.owner());
  names.AddTiers("tiers", request.tiers());
  return names;
}

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_FACT_FILTER_H_
