// Commits of streams other than cases: policies, the directory, the system's own facts.
#include <map>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/engine/command_sealer.h"
#include "services/engine/projector.h"
#include "services/engine/replies.h"
#include "services/engine/sequencer.h"
#include "store/personal.h"
#include "store/record_format.h"
#include "store/requests.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"
#include "workflow/projection/rows.h"
#include "workflow/sla/calendar_compile.h"

namespace docket::engine {
namespace {

constexpr char kSystemStream[] = "system";
constexpr char kRolloutStream[] = "rollouts";

std::string StreamOf(v1::PolicyKind kind, const std::string& id) {
  return absl::StrCat(absl::AsciiStrToLower(v1::PolicyKind_Name(kind)), "/", id);
}

std::string HeadKey(v1::StreamKind kind, const std::string& id) { return absl::StrCat(kind, "/", id); }

// Does the pack say what the directory in force says, names included?
absl::StatusOr<bool> SameDirectory(const policy::PackDirectory& pack, const policy::PolicySet& policies,
                                   const store::KvSnapshot& snapshot) {
  v1::Directory current = policies.directory();
  std::map<std::string, std::string> names;
  for (v1::Principal& principal : *current.mutable_principals()) {
    if (!principal.has_name()) continue;
    DOCKET_ASSIGN_OR_RETURN(const std::optional<store::Opened> name, store::Open(snapshot, principal.name()));
    if (name.has_value()) names[principal.id()] = name->text;
    principal.clear_name();
  }
  for (const auto& [id, name] : pack.names) {
    if (names[id] != name) return false;
    names.erase(id);
  }
  return names.empty() && current.SerializeAsString() == pack.directory.SerializeAsString();
}

bool AgreesWithZoneData(const v1::CompiledPolicy& compiled) {
  return !compiled.has_calendar() || sla::AgreesWithZoneData(compiled.calendar());
}

v1::Event NewEvent(absl::Time at) {
  v1::Event event;
  *event.mutable_occurred_at() = ToProto(at);
  event.set_visibility(v1::VISIBILITY_INTERNAL);
  return event;
}

absl::Status PackRefusal(const policy::Pack& pack) {
  std::vector<BadField> bad;
  for (const policy::Finding& finding : pack.findings) {
    bad.push_back({absl::StrCat("yaml:", finding.line), absl::StrCat(finding.reason, ": ", finding.message)});
  }
  return RefuseFields("POLICY_INVALID", bad);
}

}  // namespace

policy::Pack ParseFor(const Caller& caller, const std::string& yaml, const policy::PolicySet& policies,
                      absl::Time now) {
  return caller.kind == v1::ACTOR_KIND_STAFF ? policy::ParsePack(yaml, policies, now)
                                             : policy::ParseNewOf(yaml, policies, now);
}

absl::StatusOr<const Sequencer::SystemHead*> Sequencer::HeadOfStream(v1::StreamKind kind, const std::string& id) {
  if (other_heads_.empty()) {
    // Few commits are not of cases; one walk over them knows all their heads.
    std::map<std::string, SystemHead> heads;  // kept only when the walk reached its end
    store::RowScan<projection::ConfigRow> rows(*snapshot_, views());
    for (; rows.Valid(); rows.Next()) {
      DOCKET_ASSIGN_OR_RETURN(const projection::ConfigRow row, rows.Get());
      DOCKET_ASSIGN_OR_RETURN(const std::string stored, log_->Read(row.commit));
      DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, store::DecodeRecord(stored));
      for (const v1::Slice& slice : record.slices()) {
        heads[HeadKey(slice.kind(), slice.stream_id())] = {slice.first_revision() + slice.events_size() - 1,
                                                           row.commit + 1, store::LeafHashOf(stored)};
      }
    }
    DOCKET_RETURN_IF_ERROR(rows.status());
    other_heads_ = std::move(heads);
  }
  return &other_heads_[HeadKey(kind, id)];
}

