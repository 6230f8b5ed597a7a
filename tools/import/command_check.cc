#include "tools/import/command_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "workflow/base/field_rules.h"
#include "workflow/base/time.h"
#include "workflow/case/decide.h"

namespace docket::import_tool {
namespace {

using docket::v1::ExecuteRequest;
using docket::v1::SourceRow;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Fault = CommandCheck::Fault;

// The first text, of `message` or what it holds, that is not as its field's marks say.
std::optional<Fault> FindText(const Message& message, const std::string& path) {
  const google::protobuf::Reflection* reflection = message.GetReflection();
  for (const FieldRule& rule : RulesOf(message.GetDescriptor()).fields) {
    const FieldDescriptor* field = rule.field;
    if (field->is_repeated() || !reflection->HasField(message, field)) continue;
    const std::string name = absl::StrCat(path, field->name());
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (auto fault = FindText(reflection->GetMessage(message, field), absl::StrCat(name, "."))) return fault;
    } else if (field->type() == FieldDescriptor::TYPE_STRING) {
      std::string scratch;
      const std::string found =
          TextFault(rule, reflection->GetStringReference(message, field, &scratch), rule.max_size);
      if (!found.empty()) return Fault{name, absl::StrCat(name, ": ", found)};
    }
  }
  return std::nullopt;
}

const SourceRow* RowIn(const ExecuteRequest& request) {
  if (request.command().has_file()) return &request.command().file().row();
  if (request.command().has_record_source_row()) return &request.command().record_source_row().row();
  return nullptr;
}

}  // namespace

std::optional<Fault> CommandCheck::Find(const ExecuteRequest& request) const {
  const Message& command = request.command();
  const auto* set =
      command.GetReflection()->GetOneofFieldDescriptor(command, command.GetDescriptor()->FindOneofByName("command"));
  if (auto fault = FindText(command.GetReflection()->GetMessage(command, set), absl::StrCat(set->name(), "."))) {
    return fault;
  }
  if (request.has_external_ref()) {
    if (auto fault = FindText(request.external_ref(), "external_ref.")) return fault;
  }
  if (auto fault = Times(request)) return fault;
  const SourceRow* row = RowIn(request);
  if (row == nullptr || !chart_.has_value()) return std::nullopt;
  const bool known = std::any_of(chart_->statuses().begin(), chart_->statuses().end(),
                                 [&](const docket::v1::Status& status) { return status.id() == row->status(); });
  if (known) return std::nullopt;
  return Fault{"row.status", absl::StrCat("status: \"", row->status(), "\" is no status of workflow ", chart_->id())};
}

std::optional<Fault> CommandCheck::Times(const ExecuteRequest& request) const {
  const auto late = [&](absl::string_view field, absl::Time time, absl::Duration tolerance) -> std::optional<Fault> {
    if (now_ == absl::InfiniteFuture() || time <= now_ + tolerance) return std::nullopt;
    return Fault{std::string(field),
                 absl::StrCat(field, ": ", FormatUtc(time), " is in the future, want at most ", FormatUtc(now_))};
  };
  if (request.command().has_file()) {
    const docket::v1::FileCase& file = request.command().file();
    if (file.has_received_at()) {
      if (auto fault = late("received_at", FromProto(file.received_at()), absl::ZeroDuration())) return fault;
    }
  }
  return late("occurred_at", FromProto(request.occurred_at()), workflow::kClockTolerance);
}

}  // namespace docket::import_tool
