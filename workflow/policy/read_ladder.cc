#include <algorithm>

#include "absl/strings/str_cat.h"
#include "docket/v1/case.pb.h"
#include "workflow/base/time.h"
#include "workflow/policy/documents.h"

namespace docket::policy {
namespace {

constexpr size_t kMaxLevels = 32;
constexpr size_t kMaxMetrics = 32;
constexpr int64_t kMaxCount = 1000;   // reopenings, transfers
constexpr int64_t kMaxLevelsUp = 16;  // of the line of managers

const FactCatalogue& CaseFactsOnly() {
  static const auto* const catalogue =
      new FactCatalogue{.case_facts = v1::CaseFacts::descriptor(), .command = nullptr, .event = nullptr};
  return *catalogue;
}

const std::vector<std::string>& Triggers() {
  static const auto* const triggers =
      new std::vector<std::string>{"BEFORE_DUE", "FRACTION",  "AT_DUE",           "BREACH", "AFTER_DUE", "NO_ACTIVITY",
                                   "REOPENED",   "TRANSFERS", "TRANSFER_REFUSED", "FACTS",  "MANUAL",    "ACK_LAPSED"};
  return *triggers;
}

const std::vector<std::string>& Targets() {
  static const auto* const targets = new std::vector<std::string>{
      "OWNER", "OWNER_MANAGER", "ACCOUNTABLE_MANAGER", "QUEUE_LEAD", "DEPARTMENT_LEAD", "ROLE", "ROTA"};
  return *targets;
}

class LevelReader {
 public:
  LevelReader(const YamlNode& node, v1::Ladder::Level* level, ParsedDocument* document, Findings* findings)
      : reader_(node, "level", findings), level_(*level), document_(*document), findings_(*findings) {}

  void Read() {
    level_.set_level(static_cast<uint32_t>(reader_.Int("level", 1, kMaxLevels, 0, Need::kRequired)));
    level_.set_kind(
        static_cast<v1::EscalationKind>(reader_.Enum("kind", *v1::EscalationKind_descriptor(), Need::kRequired)));
    ReadTrigger();
    ReadTarget();
    ReadActions();
    if (const auto span = reader_.Span("ack_within")) *level_.mutable_ack_within() = ToProto(*span);
    level_.set_calendar(CalendarName("calendar", "level.calendar"));
    const bool counts = level_.has_ack_within() || level_.has_answer_within() || level_.trigger() == "NO_ACTIVITY";
    if (!level_.calendar().empty() && !counts) {
      findings_.Add(reader_.LineOf("calendar"), "CALENDAR_WITHOUT_ACK",
                    "level.calendar: found without ack_within, want both, or answer_within, or NO_ACTIVITY");
    }
    level_.set_notify_calendar(CalendarName("notify_calendar", "level.notify_calendar"));
    level_.set_approval(reader_.Bool("approval", false));
    level_.set_auto_close(reader_.Bool("auto_close", false));
    reader_.Finish();
  }

 private:
  std::string OneOf(const char* key, const std::vector<std::string>& known, Need need) {
    std::string text = reader_.Text(key, Syntax::kCode, need);
    if (!text.empty() && std::find(known.begin(), known.end(), text) == known.end()) {
      findings_.Add(reader_.LineOf(key), "UNKNOWN_VALUE",
                    absl::StrCat("level.", key, ": found ", text, ", want a known one", Suggest(text, known)));
    }
    return text;
  }

  std::string CalendarName(const char* key, const char* what) {
    const std::string id = reader_.Text(key, Syntax::kId);
    Refer(Reference::To::kCalendar, id, key, what);
    return id;
  }

  void Refer(Reference::To to, const std::string& id, const char* key, const char* what) {
    if (!id.empty()) {
      document_.references.push_back({.to = to, .id = id, .line = reader_.LineOf(key), .what = what});
    }
  }

  void ReadTrigger() {
    level_.set_trigger(OneOf("trigger", Triggers(), Need::kRequired));
    for (const Word& word : reader_.Texts("metrics", Syntax::kCode, kMaxMetrics)) {
      level_.add_metrics(word.text);
      document_.metric_uses.push_back({.what = "level.metrics", .metric = word.text, .line = word.line});
    }
    *level_.mutable_when() = reader_.When("when", CaseFactsOnly());
    if (const auto span = reader_.Span("span")) *level_.mutable_span() = ToProto(*span);
    level_.set_elapsed(reader_.Bool("elapsed", false));
    level_.set_permille(static_cast<uint32_t>(reader_.Int("permille", 1, 1000, 0)));
    level_.set_count(static_cast<uint32_t>(reader_.Int("count", 1, kMaxCount, 0)));
  }

  void ReadTarget() {
    level_.set_target(OneOf("target", Targets(), Need::kRequired));
    level_.set_levels_up(static_cast<uint32_t>(reader_.Int("levels_up", 1, kMaxLevelsUp, 0)));
    level_.set_role(OneOf("role", KnownRoles(), Need::kOptional));
    level_.set_rota(reader_.Text("rota", Syntax::kId));
    Refer(Reference::To::kRota, level_.rota(), "rota", "level.rota");
  }

  void ReadActions() {
    level_.set_watch(reader_.Bool("watch", false));
    level_.set_set_priority(static_cast<uint32_t>(reader_.Int("set_priority", 1, 5, 0)));
    level_.set_move_queue(reader_.Text("move_queue", Syntax::kId));
    Refer(Reference::To::kQueue, level_.move_queue(), "move_queue", "level.move_queue");
    level_.set_replace_owner(reader_.Bool("replace_owner", false));
    level_.set_open_task(reader_.Text("open_task", Syntax::kCode));
    level_.set_task_department(reader_.Text("task_department", Syntax::kId));
    Refer(Reference::To::kDepartment, level_.task_department(), "task_department", "level.task_department");
    level_.set_supervision_order(reader_.Bool("supervision_order", false));
    if (const auto span = reader_.Span("answer_within")) *level_.mutable_answer_within() = ToProto(*span);
  }

  MapReader reader_;
  v1::Ladder::Level& level_;
  ParsedDocument& document_;
  Findings& findings_;
};

}  // namespace

void ReadLadder(MapReader& reader, ParsedDocument* document, Findings* findings) {
  v1::Ladder* ladder = document->compiled.mutable_ladder();
  *ladder->mutable_when() = reader.When("when", CaseFactsOnly());
  ladder->set_notify_calendar(reader.Text("notify_calendar", Syntax::kId));
  if (!ladder->notify_calendar().empty()) {
    document->references.push_back({.to = Reference::To::kCalendar,
                                    .id = ladder->notify_calendar(),
                                    .line = reader.LineOf("notify_calendar"),
                                    .what = "ladder.notify_calendar"});
  }
  std::vector<int>& lines = document->level_lines;
  for (const YamlNode& node : reader.List("levels", kMaxLevels, Need::kRequired)) {
    lines.push_back(node.line);
    LevelReader(node, ladder->add_levels(), document, findings).Read();
  }
  CheckLadder(*ladder, lines, findings);
}

}  // namespace docket::policy
