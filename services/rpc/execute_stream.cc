#include "services/rpc/execute_stream.h"

#include <utility>

#include "services/rpc/status_translation.h"
#include "services/rpc/validation.h"
#include "services/rpc/wire.h"
#include "workflow/base/refusal.h"

namespace docket::rpc {
namespace {

absl::Status Stopped() {
  return Refuse(absl::StatusCode::kAborted, "STREAM_STOPPED",
                "not attempted: an earlier request of this stream was refused and stop_on_refusal is set");
}

}  // namespace

void ExecuteStream::Start(absl::StatusOr<engine::Caller> caller) {
  Proceed([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (caller.ok()) {
      caller_ = *std::move(caller);
    } else {
      end_ = caller.status();
      no_more_reads_ = true;
    }
  });
}

void ExecuteStream::Proceed(absl::FunctionRef<void()> change) {
  bool read = false;
  bool finish = false;
  absl::Status end;
  std::shared_ptr<Batch> answered;
  {
    const MutexLock lock(&mutex_);
    change();
    if (finished_) return;
    if (broken_) {  // answers have no reader; what is at work still has to come back before the stream may go
      while (!write_open_ && !batches_.empty() && batches_.front()->open == 0) batches_.pop_front();
    }
    if (!write_open_ && !broken_ && !batches_.empty() && batches_.front()->open == 0) {
      write_open_ = true;
      answered = std::move(batches_.front());
      batches_.pop_front();
      if (answered->stopped) {
        end_ = Stopped();
        no_more_reads_ = true;
      }
    }
    // A message with stop_on_refusal lets nothing behind it begin before it is answered.
    const bool gate = !batches_.empty() && batches_.back()->request.stop_on_refusal();
    if (!read_open_ && !no_more_reads_ && !gate && batches_.size() + (write_open_ ? 1 : 0) < kMaxInFlight) {
      read = read_open_ = true;
    }
    if (!read_open_ && !write_open_ && no_more_reads_ && batches_.empty()) {
      finish = finished_ = true;
      end = end_;
    }
  }
  // Started outside the lock: each may complete at once on another thread.
  if (finish) {
    const grpc::Status status = ToGrpcStatus(end);
    measured_.End(status.error_code());
    return Finish(status);
  }
  if (answered != nullptr) {
    writing_ = ToBytes(answered->reply);
    StartWrite(&writing_);
  }
  if (read) StartRead(&reading_);
}

void ExecuteStream::OnReadDone(bool ok) {
  auto batch = std::make_shared<Batch>();
  absl::Status status;
  if (ok) {
    grpc::ByteBuffer bytes = std::move(reading_);
    reading_ = grpc::ByteBuffer();
    status = ParseRequest(bytes, &batch->request);
    if (status.ok()) status = ValidateEnvelope(batch->request);
  }
  if (ok && status.ok()) {
    batch->open = batch->request.requests_size();
    const bool empty = batch->open == 0;
    for (size_t i = 0; i < batch->open; ++i) batch->reply.add_results();
    {
      const MutexLock lock(&mutex_);
      batches_.push_back(batch);
    }
    // Reading goes on only after this message was handed over, so that the engine sees the messages in order; until
    // then the read counts as open, which keeps the stream alive.
    if (!empty) Begin(batch);
  }
  Proceed([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    read_open_ = false;
    if (!ok || !status.ok()) no_more_reads_ = true;
    if (!status.ok()) end_ = status;
  });
}

void ExecuteStream::Begin(std::shared_ptr<Batch> batch) {
  batch->request.stop_on_refusal() ? BeginOneByOne(batch, 0) : BeginTogether(batch);
}

void ExecuteStream::BeginTogether(const std::shared_ptr<Batch>& batch) {
  std::vector<v1::ExecuteRequest> requests;
  std::vector<size_t> indexes;  // of `requests` in the message
  size_t refused = 0;
  for (int i = 0; i < batch->request.requests_size(); ++i) {
    v1::ExecuteRequest& request = *batch->request.mutable_requests(i);
    const absl::Status status = ValidateRequest(request);
    if (!status.ok()) {
      Fill(*batch, i, status);
      ++refused;
      continue;
    }
    requests.push_back(std::move(request));
    indexes.push_back(i);
  }
  if (!requests.empty()) {
    engine::Caller caller = caller_;
    caller.brief = batch->request.brief();
    engine_->SubmitAll(std::move(requests), std::move(caller), engine::Lane::kBulk,
                       [this, batch, indexes = std::move(indexes)](size_t i, absl::StatusOr<v1::ExecuteReply> reply) {
                         Fill(*batch, indexes[i], std::move(reply));
                         Done(batch, 1);
                       });
  }
  if (refused > 0) Done(batch, refused);
}

void ExecuteStream::BeginOneByOne(const std::shared_ptr<Batch>& batch, size_t index) {
  if (index == static_cast<size_t>(batch->request.requests_size())) return;
  v1::ExecuteRequest& request = *batch->request.mutable_requests(static_cast<int>(index));
  const absl::Status status = ValidateRequest(request);
  if (!status.ok()) {
    Fill(*batch, index, status);
    return StopBatch(batch, index + 1);
  }
  engine::Caller caller = caller_;
  caller.brief = batch->request.brief();
  engine_->Submit(std::move(request), std::move(caller), engine::Lane::kBulk,
                  [this, batch, index](absl::StatusOr<v1::ExecuteReply> reply) {
                    const bool refused = !reply.ok();
                    Fill(*batch, index, std::move(reply));
                    if (refused) return StopBatch(batch, index + 1);
                    // The next one first: once the last result is counted the stream may be gone.
                    BeginOneByOne(batch, index + 1);
                    Done(batch, 1);
                  });
}

void ExecuteStream::StopBatch(const std::shared_ptr<Batch>& batch, size_t from) {
  const size_t size = batch->request.requests_size();
  for (size_t i = from; i < size; ++i) Fill(*batch, i, Stopped());
  Proceed([&] {
    batch->stopped = true;
    batch->open -= size - from + 1;
  });
}

void ExecuteStream::Fill(Batch& batch, size_t index, absl::StatusOr<v1::ExecuteReply> reply) {
  v1::ExecuteStreamReply::Result* result = batch.reply.mutable_results(static_cast<int>(index));
  if (!reply.ok()) {
    *result->mutable_status() = ToRpcStatus(reply.status());
    return;
  }
  *result->mutable_reply() = *std::move(reply);
  if (batch.request.brief()) result->mutable_reply()->clear_events();
}

void ExecuteStream::Done(const std::shared_ptr<Batch>& batch, size_t n) {
  Proceed([&] { batch->open -= n; });
}

void ExecuteStream::OnWriteDone(bool ok) {
  Proceed([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    write_open_ = false;
    if (ok) return;
    broken_ = true;
    no_more_reads_ = true;
  });
}

void ExecuteStream::OnCancel() {
  Proceed([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    broken_ = true;
    no_more_reads_ = true;
    if (end_.ok()) end_ = absl::CancelledError("the caller has gone");
  });
}

}  // namespace docket::rpc
