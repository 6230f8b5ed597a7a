#ifndef DOCKET_TOOLS_CLIENT_EXECUTE_PIPELINE_H_
#define DOCKET_TOOLS_CLIENT_EXECUTE_PIPELINE_H_

#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/client/client.h"
#include "workflow/base/mutex.h"

namespace docket::client {

// Many commands over ExecuteStream: several per message, a bounded number on the way, one result each.
//
// A lost stream is opened again and every unanswered request is sent again in order with its request_id, so each takes
// effect once. A request the server was too busy for (IsRetryable) is sent again after all others on the way have been
// answered and before any new one; requests behind it on the way may take effect before it. A caller whose commands
// depend on each other (two on one case) must therefore wait for the first one's result, or cope with that order.
//
// Send, Await and Finish are for one thread, which is also the one that repairs a lost stream: whoever waits for
// results must wait in one of them. The callback runs on another thread, one call at a time.
class ExecutePipeline {
 public:
  struct Options {
    size_t requests_per_message = 64;  // 1..256, the server's limit
    size_t max_in_flight = 1024;       // requests without a result; at least requests_per_message
    bool brief = false;                // results without events
    // Told, on the sending thread, that the stream was lost and another is opened after the delay. May be empty.
    std::function<void(const absl::Status&, absl::Duration)> on_lost;
  };
  // Called once for every request sent, normally in the order of sending.
  using OnResult = std::function<void(const v1::ExecuteRequest&, const absl::StatusOr<v1::ExecuteReply>&)>;

  // `client` must outlive the pipeline.
  ExecutePipeline(Client& client, Options options, OnResult on_result);
  // Cuts off what is not finished.
  ~ExecutePipeline();
  ExecutePipeline(const ExecutePipeline&) = delete;
  ExecutePipeline& operator=(const ExecutePipeline&) = delete;

  // Takes a request, giving it a request_id if it has none; blocks while the window is full. A failure means that the
  // stream could not be kept up: every request without a result has been answered with that failure, and the pipeline
  // is closed.
  absl::Status Send(v1::ExecuteRequest request);
  // Puts everything on the way and waits until at most `unanswered` requests have no result.
  absl::Status Await(size_t unanswered);
  // Waits for all results and closes the pipeline.
  absl::Status Finish();

 private:
  using Stream = grpc::ClientReaderWriterInterface<v1::ExecuteStreamRequest, v1::ExecuteStreamReply>;
  struct Item {
    v1::ExecuteRequest request;
    int attempts = 0;
    bool may_have_taken_effect = false;
  };

  absl::Status Pump(size_t target, bool flush);
  absl::Status OpenStream();
  // These let go of the mutex while they wait, send or call back.
  void WriteMessage() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CloseStream(bool cancel) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Recover() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RetryRefused() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FailAll(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // REQUIRES: the reader has been joined.
  void DropStream() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReadResults(Stream* stream);
  void Settle(Item item, const v1::ExecuteStreamReply::Result& result);

  Client& client_;
  const Options options_;
  const OnResult on_result_;

  Mutex mutex_;
  CondVar changed_;
  std::deque<Item> items_ ABSL_GUARDED_BY(mutex_);    // without a result, oldest first
  size_t sent_ ABSL_GUARDED_BY(mutex_) = 0;           // how many at the front of items_ are on the current stream
  size_t settling_ ABSL_GUARDED_BY(mutex_) = 0;       // taken off items_ by the reader, its callback not yet done
  std::deque<Item> refused_ ABSL_GUARDED_BY(mutex_);  // to be sent again
  absl::Status refused_with_ ABSL_GUARDED_BY(mutex_);
  bool stream_ended_ ABSL_GUARDED_BY(mutex_) = false;  // the reader saw the end of the current stream
  int attempt_ ABSL_GUARDED_BY(mutex_) = 0;            // streams opened since the last result
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);        // set for ever once the pipeline failed or finished

  // Of the sending thread.
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<Stream> stream_;
  std::thread reader_;
};

}  // namespace docket::client

#endif  // DOCKET_TOOLS_CLIENT_EXECUTE_PIPELINE_H_
