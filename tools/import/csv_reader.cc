#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/import/record_reader.h"
#include "workflow/base/check.h"

namespace docket::import_tool {
namespace {

class CsvReader : public RecordReader {
 public:
  CsvReader(ByteSource* source, std::vector<std::string> wanted, char delimiter)
      : source_(source), wanted_(std::move(wanted)), delimiter_(delimiter) {}

  absl::Status ReadHeader() {
    Fields fields;
    if (!ReadFields(&fields)) {
      DOCKET_RETURN_IF_ERROR(source_->status());
      return absl::InvalidArgumentError("line 1: no header");
    }
    if (!fields.malformed.ok()) return fields.malformed;
    header_ = std::move(fields.values);
    for (const std::string& name : wanted_) {
      const auto found = std::find(header_.begin(), header_.end(), name);
      if (found == header_.end()) {
        missing_.push_back(name);
        columns_.push_back(kMaxColumns);
        continue;
      }
      if (std::find(found + 1, header_.end(), name) != header_.end()) {
        return absl::InvalidArgumentError(absl::StrCat("line ", fields.line, ": column \"", name, "\" twice"));
      }
      columns_.push_back(static_cast<size_t>(found - header_.begin()));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Next(Record* record) override {
    Fields fields;
    if (!ReadFields(&fields)) {
      DOCKET_RETURN_IF_ERROR(source_->status());
      return false;
    }
    // A damaged file may cut its last record short so that it still looks whole.
    if (source_->Peek() == ByteSource::kEnd) DOCKET_RETURN_IF_ERROR(source_->status());
    record->line = fields.line;
    record->malformed = fields.malformed;
    if (record->malformed.ok() && fields.values.size() != header_.size()) {
      record->malformed = absl::InvalidArgumentError(
          absl::StrCat(fields.values.size(), " fields, want ", header_.size(), " as in the header"));
    }
    record->values.assign(wanted_.size(), "");
    for (size_t i = 0; i < wanted_.size(); ++i) {
      if (columns_[i] < fields.values.size()) record->values[i] = std::move(fields.values[columns_[i]]);
    }
    return true;
  }

  const std::vector<std::string>& missing() const override { return missing_; }
  const std::vector<std::string>& header() const override { return header_; }

 private:
  struct Fields {
    uint64_t line = 0;
    std::vector<std::string> values;
    absl::Status malformed;
  };

  // Reads one record, empty lines before it skipped; false at the end of the file.
  bool ReadFields(Fields* fields) {
    while (source_->Peek() == '\n' || source_->Peek() == '\r') source_->Get();
    if (source_->Peek() == ByteSource::kEnd) return false;
    fields->line = source_->line();
    bytes_ = 0;
    bool more = true;
    while (more) {
      std::string field;
      more = source_->Peek() == '"' ? ReadQuoted(&field, fields) : ReadPlain(&field, fields);
      if (fields->values.size() < kMaxColumns) {
        fields->values.push_back(std::move(field));
      } else {
        Malform(fields, absl::StrCat("more than ", kMaxColumns, " fields"));
      }
    }
    return true;
  }

  // Both read one field with the delimiter or line end behind it, and return whether another field follows.
  bool ReadPlain(std::string* field, Fields* fields) {
    while (true) {
      const int byte = source_->Get();
      if (byte == delimiter_) return true;
      if (byte == '\n' || byte == ByteSource::kEnd) return false;
      if (byte == '\r' && (source_->Peek() == '\n' || source_->Peek() == ByteSource::kEnd)) continue;
      if (byte == '"') Malform(fields, "a quote inside a field that does not begin with one");
      Append(byte, field, fields);
    }
  }

  bool ReadQuoted(std::string* field, Fields* fields) {
    source_->Get();
    while (true) {
      const int byte = source_->Get();
      if (byte == ByteSource::kEnd) {
        Malform(fields, "the file ends inside quotes");
        return false;
      }
      if (byte != '"') {
        Append(byte, field, fields);
      } else if (source_->Peek() == '"') {
        Append(source_->Get(), field, fields);
      } else {
        break;
      }
    }
    const int behind = source_->Peek();
    if (behind != delimiter_ && behind != '\n' && behind != '\r' && behind != ByteSource::kEnd) {
      Malform(fields, "text behind a closing quote");
    }
    std::string rest;  // must be empty, or the field is malformed already
    return ReadPlain(&rest, fields);
  }

  void Append(int byte, std::string* field, Fields* fields) {
    if (++bytes_ > kMaxRecordBytes) {
      Malform(fields, absl::StrCat("longer than ", kMaxRecordBytes, " bytes"));
      return;
    }
    field->push_back(static_cast<char>(byte));
  }

  // Keeps the first reason: what follows is mostly its consequence.
  static void Malform(Fields* fields, const std::string& reason) {
    if (fields->malformed.ok()) fields->malformed = absl::InvalidArgumentError(reason);
  }

  ByteSource* source_;
  std::vector<std::string> wanted_;
  char delimiter_;
  std::vector<std::string> header_;
  std::vector<std::string> missing_;
  std::vector<size_t> columns_;  // of wanted_[i] in the file; kMaxColumns: missing
  size_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordReader>> OpenCsv(ByteSource* source, std::vector<std::string> wanted,
                                                      char delimiter) {
  auto reader = std::make_unique<CsvReader>(source, std::move(wanted), delimiter);
  DOCKET_RETURN_IF_ERROR(reader->ReadHeader());
  return std::unique_ptr<RecordReader>(std::move(reader));
}

}  // namespace docket::import_tool
