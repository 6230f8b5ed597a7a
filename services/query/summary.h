#ifndef DOCKET_SERVICES_QUERY_SUMMARY_H_
#define DOCKET_SERVICES_QUERY_SUMMARY_H_

#include <algorithm>
#include <string>

#include "absl/status/statusor.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/view.pb.h"
#include "services/query/reader.h"

// What lists choose cases by.
namespace docket::query {

// `wanted` "": any; "-": unowned; else that owner.
bool OwnerMatches(const std::string& wanted, const std::string& owner);

// `wanted` "": any; else `department` is it or below it in today's directory.
bool DepartmentMatches(const Reader& reader, const std::string& wanted, const std::string& department);

bool Matches(const Reader& reader, const v1::CaseFilter& filter, const v1::RowFacts& facts);

template <class List, class Value>
bool EmptyOrHas(const List& list, const Value& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_SUMMARY_H_
