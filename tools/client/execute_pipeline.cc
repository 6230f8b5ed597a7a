#include "tools/client/execute_pipeline.h"

#include <algorithm>
#include <utility>

#include "workflow/base/check.h"

namespace docket::client {

ExecutePipeline::ExecutePipeline(Client& client, Options options, OnResult on_result)
    : client_(client), options_(options), on_result_(std::move(on_result)) {
  DOCKET_CHECK(options_.requests_per_message >= 1 && options_.requests_per_message <= 256);
  DOCKET_CHECK(options_.max_in_flight >= options_.requests_per_message);
}

ExecutePipeline::~ExecutePipeline() {
  const MutexLock lock(&mutex_);
  CloseStream(/*cancel=*/true);
}

absl::Status ExecutePipeline::Send(v1::ExecuteRequest request) {
  if (request.request_id().empty()) request.set_request_id(client_.options().new_request_id());
  {
    const MutexLock lock(&mutex_);
    if (!closed_.ok()) return closed_;
    items_.push_back({std::move(request)});
  }
  return Pump(options_.max_in_flight - 1, /*flush=*/false);
}

absl::Status ExecutePipeline::Await(size_t unanswered) { return Pump(unanswered, /*flush=*/true); }

absl::Status ExecutePipeline::Finish() {
  DOCKET_RETURN_IF_ERROR(Pump(0, /*flush=*/true));
  const MutexLock lock(&mutex_);
  CloseStream(/*cancel=*/false);
  closed_ = absl::FailedPreconditionError("the pipeline is finished");
  return absl::OkStatus();
}

// Writes what is ready and waits until at most `target` requests have no result.
absl::Status ExecutePipeline::Pump(size_t target, bool flush) {
  const MutexLock lock(&mutex_);
  while (true) {
    if (!closed_.ok()) return closed_;
    if (stream_ended_) {
      DOCKET_RETURN_IF_ERROR(Recover());
      continue;
    }
    if (!refused_.empty()) {
      if (sent_ == 0 && settling_ == 0) {
        RetryRefused();
      } else {
        changed_.Wait(&mutex_);
      }
      continue;
    }
    const size_t unsent = items_.size() - sent_;
    if (unsent >= options_.requests_per_message || (flush && unsent > 0)) {
      WriteMessage();
      continue;
    }
    if (items_.size() + settling_ <= target) return absl::OkStatus();
    changed_.Wait(&mutex_);
  }
}

absl::Status ExecutePipeline::OpenStream() {
  DOCKET_RETURN_IF_ERROR(client_.EnsureConnected());
  context_ = std::make_unique<grpc::ClientContext>();
  client_.Prepare(context_.get());
  stream_ = client_.cases().ExecuteStream(context_.get());
  reader_ = std::thread([this, stream = stream_.get()] { ReadResults(stream); });
  return absl::OkStatus();
}

void ExecutePipeline::WriteMessage() {
  if (stream_ == nullptr) {
    ++attempt_;
    mutex_.Unlock();
    const absl::Status opened = OpenStream();
    mutex_.Lock();
    if (!opened.ok()) {
      stream_ended_ = true;
      return;
    }
  }
  v1::ExecuteStreamRequest message;
  message.set_brief(options_.brief);
  const size_t end = std::min(items_.size(), sent_ + options_.requests_per_message);
  for (; sent_ < end; ++sent_) {
    items_[sent_].may_have_taken_effect = true;  // until its result says otherwise
    *message.add_requests() = items_[sent_].request;
  }
  mutex_.Unlock();
  // A failed write shows as the end of the stream, which the reader reports.
  stream_->Write(message);
  mutex_.Lock();
}

void ExecutePipeline::DropStream() {
  stream_.reset();
  context_.reset();
  sent_ = 0;
  stream_ended_ = false;
}

void ExecutePipeline::CloseStream(bool cancel) {
  if (stream_ == nullptr) return;
  mutex_.Unlock();
  if (cancel) {
    context_->TryCancel();
  } else {
    stream_->WritesDone();
  }
  reader_.join();
  stream_->Finish();
  mutex_.Lock();
  DropStream();
}

// The stream ended with requests unanswered: opens another one later (the unanswered requests become unsent), or gives
// up and answers them all.
absl::Status ExecutePipeline::Recover() {
  absl::Status status = NotConnected(client_.options().server);
  if (stream_ != nullptr) {
    mutex_.Unlock();
    reader_.join();
    status = FromGrpc(stream_->Finish());
    mutex_.Lock();
    if (status.ok()) status = absl::UnavailableError("the server ended the stream");
  }
  DropStream();
  const auto delay = NextDelay(client_.options().retry, std::max(attempt_, 1), status, client_.options().random());
  if (!delay.has_value()) {
    closed_ = status;
    FailAll(status);
    return status;
  }
  mutex_.Unlock();
  if (options_.on_lost) options_.on_lost(status, *delay);
  client_.options().sleep(*delay);
  mutex_.Lock();
  return absl::OkStatus();
}

// REQUIRES: nothing is on the way.
void ExecutePipeline::RetryRefused() {
  const int attempts = refused_.front().attempts;
  const auto delay = NextDelay(client_.options().retry, attempts, refused_with_, client_.options().random());
  mutex_.Unlock();
  if (delay.has_value()) client_.options().sleep(*delay);
  mutex_.Lock();
  while (!refused_.empty()) {
    items_.push_front(std::move(refused_.back()));
    refused_.pop_back();
  }
}

void ExecutePipeline::FailAll(const absl::Status& status) {
  while (!refused_.empty()) {
    items_.push_front(std::move(refused_.back()));
    refused_.pop_back();
  }
  while (!items_.empty()) {
    const Item item = std::move(items_.front());
    items_.pop_front();
    mutex_.Unlock();
    on_result_(item.request,
               item.may_have_taken_effect ? WithUnknownOutcome(status, item.request.request_id()) : status);
    mutex_.Lock();
  }
}

void ExecutePipeline::ReadResults(Stream* stream) {
  v1::ExecuteStreamReply reply;
  while (stream->Read(&reply)) {
    for (const auto& result : reply.results()) {
      Item item;
      {
        const MutexLock lock(&mutex_);
        // More results than requests is a broken server; the surplus has nobody to go to.
        if (sent_ == 0) break;
        item = std::move(items_.front());
        items_.pop_front();
        --sent_;
        ++settling_;
        attempt_ = 0;
      }
      Settle(std::move(item), result);
      const MutexLock lock(&mutex_);
      --settling_;
    }
    changed_.NotifyAll();
  }
  const MutexLock lock(&mutex_);
  stream_ended_ = true;
  changed_.NotifyAll();
}

void ExecutePipeline::Settle(Item item, const v1::ExecuteStreamReply::Result& result) {
  const absl::Status status = result.has_status() ? FromRpcStatus(result.status()) : absl::OkStatus();
  if (status.ok()) {
    on_result_(item.request, result.reply());
    return;
  }
  ++item.attempts;
  item.may_have_taken_effect = MayHaveTakenEffect(status);
  if (NextDelay(client_.options().retry, item.attempts, status, 0).has_value()) {
    const MutexLock lock(&mutex_);
    refused_.push_back(std::move(item));
    refused_with_ = status;
    return;
  }
  on_result_(item.request, item.may_have_taken_effect ? WithUnknownOutcome(status, item.request.request_id()) : status);
}

}  // namespace docket::client
