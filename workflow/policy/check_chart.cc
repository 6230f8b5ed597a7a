#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "docket/v1/command.pb.h"
#include "google/protobuf/util/message_differencer.h"
#include "workflow/policy/documents.h"

namespace docket::policy {
namespace {

using StatusSet = std::set<std::string>;

// Commands that move no case along its chart: they open it, stand for time, or copy another system's rows.
bool MovesNothing(absl::string_view command) {
  return command == "file" || command == "advance" || command == "record_source_row" || command == "end_history";
}

// Categories a command may lead to; empty: any but WAITING.
std::vector<v1::StatusCategory> TargetsOf(absl::string_view command) {
  if (command == "hold") return {v1::WAITING};
  if (command == "resolve" || command == "resolve_on_the_spot" || command == "issue_decision") return {v1::RESOLVED};
  if (command == "close" || command == "decline" || command == "void") return {v1::CLOSED};
  if (command == "resume" || command == "reopen" || command == "accept" || command == "triage" ||
      command == "draft_decision" || command == "record_inbound") {
    return {v1::NEW, v1::OPEN};
  }
  return {};
}

class ChartChecker {
 public:
  ChartChecker(const v1::Chart& chart, const ChartLines& lines, Findings* findings)
      : chart_(chart), lines_(lines), findings_(findings) {
    for (const v1::Status& status : chart.statuses()) statuses_.emplace(status.id(), &status);
  }

  void Check() {
    const size_t before = findings_->size();
    CheckInitial();
    for (const v1::Status& status : chart_.statuses()) CheckStatus(status);
    for (int i = 0; i < chart_.transitions_size(); ++i) {
      CheckTarget(i);
      CheckSources(i);
      CheckTimer(i);
      CheckShadow(i);
    }
    // In a graph with a wrong edge everything beyond it is unreachable too, which helps nobody find the edge.
    if (!lines_.sound || findings_->size() > before) return;
    CheckReachable();
    CheckWayOut();
  }

 private:
  const v1::Status* Find(const std::string& id) const {
    const auto it = statuses_.find(id);
    return it == statuses_.end() ? nullptr : it->second;
  }
  v1::StatusCategory CategoryOf(const std::string& id) const {
    const v1::Status* status = Find(id);
    return status == nullptr ? v1::STATUS_CATEGORY_UNSPECIFIED : status->category();
  }
  void AtStatus(const v1::Status& status, absl::string_view reason, absl::string_view message) {
    const auto it = lines_.statuses.find(status.id());
    findings_->Add(it == lines_.statuses.end() ? lines_.document : it->second, reason,
                   absl::StrCat("status ", status.id(), ": ", message));
  }
  void AtTransition(int index, absl::string_view reason, absl::string_view message) {
    findings_->Add(lines_.transitions[index], reason,
                   absl::StrCat("transition ", chart_.transitions(index).id(), ": ", message));
  }
  bool Leaves(const std::string& status, std::initializer_list<absl::string_view> commands) const {
    for (const v1::Transition& transition : chart_.transitions()) {
      if (std::find(commands.begin(), commands.end(), transition.command()) == commands.end()) continue;
      if (std::find(transition.from().begin(), transition.from().end(), status) != transition.from().end()) return true;
    }
    return false;
  }

  void CheckInitial() {
    if (chart_.initial().empty()) return;  // MISSING_KEY has been said
    const v1::Status* initial = Find(chart_.initial());
    if (initial == nullptr) {
      std::vector<std::string> ids;
      for (const auto& [id, status] : statuses_) ids.push_back(id);
      findings_->Add(lines_.initial, "UNKNOWN_STATUS",
                     absl::StrCat("workflow.initial: found ", chart_.initial(), ", want a status of this workflow",
                                  Suggest(chart_.initial(), ids)));
    } else if (initial->category() != v1::NEW && initial->category() != v1::STATUS_CATEGORY_UNSPECIFIED) {
      findings_->Add(lines_.initial, "INITIAL_NOT_NEW",
                     absl::StrCat("workflow.initial: found ", initial->id(), " of category ",
                                  v1::StatusCategory_Name(initial->category()), ", want category NEW"));
    }
  }

  void CheckStatus(const v1::Status& status) {
    const v1::StatusCategory category = status.category();
    if (category == v1::STATUS_CATEGORY_UNSPECIFIED) return;
    const bool closed = category == v1::CLOSED;
    const bool stopped = closed || category == v1::RESOLVED;
    if (status.active() == closed) {
      AtStatus(status, "ACTIVE_CONTRADICTS_CATEGORY",
               closed ? "found active in category CLOSED, want it final" : "found it final, want category CLOSED");
    }
    if (!status.pauses().empty() && stopped) {
      AtStatus(status, "PAUSE_AFTER_STOP", "found pauses in a resolved or closed status, where duties have stopped");
    } else if (!status.pauses().empty() && category != v1::WAITING &&
               !lines_.pauses_outside_waiting.contains(status.id())) {
      AtStatus(status, "PAUSE_OUTSIDE_WAITING",
               "found pauses outside category WAITING, want pauses_outside_waiting: true beside them");
    }
    if (!status.closure_code().empty() && !closed) {
      AtStatus(status, "CLOSURE_CODE_OUTSIDE_CLOSED", "found a closure_code, want category CLOSED");
    }
    if (status.reopen_on_message() && (!stopped || !Leaves(status.id(), {"reopen", "record_inbound"}))) {
      AtStatus(status, "REOPEN_WITHOUT_TRANSITION",
               "found reopen_on_message, want category RESOLVED or CLOSED and a reopen or record_inbound transition "
               "from it");
    }
    if (category == v1::WAITING && !Leaves(status.id(), {"resume"})) {
      AtStatus(status, "WAITING_WITHOUT_RESUME", "found no resume transition, want a way back from waiting");
    }
    if (status.requires_owner() && (closed || status.id() == chart_.initial())) {
      AtStatus(status, "REQUIRES_OWNER_UNMEETABLE",
               "found requires_owner on an initial or final status, want an active one");
    }
  }

