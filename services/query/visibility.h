#ifndef DOCKET_SERVICES_QUERY_VISIBILITY_H_
#define DOCKET_SERVICES_QUERY_VISIBILITY_H_

#include <string>

#include "docket/v1/record.pb.h"
#include "docket/v1/view.pb.h"

// The one filter between what is stored and what is shown. Every list, count, history, stream and raw record asks it.
namespace docket::query {

inline constexpr char kAnonymous[] = "anonymous";  // who reads without a name

// Who looks. While there is no login the id is only claimed.
struct Viewer {
  std::string principal_id;
};

// What is looked at: a case by the facts of its row, an event by its mark, or an event of a case.
struct Subject {
  const v1::RowFacts* facts = nullptr;
  v1::Visibility visibility = v1::VISIBILITY_UNSPECIFIED;
};

// Whether `viewer` may see, count or be told of `subject`. Today everybody sees everything except RESTRICTED events:
// nobody can prove membership of a compartment yet.
bool MaySee(const Viewer& viewer, const Subject& subject);
// Whether `viewer` may see every case whatever its facts, so that cases can be counted without reading them.
bool SeesAll(const Viewer& viewer);

// A stored commit as a whole (raw reading): shown only if all of its events are.
bool MaySee(const Viewer& viewer, const v1::CommitRecord& record);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_VISIBILITY_H_
