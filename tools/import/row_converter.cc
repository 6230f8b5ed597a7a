#include "tools/import/row_converter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tools/import/row_fault.h"
#include "tools/import/slug.h"
#include "tools/import/utf8.h"
#include "workflow/base/check.h"
#include "workflow/base/field_rules.h"
#include "workflow/base/time.h"
#include "workflow/sla/target.h"

namespace docket::import_tool {

RowConverter::RowConverter(const Mapping& mapping) : mapping_(mapping) {
  const std::vector<std::string> columns = mapping.Columns();
  for (size_t i = 0; i < columns.size(); ++i) index_.emplace(columns[i], i);
}

RowConverter::Cell RowConverter::Find(const std::string& name, const Record& record) const {
  for (const std::string& spelling : mapping_.SpellingsOf(name)) {
    const auto found = index_.find(spelling);
    if (found == index_.end() || found->second >= record.values.size()) continue;
    std::string value(absl::StripAsciiWhitespace(record.values[found->second]));
    if (!value.empty() && mapping_.none.count(value) == 0) return {spelling, std::move(value)};
  }
  return {name, ""};
}

RowConverter::Cell RowConverter::Find(const ColumnRef& columns, const Record& record) const {
  for (const std::string& name : columns.names) {
    Cell cell = Find(name, record);
    if (!cell.value.empty()) return cell;
  }
  return {columns.names.empty() ? "" : columns.names.front(), ""};
}

std::string RowConverter::Key(const Record& record) const { return Find(mapping_.key, record).value; }

void RowConverter::Note(const Cell& cell, const std::string& what) {
  notes_.push_back({.reason = what, .column = cell.column, .value = cell.value});
}

absl::StatusOr<std::optional<absl::Time>> RowConverter::Time(const Cell& cell, TwiceMeans twice) {
  if (cell.value.empty()) return std::optional<absl::Time>();
  const absl::StatusOr<SourceTime> time = ParseSourceTime(cell.value, mapping_.time_formats, mapping_.zone, twice);
  if (!time.ok()) {
    return RowFault(cell.column, cell.value, absl::StrCat(cell.column, ": ", time.status().message()));
  }
  if (!IsStorable(time->at)) {
    return RowFault(cell.column, cell.value,
                    absl::StrCat(cell.column, ": \"", cell.value, "\", want an instant of the years 1970 to 9999"));
  }
  if (!time->remark.empty()) Note(cell, absl::StrCat(cell.column, ": ", time->remark));
  return std::optional<absl::Time>(time->at);
}

void RowConverter::NoteSlug(absl::string_view field, const std::string& slug, const Cell& cell) {
  if (slugs_.size() >= kMaxSlugs) {
    if (!std::exchange(slugs_full_, true)) {
      Note(cell, absl::StrCat("more than ", kMaxSlugs, " names; from here on two that become one are not told"));
    }
    return;
  }
  const auto [at, fresh] = slugs_.emplace(absl::StrCat(field, " ", slug), cell.value);
  if (!fresh && at->second != cell.value) {
    Note(cell, absl::StrCat(field, ": \"", at->second, "\" and \"", cell.value, "\" both become \"", slug, "\""));
    at->second = cell.value;
  }
}

std::vector<RowProblem> RowConverter::TakeNotes() { return std::exchange(notes_, {}); }

absl::StatusOr<std::string> RowConverter::Field(absl::string_view field, const FieldRule& rule, const Record& record) {
  for (const auto& [name, value] : rule.if_set) {
    if (!Find(name, record).value.empty()) return value;
  }
  const Cell cell = Find(rule.columns, record);
  if (cell.value.empty()) return std::string();
  const auto fault = [&](const std::string& reason) {
    return RowFault(cell.column, cell.value, absl::StrCat(field, ": ", reason));
  };
  if (!IsUtf8(cell.value)) return fault("not UTF-8");
  if (rule.has_map) {
    const auto found = rule.map.find(cell.value);
    if (found != rule.map.end()) return found->second;
    if (rule.fallback.has_value()) return *rule.fallback;
    return fault(absl::StrCat("\"", cell.value, "\" is not in the map of ", mapping_.path, ":", rule.columns.line));
  }
  if (rule.slug) {
    std::string slug = Slug(cell.value);
    if (slug.empty()) return fault(absl::StrCat("\"", cell.value, "\" has no letter or digit"));
    NoteSlug(field, slug, cell);
    return slug;
  }
  if (cell.value.size() > kMaxValueBytes) {
    return fault(absl::StrCat(cell.value.size(), " bytes, want ", kMaxValueBytes));
  }
  return cell.value;
}

absl::StatusOr<std::string> RowConverter::Field(absl::string_view field, const std::optional<FieldRule>& rule,
                                                const Record& record) {
  if (!rule.has_value()) return std::string();
  return Field(field, *rule, record);
}

absl::Status RowConverter::Number(absl::string_view field, const std::optional<FieldRule>& rule, const Record& record,
                                  uint32_t* number) {
  DOCKET_ASSIGN_OR_RETURN(const std::string value, Field(field, rule, record));
  *number = 0;
  if (value.empty()) return absl::OkStatus();
  size_t digits = 0;
  while (digits < value.size() && absl::ascii_isdigit(static_cast<unsigned char>(value[digits]))) ++digits;
  if (digits == 0 || !absl::SimpleAtoi(value.substr(0, digits), number)) {
    const Cell cell = Find(rule->columns, record);
    return RowFault(cell.column, cell.value, absl::StrCat(field, ": \"", value, "\", want a number in front"));
  }
  return absl::OkStatus();
}

absl::Status RowConverter::CheckPossible(const Record& record) const {
  // What came twice is judged as favourably as it is loaded.
  const auto time = [&](const Cell& cell, TwiceMeans twice) -> absl::StatusOr<absl::Time> {
    const auto parsed = ParseSourceTime(cell.value, mapping_.time_formats, mapping_.zone, twice);
    if (parsed.ok()) return parsed->at;
    return RowFault(cell.column, cell.value, absl::StrCat(cell.column, ": ", parsed.status().message()));
  };
  for (const Rejection& rule : mapping_.rejections) {
    const Cell late = Find(rule.column, record);
    const Cell early = Find(rule.before, record);
    if (late.value.empty() || early.value.empty()) continue;
    DOCKET_ASSIGN_OR_RETURN(const absl::Time late_time, time(late, TwiceMeans::kLast));
    DOCKET_ASSIGN_OR_RETURN(const absl::Time early_time, time(early, TwiceMeans::kFirst));
    if (late_time >= early_time) continue;
    return RowFault(
        late.column, late.value,
        absl::StrCat(rule.reason, ": ", late.column, " ", late.value, ", ", early.column, " ", early.value));
  }
  return absl::OkStatus();
}

absl::StatusOr<ConvertedRow> RowConverter::Convert(const Record& record) {
  DOCKET_RETURN_IF_ERROR(record.malformed);
  DOCKET_RETURN_IF_ERROR(CheckPossible(record));
  ConvertedRow converted;
  converted.row.set_line(record.line);
  DOCKET_RETURN_IF_ERROR(ConvertFields(record, &converted));
  DOCKET_RETURN_IF_ERROR(ConvertTimes(record, &converted));
  return converted;
}

absl::Status RowConverter::ConvertTimes(const Record& record, ConvertedRow* converted) {
  const Cell received = Find(mapping_.received_at, record);
  const Cell updated = Find(mapping_.updated_at, record);
  const Cell closed = Find(mapping_.closing.columns, record);
  const Cell due = Find(mapping_.due_at, record);
  DOCKET_ASSIGN_OR_RETURN(converted->received_at, Time(received, TwiceMeans::kFirst));
  if (mapping_.rows != RowMeaning::kSnapshot && !converted->received_at.has_value()) {
    return RowFault(received.column, "", absl::StrCat("no time in ", received.column));
  }
  DOCKET_ASSIGN_OR_RETURN(converted->closed_at, Time(closed, TwiceMeans::kLast));
  if (converted->closed_at.has_value()) DOCKET_RETURN_IF_ERROR(CheckClosing(closed, converted));
  DOCKET_ASSIGN_OR_RETURN(const std::optional<absl::Time> due_at, Time(due, TwiceMeans::kLast));
  if (due_at.has_value()) *converted->row.mutable_due_at() = ToProto(*due_at);
  if (mapping_.rows == RowMeaning::kWholeCase)
    return ConvertWholeCase(Find(mapping_.status.columns, record), updated, closed, converted);
  DOCKET_ASSIGN_OR_RETURN(const std::optional<absl::Time> time, Time(updated, TwiceMeans::kLast));
  if (!time.has_value()) return RowFault(updated.column, "", absl::StrCat("no time in ", updated.column));
  converted->time = *time;
  return absl::OkStatus();
}

absl::Status RowConverter::CheckDue(const Record& record, const ConvertedRow& converted, absl::Time received) const {
  if (!converted.row.has_due_at()) return absl::OkStatus();
  const std::string fault = sla::PromiseFault(FromProto(converted.row.due_at()), received, /*live=*/false);
  if (fault.empty()) return absl::OkStatus();
  const Cell due = Find(mapping_.due_at, record);
  return RowFault(due.column, due.value, absl::StrCat("due_at: ", fault));
}

// Nothing ends before it begins, unless the source tells the day only.
absl::Status RowConverter::CheckClosing(const Cell& cell, ConvertedRow* converted) {
  const absl::Time received = *converted->received_at;
  if (*converted->closed_at >= received) return absl::OkStatus();
  const auto day = [&](absl::Time time) { return absl::ToCivilDay(time, mapping_.zone); };
  if (mapping_.closing.day_precision && day(*converted->closed_at) == day(received)) {
    Note(cell, absl::StrCat(cell.column, ": \"", cell.value, "\" tells the day of the receipt; taken as ",
                            FormatUtc(received)));
    converted->closed_at = received;
    return absl::OkStatus();
  }
  return RowFault(
      cell.column, cell.value,
      absl::StrCat("closed_at: \"", cell.value, "\", want no earlier than received_at, ", FormatUtc(received)));
}

// The one row of a whole case: it became true when the case was closed, or else when it was last touched.
absl::Status RowConverter::ConvertWholeCase(const Cell& status, const Cell& updated, const Cell& closed,
                                            ConvertedRow* converted) {
  docket::v1::SourceRow& row = converted->row;
  const Closing& closing = mapping_.closing;
  const bool told_apart = !closing.columns.names.empty();  // a column of its own tells of the closing
  if (converted->closed_at.has_value()) {
    if (row.status() != closing.status) {
      Note(status, absl::StrCat("status: \"", status.value, "\" although ", closed.column, " is ", closed.value,
                                "; the case is closed"));
      row.set_status(closing.status);
    }
    converted->time = *converted->closed_at;
    return absl::OkStatus();
  }
  DOCKET_ASSIGN_OR_RETURN(const std::optional<absl::Time> time, Time(updated, TwiceMeans::kLast));
  const absl::Time received = *converted->received_at;
  converted->time = time.value_or(received);
  if (told_apart && row.status() == closing.status) {
    Note(status, absl::StrCat("status: \"", status.value, "\" without a time in ", closed.column, "; taken as of ",
                              FormatUtc(std::max(received, converted->time))));
  }
  if (converted->time >= received) return absl::OkStatus();
  // Without such a column this is the time of the closing, and nothing ends before it begins.
  if (!told_apart) {
    return RowFault(
        updated.column, updated.value,
        absl::StrCat("updated_at: \"", updated.value, "\", want no earlier than received_at, ", FormatUtc(received)));
  }
  Note(updated, absl::StrCat(updated.column, ": \"", updated.value, "\" lies before the receipt; taken as ",
                             FormatUtc(received)));
  converted->time = received;
  return absl::OkStatus();
}

absl::Status RowConverter::ConvertFields(const Record& record, ConvertedRow* converted) {
  docket::v1::SourceRow& row = converted->row;
  const Cell status = Find(mapping_.status.columns, record);
  if (!IsUtf8(status.value)) return RowFault(status.column, status.value, "status: not UTF-8");
  row.set_source_status(status.value.substr(0, Utf8Prefix(status.value, kMaxValueBytes)));
  DOCKET_ASSIGN_OR_RETURN(*row.mutable_status(), Field("status", mapping_.status, record));
  if (row.status().empty()) return RowFault(status.column, "", "status: none");
  DOCKET_ASSIGN_OR_RETURN(*row.mutable_queue(), Field("queue", mapping_.queue, record));
  DOCKET_ASSIGN_OR_RETURN(*row.mutable_owner(), Field("owner", mapping_.owner, record));
  DOCKET_ASSIGN_OR_RETURN(*row.mutable_category(), Field("category", mapping_.category, record));
  DOCKET_ASSIGN_OR_RETURN(*row.mutable_subcategory(), Field("subcategory", mapping_.subcategory, record));
  DOCKET_ASSIGN_OR_RETURN(*row.mutable_updated_by_ref(), Field("updated_by_ref", mapping_.updated_by_ref, record));
  DOCKET_ASSIGN_OR_RETURN(*row.mutable_closure_code(), Field("closure_code", mapping_.closure_code, record));
  uint32_t impact = 0, urgency = 0, priority = 0;
  DOCKET_RETURN_IF_ERROR(Number("impact", mapping_.impact, record, &impact));
  DOCKET_RETURN_IF_ERROR(Number("urgency", mapping_.urgency, record, &urgency));
  DOCKET_RETURN_IF_ERROR(Number("priority", mapping_.priority, record, &priority));
  row.set_impact(impact);
  row.set_urgency(urgency);
  row.set_priority(priority);
  return absl::OkStatus();
}

absl::StatusOr<docket::v1::FileCase> RowConverter::MakeFile(const Record& record, const ConvertedRow& converted) {
  docket::v1::FileCase file;
  file.set_kind(mapping_.kind);
  file.set_workflow(mapping_.workflow);
  file.set_history(true);
  const std::string key = Key(record);
  if (!IsUtf8(key)) return RowFault(Find(mapping_.key, record).column, key, "key: not UTF-8");
  if (key.size() > kMaxValueBytes) {
    return RowFault(Find(mapping_.key, record).column, key,
                    absl::StrCat("key: ", key.size(), " bytes, want ", kMaxValueBytes));
  }
  file.mutable_external_ref()->set_source(mapping_.source);
  file.mutable_external_ref()->set_key(key);
  if (converted.received_at.has_value()) *file.mutable_received_at() = ToProto(*converted.received_at);
  std::string title;
  for (size_t i = 0; i < mapping_.title.parts.size(); ++i) {
    title += i % 2 == 0 ? mapping_.title.parts[i] : Find(mapping_.title.parts[i], record).value;
  }
  if (!IsUtf8(title)) return absl::InvalidArgumentError("title: not UTF-8");
  if (title.size() > kMaxTitleBytes) title.resize(Utf8Prefix(title, kMaxTitleBytes));
  file.set_title(absl::StripAsciiWhitespace(title).empty() ? key : title);
  DOCKET_ASSIGN_OR_RETURN(*file.mutable_requester_ref(), Field("requester_ref", mapping_.requester_ref, record));
  DOCKET_ASSIGN_OR_RETURN(*file.mutable_department(), Field("department", mapping_.department, record));
  if (mapping_.channel.has_value()) {
    const Cell cell = Find(mapping_.channel->columns, record);
    const auto found = mapping_.channel->map.find(cell.value);
    if (found != mapping_.channel->map.end()) {
      *file.mutable_channel() = found->second;
    } else if (mapping_.channel->fallback.has_value()) {
      *file.mutable_channel() = *mapping_.channel->fallback;
    } else if (!cell.value.empty()) {
      return RowFault(cell.column, cell.value,
                      absl::StrCat("channel: \"", cell.value, "\" is not in the map of ", mapping_.path, ":",
                                   mapping_.channel->columns.line));
    }
  }
  return file;
}

}  // namespace docket::import_tool
