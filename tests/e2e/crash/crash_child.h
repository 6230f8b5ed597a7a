#ifndef DOCKET_TESTS_E2E_CRASH_CRASH_CHILD_H_
#define DOCKET_TESTS_E2E_CRASH_CRASH_CHILD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "docket/v1/case_service.pb.h"
#include "services/engine/engine.h"
#include "store/event_log.h"
#include "store/kv.h"

// The engine as docketd wires it, minus gRPC, and the process that works it until it is killed.
namespace docket::crash {

inline constexpr uint32_t kWriters = 32;

// What the child tells about each answer before anything else happens to it.
struct Report {
  uint64_t step = 0;
  uint64_t commit = 0;
  uint32_t writer = 0;
  uint32_t revision = 0;
  char case_no[24] = {};
  uint8_t answer[16] = {};  // the beginning of the SHA-256 of the answer
};
Report ReportOf(uint32_t writer, uint64_t step, const v1::ExecuteReply& reply);

// An engine over RocksDB in a folder, with its high-water mark and the real clock.
struct Plant {
  std::unique_ptr<store::KvStore> kv;
  std::unique_ptr<store::EventLog> log;
  std::unique_ptr<engine::Engine> engine;
};
// `lazy`: the store answers each write before it has written it, one write late; such a store must be found out.
absl::StatusOr<Plant> OpenPlant(const std::string& folder, bool lazy);

struct ChildArguments {
  std::string folder;
  int64_t made_at_ms = 0;
  bool lazy = false;
  std::vector<uint64_t> first_steps;
};
std::vector<std::string> ToArguments(const ChildArguments& arguments);

// Whether this process was started as a child; then `code` is what to exit with.
bool RunAsChild(int argc, char** argv, int* code);

}  // namespace docket::crash

#endif  // DOCKET_TESTS_E2E_CRASH_CRASH_CHILD_H_
