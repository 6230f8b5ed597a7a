#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "docket/v1/case.pb.h"
#include "workflow/base/time.h"
#include "workflow/policy/documents.h"
#include "workflow/sla/target.h"

namespace docket::policy {
namespace {

constexpr size_t kMaxMetrics = 32;
constexpr size_t kMaxTriggers = 16;
constexpr size_t kMaxChoices = 64;
constexpr size_t kMaxWarnings = 16;
constexpr size_t kMaxExtensions = 8;
constexpr char kAlways[] = "ALWAYS";

// Clocks answer to what happens to the case. Were they to answer to clocks, policies or the server, one could start
// itself.
bool HappensToCases(absl::string_view event) {
  return !absl::StartsWith(event, "clock_") && !absl::StartsWith(event, "policy_") && event != "warning_reached" &&
         event != "breach_annulled" && event != "late_entry_rejected" && event != "directory_published" &&
         event != "schema_recorded";
}

// What one person does to a case or to what is owed for it, and what would end a duty without its being done.
bool EndsByOnePerson(absl::string_view event) {
  return event == "status_changed" || event == "case_declined" || event == "owed_item_refused" ||
         event == "owed_item_cancelled";
}

// Whether the condition holds for a case created in error only, which takes two persons to say.
bool WantsVoided(const v1::Condition& condition) {
  switch (condition.node_case()) {
    case v1::Condition::kAll:
      return absl::c_any_of(condition.all().of(), WantsVoided);
    case v1::Condition::kAny:
      return condition.any().of_size() > 0 && absl::c_all_of(condition.any().of(), WantsVoided);
    case v1::Condition::kComparison: {
      const v1::Condition::Comparison& one = condition.comparison();
      const bool equal = one.op() == v1::Condition::EQ || one.op() == v1::Condition::IN;
      return equal && one.fact() == "event.entered.closure_code" && one.values_size() == 1 && one.values(0) == "VOIDED";
    }
    default:
      return false;
  }
}

class SlaReader {
 public:
  SlaReader(MapReader& reader, ParsedDocument* document, Findings* findings)
      : reader_(reader), document_(*document), findings_(findings), policy_(*document->compiled.mutable_sla()) {}

  void Read() {
    policy_.set_obligation(
        static_cast<v1::Obligation>(reader_.Enum("obligation", *v1::Obligation_descriptor(), Need::kRequired)));
    policy_.set_order(static_cast<int32_t>(reader_.Int("order", 0, 1'000'000, 100)));
    *policy_.mutable_when() = reader_.When("when", CaseOnly());
    policy_.set_calendar(ReadCalendarName(reader_, Need::kRequired));
    for (const YamlNode& node : reader_.List("metrics", kMaxMetrics, Need::kRequired)) ReadMetric(node);
  }

 private:
  static FactCatalogue CaseOnly() {
    return {.case_facts = v1::CaseFacts::descriptor(), .command = nullptr, .event = nullptr};
  }

  std::string ReadCalendarName(MapReader& reader, Need need) {
    const YamlNode* node = reader.Find("calendar", Need::kOptional);
    // Round the clock is no policy of anybody's and needs no publishing.
    if (node != nullptr && node->is_scalar() && node->text == kAlways) return kAlways;
    std::string id = reader.Text("calendar", Syntax::kId, need);
    if (!id.empty()) {
      document_.references.push_back({.to = Reference::To::kCalendar, .id = id, .line = reader.LineOf("calendar")});
    }
    return id;
  }

