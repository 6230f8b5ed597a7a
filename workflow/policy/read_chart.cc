#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "workflow/base/time.h"
#include "workflow/policy/documents.h"

namespace docket::policy {
namespace {

// Limits of the message Chart.
constexpr size_t kMaxStatuses = 64;
constexpr size_t kMaxTransitions = 256;
constexpr size_t kMaxWords = 64;

class ChartReader {
 public:
  ChartReader(MapReader& reader, ParsedDocument* document, Findings* findings)
      : reader_(reader), document_(*document), findings_(findings), chart_(*document->compiled.mutable_chart()) {}

  void Read() {
    const size_t before = findings_->size();
    lines_.document = reader_.line();
    for (v1::CaseKind kind : ReadKinds(reader_, Need::kRequired, findings_)) chart_.add_kinds(kind);
    chart_.set_by_name_only(!reader_.Bool("default", true));
    ReadPrefix();
    chart_.set_initial(reader_.Text("initial", Syntax::kCode, Need::kRequired));
    lines_.initial = reader_.LineOf("initial");
    chart_.set_default_priority(static_cast<uint32_t>(reader_.Int("default_priority", 1, 5, 3)));
    chart_.set_default_queue(reader_.Text("default_queue", Syntax::kId));
    if (!chart_.default_queue().empty()) {
      document_.references.push_back(
          {.to = Reference::To::kQueue, .id = chart_.default_queue(), .line = reader_.LineOf("default_queue")});
    }
    if (const auto span = reader_.Span("reopen_window")) *chart_.mutable_reopen_window() = ToProto(*span);
    if (const auto span = reader_.Span("max_wait_on_requester"))
      *chart_.mutable_max_wait_on_requester() = ToProto(*span);
    for (Word& word : reader_.Texts("closing_bases", Syntax::kCode, kMaxWords))
      chart_.add_closing_bases(std::move(word.text));
    for (Word& word : reader_.Texts("decline_reasons", Syntax::kCode, kMaxWords)) {
      chart_.add_decline_reasons(std::move(word.text));
    }
    for (const YamlNode& node : reader_.List("statuses", kMaxStatuses, Need::kRequired)) ReadStatus(node);
    for (const YamlNode& node : reader_.List("file_guards", kMaxWords)) {
      *chart_.add_file_guards() = ReadGuard(node, v1::FileCase::descriptor());
    }
    for (const YamlNode& node : reader_.List("transitions", kMaxTransitions, Need::kRequired)) ReadTransition(node);
    document_.status_lines = lines_.statuses;
    lines_.sound = findings_->size() == before;
    CheckChart(chart_, lines_, findings_);
  }

 private:
  void ReadPrefix() {
    const std::string prefix = reader_.Text("case_number_prefix", Syntax::kCode, Need::kRequired);
    if (prefix.empty()) return;
    const bool letters = std::all_of(prefix.begin(), prefix.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!letters || prefix.size() < 2 || prefix.size() > 8) {
      findings_->Add(reader_.LineOf("case_number_prefix"), "BAD_NAME",
                     absl::StrCat("workflow.case_number_prefix: found ", prefix, ", want 2..8 of A-Z"));
    }
    chart_.add_case_number_prefix(prefix);
  }

  void ReadStatus(const YamlNode& node) {
    MapReader reader(node, "status", findings_);
    v1::Status& status = *chart_.add_statuses();
    status.set_id(reader.Text("id", Syntax::kCode, Need::kRequired));
    status.set_name(reader.Text("name", Syntax::kText, Need::kRequired));
    status.set_category(
        static_cast<v1::StatusCategory>(reader.Enum("category", *v1::StatusCategory_descriptor(), Need::kRequired)));
    for (const Word& word : reader.Texts("pauses", Syntax::kCode, kMaxWords)) {
      status.add_pauses(word.text);
      document_.metric_uses.push_back({.what = "status.pauses", .metric = word.text, .line = word.line});
    }
    const bool at_work = status.category() == v1::NEW || status.category() == v1::OPEN;
    status.set_leaves_queue(reader.Bool("leaves_queue", !at_work));
    status.set_requires_owner(reader.Bool("requires_owner", false));
    status.set_active(reader.Bool("active", status.category() != v1::CLOSED));
    status.set_closure_code(reader.Text("closure_code", Syntax::kCode));
    status.set_reopen_on_message(reader.Bool("reopen_on_message", false));
    const bool import_only = reader.Bool("import_only", false);
    const bool pauses_at_work = reader.Bool("pauses_outside_waiting", false);
    reader.Finish();
    if (status.id().empty()) return;
    if (import_only) lines_.import_only.insert(status.id());
    if (pauses_at_work) lines_.pauses_outside_waiting.insert(status.id());
    if (!lines_.statuses.emplace(status.id(), node.line).second) {
      findings_->Add(node.line, "DUPLICATE_ID",
                     absl::StrCat("status: found ", status.id(), " again, want each status once"));
    }
  }

