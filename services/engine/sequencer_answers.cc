// What a request that was made before got for an answer.
#include "absl/strings/str_cat.h"
#include "services/engine/replies.h"
#include "services/engine/sealed_texts.h"
#include "services/engine/sequencer.h"
#include "store/record_format.h"
#include "store/requests.h"
#include "store/uuid.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"

namespace docket::engine {

absl::StatusOr<std::optional<Sequencer::Earlier>> Sequencer::FindEarlier(const std::string& request_id,
                                                                         const std::string& canonical) {
  const std::optional<int64_t> ms = store::ParseUuidV7(request_id);
  if (!ms.has_value()) {
    return RefuseFields("INVALID_FIELD", {{"request_id", absl::StrCat("\"", request_id, "\" is no UUIDv7")}});
  }
  Earlier earlier;
  const auto staged = staged_requests_.find(request_id);
  if (staged != staged_requests_.end()) {
    earlier = {records_[staged->second], true};
  } else {
    if (absl::FromUnixMillis(*ms) < now_ - absl::FromChrono(store::kRequestHorizon)) {
      return Refuse(absl::StatusCode::kFailedPrecondition, "REQUEST_ID_TOO_OLD",
                    absl::StrCat("request_id: made at ", FormatUtc(absl::FromUnixMillis(*ms)),
                                 ", ids are remembered for 30 days; whether it took effect then is not known"),
                    {{"request_id", request_id}});
    }
    store::RequestRow key;
    key.request_id = request_id;
    DOCKET_ASSIGN_OR_RETURN(const auto row, store::GetRow(*snapshot_, views(), key));
    if (!row.has_value()) return std::nullopt;
    DOCKET_ASSIGN_OR_RETURN(const std::string stored, log_->Read(row->commit));
    DOCKET_ASSIGN_OR_RETURN(v1::CommitRecord record, store::DecodeRecord(stored));
    earlier.record = std::make_shared<const v1::CommitRecord>(std::move(record));
  }
  DOCKET_ASSIGN_OR_RETURN(const bool same, SameRequest(*earlier.record, canonical, *snapshot_, rows_));
  if (!same) {
    return Refuse(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED",
                  absl::StrCat("request_id: ", request_id, " was used for another request; use a new one"),
                  {{"request_id", request_id}});
  }
  return earlier;
}

absl::StatusOr<v1::Case> Sequencer::StateAt(const std::string& case_id, uint32_t revision) {
  LoadedCase* held = cache_.Find(case_id);
  if (held != nullptr && held->state.revision() == revision) return held->state;
  const CaseLoader loader(*snapshot_, views(), *log_);
  DOCKET_ASSIGN_OR_RETURN(std::optional<v1::Case> durable, loader.Load(case_id));
  v1::Case state = durable.has_value() ? *std::move(durable) : v1::Case();
  if (state.revision() >= revision) return loader.LoadAt(case_id, revision);
  // The snapshot does not know what this group did before.
  for (const Feed::Record& record : records_) {
    const v1::Slice* slice = SliceOf(*record, case_id);
    if (slice == nullptr || state.revision() >= revision) continue;
    DOCKET_RETURN_IF_ERROR(FoldSlice(*slice, &state));
  }
  if (state.revision() == revision) return state;
  return absl::InternalError(absl::StrCat("case ", case_id, " has no end of a commit at revision ", revision));
}

absl::StatusOr<v1::ExecuteReply> Sequencer::AnswerAgain(const v1::CommitRecord& record, AnswerShape shape) {
  v1::ExecuteReply reply;
  for (const v1::Slice& slice : record.slices()) {
    if (slice.kind() != v1::STREAM_KIND_CASE) continue;
    const uint32_t revision = static_cast<uint32_t>(slice.first_revision() + slice.events_size() - 1);
    DOCKET_ASSIGN_OR_RETURN(v1::Case after, StateAt(slice.stream_id(), revision));
    DOCKET_ASSIGN_OR_RETURN(reply, ReplyOf(record, after, policies_->absences(), shape.brief));
    if (shape.return_case) *reply.mutable_case_() = std::move(after);
    break;
  }
  reply.set_replayed(true);
  return reply;
}

std::optional<Prepared> Sequencer::EarlierAnswer(const std::string& request_id, const std::string& canonical,
                                                 AnswerShape shape) {
  const absl::StatusOr<std::optional<Earlier>> earlier = FindEarlier(request_id, canonical);
  if (!earlier.ok()) return Prepared{earlier.status()};
  if (!earlier->has_value()) return std::nullopt;
  return Prepared{AnswerAgain(*(*earlier)->record, shape), (*earlier)->staged};
}

v1::PublishPoliciesReply Sequencer::PublishedBy(const v1::CommitRecord& record, const policy::Pack& pack) const {
  v1::PublishPoliciesReply reply;
  reply.set_replayed(true);
  for (const policy::Finding& warning : pack.warnings) *reply.add_warnings() = ToMessage(warning);
  reply.set_commit(record.commit());
  reply.set_last_position(LastPosition(record));
  for (const v1::Slice& slice : record.slices()) {
    reply.set_directory_published(reply.directory_published() || slice.kind() == v1::STREAM_KIND_DIRECTORY);
  }
  for (const policy::PackDocument& document : pack.documents) {
    // The version in force once the commit was made: the newest of a position not beyond it.
    auto version = policies_->Get(document.kind, document.id, 0);
    while (version.ok() && version->pin.position() > reply.last_position() && version->pin.version() > 1) {
      version = policies_->Get(document.kind, document.id, version->pin.version() - 1);
    }
    if (!version.ok()) continue;
    v1::PublishedPolicy* published = reply.add_policies();
    published->set_kind(document.kind);
    published->set_id(document.id);
    published->set_version(version->pin.version());
    published->set_unchanged(version->pin.position() < record.first_position());
  }
  return reply;
}

}  // namespace docket::engine