  void ReadMetric(const YamlNode& node) {
    MapReader reader(node, "metric", findings_);
    v1::MetricRule& rule = *policy_.add_metrics();
    document_.metric_lines.push_back(node.line);
    rule.set_metric(reader.Text("metric", Syntax::kCode, Need::kRequired));
    for (int i = 0; i + 1 < policy_.metrics_size(); ++i) {
      if (policy_.metrics(i).metric() != rule.metric() || rule.metric().empty()) continue;
      findings_->Add(node.line, "DUPLICATE_ID",
                     absl::StrCat("metric: found ", rule.metric(), " again, want each metric once"));
    }
    const int nature = reader.Enum("nature", *v1::MetricNature_descriptor());
    rule.set_nature(reader.Has("nature") ? static_cast<v1::MetricNature>(nature) : v1::DUTY);
    if (const YamlNode* start = reader.Find("start", Need::kRequired))
      *rule.mutable_start() = ReadTrigger(*start, "metric.start");
    ReadStartAt(reader, &rule);
    const auto read_triggers = [&](const char* key, Need need, auto* triggers) {
      for (const YamlNode& node : reader.List(key, kMaxTriggers, need)) {
        *triggers->Add() = ReadTrigger(node, absl::StrCat("metric.", key));
      }
    };
    read_triggers("start_also", Need::kOptional, rule.mutable_start_also());
    read_triggers("stop", Need::kRequired, rule.mutable_stop());
    read_triggers("cancel", Need::kOptional, rule.mutable_cancel());
    read_triggers("pause_on", Need::kOptional, rule.mutable_pause_on());
    read_triggers("resume_on", Need::kOptional, rule.mutable_resume_on());
    rule.set_pausable(reader.Bool("pausable", false));
    rule.set_per_item(reader.Bool("per_item", false));
    ReadVisit(reader, &rule);
    ReadReopening(reader, &rule);
    ReadRetarget(reader, &rule);
    ReadExtensions(reader, &rule);
    CheckPauseTriggers(reader, rule);
    CheckRegulator(reader, rule);
    ReadTargets(reader, &rule);
    ReadWarnings(reader, &rule);
    ReadAnswerable(reader, &rule);
    reader.Finish();
  }

  void ReadVisit(MapReader& reader, v1::MetricRule* rule) {
    rule->set_visit(reader.Text("visit", Syntax::kText));
    const auto* descriptor = EventDescriptor(rule->start().event());
    if (rule->visit().empty() || descriptor == nullptr) return;
    v1::Condition compared;
    compared.mutable_comparison()->set_fact(rule->visit());
    compared.mutable_comparison()->set_op(v1::Condition::EQ);
    compared.mutable_comparison()->add_values(rule->visit());  // any text, which fits texts only
    const FactCatalogue catalogue = {
        .case_facts = v1::CaseFacts::descriptor(), .command = nullptr, .event = descriptor};
    const absl::Status usable = CheckCondition(compared, catalogue);
    if (!usable.ok()) findings_->Add(reader.LineOf("visit"), usable, "BAD_VISIT");
  }

  void ReadReopening(MapReader& reader, v1::MetricRule* rule) {
    rule->set_reopens(reader.Bool("reopens", false));
    rule->set_reopen(OneOf(reader, "reopen", {"BY_REASON", "CONTINUE", "RESUME", "RESTART"}));
    if (reader.Has("reopen") && !rule->reopens()) {
      findings_->Add(reader.LineOf("reopen"), "REOPEN_WITHOUT_REOPENS",
                     "metric.reopen: found without reopens: true, want both");
    }
    const std::string text = reader.Text("reopen_target", Syntax::kText);
    if (text.empty()) return;
    ReadTarget(reader.LineOf("reopen_target"), text, *rule, rule->mutable_reopen_target());
    if (rule->reopen() != "RESTART") {
      findings_->Add(reader.LineOf("reopen_target"), "REOPEN_TARGET_UNUSED",
                     "metric.reopen_target: found without reopen: RESTART, want both");
    }
  }

