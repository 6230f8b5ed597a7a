#ifndef DOCKET_SERVICES_ENGINE_CASE_CACHE_H_
#define DOCKET_SERVICES_ENGINE_CASE_CACHE_H_

#include <list>
#include <string>
#include <unordered_map>
#include <utility>

#include "services/engine/case_loader.h"

// Decoded cases of the writer, least recently used ones forgotten. Writer only.
namespace docket::engine {

class CaseCache {
 public:
  explicit CaseCache(size_t capacity) : capacity_(capacity) {}

  // Null: not held. The pointer stays valid until Shrink or Clear.
  LoadedCase* Find(const std::string& case_id) {
    const auto found = index_.find(case_id);
    if (found == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return &found->second->second;
  }
  LoadedCase* Insert(const std::string& case_id, LoadedCase loaded) {
    order_.emplace_front(case_id, std::move(loaded));
    index_[case_id] = order_.begin();
    return &order_.front().second;
  }
  void Erase(const std::string& case_id) {
    const auto found = index_.find(case_id);
    if (found == index_.end()) return;
    order_.erase(found->second);
    index_.erase(found);
  }
  // Forgets the least recently used beyond the capacity. Called between groups only: within one, pointers are held and
  // the store does not yet know the states.
  void Shrink() {
    while (order_.size() > capacity_) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
  }
  void Clear() {
    index_.clear();
    order_.clear();
  }
  size_t size() const { return order_.size(); }

 private:
  const size_t capacity_;
  std::list<std::pair<std::string, LoadedCase>> order_;
  std::unordered_map<std::string, std::list<std::pair<std::string, LoadedCase>>::iterator> index_;
};

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_CASE_CACHE_H_