absl::Status Sequencer::StageOther(v1::CommitRecord record, std::vector<NewSlice> slices, store::KvBatch personal) {
  for (const NewSlice& one : slices) {
    DOCKET_ASSIGN_OR_RETURN(const SystemHead* head, HeadOfStream(one.kind, one.stream_id));
    v1::Slice* slice = record.add_slices();
    slice->set_kind(one.kind);
    slice->set_stream_id(one.stream_id);
    slice->set_first_revision(head->revision + 1);
    slice->set_prev_commit_plus_1(head->last_commit_plus_1);
    slice->set_prev_leaf(head->last_leaf);
    for (const v1::Event& event : one.events) *slice->add_events() = workflow::EncodeEvent(event);
  }
  const uint64_t commit = record.commit();
  DOCKET_ASSIGN_OR_RETURN(const std::string leaf, Stage(std::move(record), std::move(personal), 0));
  for (const NewSlice& one : slices) {
    SystemHead& head = other_heads_[HeadKey(one.kind, one.stream_id)];
    head.revision += one.events.size();
    head.last_commit_plus_1 = commit + 1;
    head.last_leaf = leaf;
  }
  return absl::OkStatus();
}

absl::Status Sequencer::RecordSystem(v1::Event event, const std::string& principal_id, v1::ActorKind kind) {
  *event.mutable_occurred_at() = ToProto(now_);
  event.set_visibility(v1::VISIBILITY_INTERNAL);
  v1::CommitRecord record = NewRecord();
  record.mutable_actor()->set_principal_id(principal_id);
  record.mutable_actor()->set_kind(kind);
  record.mutable_actor()->set_authentication(kind == v1::ACTOR_KIND_STAFF ? "claimed" : "");
  std::vector<NewSlice> slices(1);
  slices[0].kind = v1::STREAM_KIND_SYSTEM;
  slices[0].stream_id = kSystemStream;
  slices[0].events.push_back(std::move(event));
  return StageOther(std::move(record), std::move(slices), {});
}

absl::Status Sequencer::RecordRollout(v1::Event event, const Caller& caller) {
  *event.mutable_occurred_at() = ToProto(now_);
  event.set_visibility(v1::VISIBILITY_INTERNAL);
  v1::CommitRecord record = NewRecord();
  *record.mutable_actor() = ActorFor(v1::ExecuteRequest(), caller);
  DOCKET_ASSIGN_OR_RETURN(std::shared_ptr<const policy::PolicySet> next,
                          policies_->With(event, record.first_position(), now_, caller.principal_id));
  std::vector<NewSlice> slices(1);
  slices[0].kind = v1::STREAM_KIND_POLICY;
  slices[0].stream_id = kRolloutStream;
  slices[0].events.push_back(std::move(event));
  DOCKET_RETURN_IF_ERROR(StageOther(std::move(record), std::move(slices), {}));
  policies_ = std::move(next);
  return absl::OkStatus();
}

std::vector<Sequencer::NewSlice> Sequencer::PolicySlices(const policy::Pack& pack,
                                                         const v1::PublishPoliciesRequest& request,
                                                         v1::PublishPoliciesReply* reply) const {
  std::vector<NewSlice> slices;
  for (const policy::PackDocument& document : pack.documents) {
    v1::PublishedPolicy* published = reply->add_policies();
    published->set_kind(document.kind);
    published->set_id(document.id);
    const auto newest = policies_->Get(document.kind, document.id, 0);
    published->set_version(newest.ok() ? newest->pin.version() : 0);
    // The same text again says something else once the machine's zone data does.
    if (newest.ok() && newest->digest == document.digest && AgreesWithZoneData(newest->compiled)) {
      published->set_unchanged(true);
      continue;
    }
    published->set_version(published->version() + 1);
    NewSlice slice{v1::STREAM_KIND_POLICY, StreamOf(document.kind, document.id), {NewEvent(now_)}};
    v1::PolicyPublished* body = slice.events.back().mutable_policy_published();
    body->set_kind(document.kind);
    body->set_id(document.id);
    body->set_version(published->version());
    body->set_yaml(document.yaml);
    body->set_digest(document.digest);
    *body->mutable_effective_from() =
        request.has_effective_from() ? request.effective_from() : ToProto(document.effective_from.value_or(now_));
    *body->mutable_compiled() = document.compiled;
    slices.push_back(std::move(slice));
  }
  return slices;
}