  void CheckTarget(int index) {
    const v1::Transition& transition = chart_.transitions(index);
    const std::string& command = transition.command();
    if (MovesNothing(command)) {
      AtTransition(index, "NOT_A_TRANSITION_COMMAND",
                   absl::StrCat("found command ", command, ", want one that moves a case"));
      return;
    }
    if (transition.to().empty() != transition.back_to_resume()) {
      AtTransition(index, "TARGET_UNCLEAR", "found neither or both of to and back_to_resume, want one");
      return;
    }
    const v1::Status* to = Find(transition.to());
    if (to == nullptr || to->category() == v1::STATUS_CATEGORY_UNSPECIFIED) return;
    const std::vector<v1::StatusCategory> wanted = TargetsOf(command);
    const bool fits = wanted.empty() ? to->category() != v1::WAITING
                                     : std::find(wanted.begin(), wanted.end(), to->category()) != wanted.end();
    if (!fits) {
      AtTransition(index, "WRONG_TARGET_CATEGORY",
                   absl::StrCat(command, " leads to ", to->id(), " of category ",
                                v1::StatusCategory_Name(to->category()), ", want ",
                                wanted.empty()
                                    ? "any but WAITING, which only hold enters"
                                    : absl::StrJoin(wanted, " or ", [](std::string* out, v1::StatusCategory category) {
                                        out->append(v1::StatusCategory_Name(category));
                                      })));
    }
    // Only a second person's command may cancel duties, and clocks know it by this code.
    if ((command == "void") != (to->closure_code() == "VOIDED") && to->category() == v1::CLOSED) {
      AtTransition(index, "VOID_AND_CODE_DIFFER",
                   absl::StrCat(command, " leads to ", to->id(),
                                ", want void to lead to closure_code VOIDED, and nothing else"));
    }
    if (command == "close" && chart_.closing_bases().empty()) {
      AtTransition(index, "NO_CLOSING_BASES", "found close without closing_bases, want at least one basis");
    }
    const bool unattended = transition.by_timer() || command == "record_inbound" || command == "reopen";
    if (to->requires_owner() && unattended) {
      AtTransition(index, "REQUIRES_OWNER_UNMEETABLE",
                   absl::StrCat(transition.by_timer() ? "a timer" : command, " leads to ", to->id(),
                                " which requires an owner; nobody may be there to take it"));
    }
  }

  void CheckSources(int index) {
    const v1::Transition& transition = chart_.transitions(index);
    for (const std::string& from : transition.from()) {
      const v1::Status* status = Find(from);
      if (status == nullptr || status->category() == v1::STATUS_CATEGORY_UNSPECIFIED) continue;
      const std::string& command = transition.command();
      if (!status->active() && command != "reopen" && command != "record_inbound" && command != "void") {
        AtTransition(index, "FINAL_STATUS_LEFT",
                     absl::StrCat(command, " leaves the final status ", from, ", want reopen, record_inbound or void"));
      }
      if (status->category() != v1::WAITING && (transition.back_to_resume() || command == "resume")) {
        AtTransition(index, "RESUME_OUTSIDE_WAITING",
                     absl::StrCat("found from ", from, " of category ", v1::StatusCategory_Name(status->category()),
                                  ", want only WAITING"));
      }
      if (command == "reopen" && status->category() != v1::RESOLVED && status->category() != v1::CLOSED) {
        AtTransition(index, "REOPEN_OF_OPEN",
                     absl::StrCat("found from ", from, ", want only RESOLVED or CLOSED statuses"));
      }
    }
  }