  v1::Guard ReadGuard(const YamlNode& node, const google::protobuf::Descriptor* command) {
    MapReader reader(node, "guard", findings_);
    v1::Guard guard;
    *guard.mutable_require() = reader.When(
        "require", {.case_facts = v1::CaseFacts::descriptor(), .command = command, .event = nullptr}, Need::kRequired);
    guard.set_reason(reader.Text("reason", Syntax::kCode, Need::kRequired));
    guard.set_message(reader.Text("message", Syntax::kText, Need::kRequired));
    guard.set_meet_by(reader.Text("meet_by", Syntax::kSnake));
    if (!guard.meet_by().empty()) CheckCommand(reader.LineOf("meet_by"), "guard.meet_by", guard.meet_by());
    reader.Finish();
    return guard;
  }

  bool CheckCommand(int line, absl::string_view what, const std::string& command) {
    if (CommandDescriptor(command) != nullptr) return true;
    findings_->Add(line, "UNKNOWN_COMMAND",
                   absl::StrCat(what, ": found ", command, ", want a command", Suggest(command, CommandNames())));
    return false;
  }

  void ReadTransition(const YamlNode& node) {
    MapReader reader(node, "transition", findings_);
    v1::Transition& transition = *chart_.add_transitions();
    lines_.transitions.push_back(node.line);
    transition.set_id(reader.Text("id", Syntax::kId, Need::kRequired));
    if (!transition.id().empty() && !transition_ids_.insert(transition.id()).second) {
      findings_->Add(node.line, "DUPLICATE_ID",
                     absl::StrCat("transition: found ", transition.id(), " again, want each once"));
    }
    transition.set_command(reader.Text("command", Syntax::kSnake, Need::kRequired));
    const bool known = !transition.command().empty() &&
                       CheckCommand(reader.LineOf("command"), "transition.command", transition.command());
    transition.set_to(reader.Text("to", Syntax::kCode));
    if (!transition.to().empty() && !lines_.statuses.contains(transition.to())) {
      UnknownStatus(reader.LineOf("to"), "transition.to", transition.to());
    }
    transition.set_back_to_resume(reader.Bool("back_to_resume", false));
    ReadFrom(reader, &transition);
    transition.set_by_timer(reader.Bool("by_timer", false));
    if (const auto span = reader.Span("after")) *transition.mutable_after() = ToProto(*span);
    transition.set_basis(reader.Text("basis", Syntax::kCode));
    // A timer has no command whose fields a condition could ask for.
    const auto* command = known && !transition.by_timer() ? CommandDescriptor(transition.command()) : nullptr;
    *transition.mutable_when() =
        reader.When("when", {.case_facts = v1::CaseFacts::descriptor(), .command = command, .event = nullptr});
    for (const YamlNode& guard : reader.List("guards", kMaxWords)) *transition.add_guards() = ReadGuard(guard, command);
    reader.Finish();
  }

  // Either a list of statuses or {category: [...]}, which stands for all statuses of these categories but the final one
  // the transition itself leads to.
  void ReadFrom(MapReader& reader, v1::Transition* transition) {
    const YamlNode* node = reader.Find("from", Need::kRequired);
    if (node == nullptr) return;
    if (!node->is_map()) {
      for (const Word& word : reader.Texts("from", Syntax::kCode, kMaxStatuses, Need::kRequired)) {
        if (lines_.statuses.contains(word.text)) {
          transition->add_from(word.text);
        } else {
          UnknownStatus(word.line, "transition.from", word.text);
        }
      }
      return;
    }
    MapReader categories(*node, "transition.from", findings_);
    std::vector<int> wanted;
    for (const YamlNode& item : categories.List("category", v1::StatusCategory_MAX, Need::kRequired)) {
      wanted.push_back(ReadEnum(item, "transition.from.category", *v1::StatusCategory_descriptor(), findings_));
    }
    categories.Finish();
    for (const v1::Status& status : chart_.statuses()) {
      const bool itself = status.id() == transition->to() && !status.active();
      if (!itself && std::find(wanted.begin(), wanted.end(), status.category()) != wanted.end())
        transition->add_from(status.id());
    }
  }

  void UnknownStatus(int line, absl::string_view what, const std::string& id) {
    std::vector<std::string> ids;
    for (const auto& [known, unused] : lines_.statuses) ids.push_back(known);
    findings_->Add(line, "UNKNOWN_STATUS",
                   absl::StrCat(what, ": found ", id, ", want a status of this workflow", Suggest(id, ids)));
  }

  MapReader& reader_;
  ParsedDocument& document_;
  Findings* const findings_;
  v1::Chart& chart_;
  ChartLines lines_;
  std::set<std::string> transition_ids_;
};

}  // namespace

void ReadChart(MapReader& reader, ParsedDocument* document, Findings* findings) {
  ChartReader(reader, document, findings).Read();
}

}  // namespace docket::policy
