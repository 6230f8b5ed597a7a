#ifndef DOCKET_SERVICES_ENGINE_SEQUENCER_H_
#define DOCKET_SERVICES_ENGINE_SEQUENCER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/record.pb.h"
#include "services/engine/case_cache.h"
#include "services/engine/engine.h"
#include "services/engine/feed.h"
#include "services/engine/lease_table.h"
#include "store/event_log.h"
#include "store/kv.h"
#include "workflow/case/draft.h"
#include "workflow/policy/pack.h"
#include "workflow/policy/policy_set.h"
#include "workflow/projection/rows.h"

// Turns commands into commits, a group at a time. One thread. Within a group every command sees what the ones before it
// did; nothing of it is visible to anybody else until Commit() has it on disk, and if that fails nothing of it remains
// in memory either.
namespace docket::engine {

// The one stream of the directory and of absences.
inline constexpr char kDirectoryStream[] = "directory";

// What became of one command of a group. A staged one is answered only after Commit().
struct Prepared {
  absl::StatusOr<v1::ExecuteReply> answer;
  bool staged = false;
};
struct PreparedPublication {
  absl::StatusOr<v1::PublishPoliciesReply> answer;
  bool staged = false;
};

struct PreparedAbsence {
  absl::StatusOr<v1::AbsenceReply> answer;
  bool staged = false;
};

// What somebody publishes; of the files the server is started with only what is new.
policy::Pack ParseFor(const Caller& caller, const std::string& yaml, const policy::PolicySet& policies, absl::Time now);

class Sequencer {
 public:
  // `environment.clock` is the trusted clock. `leases` outlives the sequencer.
  Sequencer(store::KvStore* kv, store::EventLog* log, const Environment& environment, const LeaseTable* leases,
            size_t cached_cases, uint32_t view_generation, std::shared_ptr<const policy::PolicySet> policies);

  void BeginGroup();
  Prepared Execute(const v1::ExecuteRequest& request, const Caller& caller);
  Prepared TakeNext(const std::string& queue, const std::string& request_id, const Caller& caller);
  // `pack` was parsed against `parsed_against`; it is parsed again when policies were published since.
  PreparedPublication Publish(const v1::PublishPoliciesRequest& request, const Caller& caller, const policy::Pack& pack,
                              const policy::PolicySet* parsed_against);
  // Another version of every calendar whose windows the machine's zone data makes otherwise now.
  absl::Status RepublishCalendars(const Caller& caller);
  PreparedAbsence ChangeAbsence(const AbsenceChange& change, const Caller& caller);
  // Records what time has made true of a case up to now; OK with unchanged when there is nothing.
  Prepared Advance(const std::string& case_id);
  // Moves the clocks of a case to the version that an approved rollout names; OK with unchanged when none concerns it.
  Prepared RollOut(const std::string& case_id, const std::string& rollout_id);
  // A commit of the POLICY stream that tells how far a rollout has come.
  absl::Status RecordRollout(v1::Event event, const Caller& caller);
  // A commit of the SYSTEM stream.
  absl::Status RecordSystem(v1::Event event, const std::string& principal_id, v1::ActorKind kind);

  size_t staged_commits() const { return encoded_.size(); }
  size_t staged_bytes() const { return staged_bytes_; }
  size_t staged_rows() const { return staged_rows_; }

  // Writes the group. On failure forgets it and every cached state; the status is what each staged command answers.
  struct Committed {
    std::vector<Feed::Record> records;
    std::vector<size_t> bytes;
    std::string first_wake;  // the least key of the wake rows that were put; empty: none was
  };
  absl::StatusOr<Committed> Commit();

  std::shared_ptr<const policy::PolicySet> policies() const { return policies_; }
  uint32_t view_generation() const { return generation_; }
  void SwitchGeneration(uint32_t generation);
  size_t cached_cases() const { return cache_.size(); }

 private:
  struct SystemHead {
    uint64_t revision = 0;
    uint64_t last_commit_plus_1 = 0;
    std::string last_leaf;
  };
  struct NewSlice {
    v1::StreamKind kind;
    std::string stream_id;
    std::vector<v1::Event> events;
  };

