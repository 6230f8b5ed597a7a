#include "services/rpc/pull_stream.h"

#include <utility>

#include "services/rpc/status_translation.h"
#include "workflow/base/refusal.h"

namespace docket::rpc {
namespace {

absl::Status Stopping() {
  return WithRetryAfter(Refuse(absl::StatusCode::kUnavailable, "STOPPING",
                               "the server is stopping; resume behind the last progress when it is back"),
                        absl::Seconds(1));
}

}  // namespace

void StreamRegistry::Add(PullStream* stream) {
  bool stopping = false;
  {
    const MutexLock lock(&mutex_);
    streams_.insert(stream);
    stopping = stopping_;
  }
  if (stopping) stream->Stop(Stopping());
}

void StreamRegistry::Remove(PullStream* stream) {
  const MutexLock lock(&mutex_);
  streams_.erase(stream);
  if (streams_.empty()) empty_.NotifyAll();
}

void StreamRegistry::StopAll() {
  // Under the lock: a stream is removed before it is deleted, so each one here is alive.
  const MutexLock lock(&mutex_);
  stopping_ = true;
  for (PullStream* stream : streams_) stream->Stop(Stopping());
  const auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return streams_.empty(); };
  if (empty_.WaitFor(&mutex_, kStalledGrace, none)) return;
  for (PullStream* stream : streams_) stream->CancelStalled();
}

void PullStream::Start(const grpc::CallbackServerContext* context, absl::Status refusal) {
  context_ = context;
  if (endless_ != nullptr && refusal.ok()) endless_->Add(this);
  {
    const MutexLock lock(&mutex_);
    if (refusal.ok()) refusal = stop_;
    state_ = refusal.ok() ? State::kRunning : State::kFinished;
  }
  refusal.ok() ? Schedule() : Close(refusal);
}

void PullStream::Schedule() {
  pool_->Run([this] { Advance(); });
}

void PullStream::Advance() {
  Step step = Wait{};
  while (true) {
    absl::Status stop;
    {
      const MutexLock lock(&mutex_);
      woken_ = false;
      stop = stop_;
      if (!stop.ok()) state_ = State::kFinished;
    }
    if (!stop.ok()) return Close(stop);
    step = Next();
    if (!std::holds_alternative<Wait>(step)) break;
    const MutexLock lock(&mutex_);
    if (!woken_ && stop_.ok()) {
      state_ = State::kWaiting;
      return;
    }
  }
  if (auto* end = std::get_if<End>(&step)) {
    {
      const MutexLock lock(&mutex_);
      state_ = State::kFinished;
    }
    return Close(*end);
  }
  absl::Status stop;
  {
    const MutexLock lock(&mutex_);
    stop = stop_;  // the server waits: nothing is begun that the client may not take
    state_ = stop.ok() ? State::kWriting : State::kFinished;
    write_done_ = false;
    if (stop.ok()) writing_ = std::move(std::get<Message>(step).bytes);
  }
  stop.ok() ? StartWrite(&writing_) : Close(stop);
}

void PullStream::OnWriteDone(bool ok) {
  absl::Status stop;
  {
    const MutexLock lock(&mutex_);
    writing_.Clear();
    write_done_ = true;
    if (cancelling_) return;
    stop = !ok && stop_.ok() ? absl::CancelledError("the reader has gone") : stop_;
    state_ = stop.ok() ? State::kRunning : State::kFinished;
  }
  stop.ok() ? Schedule() : Close(stop);
}

void PullStream::Wake() {
  {
    const MutexLock lock(&mutex_);
    woken_ = true;
    if (state_ != State::kWaiting) return;
    state_ = State::kRunning;
  }
  Schedule();
}

void PullStream::Stop(absl::Status why) {
  {
    const MutexLock lock(&mutex_);
    if (!stop_.ok() || state_ == State::kFinished) return;
    stop_ = std::move(why);
    // Only a waiting stream is ended from here; whoever runs or writes sees stop_ when done.
    if (state_ != State::kWaiting) return;
    state_ = State::kRunning;
  }
  Schedule();
}

void PullStream::CancelStalled() {
  {
    const MutexLock lock(&mutex_);
    if (state_ != State::kWriting || cancelling_) return;
    cancelling_ = true;
  }
  // On the pool: gRPC may call back from inside TryCancel, and the caller holds the registry's lock.
  pool_->Run([this] {
    context_->TryCancel();
    absl::Status stop;
    {
      const MutexLock lock(&mutex_);
      cancelling_ = false;
      if (!write_done_) return;  // the write ends the stream
      state_ = State::kFinished;
      stop = stop_;
    }
    Close(stop);
  });
}

void PullStream::OnCancel() { Stop(absl::CancelledError("the reader has gone")); }

void PullStream::Close(const absl::Status& status) {
  const grpc::Status answer = ToGrpcStatus(status);
  measured_.End(answer.error_code());
  Finish(answer);
}

void PullStream::OnDone() {
  if (endless_ != nullptr) endless_->Remove(this);
  Closing();
  delete this;
}

}  // namespace docket::rpc
