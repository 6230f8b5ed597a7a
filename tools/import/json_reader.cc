#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tools/import/record_reader.h"
#include "workflow/base/check.h"

namespace docket::import_tool {
namespace {

constexpr int kMaxDepth = 32;

void AppendUtf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code >> 6)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | (code >> 12)));
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | (code >> 18)));
    out->push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

// A parser that keeps only the wanted members. An error leaves no safe place to go on from in an array, so the first
// one ends the file; a line of JSON lines is another matter, there the next line is one.
class JsonReader : public RecordReader {
 public:
  JsonReader(ByteSource* source, std::vector<std::string> wanted) : source_(source), wanted_(std::move(wanted)) {
    for (size_t i = 0; i < wanted_.size(); ++i) index_.emplace(wanted_[i], i);
  }

  absl::StatusOr<bool> Next(Record* record) override {
    DOCKET_ASSIGN_OR_RETURN(const bool more, FindObject());
    if (!more) return false;
    record->line = source_->line();
    record->values.assign(wanted_.size(), "");
    record->malformed = absl::OkStatus();
    bytes_ = 0;
    absl::Status read = ReadObject("", 0, record);
    if (read.ok()) return true;
    if (source_->Peek() == ByteSource::kEnd) DOCKET_RETURN_IF_ERROR(source_->status());
    if (in_array_) return absl::InvalidArgumentError(absl::StrCat("line ", source_->line(), ": ", read.message()));
    record->malformed = std::move(read);
    while (source_->line() == record->line && source_->Get() != ByteSource::kEnd) {
    }
    return true;
  }

  const std::vector<std::string>& missing() const override { return none_; }
  const std::vector<std::string>& header() const override { return none_; }

 private:
  // Moves to the brace of the next object; false at the end.
  absl::StatusOr<bool> FindObject() {
    SkipSpace();
    if (first_ && source_->Peek() == ByteSource::kEnd) {
      DOCKET_RETURN_IF_ERROR(source_->status());
      return absl::InvalidArgumentError("the file is empty, want an array or objects one after another");
    }
    if (first_ && source_->Peek() == '[') {
      source_->Get();
      in_array_ = true;
      SkipSpace();
    } else if (in_array_ && !first_ && source_->Peek() == ',') {
      source_->Get();
      SkipSpace();
      if (source_->Peek() == ']') return Wrong("want an object behind the comma");
    } else if (in_array_ && !first_ && !ended_ && source_->Peek() != ']') {
      if (source_->Peek() == ByteSource::kEnd) DOCKET_RETURN_IF_ERROR(source_->status());
      return Wrong("want a comma or the end of the array");
    }
    first_ = false;
    if (in_array_ && !ended_ && source_->Peek() == ']') {
      source_->Get();
      ended_ = true;
      SkipSpace();
    }
    if (source_->Peek() == ByteSource::kEnd) {
      DOCKET_RETURN_IF_ERROR(source_->status());
      if (in_array_ && !ended_) return Wrong("the file ends inside the array");
      return false;
    }
    if (ended_) return Wrong("text behind the end of the array");
    if (source_->Peek() != '{') return Wrong("want an object");
    return true;
  }