  store::Family views() const { return store::ViewFamily(generation_); }
  v1::Actor ActorFor(const v1::ExecuteRequest& request, const Caller& caller) const;
  absl::StatusOr<LoadedCase*> Load(const std::string& case_id);
  absl::StatusOr<std::string> ResolveCase(const v1::ExecuteRequest& request);
  absl::StatusOr<std::optional<std::string>> FindExternal(const v1::ExternalRef& ref);
  // The commit that a request with this id and content made; nullopt: the id is new. A staged one is answered only
  // after the group, like the first time.
  struct Earlier {
    Feed::Record record;
    bool staged = false;
  };
  absl::StatusOr<std::optional<Earlier>> FindEarlier(const std::string& request_id, const std::string& canonical);
  // The answer of an earlier attempt, or a refusal; nullopt: the id is new.
  struct AnswerShape {
    bool brief = false;
    bool return_case = false;
  };
  std::optional<Prepared> EarlierAnswer(const std::string& request_id, const std::string& canonical, AnswerShape shape);
  absl::StatusOr<v1::ExecuteReply> AnswerAgain(const v1::CommitRecord& record, AnswerShape shape);
  // What publishing `pack` answered when it made `record`; no policies if the pack is no longer valid by itself.
  v1::PublishPoliciesReply PublishedBy(const v1::CommitRecord& record, const policy::Pack& pack) const;
  // A case as it was after `revision`, also when this group staged that revision.
  absl::StatusOr<v1::Case> StateAt(const std::string& case_id, uint32_t revision);
  Prepared ExecuteNew(const v1::ExecuteRequest& request, const Caller& caller, const std::string& canonical);
  // FAILED_PRECONDITION LEASED: somebody else is at work on the case.
  absl::Status CheckLease(const v1::ExecuteRequest& request, const Caller& caller, const v1::Case& state) const;
  Prepared DecideAndStage(const v1::ExecuteRequest& request, const Caller& caller, const std::string& canonical,
                          LoadedCase* loaded);
  // FAILED_PRECONDITION CAPACITY_REACHED, RESOURCE_EXHAUSTED OWNS_TOO_MANY.
  absl::Status CheckCapacity(const v1::Principal& principal);
  // Cases in hand, with what this group did before.
  absl::StatusOr<uint32_t> CountInHand(const std::string& principal);
  absl::StatusOr<bool> IsInHand(const std::string& case_id, const std::string& principal);
  // The case of a row of a queue, if it stands there free for `principal`; null: passed over, and counted when it is
  // free for others.
  struct PassedOver;
  absl::StatusOr<LoadedCase*> FreeFor(const v1::Principal& principal, const projection::QueueRow& row,
                                      PassedOver* passed);
  // A command of the server itself.
  Prepared Propose(const std::string& case_id, const v1::Command& command, v1::ActorKind kind);
  absl::StatusOr<uint64_t> NextCaseCounter(const std::string& prefix, uint32_t year);
  absl::Status StageCase(v1::CommitRecord record, LoadedCase* loaded, v1::Case after, std::vector<v1::Event> events,
                         store::KvBatch personal);
  // All events of a case, staged ones too.
  absl::StatusOr<std::vector<projection::PastEvent>> EarlierEvents(const LoadedCase& loaded);
  v1::CommitRecord NewRecord() const;
  // The documents of a pack that differ from what is in force, each a new version in its own stream.
  std::vector<NewSlice> PolicySlices(const policy::Pack& pack, const v1::PublishPoliciesRequest& request,
                                     v1::PublishPoliciesReply* reply) const;
  // The position after them.
  absl::StatusOr<uint64_t> StagePolicies(v1::CommitRecord record, std::vector<NewSlice> slices, store::KvBatch personal,
                                         const Caller& caller);
  // FAILED_PRECONDITION: open cases stand in a queue, or are in the hands of somebody, that `next` no longer has.
  absl::Status CheckNothingIsOrphaned(const v1::Directory& next) const;
  // False: the directory in force says the same.
  absl::StatusOr<bool> AddDirectorySlice(const policy::PackDirectory& pack, workflow::Sealer* sealer,
                                         std::vector<NewSlice>* slices) const;
  // The absence as it is to be recorded, checked.
  absl::StatusOr<v1::Absence> AbsenceToRecord(const v1::Absence& absence, const std::string& by) const;
  absl::StatusOr<v1::Absence> AbsenceToEnd(const v1::Absence& absence) const;
  absl::StatusOr<const SystemHead*> HeadOfStream(v1::StreamKind kind, const std::string& id);
  absl::Status StageOther(v1::CommitRecord record, std::vector<NewSlice> slices, store::KvBatch personal);
  // Encodes and adds to the group; the record's number and position are already set.
  absl::StatusOr<std::string> Stage(v1::CommitRecord record, store::KvBatch rows, size_t row_count);
  // Adds the deletion of some rows of requests too old to be asked for.
  void ForgetOldRequests();
  void Forget();

  store::KvStore* const kv_;
  store::EventLog* const log_;
  const Environment environment_;
  const LeaseTable* const leases_;
  uint32_t generation_;
  std::shared_ptr<const policy::PolicySet> policies_;
  std::shared_ptr<const policy::PolicySet> durable_policies_;
  CaseCache cache_;
  std::map<std::string, uint64_t> case_counters_;  // "CMP/2026" → last counter given
  std::map<std::string, SystemHead> other_heads_;  // streams other than cases, small
  std::string forgotten_to_;                       // requests before this key are deleted; empty: not known
  absl::Time next_forgetting_ = absl::InfinitePast();

  // The group being prepared.
  std::unique_ptr<store::KvSnapshot> snapshot_;
  absl::Time now_;
  uint64_t next_commit_ = 0;
  uint64_t next_position_ = 1;
  std::vector<store::EncodedCommit> encoded_;
  std::vector<Feed::Record> records_;
  store::KvBatch rows_;
  size_t staged_bytes_ = 0;
  size_t staged_rows_ = 0;
  std::map<std::string, size_t> staged_requests_;              // request id → index in records_
  std::map<std::string, std::string> staged_external_;         // source NUL key → case id
  std::map<std::string, std::string> staged_numbers_;          // case number → case id
  std::map<std::string, std::set<std::string>> staged_owned_;  // principal → ids of cases the group gave them
};

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_SEQUENCER_H_