absl::Status Sequencer::CheckNothingIsOrphaned(const v1::Directory& next) const {
  std::map<std::string, size_t> queues;  // names that go → open cases
  std::map<std::string, size_t> people;
  std::map<std::string, size_t> departments;
  for (const v1::Queue& queue : policies_->directory().queues()) queues[queue.id()] = 0;
  for (const v1::Principal& principal : policies_->directory().principals()) people[principal.id()] = 0;
  for (const v1::Department& department : policies_->directory().departments()) departments[department.id()] = 0;
  for (const v1::Queue& queue : next.queues()) queues.erase(queue.id());
  for (const v1::Principal& principal : next.principals()) people.erase(principal.id());
  for (const v1::Department& department : next.departments()) departments.erase(department.id());
  if (queues.empty() && people.empty() && departments.empty()) return absl::OkStatus();
  store::RowScan<projection::QueueRow> rows(*snapshot_, views());
  for (; rows.Valid(); rows.Next()) {
    DOCKET_ASSIGN_OR_RETURN(const projection::QueueRow row, rows.Get());
    if (const auto found = queues.find(row.queue); found != queues.end()) ++found->second;
    if (const auto found = people.find(row.value.facts().owner()); found != people.end()) ++found->second;
    if (const auto found = departments.find(row.value.facts().department()); found != departments.end())
      ++found->second;
  }
  DOCKET_RETURN_IF_ERROR(rows.status());
  std::vector<Unmet> unmet;
  for (const auto& [id, cases] : queues) {
    if (cases == 0) continue;
    unmet.push_back(
        {"QUEUE_STILL_USED", absl::StrCat("queue ", id, " is left out and holds ", cases, " open cases"), "queue"});
  }
  for (const auto& [id, cases] : people) {
    if (cases == 0) continue;
    unmet.push_back(
        {"PRINCIPAL_STILL_OWNS", absl::StrCat(id, " is left out and works on ", cases, " open cases"), "assign"});
  }
  for (const auto& [id, cases] : departments) {
    if (cases == 0) continue;
    unmet.push_back({"DEPARTMENT_STILL_USED",
                     absl::StrCat("department ", id, " is left out and answers for ", cases, " open cases"),
                     "transfer"});
  }
  return unmet.empty() ? absl::OkStatus() : RefuseUnmet("DIRECTORY_STILL_USED", "the directory", unmet);
}

absl::StatusOr<bool> Sequencer::AddDirectorySlice(const policy::PackDirectory& pack, workflow::Sealer* sealer,
                                                  std::vector<NewSlice>* slices) const {
  DOCKET_ASSIGN_OR_RETURN(const bool same, SameDirectory(pack, *policies_, *snapshot_));
  if (same) return false;
  DOCKET_RETURN_IF_ERROR(CheckNothingIsOrphaned(pack.directory));
  v1::Event event = NewEvent(now_);
  v1::DirectoryPublished* body = event.mutable_directory_published();
  body->set_version(policies_->directory_version() + 1);
  *body->mutable_directory() = pack.directory;
  const std::map<std::string, std::string> names(pack.names.begin(), pack.names.end());
  for (v1::Principal& principal : *body->mutable_directory()->mutable_principals()) {
    const auto name = names.find(principal.id());
    if (name != names.end() && !name->second.empty())
      *principal.mutable_name() = sealer->Seal(principal.id(), name->second);
  }
  slices->push_back({v1::STREAM_KIND_DIRECTORY, kDirectoryStream, {std::move(event)}});
  return true;
}

absl::StatusOr<uint64_t> Sequencer::StagePolicies(v1::CommitRecord record, std::vector<NewSlice> slices,
                                                  store::KvBatch personal, const Caller& caller) {
  if (slices.size() > static_cast<size_t>(store::kMaxSlices)) {
    return RefuseFields("PACK_TOO_LARGE", {{"yaml", absl::StrCat(slices.size(), " changed documents, want at most ",
                                                                 store::kMaxSlices, " in one pack")}});
  }
  // The new set takes effect for the commands behind this one in the group; it is thrown away if the group fails.
  std::shared_ptr<const policy::PolicySet> policies = policies_;
  uint64_t position = record.first_position();
  for (const NewSlice& slice : slices) {
    for (const v1::Event& event : slice.events) {
      DOCKET_ASSIGN_OR_RETURN(policies, policies->With(event, position++, now_, caller.principal_id));
    }
  }
  DOCKET_RETURN_IF_ERROR(StageOther(std::move(record), std::move(slices), std::move(personal)));
  policies_ = std::move(policies);
  return position;
}