  void ReadRetarget(MapReader& reader, v1::MetricRule* rule) {
    const YamlNode* node = reader.Find("retarget");
    if (node == nullptr) return;
    MapReader how(*node, "retarget", findings_);
    v1::MetricRule::Retarget& retarget = *rule->mutable_retarget();
    const std::vector<std::string> carries = {"ALL", "SHARE", "TIME", "NONE"};
    retarget.set_tighten(OneOf(how, "tighten", carries));
    retarget.set_loosen(OneOf(how, "loosen", carries));
    retarget.set_not_before_old_due(how.Bool("not_before_old_due", false));
    if (const auto span = how.Span("min_remaining")) *retarget.mutable_min_remaining() = ToProto(*span);
    retarget.set_not_after_old_due(how.Bool("not_after_old_due", false));
    if (retarget.not_after_old_due() && (retarget.not_before_old_due() || retarget.has_min_remaining())) {
      findings_->Add(how.LineOf("not_after_old_due"), "RETARGET_CONTRADICTS",
                     "retarget.not_after_old_due: found with a bound on the other side, want one of them");
    }
    how.Finish();
  }

  void ReadExtensions(MapReader& reader, v1::MetricRule* rule) {
    for (const YamlNode& node : reader.List("extensions", kMaxExtensions)) {
      MapReader one(node, "extension", findings_);
      v1::MetricRule::Extension& extension = *rule->add_extensions();
      extension.set_ground(one.Text("ground", Syntax::kCode, Need::kRequired));
      const std::string text = one.Text("target", Syntax::kText, Need::kRequired);
      if (!text.empty()) ReadTarget(one.LineOf("target"), text, *rule, extension.mutable_target());
      for (const YamlNode& kind : one.List("told_by", kMaxExtensions)) {
        const int value = ReadEnum(kind, "extension.told_by", *v1::OutboundKind_descriptor(), findings_);
        if (value != 0) extension.add_told_by(static_cast<v1::OutboundKind>(value));
      }
      extension.set_approval(one.Bool("approval", false));
      extension.set_after(one.Text("after", Syntax::kCode));
      extension.set_when_late(one.Bool("when_late", false));
      CheckExtension(one, *rule);
      one.Finish();
    }
  }

  void CheckExtension(MapReader& reader, const v1::MetricRule& rule) {
    const v1::MetricRule::Extension& last = *rule.extensions().rbegin();
    bool known = last.after().empty();
    for (int i = 0; i + 1 < rule.extensions_size(); ++i) {
      known |= rule.extensions(i).ground() == last.after();
      if (rule.extensions(i).ground() != last.ground()) continue;
      findings_->Add(reader.line(), "DUPLICATE_ID",
                     absl::StrCat("extension.ground: found ", last.ground(), " again, want each ground once"));
    }
    if (!known) {
      findings_->Add(reader.LineOf("after"), "UNKNOWN_EXTENSION",
                     absl::StrCat("extension.after: found ", last.after(), ", want the ground of one before it"));
    }
  }

  void CheckPauseTriggers(MapReader& reader, const v1::MetricRule& rule) {
    if (rule.pause_on().empty() != rule.resume_on().empty()) {
      const char* key = rule.pause_on().empty() ? "resume_on" : "pause_on";
      findings_->Add(reader.LineOf(key), "PAUSE_WITHOUT_RESUME",
                     absl::StrCat("metric ", rule.metric(), ": found ", key, " alone, want pause_on and resume_on"));
    }
    if (!rule.pause_on().empty() && !rule.pausable()) {
      findings_->Add(reader.LineOf("pause_on"), "PAUSE_NOT_PAUSABLE",
                     absl::StrCat("metric ", rule.metric(), ": found pause_on, want pausable: true with it"));
    }
  }

  // "" when absent or wrong.
  std::string OneOf(MapReader& reader, const char* key, const std::vector<std::string>& known) {
    const std::string text = reader.Text(key, Syntax::kCode);
    if (text.empty() || std::find(known.begin(), known.end(), text) != known.end()) return text;
    findings_->Add(reader.LineOf(key), "UNKNOWN_VALUE",
                   absl::StrCat("metric.", key, ": found ", text, ", want one of ", absl::StrJoin(known, ", "),
                                Suggest(text, known)));
    return "";
  }

