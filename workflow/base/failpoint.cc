#include "workflow/base/failpoint.h"

#ifdef DOCKET_FAILPOINTS

#include <map>
#include <utility>

#include "workflow/base/mutex.h"

namespace docket {
namespace {

Mutex& Guard() {
  static Mutex mutex;
  return mutex;
}

std::map<std::string, std::function<void()>>& Actions() {
  static std::map<std::string, std::function<void()>> actions;
  return actions;
}

}  // namespace

void SetFailpoint(const std::string& name, std::function<void()> action) {
  const MutexLock lock(&Guard());
  Actions()[name] = std::move(action);
}

void ReachFailpoint(const char* name) {
  std::function<void()> action;
  {
    const MutexLock lock(&Guard());
    const auto found = Actions().find(name);
    if (found != Actions().end()) action = found->second;
  }
  if (action) action();
}

}  // namespace docket

#endif  // DOCKET_FAILPOINTS
