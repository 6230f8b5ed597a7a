#include "services/engine/feed.h"

#include "workflow/base/check.h"

namespace docket::engine {

void Feed::Publish(std::vector<Record> records, const std::vector<size_t>& bytes) {
  DOCKET_CHECK(records.size() == bytes.size());
  std::vector<std::shared_ptr<std::function<void()>>> wakes;
  {
    const MutexLock lock(&mutex_);
    for (size_t i = 0; i < records.size(); ++i) {
      DOCKET_CHECK(records[i]->commit() == next_);
      ++next_;
      held_bytes_ += bytes[i];
      held_.emplace_back(std::move(records[i]), bytes[i]);
    }
    while (held_.size() > kHeldCommits || (held_bytes_ > kHeldBytes && held_.size() > 1)) {
      held_bytes_ -= held_.front().second;
      held_.pop_front();
    }
    for (const auto& [id, wake] : wakes_) wakes.push_back(wake);
  }
  for (const auto& wake : wakes) (*wake)();
}

Feed::Record Feed::Get(uint64_t commit) const {
  const MutexLock lock(&mutex_);
  const uint64_t first = next_ - held_.size();
  if (commit < first || commit >= next_) return nullptr;
  return held_[commit - first].first;
}

uint64_t Feed::next_commit() const {
  const MutexLock lock(&mutex_);
  return next_;
}

uint64_t Feed::Subscribe(std::function<void()> wake) const {
  const MutexLock lock(&mutex_);
  const uint64_t id = next_subscription_++;
  wakes_[id] = std::make_shared<std::function<void()>>(std::move(wake));
  return id;
}

void Feed::Unsubscribe(uint64_t id) const {
  const MutexLock lock(&mutex_);
  wakes_.erase(id);
}

}  // namespace docket::engine
