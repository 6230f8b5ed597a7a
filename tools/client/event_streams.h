#ifndef DOCKET_TOOLS_CLIENT_EVENT_STREAMS_H_
#define DOCKET_TOOLS_CLIENT_EVENT_STREAMS_H_

#include <atomic>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "tools/client/client.h"
#include "workflow/base/mutex.h"

// Server streams. Each helper calls `on_reply` for every message in order, on the calling thread, until the stream ends
// or `on_reply` returns false (then OK). A lost connection is taken up again after the last message received, with the
// client's retry policy counted anew after each message, so no event is missed or seen twice.
namespace docket::client {

// Lets another thread end a stream. Thread-safe. One stream at a time.
class Cancellation {
 public:
  void Cancel();
  bool cancelled() const { return cancelled_; }

  // For the helpers below: the call that Cancel() shall cut off; null: none.
  void Watch(grpc::ClientContext* context);

 private:
  Mutex mutex_;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::atomic<bool> cancelled_{false};
};

// Events of one case.
absl::Status ReadHistory(Client& client, v1::ReadHistoryRequest request,
                         absl::FunctionRef<bool(const v1::ReadHistoryReply&)> on_reply,
                         Cancellation* cancellation = nullptr);

// Events of the whole log up to the position that was last when the call began.
absl::Status ReadLog(Client& client, v1::ReadLogRequest request,
                     absl::FunctionRef<bool(const v1::ReadLogReply&)> on_reply, Cancellation* cancellation = nullptr);

// Catch-up, then live, for ever: returns only by `on_reply`, `cancellation` (OK) or failure. With `from_position` unset
// the start is fixed by the first message received.
absl::Status Subscribe(Client& client, v1::SubscribeRequest request,
                       absl::FunctionRef<bool(const v1::SubscribeReply&)> on_reply,
                       Cancellation* cancellation = nullptr);

// Progress of a plan, then the plan. Not taken up again.
absl::Status PlanRollout(Client& client, const v1::PlanRolloutRequest& request,
                         absl::FunctionRef<bool(const v1::PlanRolloutReply&)> on_reply,
                         Cancellation* cancellation = nullptr);

// Warnings, breaches and escalations; otherwise as Subscribe.
absl::Status WatchAlerts(Client& client, v1::WatchAlertsRequest request,
                         absl::FunctionRef<bool(const v1::WatchAlertsReply&)> on_reply,
                         Cancellation* cancellation = nullptr);

// Progress of a rebuild. Not taken up again: a rebuild cut off is asked for anew.
absl::Status RebuildViews(Client& client, const v1::RebuildViewsRequest& request,
                          absl::FunctionRef<bool(const v1::RebuildViewsReply&)> on_reply,
                          Cancellation* cancellation = nullptr);

// Gives cases to another owner; each reply tells of some. A call cut off is taken up again with the same request id.
absl::Status ReassignCases(Client& client, v1::ReassignCasesRequest request,
                           absl::FunctionRef<bool(const v1::ReassignCasesReply&)> on_reply);

}  // namespace docket::client

#endif  // DOCKET_TOOLS_CLIENT_EVENT_STREAMS_H_
