#ifndef DOCKET_TESTS_SUPPORT_HOUSE_H_
#define DOCKET_TESTS_SUPPORT_HOUSE_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/policy_service.pb.h"
#include "services/engine/engine.h"
#include "store/event_log.h"
#include "store/kv.h"
#include "tests/support/fake_clock.h"

namespace docket::testing {

// 2026-11-18 09:00 London, a Wednesday: where the golden vectors begin.
absl::Time Wednesday();
absl::Time At(absl::string_view rfc3339);

// Bytes that differ but repeat with the seed. Thread-safe.
engine::Randomness SeededRandomness(uint64_t seed);

// The whole house without gRPC: engine over a store, time in the test's hands, the shipped packs published.
class House {
 public:
  struct Options {
    std::unique_ptr<store::KvStore> kv;  // null: memory
    bool run_timers = true;
    absl::Time start = Wednesday();
    bool publish_packs = true;
    uint64_t seed = 1;
    size_t cached_cases = 100;
    std::string high_water_path;
  };
  House();
  explicit House(Options options);
  ~House();

  // Sends and waits. Fills request_id when it is empty.
  absl::StatusOr<v1::ExecuteReply> Do(v1::ExecuteRequest request, absl::string_view principal = "grace.lind");
  // `command` in protobuf text format: "hold { waiting_on: DEPARTMENT reason_code: \"X\" }".
  absl::StatusOr<v1::ExecuteReply> Do(absl::string_view case_id, absl::string_view command,
                                      absl::string_view principal = "grace.lind");
  absl::StatusOr<v1::ExecuteReply> File(absl::string_view file_fields, absl::string_view principal = "grace.lind");
  absl::Status Publish(absl::string_view yaml);
  absl::StatusOr<v1::PublishPoliciesReply> Publish(v1::PublishPoliciesRequest request,
                                                   absl::string_view principal = "mei.tan");
  absl::StatusOr<v1::AbsenceReply> Do(engine::AbsenceChange change, absl::string_view principal = "mei.tan");
  // `who` is away in [from, until), and `deputy` stands in.
  absl::Status Away(absl::string_view who, absl::Time from, absl::Time until, absl::string_view deputy);
  absl::StatusOr<v1::Case> Get(absl::string_view case_id);

  void AdvanceTo(absl::Time time);  // and lets the timers do what is due
  void Settle();                    // waits until the writer sleeps
  std::string NewRequestId();
  // Stops the engine and opens it again over the same store.
  void Reopen();

  engine::Engine& engine() { return *engine_; }
  FakeClock& clock() { return *clock_; }
  store::KvStore& kv() { return *kv_; }
  store::EventLog& log() { return *log_; }
  const std::shared_ptr<FakeClock>& shared_clock() { return clock_; }

 private:
  void Open();

  Options options_;
  std::unique_ptr<store::KvStore> kv_;
  std::unique_ptr<store::EventLog> log_;
  std::shared_ptr<FakeClock> clock_;
  engine::Randomness random_;
  std::unique_ptr<engine::Engine> engine_;
};

// The bytes of a shipped pack.
std::string ReadPack(absl::string_view name);
std::vector<std::string> ShippedPacks();  // in an order in which they can be published

}  // namespace docket::testing

#endif  // DOCKET_TESTS_SUPPORT_HOUSE_H_