  void CheckTimer(int index) {
    const v1::Transition& transition = chart_.transitions(index);
    if (!transition.by_timer()) {
      if (transition.has_after())
        AtTransition(index, "AFTER_WITHOUT_TIMER", "found after, want by_timer: true beside it");
      if (!transition.basis().empty())
        AtTransition(index, "BASIS_WITHOUT_TIMER", "found basis, want by_timer: true beside it");
      return;
    }
    if (!transition.has_after()) AtTransition(index, "TIMER_WITHOUT_AFTER", "found by_timer, want after beside it");
    if (transition.command() != "close") {
      AtTransition(index, "TIMER_COMMAND", absl::StrCat("found by_timer with ", transition.command(), ", want close"));
    }
    if (transition.when().node_case() != v1::Condition::NODE_NOT_SET) {
      AtTransition(index, "TIMER_WITH_WHEN", "found when on a timer, want guards, which postpone it");
    }
    const auto& bases = chart_.closing_bases();
    if (std::find(bases.begin(), bases.end(), transition.basis()) == bases.end()) {
      AtTransition(index, "UNKNOWN_BASIS",
                   absl::StrCat("found basis \"", transition.basis(), "\", want one of the closing_bases",
                                Suggest(transition.basis(), {bases.begin(), bases.end()})));
    }
    for (const std::string& from : transition.from()) {
      if (!timed_.insert(from).second) {
        AtTransition(index, "SECOND_TIMER",
                     absl::StrCat("found another timer from ", from, ", want at most one per status"));
      }
    }
  }

  // A transition that an earlier one of the same command always precedes is never taken.
  void CheckShadow(int index) {
    const v1::Transition& transition = chart_.transitions(index);
    if (transition.by_timer()) return;
    for (int i = 0; i < index; ++i) {
      const v1::Transition& earlier = chart_.transitions(i);
      if (earlier.by_timer() || earlier.command() != transition.command()) continue;
      const bool unconditional = earlier.when().node_case() == v1::Condition::NODE_NOT_SET;
      const bool same = google::protobuf::util::MessageDifferencer::Equals(earlier.when(), transition.when());
      if (!unconditional && !same) continue;
      for (const std::string& from : transition.from()) {
        if (std::find(earlier.from().begin(), earlier.from().end(), from) == earlier.from().end()) continue;
        AtTransition(
            index, "SHADOWED_TRANSITION",
            absl::StrCat("never taken from ", from, ", where ", earlier.id(), " comes first; want a when on that"));
        return;
      }
    }
  }

  // Statuses a wait in `waiting` may have begun in: those with a chain of holds to it. A hold from one wait to another
  // keeps the first one's way back.
  StatusSet ResumeTargets(const std::string& waiting) const {
    StatusSet seen = {waiting}, result;
    std::vector<std::string> open = {waiting};
    while (!open.empty()) {
      const std::string at = open.back();
      open.pop_back();
      for (const v1::Transition& transition : chart_.transitions()) {
        if (transition.command() != "hold" || transition.to() != at) continue;
        for (const std::string& from : transition.from()) {
          if (!seen.insert(from).second) continue;
          if (CategoryOf(from) == v1::WAITING) {
            open.push_back(from);
          } else {
            result.insert(from);
          }
        }
      }
    }
    return result;
  }

  using Edges = std::map<std::string, StatusSet>;
  // By source. `with_void` false: ways out that end as "never happened" do not count.
  Edges MakeEdges(bool with_void) const {
    Edges edges;
    for (const v1::Transition& transition : chart_.transitions()) {
      if (!with_void && transition.command() == "void") continue;
      for (const std::string& from : transition.from()) {
        if (transition.back_to_resume()) {
          edges[from].merge(ResumeTargets(from));
        } else {
          edges[from].insert(transition.to());
        }
      }
    }
    return edges;
  }

  static StatusSet Spread(StatusSet reached, const Edges& edges) {
    std::vector<std::string> open(reached.begin(), reached.end());
    while (!open.empty()) {
      const auto it = edges.find(open.back());
      open.pop_back();
      if (it == edges.end()) continue;
      for (const std::string& next : it->second) {
        if (reached.insert(next).second) open.push_back(next);
      }
    }
    return reached;
  }

  void CheckReachable() {
    if (Find(chart_.initial()) == nullptr) return;
    StatusSet starts = lines_.import_only;
    starts.insert(chart_.initial());
    const StatusSet reached = Spread(starts, MakeEdges(true));
    for (const auto& [id, status] : statuses_) {
      if (!reached.contains(id)) {
        AtStatus(*status, "UNREACHABLE_STATUS",
                 absl::StrCat("found no way from ", chart_.initial(), ", want one (or import_only: true)"));
      }
    }
  }

  void CheckWayOut() {
    Edges backwards;
    for (const auto& [from, targets] : MakeEdges(false)) {
      for (const std::string& to : targets) backwards[to].insert(from);
    }
    StatusSet closed;
    for (const auto& [id, status] : statuses_) {
      if (status->category() == v1::CLOSED) closed.insert(id);
    }
    const StatusSet ends = Spread(closed, backwards);
    for (const auto& [id, status] : statuses_) {
      if (status->active() && !ends.contains(id)) {
        AtStatus(*status, "NO_WAY_TO_CLOSED", "found no way to a status of category CLOSED (voiding apart), want one");
      }
    }
  }

  const v1::Chart& chart_;
  const ChartLines& lines_;
  Findings* const findings_;
  std::map<std::string, const v1::Status*> statuses_;
  StatusSet timed_;
};

}  // namespace

void CheckChart(const v1::Chart& chart, const ChartLines& lines, Findings* findings) {
  ChartChecker(chart, lines, findings).Check();
}

}  // namespace docket::policy
