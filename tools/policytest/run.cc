#include "tools/policytest/run.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "docket/v1/command.pb.h"
#include "google/rpc/error_details.pb.h"
#include "tools/policytest/command_reader.h"
#include "tools/policytest/instants.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/case/case_number.h"
#include "workflow/case/decide.h"
#include "workflow/case/facts.h"
#include "workflow/policy/condition.h"
#include "workflow/policy/findings.h"

namespace docket::policytest {
namespace {

constexpr char kFailureType[] = "type.googleapis.com/google.rpc.PreconditionFailure";
constexpr char kCaseId[] = "01936f00-0000-7000-8000-000000000001";

// References to texts that nobody keeps.
class CountingSealer : public workflow::Sealer {
 public:
  v1::SealedText Seal(absl::string_view subject_id, absl::string_view text) override {
    v1::SealedText sealed;
    sealed.set_subject_id(std::string(subject_id));
    sealed.set_n(count_++);
    sealed.set_length(static_cast<uint32_t>(text.size()));
    return sealed;
  }

 private:
  uint32_t count_ = 0;
};

// The reasons of what is unmet, in order; the reason of the refusal itself when it lists nothing.
std::string ReasonsOf(const absl::Status& refusal) {
  google::rpc::PreconditionFailure failure;
  const auto payload = refusal.GetPayload(kFailureType);
  if (payload.has_value() && failure.ParseFromString(std::string(*payload)) && failure.violations_size() > 0) {
    return absl::StrJoin(failure.violations(), ", ",
                         [](std::string* out, const auto& one) { absl::StrAppend(out, one.type()); });
  }
  const std::string reason = ReasonOf(refusal);
  return reason.empty() ? absl::StatusCodeToString(refusal.code()) : reason;
}

// One case, moved through time by commands.
class Desk {
 public:
  Desk(const Suite& suite, absl::Time now) : suite_(suite), now_(now) { state_.set_case_id(kCaseId); }

  const v1::Case& state() const { return state_; }
  const std::vector<v1::Event>& events() const { return events_; }

  // What time makes true until `to` happens, each at its instant, as the server's timers have it.
  absl::Status MoveTo(absl::Time to) {
    while (state_.revision() > 0 && workflow::NextMoment(state_) <= to) {
      now_ = std::max(now_, workflow::NextMoment(state_));
      v1::Command advance;
      advance.mutable_advance();
      DOCKET_RETURN_IF_ERROR(Do(advance, Step()));
    }
    now_ = to;
    return absl::OkStatus();
  }

  absl::Status Do(const v1::Command& command, const Step& step) {
    DOCKET_ASSIGN_OR_RETURN(const absl::Time effective,
                            workflow::EffectiveTime(state_, command, step.occurred_at, !step.evidence.empty(), now_));
    v1::Actor actor;
    actor.set_principal_id(step.as);
    if (const v1::Principal* principal = suite_.policies->Principal(step.as); principal != nullptr) {
      actor.set_department_id(principal->department());
    }
    workflow::DecideContext context;
    context.now = now_;
    context.effective = effective;
    context.actor = &actor;
    context.policies = suite_.policies.get();
    context.sealer = &sealer_;
    context.approver = step.approver;
    context.evidence_ref = step.evidence;
    context.new_case_id = kCaseId;
    context.next_case_no = [](absl::string_view prefix, int year) {
      return workflow::FormatCaseNumber({std::string(prefix), static_cast<uint32_t>(year), 1});
    };
    v1::Case after;
    DOCKET_ASSIGN_OR_RETURN(const std::vector<v1::Event> events, workflow::Decide(state_, command, context, &after));
    state_ = std::move(after);
    events_.insert(events_.end(), events.begin(), events.end());
    return absl::OkStatus();
  }

 private:
  const Suite& suite_;
  absl::Time now_;
  CountingSealer sealer_;
  v1::Case state_;
  std::vector<v1::Event> events_;
};

class Runner {
 public:
  Runner(const Suite& suite, const Scenario& scenario)
      : suite_(suite), scenario_(scenario), desk_(suite, scenario.now), now_(scenario.now) {}

  Outcome Run() {
    outcome_.name = scenario_.name;
    outcome_.line = scenario_.line;
    bool going = true;
    for (size_t i = 0; going && i < scenario_.steps.size(); ++i) going = RunStep(scenario_.steps[i]);
    if (going && scenario_.expect.has_value()) Compare(*scenario_.expect, 0);
    for (const Seen& clock : Clocks()) outcome_.clocks.push_back(ClockLine(clock));
    return std::move(outcome_);
  }

 private:
  // False: what follows makes no sense any more.
  bool RunStep(const Step& step) {
    const size_t before = desk_.events().size();
    now_ = step.at;
    if (const absl::Status moved = desk_.MoveTo(step.at); !moved.ok()) {
      Differ(step.line, "the passing of time", "it to pass", std::string(moved.message()));
      return false;
    }
    absl::Status done;
    if (!step.command.empty()) done = Give(step);
    const bool refused = step.expect.has_value() && step.expect->refused.has_value();
    if (refused) {
      const Wish& wish = *step.expect->refused;
      Compare(wish, absl::StrCat(step.command, " refused"), done.ok() ? "accepted" : ReasonsOf(done));
    } else if (!done.ok()) {
      Differ(step.line, step.command, "accepted", absl::StrCat(ReasonsOf(done), ": ", done.message()));
      return false;
    }
    if (step.expect.has_value()) Compare(*step.expect, before);
    return true;
  }