  v1::MetricRule::Trigger ReadTrigger(const YamlNode& node, const std::string& what) {
    MapReader reader(node, what, findings_);
    v1::MetricRule::Trigger trigger;
    trigger.set_event(reader.Text("event", Syntax::kSnake, Need::kRequired));
    const auto* descriptor = trigger.event().empty() ? nullptr : EventDescriptor(trigger.event());
    if (descriptor == nullptr && !trigger.event().empty()) {
      findings_->Add(reader.LineOf("event"), "UNKNOWN_EVENT",
                     absl::StrCat(what, ".event: found ", trigger.event(), ", want an event",
                                  Suggest(trigger.event(), EventNames())));
    } else if (descriptor != nullptr && !HappensToCases(trigger.event())) {
      findings_->Add(
          reader.LineOf("event"), "NOT_A_CASE_EVENT",
          absl::StrCat(what, ".event: found ", trigger.event(), ", want something that happens to the case itself"));
    }
    // Without a known event nothing can be said about its facts.
    if (const YamlNode* where = reader.Find("where"); where != nullptr && descriptor != nullptr) {
      const FactCatalogue catalogue = {
          .case_facts = v1::CaseFacts::descriptor(), .command = nullptr, .event = descriptor};
      *trigger.mutable_where() = ReadCondition(*where, catalogue, findings_);
    }
    reader.Finish();
    return trigger;
  }

  // Written out always, so that the meaning of the compiled form does not hang on a default.
  void ReadStartAt(MapReader& reader, v1::MetricRule* rule) {
    const std::string text = reader.Text("start_at", Syntax::kSnake);
    if (!text.empty() && text != "received_at" && text != "occurred_at" && text != "oldest_unanswered") {
      findings_->Add(
          reader.LineOf("start_at"), "UNKNOWN_VALUE",
          absl::StrCat("metric.start_at: found ", text, ", want received_at, occurred_at or oldest_unanswered"));
    }
    rule->set_start_at(!text.empty() ? text : rule->start().event() == "case_received" ? "received_at" : "occurred_at");
  }

  void CheckRegulator(MapReader& reader, const v1::MetricRule& rule) {
    if (policy_.obligation() != v1::REGULATOR) return;
    if (rule.pausable()) {
      findings_->Add(
          reader.LineOf("pausable"), "REGULATOR_PAUSES",
          absl::StrCat("metric ", rule.metric(), ": found pausable, want false: a regulator's time never pauses"));
    }
    if (rule.reopens()) {
      findings_->Add(reader.LineOf("reopens"), "REGULATOR_REOPENS",
                     absl::StrCat("metric ", rule.metric(), ": found reopens, want false: only its own stop ends it"));
    }
    if (rule.nature() != v1::DUTY) return;
    for (const v1::MetricRule::Trigger& trigger : rule.cancel()) {
      if (!EndsByOnePerson(trigger.event()) || WantsVoided(trigger.where())) continue;
      findings_->Add(
          reader.LineOf("cancel"), "REGULATOR_CANCELS",
          absl::StrCat("metric ", rule.metric(), ": found cancel by ", trigger.event(),
                       ", want it on status_changed to closure_code VOIDED only: what is owed a regulator is "
                       "answered or exempted"));
    }
  }

  void ReadTargets(MapReader& reader, v1::MetricRule* rule) {
    bool matched_always = false;
    for (const YamlNode& node : reader.List("targets", kMaxChoices, Need::kRequired)) {
      MapReader choice_reader(node, "target", findings_);
      v1::MetricRule::Choice& choice = *rule->add_targets();
      if (matched_always) {
        findings_->Add(node.line, "UNREACHABLE_TARGET", "target: found after one without when, want it before that");
      }
      if (choice_reader.Has("when")) {
        *choice.mutable_when() = choice_reader.When("when", CaseOnly());
      } else {
        matched_always = true;
      }
      choice.set_calendar(ReadCalendarName(choice_reader, Need::kOptional));
      const std::string text = choice_reader.Text("target", Syntax::kText, Need::kRequired);
      if (!text.empty()) ReadTarget(choice_reader.LineOf("target"), text, *rule, choice.mutable_target());
      choice_reader.Finish();
    }
  }

