#include "tests/e2e/storm/judge.h"

#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::storm {
namespace {

absl::Status Broken(const v1::HistoryEvent& event, absl::string_view rule) {
  return absl::InternalError(absl::StrCat("position ", event.position(), ", ", event.type(), ": ", rule));
}

}  // namespace

absl::Status Judge::Take(const v1::HistoryEvent& event) {
  if (event.position() != position_ + 1) return Broken(event, absl::StrCat("follows ", position_));
  position_ = event.position();
  uint32_t& revision = revisions_[absl::StrCat(event.stream_kind(), "/", event.stream_id())];
  if (event.revision() != revision + 1) {
    return Broken(event, absl::StrCat("revision ", event.revision(), " of ", event.stream_id(), " after ", revision));
  }
  revision = event.revision();
  const absl::Time recorded_at = FromProto(event.recorded_at());
  if (recorded_at < recorded_at_) return Broken(event, "recorded_at goes back");
  recorded_at_ = recorded_at;

  const v1::Event& body = event.event();
  if (body.has_clock_breached()) return TakeBreach(event);
  if (body.has_internal_note_added()) return TakeNote(event);
  if (body.has_warning_reached() && !warned_.insert(event.stream_id()).second) return Broken(event, "warned twice");
  if (body.has_escalation_raised()) {
    if (event.stream_id() != last_breached_) return Broken(event, "not right after the breach");
    if (!escalated_.insert(event.stream_id()).second) return Broken(event, "escalated twice");
  }
  return absl::OkStatus();
}

// Of one due the cases come in the order of their ids, so each once.
absl::Status Judge::TakeBreach(const v1::HistoryEvent& event) {
  const v1::ClockBreached& breach = event.event().clock_breached();
  if (event.stream_id() <= last_breached_) {
    return Broken(event, absl::StrCat(event.stream_id(), " comes after ", last_breached_));
  }
  last_breached_ = event.stream_id();
  if (FromProto(breach.due_at()) != due_ || FromProto(event.event().occurred_at()) != due_) {
    return Broken(event, absl::StrCat("not due at ", absl::FormatTime(due_)));
  }
  if (recorded_at_ <= due_) return Broken(event, absl::StrCat("recorded at ", absl::FormatTime(recorded_at_)));
  if (breach.cause() != "TIME") return Broken(event, absl::StrCat("cause ", breach.cause()));
  if (event.actor().kind() != v1::ACTOR_KIND_TIMER) return Broken(event, "not by a timer");
  if (warned_.count(event.stream_id()) == 0) return Broken(event, "without a warning");
  breaches_recorded_at_.push_back(recorded_at_);
  return absl::OkStatus();
}

absl::Status Judge::TakeNote(const v1::HistoryEvent& event) {
  const auto found = acknowledged_.find(event.request_id());
  if (found == acknowledged_.end()) return Broken(event, absl::StrCat(event.request_id(), " is there twice"));
  if (found->second != event.commit()) return Broken(event, absl::StrCat("commit ", found->second, " was answered"));
  acknowledged_.erase(found);
  return absl::OkStatus();
}

absl::Status Judge::Finish() const {
  if (!acknowledged_.empty()) {
    return absl::InternalError(absl::StrCat(acknowledged_.size(), " acknowledged notes are not in the log, such as ",
                                            acknowledged_.begin()->first));
  }
  for (const auto& [what, count] :
       {std::pair("warnings", warned_.size()), std::pair("breaches", breaches_recorded_at_.size()),
        std::pair("escalations", escalated_.size())}) {
    if (count != clocks_) return absl::InternalError(absl::StrCat(count, " ", what, ", want ", clocks_));
  }
  return absl::OkStatus();
}

}  // namespace docket::storm