  absl::Status Give(const Step& step) {
    policy::Findings findings;
    v1::Command command;
    const auto* field = v1::Command::descriptor()->FindFieldByName(step.command);
    const CommandContext context{.at = step.at, .zone = suite_.zone, .revisions = &revisions_};
    ReadMessage(step.body, step.command, context, command.GetReflection()->MutableMessage(&command, field), &findings);
    if (!findings.empty()) return absl::InvalidArgumentError(findings.Take().front().message);
    const uint32_t revision = desk_.state().revision() + 1;
    DOCKET_RETURN_IF_ERROR(desk_.Do(command, step));
    if (!step.id.empty()) revisions_[step.id] = revision;
    return absl::OkStatus();
  }

  std::vector<Seen> Clocks() const {
    std::vector<Seen> clocks;
    for (const v1::Clock& clock : desk_.state().clocks()) clocks.push_back(SeeClock(clock, now_, suite_.zone));
    return clocks;
  }

  // `from`: the first of the events that the lists are about.
  void Compare(const Expectation& expect, size_t from) {
    const std::vector<Seen> clocks = Clocks();
    for (const Entry& entry : expect.clocks) CompareClock(entry, clocks);
    for (const Entry& entry : expect.no_clocks) {
      if (const Seen* found = Newest(entry, clocks)) {
        Differ(entry.line, NameOf(entry), "no such clock", ClockLine(*found));
      }
    }
    const Happened happened = SeeEvents(absl::MakeConstSpan(desk_.events()).subspan(from), desk_.state(), suite_.zone);
    if (expect.warnings.has_value()) CompareList("warnings", *expect.warnings, happened.warnings);
    if (expect.breaches.has_value()) CompareList("breaches", *expect.breaches, happened.breaches);
    if (expect.escalations.has_value()) CompareList("escalations", *expect.escalations, happened.escalations);
    if (expect.status.has_value()) Compare(*expect.status, "status", desk_.state().status().status());
    if (expect.holds_line != 0) {
      const v1::CaseFacts facts = workflow::BuildFacts(desk_.state());
      if (!policy::Evaluate(expect.holds, {.case_facts = &facts, .command = nullptr, .event = nullptr})) {
        Differ(expect.holds_line, "holds", policy::DescribeCondition(expect.holds), "that it does not");
      }
    }
  }

  static const Seen* Newest(const Entry& entry, const std::vector<Seen>& clocks) {
    const auto fits = [&](const Seen& clock) {
      return std::all_of(entry.names.begin(), entry.names.end(),
                         [&](const Wish& name) { return clock.at(name.field) == name.wanted; });
    };
    const auto found = std::find_if(clocks.rbegin(), clocks.rend(), fits);
    return found == clocks.rend() ? nullptr : &*found;
  }

  static std::string NameOf(const Entry& entry) {
    return absl::StrJoin(entry.names, " ",
                         [](std::string* out, const Wish& name) { absl::StrAppend(out, name.wanted); });
  }

  void CompareClock(const Entry& entry, const std::vector<Seen>& clocks) {
    const Seen* clock = Newest(entry, clocks);
    if (clock == nullptr) {
      const std::string others =
          absl::StrJoin(clocks, "; ", [](std::string* out, const Seen& one) { absl::StrAppend(out, ClockLine(one)); });
      Differ(entry.line, NameOf(entry), "a clock", clocks.empty() ? "no clock at all" : others);
      return;
    }
    for (const Wish& wish : entry.wishes) {
      Compare(wish, absl::StrCat(NameOf(entry), ".", wish.field), clock->at(wish.field));
    }
  }

  void CompareList(const std::string& what, const Listing& listing, const std::vector<Seen>& got) {
    if (listing.entries.size() != got.size()) {
      Differ(listing.line, what, absl::StrCat(listing.entries.size()), got.empty() ? "none" : DescribeAll(got));
      return;
    }
    for (size_t i = 0; i < got.size(); ++i) {
      for (const Wish& wish : listing.entries[i].wishes) {
        const auto found = got[i].find(wish.field);
        Compare(wish, absl::StrCat(what, "[", i, "].", wish.field), found == got[i].end() ? "" : found->second);
      }
    }
  }

  static std::string DescribeAll(const std::vector<Seen>& things) {
    return absl::StrJoin(things, "; ", [](std::string* out, const Seen& seen) {
      absl::StrAppend(out, absl::StrJoin(seen, ", ", [](std::string* text, const auto& field) {
                        absl::StrAppend(text, field.first, " ", field.second);
                      }));
    });
  }

  void Compare(const Wish& wish, const std::string& what, const std::string& got) {
    if (wish.wanted != got) Differ(wish.line, what, wish.wanted, got);
  }
  void Differ(int line, const std::string& what, const std::string& expected, const std::string& got) {
    outcome_.differences.push_back({line, FormatInstant(now_, suite_.zone), what, expected, got});
  }

  const Suite& suite_;
  const Scenario& scenario_;
  Desk desk_;
  absl::Time now_;
  std::map<std::string, uint32_t> revisions_;
  Outcome outcome_;
};

}  // namespace

Outcome RunScenario(const Suite& suite, const Scenario& scenario) { return Runner(suite, scenario).Run(); }

}  // namespace docket::policytest