PreparedPublication Sequencer::Publish(const v1::PublishPoliciesRequest& request, const Caller& caller,
                                       const policy::Pack& parsed, const policy::PolicySet* parsed_against) {
  v1::PublishPoliciesRequest content = request;
  content.clear_request_id();
  const std::string canonical = absl::StrCat(caller.principal_id, "\npublish\n", content.SerializeAsString());
  const bool current = parsed_against == policies_.get();
  const policy::Pack again = current ? policy::Pack{} : ParseFor(caller, request.yaml(), *policies_, now_);
  const policy::Pack& pack = current ? parsed : again;
  const absl::StatusOr<std::optional<Earlier>> earlier = FindEarlier(request.request_id(), canonical);
  if (!earlier.ok()) return {earlier.status()};
  if (earlier->has_value()) return {PublishedBy(*(*earlier)->record, pack), (*earlier)->staged};
  if (!pack.findings.empty()) return {PackRefusal(pack)};
  const bool staffed = policies_->directory().principals_size() > 0;  // else nobody could publish the first directory
  if (caller.kind == v1::ACTOR_KIND_STAFF && staffed && policies_->Principal(caller.principal_id) == nullptr) {
    return {RefuseFields("UNKNOWN_PRINCIPAL",
                         {{"docket-principal", absl::StrCat("\"", caller.principal_id,
                                                            "\" is not in the directory, who publishes has to be")}})};
  }
  v1::PublishPoliciesReply reply;
  for (const policy::Finding& warning : pack.warnings) *reply.add_warnings() = ToMessage(warning);
  CommandSealer sealer(environment_.random, next_commit_);
  std::vector<NewSlice> slices = PolicySlices(pack, request, &reply);
  if (pack.directory.has_value()) {
    const absl::StatusOr<bool> added = AddDirectorySlice(*pack.directory, &sealer, &slices);
    if (!added.ok()) return {added.status()};
    reply.set_directory_published(*added);
  }
  if (slices.empty()) {
    reply.set_unchanged(true);
    return {std::move(reply)};
  }
  v1::CommitRecord record = NewRecord();
  *record.mutable_actor() = ActorFor(v1::ExecuteRequest(), caller);
  record.set_request_id(request.request_id());
  record.set_request_digest(store::RequestDigest(sealer.first_salt(), canonical));
  reply.set_commit(record.commit());
  const absl::StatusOr<uint64_t> next_position =
      StagePolicies(std::move(record), std::move(slices), sealer.TakeRows(), caller);
  if (!next_position.ok()) return {next_position.status()};
  reply.set_last_position(*next_position - 1);
  return {std::move(reply), true};
}

absl::Status Sequencer::RepublishCalendars(const Caller& caller) {
  std::vector<NewSlice> slices;
  for (const policy::PolicySet::Listed& one : policies_->List(v1::CALENDAR)) {
    DOCKET_ASSIGN_OR_RETURN(const auto newest, policies_->Get(v1::CALENDAR, one.pin.id(), 0));
    if (AgreesWithZoneData(newest.compiled)) continue;
    const policy::Pack pack = policy::ParsePack(newest.yaml, *policies_, now_);
    if (!pack.findings.empty()) return PackRefusal(pack);
    v1::PublishPoliciesReply reply;
    for (NewSlice& slice : PolicySlices(pack, {}, &reply)) slices.push_back(std::move(slice));
  }
  if (slices.empty()) return absl::OkStatus();
  v1::CommitRecord record = NewRecord();
  *record.mutable_actor() = ActorFor(v1::ExecuteRequest(), caller);
  return StagePolicies(std::move(record), std::move(slices), {}, caller).status();
}

}  // namespace docket::engine
