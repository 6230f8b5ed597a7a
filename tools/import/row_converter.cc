#include "tools/import/row_converter.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tools/import/utf8.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::import_tool {

std::string Slug(absl::string_view text) {
  std::string slug;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || byte >= 0x80) {
      slug.push_back(absl::ascii_tolower(byte));
    } else if (!slug.empty() && slug.back() != '-') {
      slug.push_back('-');
    }
  }
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  return slug;
}

RowConverter::RowConverter(const Mapping& mapping) : mapping_(mapping) {
  const std::vector<std::string> columns = mapping.Columns();
  for (size_t i = 0; i < columns.size(); ++i) index_.emplace(columns[i], i);
}

std::string RowConverter::Column(const std::string& name, const Record& record) const {
  const auto found = index_.find(name);
  if (found == index_.end() || found->second >= record.values.size()) return "";
  const absl::string_view text = absl::StripAsciiWhitespace(record.values[found->second]);
  std::string value(text);
  return mapping_.none.count(value) > 0 ? "" : value;
}

std::string RowConverter::Value(const ColumnRef& columns, const Record& record) const {
  for (const std::string& name : columns.names) {
    std::string value = Column(name, record);
    if (!value.empty()) return value;
  }
  return "";
}

std::string RowConverter::Key(const Record& record) const { return Value(mapping_.key, record); }

absl::StatusOr<absl::Time> RowConverter::Time(absl::string_view text) const {
  absl::Time time;
  std::string error;
  for (const std::string& format : mapping_.time_formats) {
    if (absl::ParseTime(format, text, mapping_.zone, &time, &error)) return time;
  }
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\": ", error, ", want ", mapping_.time_formats.front()));
}

void RowConverter::NoteSlug(absl::string_view field, const std::string& slug, const std::string& value) {
  if (slugs_.size() >= kMaxSlugs) return;
  const auto [at, fresh] = slugs_.emplace(absl::StrCat(field, " ", slug), value);
  if (!fresh && at->second != value) {
    slug_notes_.push_back(absl::StrCat(field, ": \"", at->second, "\" and \"", value, "\" both become \"", slug, "\""));
    at->second = value;
  }
}

std::vector<std::string> RowConverter::TakeSlugNotes() { return std::exchange(slug_notes_, {}); }

absl::StatusOr<std::string> RowConverter::Field(absl::string_view field, const FieldRule& rule,
                                                const Record& record) {
  for (const auto& [name, value] : rule.if_set) {
    if (!Column(name, record).empty()) return value;
  }
  std::string value = Value(rule.columns, record);
  if (value.empty()) return value;
  if (!IsUtf8(value)) return absl::InvalidArgumentError(absl::StrCat(field, ": not UTF-8"));
  if (rule.has_map) {
    const auto found = rule.map.find(value);
    if (found != rule.map.end()) return found->second;
    if (rule.fallback.has_value()) return *rule.fallback;
    return absl::InvalidArgumentError(absl::StrCat(field, ": \"", value, "\" is not in the map of ", mapping_.path, ":",
                                                   rule.columns.line));
  }
  if (rule.slug) {
    std::string slug = Slug(value);
    if (slug.empty()) return absl::InvalidArgumentError(absl::StrCat(field, ": \"", value, "\" has no letter or digit"));
    NoteSlug(field, slug, value);
    value = std::move(slug);
  }
  if (value.size() > kMaxValueBytes) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": ", value.size(), " bytes, want ", kMaxValueBytes));
  }
  return value;
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
    return absl::InvalidArgumentError(absl::StrCat(field, ": \"", value, "\", want a number in front"));
  }
  return absl::OkStatus();
}

