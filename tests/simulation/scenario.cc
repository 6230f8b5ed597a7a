#include "tests/simulation/scenario.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/text_format.h"
#include "google/rpc/error_details.pb.h"
#include "services/query/lists.h"
#include "store/record_format.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"

namespace docket::testing {
namespace {

constexpr char kIndent[] = "    ";

const absl::TimeZone& London() {
  static const auto& zone = *new absl::TimeZone([] {
    absl::TimeZone found;
    DOCKET_CHECK(absl::LoadTimeZone("Europe/London", &found));
    return found;
  }());
  return zone;
}

absl::Time ParseLondon(absl::string_view text) {
  absl::Time time;
  std::string error;
  const bool parsed = absl::ParseTime("%Y-%m-%d %H:%M:%E*S", text, London(), &time, &error) ||
                      absl::ParseTime("%Y-%m-%d %H:%M", text, London(), &time, &error);
  if (!parsed) std::fprintf(stderr, "not a time: %s\n", std::string(text).c_str());
  DOCKET_CHECK(parsed);
  return time;
}

std::string Show(absl::Time time) {
  const bool whole = time == absl::FromUnixSeconds(absl::ToUnixSeconds(time) / 60 * 60);
  return absl::FormatTime(whole ? "%a %d %b %Y %H:%M" : "%a %d %b %Y %H:%M:%E*S", time, London());
}
std::string Show(const google::protobuf::Timestamp& time) { return Show(FromProto(time)); }

// "1h30m", the way people say it.
std::string Show(absl::Duration span) { return absl::FormatDuration(span); }

std::string MetricOf(const v1::Case& state, uint32_t clock_no) {
  for (const v1::Clock& clock : state.clocks()) {
    if (clock.clock_no() == clock_no) return clock.metric();
  }
  return "?";
}

template <class Message>
std::string DueOf(const Message& message) {
  return message.has_due_at() ? absl::StrCat("due ", Show(message.due_at())) : "no due";
}

std::string WarningWords(const v1::Warning& warning) {
  const std::string silent = warning.silent() ? ", silent" : "";
  if (warning.has_before()) return absl::StrCat(Show(FromProto(warning.before())), " before", silent);
  if (warning.has_after()) return absl::StrCat(Show(FromProto(warning.after())), " after", silent);
  return absl::StrCat(warning.permille() / 10, " %", silent);
}

std::string RaisedWords(const v1::EscalationRaised& raised) {
  std::string words = absl::StrCat("level ", raised.level(), " to ", absl::StrJoin(raised.targets(), ", "));
  if (!raised.absent().empty()) absl::StrAppend(&words, " for ", absl::StrJoin(raised.absent(), ", "));
  if (raised.passed()) absl::StrAppend(&words, ", passed");
  if (raised.has_notify_at()) absl::StrAppend(&words, ", told ", Show(raised.notify_at()));
  if (raised.has_ack_due_at()) absl::StrAppend(&words, ", acknowledge by ", Show(raised.ack_due_at()));
  return words;
}

std::string EscalationWords(const v1::Event& event) {
  if (event.has_escalation_raised()) {
    return RaisedWords(event.escalation_raised());
  } else if (event.has_escalation_ack_lapsed()) {
    const uint32_t next = event.escalation_ack_lapsed().next_level();
    return next == 0 ? "no level above" : absl::StrCat("on to level ", next);
  } else if (event.has_escalation_level_skipped()) {
    const auto& whom = event.escalation_level_skipped().principals();
    return absl::StrCat("level ", event.escalation_level_skipped().level(), " ",
                        event.escalation_level_skipped().reason(), whom.empty() ? "" : " ", absl::StrJoin(whom, ", "));
  } else if (event.has_escalation_requested()) {
    return absl::StrCat("level ", event.escalation_requested().level(), " of ",
                        absl::StrJoin(event.escalation_requested().targets(), ", "));
  } else if (event.has_escalation_declined()) {
    return event.escalation_declined().reason_code();
  } else if (event.has_escalation_closed()) {
    return event.escalation_closed().reason_code();
  } else if (event.has_escalation_scheduled()) {
    const v1::EscalationScheduled& scheduled = event.escalation_scheduled();
    return scheduled.level() == 0 ? "nothing" : absl::StrCat("level ", scheduled.level(), " at ", Show(scheduled.at()));
  } else if (event.has_conflict_declared()) {
    return absl::StrCat(event.conflict_declared().principal(), " ", event.conflict_declared().nature());
  } else if (event.has_watcher_added()) {
    return event.watcher_added().principal();
  }
  return "";
}

// Who answered for how much, when more than one did.
std::string SharesOf(const v1::ClockBreached& breach) {
  if (breach.shares_size() < 2) return "";
  return absl::StrCat(", shares ",
                      absl::StrJoin(breach.shares(), " ", [](std::string* out, const v1::DepartmentShare& share) {
                        absl::StrAppend(out, share.department(), "=", Show(FromProto(share.used())));
                      }));
}

std::string DecisionWords(const v1::Event& event, const v1::Case& state) {
  if (event.has_clock_extended()) {
    return absl::StrCat(MetricOf(state, event.clock_extended().clock_no()), " ", event.clock_extended().ground(), " ",
                        DueOf(event.clock_extended()), ", was ", Show(event.clock_extended().old_due_at()));
  } else if (event.has_clock_exempted()) {
    return absl::StrCat(MetricOf(state, event.clock_exempted().clock_no()), " ", event.clock_exempted().cause());
  } else if (event.has_breach_annulled()) {
    return absl::StrCat(MetricOf(state, event.breach_annulled().clock_no()), " ", event.breach_annulled().cause(),
                        ", was ", DueOf(event.breach_annulled()));
  } else if (event.has_late_entry_rejected()) {
    return MetricOf(state, event.late_entry_rejected().clock_no());
  } else if (event.has_clock_pause_shortened()) {
    return absl::StrCat(MetricOf(state, event.clock_pause_shortened().clock_no()), " until ",
                        Show(event.clock_pause_shortened().end()), ", ", DueOf(event.clock_pause_shortened()));
  }
  return "";
}

std::string ClockWords(const v1::Event& event, const v1::Case& state) {
  if (event.has_clock_attached()) {
    return absl::StrCat(event.clock_attached().metric(), " ", DueOf(event.clock_attached()));
  } else if (event.has_clock_retargeted()) {
    return absl::StrCat(MetricOf(state, event.clock_retargeted().clock_no()), " ", DueOf(event.clock_retargeted()),
                        ", was ", Show(event.clock_retargeted().old_due_at()));
  } else if (event.has_clock_paused()) {
    return absl::StrCat(MetricOf(state, event.clock_paused().clock_no()), " ",
                        Show(FromProto(event.clock_paused().remaining())), " left, ", DueOf(event.clock_paused()));
  } else if (event.has_clock_resumed()) {
    return absl::StrCat(MetricOf(state, event.clock_resumed().clock_no()), " ", DueOf(event.clock_resumed()));
  } else if (event.has_warning_reached()) {
    for (const v1::Clock& clock : state.clocks()) {
      if (clock.clock_no() != event.warning_reached().clock_no()) continue;
      return absl::StrCat(clock.metric(), " ", WarningWords(clock.warnings(event.warning_reached().warning())));
    }
  } else if (event.has_clock_breached()) {
    return absl::StrCat(MetricOf(state, event.clock_breached().clock_no()), " was ", DueOf(event.clock_breached()),
                        ", cause ", event.clock_breached().cause(), ", answerable ",
                        event.clock_breached().department(), SharesOf(event.clock_breached()),
                        event.clock_breached().has_excused_until()
                            ? absl::StrCat(", excused until ", Show(event.clock_breached().excused_until()))
                            : "");
  } else if (event.has_clock_fulfilled()) {
    return absl::StrCat(MetricOf(state, event.clock_fulfilled().clock_no()),
                        event.clock_fulfilled().on_time() ? " on time after " : " late after ",
                        Show(FromProto(event.clock_fulfilled().elapsed())),
                        event.clock_fulfilled().disputed() ? ", disputed" : "");
  } else if (event.has_clock_cancelled()) {
    return absl::StrCat(MetricOf(state, event.clock_cancelled().clock_no()), " ", event.clock_cancelled().cause());
  } else if (event.has_clock_reopened()) {
    return absl::StrCat(MetricOf(state, event.clock_reopened().clock_no()), " ", event.clock_reopened().mode(), " ",
                        DueOf(event.clock_reopened()));
  }
  return DecisionWords(event, state);
}

std::string OtherWords(const v1::Event& event) {
  if (event.has_case_received()) {
    return absl::StrCat(event.case_received().case_no(), " ", event.case_received().entered().status(), " priority ",
                        event.case_received().priority(),
                        event.case_received().deviation().empty() ? "" : " deviation ",
                        event.case_received().deviation());
  } else if (event.has_status_changed()) {
    const v1::StatusChanged& changed = event.status_changed();
    std::string words = absl::StrCat(changed.from(), " -> ", changed.entered().status());
    if (changed.wait().has_until()) absl::StrAppend(&words, " until ", Show(changed.wait().until()));
    if (!changed.deviation().empty()) absl::StrAppend(&words, " deviation ", changed.deviation());
    return words;
  } else if (event.has_case_queued()) {
    return event.case_queued().queue();
  } else if (event.has_owner_assigned()) {
    return absl::StrCat(event.owner_assigned().owner(), " ", v1::AssignMode_Name(event.owner_assigned().mode()));
  } else if (event.has_promised_due_set()) {
    return DueOf(event.promised_due_set());
  } else if (event.has_priority_set()) {
    return absl::StrCat(event.priority_set().previous(), " -> ", event.priority_set().priority());
  } else if (event.has_case_transferred()) {
    return absl::StrCat(event.case_transferred().from_department(), " -> ", event.case_transferred().to_department());
  } else if (event.has_accountable_owner_set()) {
    return event.accountable_owner_set().department();
  } else if (event.has_case_reopened()) {
    return absl::StrCat(v1::ReopenReason_Name(event.case_reopened().reason()), " after ",
                        Show(FromProto(event.case_reopened().since_stop())));
  } else if (event.has_case_closed()) {
    return event.case_closed().basis();
  } else if (event.has_outbound_sent()) {
    return v1::OutboundKind_Name(event.outbound_sent().kind());
  } else if (event.has_timer_postponed()) {
    return absl::StrCat("to ", Show(event.timer_postponed().next_at()), ": ",
                        absl::StrJoin(event.timer_postponed().unmet(), " "));
  } else if (event.has_source_row_recorded()) {
    return absl::StrCat("row ", event.source_row_recorded().cursor(), " ", event.source_row_recorded().source_status());
  } else if (event.has_owed_item_asked()) {
    return absl::StrCat(v1::OwedItemKind_Name(event.owed_item_asked().kind()), " ", event.owed_item_asked().what(),
                        " of ", event.owed_item_asked().department());
  } else if (event.has_owed_item_returned()) {
    return event.owed_item_returned().reason_code();
  } else if (event.has_received_at_corrected()) {
    return absl::StrCat("to ", Show(event.received_at_corrected().received_at()));
  } else if (event.has_history_ended()) {
    return absl::StrCat("observed until ", Show(event.history_ended().observed_until()));
  }
  return "";
}

std::string RefusalWords(const absl::Status& refusal) {
  std::string words = absl::StrCat(kIndent, "refused ", ReasonOf(refusal), "\n");
  google::rpc::PreconditionFailure failure;
  const auto payload = refusal.GetPayload("type.googleapis.com/google.rpc.PreconditionFailure");
  if (payload.has_value() && failure.ParseFromString(std::string(*payload))) {
    for (const auto& one : failure.violations()) {
      absl::StrAppend(&words, kIndent, "  ", one.type(), ": ", one.description(), "\n");
    }
  } else {
    absl::StrAppend(&words, kIndent, "  ", std::string(refusal.message()), "\n");
  }
  return words;
}

}  // namespace

Scenario::Scenario() { shown_ = house_.log().Head().commits; }

std::string Scenario::Tell(const std::string& text) {
  std::string out;
  for (absl::string_view line : absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    if (absl::StartsWith(line, kIndent)) continue;
    absl::StrAppend(&out, line, "\n");
    if (!line.empty() && line[0] != '#') DoLine(std::string(line), &out);
  }
  return out;
}

// From one timer to the next, as a server that is up does.
void Scenario::AdvanceTo(absl::Time time) {
  for (;;) {
    const v1::GetStatsReply stats = house_.engine().Stats(false);
    const absl::Time next = stats.has_next_wake_at() ? FromProto(stats.next_wake_at()) : absl::InfiniteFuture();
    if (next >= time) break;
    house_.AdvanceTo(std::max(next, house_.clock().Now()));
  }
  house_.AdvanceTo(time);
}

void Scenario::DoLine(const std::string& line, std::string* out) {
  absl::string_view rest = line;
  if (absl::ConsumePrefix(&rest, "advance ")) {
    AdvanceTo(ParseLondon(rest));
    ShowNewEvents(out);
  } else if (absl::ConsumePrefix(&rest, "downtime ")) {
    house_.engine().Stop();
    house_.clock().AdvanceTo(ParseLondon(rest));
    house_.Reopen();
    house_.Settle();
    ShowNewEvents(out);
  } else if (absl::ConsumePrefix(&rest, "publish ")) {
    const absl::Status published = house_.Publish(ReadPack(rest));
    if (!published.ok()) absl::StrAppend(out, RefusalWords(published));
  } else if (line == "overdue") {
    ShowOverdue(out);
  } else if (absl::ConsumePrefix(&rest, "queue ")) {
    ShowQueue(std::string(rest), out);
  } else if (!DoCommand(line, out)) {
    absl::StrAppend(out, kIndent, "this line is not understood\n");
  }
}

// "WHO files C1 [at TIME]: FIELDS" or "WHO on C1 [at TIME] [with EVIDENCE] [agreed by APPROVER]: COMMAND".
bool Scenario::DoCommand(const std::string& line, std::string* out) {
  const std::vector<std::string> halves = absl::StrSplit(line, absl::MaxSplits(": ", 1));
  if (halves.size() != 2) return false;
  v1::ExecuteRequest request;
  absl::string_view head = halves[0];
  if (const size_t at = head.find(" agreed by "); at != absl::string_view::npos) {
    request.set_approver(std::string(head.substr(at + 11)));
    head = head.substr(0, at);
  }
  if (const size_t at = head.find(" with "); at != absl::string_view::npos) {
    request.set_evidence_ref(std::string(head.substr(at + 6)));
    head = head.substr(0, at);
  }
  if (const size_t at = head.find(" at "); at != absl::string_view::npos) {
    *request.mutable_occurred_at() = ToProto(ParseLondon(head.substr(at + 4)));
    head = head.substr(0, at);
  }
  const std::vector<std::string> words = absl::StrSplit(head, ' ');
  if (words.size() != 3 || (words[1] != "files" && words[1] != "on")) return false;
  const bool files = words[1] == "files";
  const std::string command = files ? absl::StrCat("file { ", halves[1], " }") : halves[1];
  if (!google::protobuf::TextFormat::ParseFromString(command, request.mutable_command())) return false;
  if (!files) {
    if (ids_.count(words[2]) == 0) return false;
    request.set_case_id(ids_[words[2]]);
  }
  const auto reply = house_.Do(std::move(request), words[0]);
  house_.Settle();
  if (!reply.ok()) {
    absl::StrAppend(out, RefusalWords(reply.status()));
    return true;
  }
  if (files && !reply->unchanged()) {
    ids_[words[2]] = reply->case_id();
    names_[reply->case_id()] = words[2];
  }
  if (reply->unchanged()) absl::StrAppend(out, kIndent, "nothing to do\n");
  ShowNewEvents(out);
  return true;
}

void Scenario::ShowNewEvents(std::string* out) {
  const auto cursor = house_.log().ReadFrom(shown_);
  for (;;) {
    const auto stored = cursor->Next();
    DOCKET_CHECK(stored.ok());
    if (!stored->has_value()) return;
    ++shown_;
    const auto record = store::DecodeRecord(**stored);
    DOCKET_CHECK(record.ok());
    for (const v1::Slice& slice : record->slices()) {
      if (slice.kind() != v1::STREAM_KIND_CASE) continue;
      v1::Case& state = states_[slice.stream_id()];
      for (const v1::RecordedEvent& recorded : slice.events()) {
        const auto event = workflow::DecodeEvent(recorded);
        DOCKET_CHECK(event.ok());
        const absl::Status applied = workflow::Apply(*event, &state);
        DOCKET_CHECK(applied.ok());
        const std::string words = Words(*event, state);
        absl::StrAppend(out, kIndent, names_[slice.stream_id()], "  ", Show(event->occurred_at()), "  ",
                        workflow::EventTypeName(recorded.type()), words.empty() ? "" : "  ", words, "\n");
      }
    }
  }
}

std::string Scenario::Words(const v1::Event& event, const v1::Case& state) const {
  const std::string words = ClockWords(event, state);
  if (!words.empty()) return words;
  const std::string climbed = EscalationWords(event);
  return climbed.empty() ? OtherWords(event) : climbed;
}

void Scenario::ShowOverdue(std::string* out) {
  const query::Reader reader = query::OpenReader(house_.engine(), {.principal_id = "nikhil.rao"});
  v1::ListDutiesRequest request;
  request.set_preset(v1::OVERDUE);
  const auto reply = query::ListDuties(reader, request);
  DOCKET_CHECK(reply.ok());
  for (const auto& item : reply->items()) {
    absl::StrAppend(out, kIndent, names_[item.case_().case_id()], "  ", item.metric(), "  late by ",
                    Show(FromProto(item.late_by())), "  ", item.case_().status(), "  ", item.department(), "\n");
  }
  absl::StrAppend(out, kIndent, reply->header().late_duties(), " late, ", reply->header().cases(), " cases\n");
}

void Scenario::ShowQueue(const std::string& queue, std::string* out) {
  const query::Reader reader = query::OpenReader(house_.engine(), {.principal_id = "grace.lind"});
  v1::ListQueueRequest request;
  request.set_queue(queue);
  const auto reply = query::ListQueue(reader, request);
  DOCKET_CHECK(reply.ok());
  for (const auto& item : reply->items()) {
    absl::StrAppend(out, kIndent, names_[item.case_().case_id()], "  ", item.band(), "  level ",
                    item.escalation_level(), "  due ", Show(item.effective_due()), "  priority ",
                    item.case_().priority(), "\n");
  }
  if (reply->items().empty()) absl::StrAppend(out, kIndent, "empty\n");
}

}  // namespace docket::testing
