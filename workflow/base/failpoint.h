#ifndef DOCKET_WORKFLOW_BASE_FAILPOINT_H_
#define DOCKET_WORKFLOW_BASE_FAILPOINT_H_

#include <functional>
#include <string>

// Places where a test may make the world stop. Compiled in only with -DDOCKET_FAILPOINTS=ON (the debug, asan and tsan
// presets); elsewhere they cost nothing and cannot be set. Names are listed where they stand.
namespace docket {

#ifdef DOCKET_FAILPOINTS
// `action` runs each time `name` is reached, on the thread that reaches it; null: nothing again. Thread-safe.
void SetFailpoint(const std::string& name, std::function<void()> action);
void ReachFailpoint(const char* name);
#define DOCKET_FAILPOINT(name) ::docket::ReachFailpoint(name)
#else
#define DOCKET_FAILPOINT(name) \
  do {                         \
  } while (false)
#endif

}  // namespace docket

#endif  // DOCKET_WORKFLOW_BASE_FAILPOINT_H_