  absl::Status Wrong(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("line ", source_->line(), ": ", what));
  }

  void SkipSpace() {
    while (source_->Peek() == ' ' || source_->Peek() == '\t' || source_->Peek() == '\n' || source_->Peek() == '\r') {
      source_->Get();
    }
  }

  absl::StatusOr<int> Get() {
    const int byte = source_->Get();
    if (byte == ByteSource::kEnd) return absl::InvalidArgumentError("the file ends inside an object");
    if (++bytes_ > kMaxRecordBytes) {
      return absl::InvalidArgumentError(absl::StrCat("longer than ", kMaxRecordBytes, " bytes"));
    }
    return byte;
  }

  absl::Status Expect(char wanted) {
    SkipSpace();
    DOCKET_ASSIGN_OR_RETURN(const int byte, Get());
    if (byte != wanted) {
      return absl::InvalidArgumentError(
          absl::StrCat("found '", std::string(1, static_cast<char>(byte)), "', want '", std::string(1, wanted), "'"));
    }
    return absl::OkStatus();
  }

  absl::Status ReadObject(const std::string& prefix, int depth, Record* record) {
    if (depth > kMaxDepth) return absl::InvalidArgumentError(absl::StrCat("nested deeper than ", kMaxDepth));
    DOCKET_RETURN_IF_ERROR(Expect('{'));
    SkipSpace();
    if (source_->Peek() == '}') return Get().status();
    while (true) {
      SkipSpace();
      std::string name;
      DOCKET_RETURN_IF_ERROR(ReadString(&name));
      DOCKET_RETURN_IF_ERROR(Expect(':'));
      SkipSpace();
      const std::string path = prefix.empty() ? name : absl::StrCat(prefix, ".", name);
      if (source_->Peek() == '{') {
        DOCKET_RETURN_IF_ERROR(ReadObject(path, depth + 1, record));
      } else {
        std::string value;
        DOCKET_RETURN_IF_ERROR(ReadValue(depth, &value));
        const auto found = index_.find(path);
        if (found != index_.end()) record->values[found->second] = std::move(value);
      }
      SkipSpace();
      DOCKET_ASSIGN_OR_RETURN(const int behind, Get());
      if (behind == '}') return absl::OkStatus();
      if (behind != ',') return absl::InvalidArgumentError("want ',' or '}' behind a member");
    }
  }

  // Anything but an object at the top: a string gives its text, null gives "", an array its JSON text.
  absl::Status ReadValue(int depth, std::string* value) {
    if (source_->Peek() == '"') return ReadString(value);
    if (source_->Peek() == '[' || source_->Peek() == '{') return CopyNested(depth + 1, value);
    while (absl::ascii_isalnum(static_cast<unsigned char>(source_->Peek())) || source_->Peek() == '-' ||
           source_->Peek() == '+' || source_->Peek() == '.') {
      DOCKET_ASSIGN_OR_RETURN(const int byte, Get());
      value->push_back(static_cast<char>(byte));
    }
    if (*value == "null") {
      value->clear();
      return absl::OkStatus();
    }
    const bool number = !value->empty() && (absl::ascii_isdigit(value->front()) || value->front() == '-');
    if (number || *value == "true" || *value == "false") return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("\"", *value, "\" is no JSON value"));
  }

  // Copies an array (with whatever it holds) as text up to its closing bracket.
  absl::Status CopyNested(int depth, std::string* value) {
    int open = 0;
    bool in_string = false;
    do {
      DOCKET_ASSIGN_OR_RETURN(const int byte, Get());
      value->push_back(static_cast<char>(byte));
      if (in_string && byte == '\\') {
        DOCKET_ASSIGN_OR_RETURN(const int escaped, Get());
        value->push_back(static_cast<char>(escaped));
      } else if (byte == '"') {
        in_string = !in_string;
      } else if (!in_string && (byte == '[' || byte == '{')) {
        if (++open + depth > kMaxDepth) {
          return absl::InvalidArgumentError(absl::StrCat("nested deeper than ", kMaxDepth));
        }
      } else if (!in_string && (byte == ']' || byte == '}')) {
        --open;
      }
    } while (open > 0);
    return absl::OkStatus();
  }

  absl::Status ReadString(std::string* text) {
    DOCKET_RETURN_IF_ERROR(Expect('"'));
    while (true) {
      DOCKET_ASSIGN_OR_RETURN(const int byte, Get());
      if (byte == '"') return absl::OkStatus();
      if (byte < 0x20) return absl::InvalidArgumentError("a control character inside a string");
      if (byte == '\\') {
        DOCKET_RETURN_IF_ERROR(ReadEscape(text));
      } else {
        text->push_back(static_cast<char>(byte));
      }
    }
  }

  absl::Status ReadEscape(std::string* text) {
    static constexpr absl::string_view kLetters = "\"\\/bfnrt";
    static constexpr absl::string_view kMeanings = "\"\\/\b\f\n\r\t";
    DOCKET_ASSIGN_OR_RETURN(const int letter, Get());
    if (letter == 'u') {
      DOCKET_ASSIGN_OR_RETURN(uint32_t code, ReadHex());
      if (code >= 0xD800 && code < 0xDC00) {
        DOCKET_ASSIGN_OR_RETURN(const int backslash, Get());
        DOCKET_ASSIGN_OR_RETURN(const int letter_u, Get());
        if (backslash != '\\' || letter_u != 'u') return absl::InvalidArgumentError("half of a surrogate pair");
        DOCKET_ASSIGN_OR_RETURN(const uint32_t low, ReadHex());
        if (low < 0xDC00 || low > 0xDFFF) return absl::InvalidArgumentError("half of a surrogate pair");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      } else if (code >= 0xDC00 && code <= 0xDFFF) {
        return absl::InvalidArgumentError("half of a surrogate pair");
      }
      AppendUtf8(code, text);
      return absl::OkStatus();
    }
    const size_t at = kLetters.find(static_cast<char>(letter));
    if (at == absl::string_view::npos) return absl::InvalidArgumentError("an unknown escape in a string");
    text->push_back(kMeanings[at]);
    return absl::OkStatus();
  }

  absl::StatusOr<uint32_t> ReadHex() {
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      DOCKET_ASSIGN_OR_RETURN(const int digit, Get());
      if (!absl::ascii_isxdigit(static_cast<unsigned char>(digit))) {
        return absl::InvalidArgumentError("want four hexadecimal digits behind \\u");
      }
      const int value = absl::ascii_isdigit(static_cast<unsigned char>(digit)) ? digit - '0' : (digit | 0x20) - 'a' + 10;
      code = code * 16 + static_cast<uint32_t>(value);
    }
    return code;
  }

  ByteSource* source_;
  std::vector<std::string> wanted_;
  std::map<std::string, size_t> index_;
  std::vector<std::string> none_;
  bool first_ = true;
  bool in_array_ = false;
  bool ended_ = false;
  size_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<RecordReader> OpenJson(ByteSource* source, std::vector<std::string> wanted) {
  return std::make_unique<JsonReader>(source, std::move(wanted));
}

}  // namespace docket::import_tool
