#ifndef DOCKET_SERVICES_ENGINE_ENGINE_H_
#define DOCKET_SERVICES_ENGINE_ENGINE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/admin_service.pb.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/policy_service.pb.h"
#include "prometheus/registry.h"
#include "services/engine/environment.h"
#include "services/engine/feed.h"
#include "services/engine/lease_table.h"
#include "store/event_log.h"
#include "store/kv.h"
#include "workflow/policy/policy_set.h"

// The one door for writes. Everything that changes the log goes through Submit* to a single writer thread that groups
// what is waiting into one synced write. Start here to understand services/engine.
namespace docket::engine {

// Whom the server's own commits name.
inline constexpr char kSystemPrincipal[] = "docketd";

// Who asks. `principal_id` is not checked against anything while there is no login.
struct Caller {
  std::string principal_id;
  v1::ActorKind kind = v1::ACTOR_KIND_STAFF;
  std::string authentication = "claimed";
  std::string traceparent;
  bool brief = false;  // answers carry no events
};

// Two queues, so that an importer cannot starve handlers: a group takes interactive commands first, then bulk ones, but
// always at least kMinBulkPerGroup of them.
enum class Lane { kInteractive, kBulk };

inline constexpr size_t kMaxQueuedInteractive = 4096;  // commands; beyond: RESOURCE_EXHAUSTED OVERLOADED
inline constexpr size_t kMaxQueuedBulk = 4096;
inline constexpr size_t kMaxGroupCommands = 256;
inline constexpr size_t kMaxGroupBytes = 4 << 20;
inline constexpr size_t kMinBulkPerGroup = 16;
inline constexpr size_t kDefaultCachedCases = 20'000;  // decoded states, about 8 KiB each
inline constexpr size_t kTimersPerGroup = 64;          // cases advanced by timers in one group
// Once commands wait, a group spends no longer on timers, but always advances one case.
inline constexpr absl::Duration kTimersSlice = absl::Milliseconds(2);
inline constexpr uint32_t kSnapshotEvery = 32;  // revisions between kept states

struct EngineOptions {
  store::KvStore* kv = nullptr;    // outlives the engine
  store::EventLog* log = nullptr;  // outlives the engine
  Environment environment;         // clock, randomness, free space
  size_t cached_cases = kDefaultCachedCases;
  bool run_timers = true;  // off in tests that show lists do not need them
  std::string version = "0.1.0";
  std::shared_ptr<prometheus::Registry> metrics;  // null: metrics are kept but not exposed
  std::function<uint64_t()> free_bytes;           // for stats; null: unknown (0)
};

using ExecuteDone = absl::AnyInvocable<void(absl::StatusOr<v1::ExecuteReply>)>;
using AbsenceDone = absl::AnyInvocable<void(absl::StatusOr<v1::AbsenceReply>)>;
using PublishDone = absl::AnyInvocable<void(absl::StatusOr<v1::PublishPoliciesReply>)>;

// An absence to be recorded, or the one of this principal (and `from`, if set) to be ended.
struct AbsenceChange {
  v1::Absence absence;
  bool end = false;
  std::string request_id;
};

// What readers read: one consistent snapshot of everything at `position`.
struct ReadView {
  std::shared_ptr<const store::KvSnapshot> snapshot;  // shared by all readers between two groups
  store::Family views;                                // the live generation
  uint64_t position = 0;                              // last position readable
  uint64_t commits = 0;
  absl::Time recorded_at;  // of the newest commit
  std::shared_ptr<const policy::PolicySet> policies;
};

class Engine {
 public:
  // Loads policies and directory, catches the views up with the log if needed, starts the writer and the timers.
  static absl::StatusOr<std::unique_ptr<Engine>> Open(const EngineOptions& options);
  virtual ~Engine() = default;  // stops taking commands, finishes the queue, then returns

  // Thread-safe. `done` runs on the writer thread (or at once in the caller's, when refused before queueing) and must
  // not block. REQUIRES: the request passed request validation (services/rpc/validation.h).
  virtual void Submit(v1::ExecuteRequest request, Caller caller, Lane lane, ExecuteDone done) = 0;
  // Submits several in order with one hand-over; `done` runs once per request, in order.
  virtual void SubmitAll(std::vector<v1::ExecuteRequest> requests, Caller caller, Lane lane,
                         std::function<void(size_t index, absl::StatusOr<v1::ExecuteReply>)> done) = 0;
  // Takes the first unowned case of a queue for the caller.
  virtual void SubmitTakeNext(std::string queue, std::string request_id, Caller caller, ExecuteDone done) = 0;
  virtual void SubmitPublish(v1::PublishPoliciesRequest request, Caller caller, PublishDone done) = 0;
  virtual void SubmitAbsence(AbsenceChange change, Caller caller, AbsenceDone done) = 0;

  // Tells others that the caller is at work on a case (lease_table.h); `span` zero: kDefaultLease. INVALID_ARGUMENT
  // UNKNOWN_PRINCIPAL; FAILED_PRECONDITION CONDITIONS_UNMET: a conflict of interest; those of LeaseTable::Take.
  virtual absl::StatusOr<LeaseTable::Lease> TakeLease(const std::string& case_id, const Caller& caller,
                                                      absl::Duration span) = 0;
  virtual bool ReleaseLease(const std::string& case_id, const Caller& caller) = 0;

  // Another version for clocks that run already (rollout.h). Planning counts first and blocks meanwhile; `progress` as
  // there. Approving lets a thread of the engine do it, which ListRollouts watches.
  virtual absl::StatusOr<v1::PlanRolloutReply> PlanRollout(
      v1::PlanRolloutRequest request, Caller caller, std::function<bool(uint64_t done, uint64_t total)> progress) = 0;
  virtual absl::StatusOr<v1::ApproveRolloutReply> ApproveRollout(v1::ApproveRolloutRequest request, Caller caller) = 0;
  virtual v1::ListRolloutsReply ListRollouts() const = 0;

  // Thread-safe, never waits for the writer.
  virtual ReadView Read() const = 0;
  virtual const Feed& feed() const = 0;
  virtual const store::EventLog& log() const = 0;
  // The clock in it is the trusted one: while the wall clock is in doubt it goes on by monotonic time.
  virtual const Environment& environment() const = 0;

  virtual v1::GetStatsReply Stats(bool with_digests) const = 0;
  // OK while commands are accepted; else why not (write latch, stopping).
  virtual absl::Status WriteHealth() const = 0;
  virtual bool ClockSuspect() const = 0;
  virtual absl::StatusOr<absl::Duration> AcceptClock(Caller caller) = 0;
  // Blocks until done; `progress` is called now and then from this thread. Commands go on meanwhile.
  virtual absl::StatusOr<v1::RebuildViewsReply> Rebuild(
      bool keep_old, std::function<void(uint64_t done, uint64_t total)> progress) = 0;
  // A rebuild that is still folding the log, or begins later, ends with kCancelled. What it made is dropped when the
  // engine is opened again; the views in use are not touched.
  virtual void CancelRebuilds() = 0;
  // Stops taking commands; those queued are finished. Idempotent.
  virtual void Stop() = 0;
};

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_ENGINE_H_