  void ReadTarget(int line, const std::string& text, const v1::MetricRule& rule, v1::Target* target) {
    const auto parsed = sla::ParseTarget(text);
    if (!parsed.ok()) {
      findings_->Add(line, parsed.status(), "BAD_TARGET");
      return;
    }
    *target = *parsed;
    const bool counts_civil_days = parsed->unit() == v1::Target::CIVIL_DAYS ||
                                   parsed->unit() == v1::Target::CIVIL_WEEKS ||
                                   parsed->unit() == v1::Target::CIVIL_MONTHS;
    if (counts_civil_days && rule.pausable()) {
      findings_->Add(line, "CIVIL_TARGET_PAUSES",
                     absl::StrCat("target: found ", text,
                                  " on a pausable metric, want working time or business days: a count of "
                                  "civil days cannot pause"));
    }
  }

  void ReadWarnings(MapReader& reader, v1::MetricRule* rule) {
    for (const YamlNode& node : reader.List("warnings_permille", kMaxWarnings)) {
      const auto permille = ReadInt(node, "metric.warnings_permille", 1, 1000, findings_);
      if (!permille.has_value()) continue;
      if (!rule->warnings_permille().empty() && *permille <= *rule->warnings_permille().rbegin()) {
        findings_->Add(node.line, "NOT_ASCENDING",
                       absl::StrCat("metric.warnings_permille: found ", *permille, " after ",
                                    *rule->warnings_permille().rbegin(), ", want ascending"));
      }
      rule->add_warnings_permille(static_cast<uint32_t>(*permille));
    }
    absl::Duration last = absl::InfiniteDuration();
    for (const YamlNode& node : reader.List("warnings_before", kMaxWarnings)) {
      const auto span = ParseSpan(node.is_scalar() ? node.text : "");
      if (!span.ok()) {
        findings_->Add(node.line, "BAD_SPAN", absl::StrCat("metric.warnings_before: ", span.status().message()));
        continue;
      }
      if (*span >= last) {
        findings_->Add(node.line, "NOT_ASCENDING",
                       absl::StrCat("metric.warnings_before: found ", node.text,
                                    ", want each nearer to the due than the one before"));
      }
      last = *span;
      *rule->add_warnings_before() = ToProto(*span);
    }
    const bool warns = rule->warnings_permille_size() + rule->warnings_before_size() > 0;
    if (warns && rule->nature() == v1::WINDOW) {
      const char* key = rule->warnings_permille_size() > 0 ? "warnings_permille" : "warnings_before";
      findings_->Add(reader.LineOf(key), "WINDOW_WARNS",
                     absl::StrCat("metric ", rule->metric(),
                                  ": found warnings on a WINDOW, want none: it elapses and is never late"));
    }
  }

  void ReadAnswerable(MapReader& reader, v1::MetricRule* rule) {
    const std::string text = reader.Text("answerable", Syntax::kCode);
    rule->set_answerable(text.empty() ? "ACCOUNTABLE" : text);
    const std::vector<std::string> known = {"ACCOUNTABLE", "HANDLER", "QUEUE", "RECEIVER", "ITEM"};
    if (std::find(known.begin(), known.end(), rule->answerable()) == known.end()) {
      findings_->Add(reader.LineOf("answerable"), "UNKNOWN_VALUE",
                     absl::StrCat("metric.answerable: found ", text, ", want one of ", absl::StrJoin(known, ", "),
                                  Suggest(text, known)));
    }
  }

  MapReader& reader_;
  ParsedDocument& document_;
  Findings* const findings_;
  v1::SlaPolicy& policy_;
};

}  // namespace

void ReadSla(MapReader& reader, ParsedDocument* document, Findings* findings) {
  SlaReader(reader, document, findings).Read();
}

}  // namespace docket::policy
