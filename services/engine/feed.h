#ifndef DOCKET_SERVICES_ENGINE_FEED_H_
#define DOCKET_SERVICES_ENGINE_FEED_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "docket/v1/record.pb.h"
#include "workflow/base/mutex.h"

// The newest commits in memory, for readers that follow the log. Readers pull: a reader knows the next commit it wants,
// takes it from here while it is still held and from the log otherwise. So there is no hand-over from catch-up to live
// that could lose or repeat a commit, and a slow reader costs no memory: it just finds its commit gone and reads the
// log.
namespace docket::engine {

class Feed {
 public:
  static constexpr size_t kHeldCommits = 4096;
  static constexpr size_t kHeldBytes = 16 << 20;

  using Record = std::shared_ptr<const v1::CommitRecord>;

  explicit Feed(uint64_t next_commit) : next_(next_commit) {}

  // Writer only, after the commits are durable.
  void Publish(std::vector<Record> records, const std::vector<size_t>& bytes);

  // The commit numbered `commit`, or null when it is not held (too old) or not yet published.
  Record Get(uint64_t commit) const;
  uint64_t next_commit() const;  // the first not yet published

  // `wake` runs (on the writer thread, must not block) after each publication. A call that has begun may still finish
  // after Unsubscribe returned, so what it touches must be shared with it.
  uint64_t Subscribe(std::function<void()> wake) const;
  void Unsubscribe(uint64_t id) const;

 private:
  mutable Mutex mutex_;
  std::deque<std::pair<Record, size_t>> held_ ABSL_GUARDED_BY(mutex_);
  size_t held_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_ ABSL_GUARDED_BY(mutex_);
  mutable uint64_t next_subscription_ ABSL_GUARDED_BY(mutex_) = 1;
  mutable std::unordered_map<uint64_t, std::shared_ptr<std::function<void()>>> wakes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_FEED_H_
