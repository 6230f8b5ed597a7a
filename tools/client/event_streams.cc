#include "tools/client/event_streams.h"

#include <algorithm>
#include <memory>

namespace docket::client {
namespace {

// How often an infinite stream that has once worked is opened again: a minute or so, enough for a server to restart.
constexpr int kResumeAttempts = 30;

enum class Ended { kByServer, kByReader };

// One attempt at a stream: opens it, hands every message to `on_reply`, and finishes it.
template <class Reply>
absl::Status ReadOnce(Client& client,
                      absl::FunctionRef<std::unique_ptr<grpc::ClientReaderInterface<Reply>>(grpc::ClientContext*)> open,
                      absl::FunctionRef<bool(const Reply&)> on_reply, Cancellation* cancellation, Ended* ended) {
  *ended = Ended::kByServer;
  const absl::Status connected = client.EnsureConnected();
  if (!connected.ok()) return connected;
  grpc::ClientContext context;
  client.Prepare(&context);
  if (cancellation != nullptr) cancellation->Watch(&context);
  auto reader = open(&context);
  Reply reply;
  while (reader->Read(&reply)) {
    if (on_reply(reply)) continue;
    *ended = Ended::kByReader;
    context.TryCancel();
    break;
  }
  const grpc::Status status = reader->Finish();
  if (cancellation != nullptr) cancellation->Watch(nullptr);
  return FromGrpc(status);
}

// Repeats ReadOnce with the client's retry policy, counted anew after each message.
template <class Reply>
absl::Status ReadResuming(
    Client& client, absl::FunctionRef<std::unique_ptr<grpc::ClientReaderInterface<Reply>>(grpc::ClientContext*)> open,
    absl::FunctionRef<bool(const Reply&)> on_reply, Cancellation* cancellation, bool endless) {
  int attempt = 0;
  RetryPolicy policy = client.options().retry;
  const auto counting = [&](const Reply& reply) {
    attempt = 0;
    if (endless) policy.max_attempts = std::max(policy.max_attempts, kResumeAttempts);
    return on_reply(reply);
  };
  while (cancellation == nullptr || !cancellation->cancelled()) {
    ++attempt;
    Ended ended;
    absl::Status status = ReadOnce<Reply>(client, open, counting, cancellation, &ended);
    if (ended == Ended::kByReader || (cancellation != nullptr && cancellation->cancelled())) return absl::OkStatus();
    if (status.ok()) {
      if (!endless) return status;
      // Only a server shutting down ends an infinite stream.
      status = absl::UnavailableError("the server ended the stream");
    }
    if (attempt == 0) attempt = 1;
    const auto delay = NextDelay(policy, attempt, status, client.options().random());
    if (!delay.has_value()) return status;
    client.options().sleep(*delay);
  }
  return absl::OkStatus();
}

}  // namespace

void Cancellation::Cancel() {
  const MutexLock lock(&mutex_);
  cancelled_ = true;
  if (context_ != nullptr) context_->TryCancel();
}

void Cancellation::Watch(grpc::ClientContext* context) {
  const MutexLock lock(&mutex_);
  context_ = context;
  if (cancelled_ && context_ != nullptr) context_->TryCancel();
}

absl::Status ReadHistory(Client& client, v1::ReadHistoryRequest request,
                         absl::FunctionRef<bool(const v1::ReadHistoryReply&)> on_reply, Cancellation* cancellation) {
  return ReadResuming<v1::ReadHistoryReply>(
      client, [&](grpc::ClientContext* context) { return client.audit().ReadHistory(context, request); },
      [&](const v1::ReadHistoryReply& reply) {
        if (!reply.entries().empty()) request.set_from_revision(reply.entries().rbegin()->event().revision() + 1);
        return on_reply(reply);
      },
      cancellation, /*endless=*/false);
}

absl::Status ReadLog(Client& client, v1::ReadLogRequest request,
                     absl::FunctionRef<bool(const v1::ReadLogReply&)> on_reply, Cancellation* cancellation) {
  return ReadResuming<v1::ReadLogReply>(
      client, [&](grpc::ClientContext* context) { return client.audit().ReadLog(context, request); },
      [&](const v1::ReadLogReply& reply) {
        request.set_from_position(reply.scanned_position() + 1);
        const uint64_t seen = reply.events_size() + reply.raw_records_size();
        const bool last = request.limit() != 0 && seen >= request.limit();
        // A limit used up may not become 0, which would mean no limit.
        if (request.limit() != 0 && !last) request.set_limit(request.limit() - seen);
        return on_reply(reply) && !last;
      },
      cancellation, /*endless=*/false);
}

absl::Status Subscribe(Client& client, v1::SubscribeRequest request,
                       absl::FunctionRef<bool(const v1::SubscribeReply&)> on_reply, Cancellation* cancellation) {
  return ReadResuming<v1::SubscribeReply>(
      client, [&](grpc::ClientContext* context) { return client.audit().Subscribe(context, request); },
      [&](const v1::SubscribeReply& reply) {
        request.set_from_position(reply.progress() + 1);
        return on_reply(reply);
      },
      cancellation, /*endless=*/true);
}

absl::Status PlanRollout(Client& client, const v1::PlanRolloutRequest& request,
                         absl::FunctionRef<bool(const v1::PlanRolloutReply&)> on_reply, Cancellation* cancellation) {
  Ended ended;
  const absl::Status status = ReadOnce<v1::PlanRolloutReply>(
      client, [&](grpc::ClientContext* context) { return client.policies().PlanRollout(context, request); }, on_reply,
      cancellation, &ended);
  return ended == Ended::kByReader ? absl::OkStatus() : status;
}

absl::Status WatchAlerts(Client& client, v1::WatchAlertsRequest request,
                         absl::FunctionRef<bool(const v1::WatchAlertsReply&)> on_reply, Cancellation* cancellation) {
  return ReadResuming<v1::WatchAlertsReply>(
      client, [&](grpc::ClientContext* context) { return client.queues().WatchAlerts(context, request); },
      [&](const v1::WatchAlertsReply& reply) {
        request.set_from_position(reply.progress() + 1);
        return on_reply(reply);
      },
      cancellation, /*endless=*/true);
}

absl::Status RebuildViews(Client& client, const v1::RebuildViewsRequest& request,
                          absl::FunctionRef<bool(const v1::RebuildViewsReply&)> on_reply, Cancellation* cancellation) {
  Ended ended;
  const absl::Status status = ReadOnce<v1::RebuildViewsReply>(
      client, [&](grpc::ClientContext* context) { return client.admin().RebuildViews(context, request); }, on_reply,
      cancellation, &ended);
  return ended == Ended::kByReader ? absl::OkStatus() : status;
}

absl::Status ReassignCases(Client& client, v1::ReassignCasesRequest request,
                           absl::FunctionRef<bool(const v1::ReassignCasesReply&)> on_reply) {
  if (request.request_id().empty()) request.set_request_id(client.options().new_request_id());
  return ReadResuming<v1::ReassignCasesReply>(
      client, [&](grpc::ClientContext* context) { return client.cases().ReassignCases(context, request); }, on_reply,
      nullptr, /*endless=*/false);
}

}  // namespace docket::client
