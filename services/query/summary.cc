#include "services/query/summary.h"

namespace docket::query {

bool OwnerMatches(const std::string& wanted, const std::string& owner) {
  if (wanted.empty()) return true;
  return wanted == "-" ? owner.empty() : owner == wanted;
}

bool DepartmentMatches(const Reader& reader, const std::string& wanted, const std::string& department) {
  return wanted.empty() || department == wanted || reader.view.policies->IsWithin(department, wanted);
}

bool Matches(const Reader& reader, const v1::CaseFilter& filter, const v1::RowFacts& facts) {
  return EmptyOrHas(filter.kinds(), facts.kind()) && EmptyOrHas(filter.categories(), facts.category()) &&
         EmptyOrHas(filter.statuses(), facts.status()) && EmptyOrHas(filter.priorities(), facts.priority()) &&
         EmptyOrHas(filter.tiers(), facts.tier()) && (filter.queue().empty() || filter.queue() == facts.queue()) &&
         OwnerMatches(filter.owner(), facts.owner()) &&
         (filter.source().empty() || filter.source() == facts.source()) &&
         (filter.category().empty() || filter.category() == facts.topic()) &&
         DepartmentMatches(reader, filter.department(), facts.department());
}

}  // namespace docket::query
