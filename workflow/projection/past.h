#ifndef DOCKET_WORKFLOW_PROJECTION_PAST_H_
#define DOCKET_WORKFLOW_PROJECTION_PAST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/view.pb.h"
#include "workflow/projection/standing.h"

// The rows of the past of a case: where it stood in the lists, from when to when, in the order in which things happened
// (valid time). Pure. Workflow events never go back in time, so a commit closes what it changes and opens what it makes
// so. Only a contact entered late falls between older events; then the case's past is made anew from all its events.
namespace docket::projection {

// An event of a case as it was recorded; the n-th of the case has revision n.
struct PastEvent {
  uint64_t commit = 0;
  v1::Event event;
};

// Whether some event of a commit happened before an event that `listing` or the commit has already.
bool GoesBack(const v1::CaseListing& listing, const std::vector<v1::Event>& events);

// What a commit that does not go back leaves in `listing` and `past`; `state` is brought from before it to after it.
// kDataLoss: an event does not follow.
absl::Status ApplyAndFollow(const std::vector<v1::Event>& events, v1::Case* state, v1::CaseListing* listing,
                            PastRows* past);
// The same for who has the state after it already.
absl::Status FollowCommit(const v1::Case& before, const v1::Case& after, const std::vector<v1::Event>& events,
                          v1::CaseListing* listing, PastRows* past);

// Where the events of a case, all from the first on, leave it in the lists. It is what their commits wrote one by one:
// the newest one that goes back makes the past anew, later ones follow.
// kDataLoss: an event does not follow.
struct Past {
  v1::CaseListing listing;
  PastRows rows;
};
absl::StatusOr<Past> PastOf(const std::string& case_id, const std::vector<PastEvent>& events);

// The case as of `valid_at_us` is the fold of the events that had occurred by then, in the order of recording. Goes
// from one instant to the next at which an event occurred, the last one at most `until_us`, and follows it.
absl::StatusOr<Past> PastInOrderOfTime(const std::string& case_id, const std::vector<PastEvent>& events,
                                       int64_t until_us, v1::Case* last);

}  // namespace docket::projection

#endif  // DOCKET_WORKFLOW_PROJECTION_PAST_H_
