#ifndef DOCKET_SERVICES_ENGINE_REPLIES_H_
#define DOCKET_SERVICES_ENGINE_REPLIES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/policy_service.pb.h"
#include "docket/v1/record.pb.h"
#include "workflow/policy/absences.h"
#include "workflow/policy/pack.h"

// Records as clients see them.
namespace docket::engine {

// One event of `record` as readers see it.
absl::StatusOr<v1::HistoryEvent> ToHistoryEvent(const v1::CommitRecord& record, int slice, int event,
                                                uint64_t position);

// All events of a record, in order of position.
absl::StatusOr<std::vector<v1::HistoryEvent>> ToHistoryEvents(const v1::CommitRecord& record);

// The answer to the command that made `record`, as a function of the record and the state right after it, so that a
// retry gets the same answer, but for absences recorded meanwhile. `brief`: without events.
absl::StatusOr<v1::ExecuteReply> ReplyOf(const v1::CommitRecord& record, const v1::Case& after,
                                         const policy::Absences& absences, bool brief);

// Says of `event` what whoever made it happen at `at` may not have known: that the one a case was given to is away.
void WarnOf(const v1::Event& event, const v1::Case& after, const policy::Absences& absences, absl::Time at,
            v1::ExecuteReply* reply);

// Id, number, status and next duty of a case, for answers.
void DescribeCase(const v1::Case& state, absl::Time now, v1::ExecuteReply* reply);

v1::PolicyFinding ToMessage(const policy::Finding& finding);

uint64_t LastPosition(const v1::CommitRecord& record);
int EventCount(const v1::CommitRecord& record);

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_REPLIES_H_
