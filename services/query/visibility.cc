#include "services/query/visibility.h"

namespace docket::query {

bool MaySee(const Viewer&, const Subject& subject) { return subject.visibility != v1::VISIBILITY_RESTRICTED; }

bool SeesAll(const Viewer&) { return true; }

bool MaySee(const Viewer& viewer, const v1::CommitRecord& record) {
  for (const v1::Slice& slice : record.slices()) {
    for (const v1::RecordedEvent& event : slice.events()) {
      if (!MaySee(viewer, Subject{.visibility = event.visibility()})) return false;
    }
  }
  return true;
}

}  // namespace docket::query
