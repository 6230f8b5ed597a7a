#include "services/rpc/rebuild_stream.h"

#include <utility>

#include "services/rpc/status_translation.h"
#include "services/rpc/wire.h"

namespace docket::rpc {

void RebuildStream::Progress(uint64_t done, uint64_t total) {
  v1::RebuildViewsReply reply;
  reply.set_commits_done(done);
  reply.set_commits_total(total);
  {
    const MutexLock lock(&mutex_);
    if (write_open_ || broken_) return;
    write_open_ = true;
    writing_ = ToBytes(reply);
  }
  StartWrite(&writing_);
}

void RebuildStream::End(absl::StatusOr<v1::RebuildViewsReply> result) {
  bool write = false;
  {
    const MutexLock lock(&mutex_);
    end_ = result.status();
    if (result.ok() && !broken_) {
      if (write_open_) {
        last_ = ToBytes(*result);
        return;
      }
      write = write_open_ = true;
      writing_ = ToBytes(*result);
    } else if (write_open_) {
      return;
    }
  }
  write ? StartWrite(&writing_) : Close(result.status());
}

void RebuildStream::OnWriteDone(bool ok) {
  bool write = false;
  std::optional<absl::Status> end;
  {
    const MutexLock lock(&mutex_);
    write_open_ = false;
    broken_ = broken_ || !ok;
    if (last_.has_value() && !broken_) {
      writing_ = *std::move(last_);
      last_.reset();
      write = write_open_ = true;
    } else {
      end = end_;
    }
  }
  if (write) return StartWrite(&writing_);
  if (end.has_value()) Close(*end);
}

void RebuildStream::Close(const absl::Status& status) {
  const grpc::Status answer = ToGrpcStatus(status);
  measured_.End(answer.error_code());
  Finish(answer);
}

}  // namespace docket::rpc