absl::Status RowConverter::CheckPossible(const Record& record) const {
  for (const Rejection& rule : mapping_.rejections) {
    const std::string late = Column(rule.column, record);
    const std::string early = Column(rule.before, record);
    if (late.empty() || early.empty()) continue;
    DOCKET_ASSIGN_OR_RETURN(const absl::Time late_time, Time(late));
    DOCKET_ASSIGN_OR_RETURN(const absl::Time early_time, Time(early));
    if (late_time < early_time) {
      return absl::InvalidArgumentError(
          absl::StrCat(rule.reason, ": ", rule.column, " ", late, ", ", rule.before, " ", early));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ConvertedRow> RowConverter::Convert(const Record& record) {
  DOCKET_RETURN_IF_ERROR(record.malformed);
  DOCKET_RETURN_IF_ERROR(CheckPossible(record));
  ConvertedRow converted;
  const std::string received = Value(mapping_.received_at, record);
  if (!received.empty()) {
    DOCKET_ASSIGN_OR_RETURN(converted.received_at, Time(received));
  }
  const std::string updated = Value(mapping_.updated_at, record);
  if (!updated.empty()) {
    DOCKET_ASSIGN_OR_RETURN(converted.time, Time(updated));
  } else if (mapping_.rows == RowMeaning::kWholeCase && converted.received_at.has_value()) {
    converted.time = *converted.received_at;
  } else {
    return absl::InvalidArgumentError(absl::StrCat("no time in ", mapping_.updated_at.names.front()));
  }
  if (mapping_.rows == RowMeaning::kWholeCase && !converted.received_at.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("no time in ", mapping_.received_at.names.front()));
  }
  // The rows of a history may come late from a source; the one row of a whole case has no neighbour to be put right by.
  if (mapping_.rows == RowMeaning::kWholeCase && converted.time < *converted.received_at) {
    return absl::InvalidArgumentError(
        absl::StrCat("updated_at: \"", updated, "\", want no earlier than received_at, \"", received, "\""));
  }
  docket::v1::SourceRow& row = converted.row;
  row.set_line(record.line);
  std::string source_status = Value(mapping_.status.columns, record);
  if (!IsUtf8(source_status)) return absl::InvalidArgumentError("status: not UTF-8");
  if (source_status.size() > kMaxValueBytes) source_status.resize(Utf8Prefix(source_status, kMaxValueBytes));
  row.set_source_status(std::move(source_status));
  DOCKET_ASSIGN_OR_RETURN(*row.mutable_status(), Field("status", mapping_.status, record));
  if (row.status().empty()) return absl::InvalidArgumentError("status: none");
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
  return converted;
}

absl::StatusOr<docket::v1::FileCase> RowConverter::MakeFile(const Record& record, const ConvertedRow& converted) {
  docket::v1::FileCase file;
  file.set_kind(mapping_.kind);
  file.set_workflow(mapping_.workflow);
  file.set_history(true);
  const std::string key = Key(record);
  if (!IsUtf8(key)) return absl::InvalidArgumentError("key: not UTF-8");
  if (key.size() > kMaxValueBytes) {
    return absl::InvalidArgumentError(absl::StrCat("key: ", key.size(), " bytes, want ", kMaxValueBytes));
  }
  file.mutable_external_ref()->set_source(mapping_.source);
  file.mutable_external_ref()->set_key(key);
  if (converted.received_at.has_value()) *file.mutable_received_at() = ToProto(*converted.received_at);
  std::string title;
  for (size_t i = 0; i < mapping_.title.parts.size(); ++i) {
    title += i % 2 == 0 ? mapping_.title.parts[i] : Column(mapping_.title.parts[i], record);
  }
  if (!IsUtf8(title)) return absl::InvalidArgumentError("title: not UTF-8");
  if (title.size() > kMaxTitleBytes) title.resize(Utf8Prefix(title, kMaxTitleBytes));
  file.set_title(absl::StripAsciiWhitespace(title).empty() ? key : title);
  DOCKET_ASSIGN_OR_RETURN(*file.mutable_requester_ref(), Field("requester_ref", mapping_.requester_ref, record));
  DOCKET_ASSIGN_OR_RETURN(*file.mutable_department(), Field("department", mapping_.department, record));
  if (mapping_.channel.has_value()) {
    const std::string value = Value(mapping_.channel->columns, record);
    const auto found = mapping_.channel->map.find(value);
    if (found != mapping_.channel->map.end()) {
      *file.mutable_channel() = found->second;
    } else if (mapping_.channel->fallback.has_value()) {
      *file.mutable_channel() = *mapping_.channel->fallback;
    } else if (!value.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("channel: \"", value, "\" is not in the map of ", mapping_.path,
                                                     ":", mapping_.channel->columns.line));
    }
  }
  return file;
}

}  // namespace docket::import_tool
