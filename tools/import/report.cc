#include "tools/import/report.h"

#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/import/utf8.h"
#include "workflow/base/field_rules.h"

namespace docket::import_tool {
namespace {

// 141712 becomes "141,712".
std::string Grouped(uint64_t number) {
  const std::string digits = absl::StrCat(number);
  std::string grouped;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) grouped.push_back(',');
    grouped.push_back(digits[i]);
  }
  return grouped;
}

// Text from the file on a terminal: control characters could move its cursor.
std::string Harmless(absl::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return out;
}

}  // namespace

std::string JsonString(absl::string_view text) {
  const bool valid = IsUtf8(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      absl::StrAppend(&out, "\\", std::string(1, c));
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      absl::StrAppendFormat(&out, "\\u%04x", byte);
    } else {
      out += byte >= 0x80 && !valid ? '?' : c;
    }
  }
  out.push_back('"');
  return out;
}

namespace {

// As members of a JSON object.
std::string Members(const RowProblem& problem) {
  return absl::StrCat("\"line\":", problem.line, ",\"key\":", JsonString(problem.key),
                      ",\"column\":", JsonString(problem.column), ",\"value\":", JsonString(problem.value),
                      ",\"reason\":", JsonString(problem.reason));
}

}  // namespace

ProgressLine::ProgressLine(std::ostream& out, bool is_terminal, absl::Time start)
    : out_(out), is_terminal_(is_terminal), start_(start), last_(start) {}

void ProgressLine::Show(absl::Time now, double share, uint64_t rows, uint64_t cases) {
  if (now - last_ < (is_terminal_ ? kTerminalInterval : kPlainInterval)) return;
  last_ = now;
  const double seconds = absl::ToDoubleSeconds(now - start_);
  const std::string text = absl::StrFormat("%3.0f%%  %s rows  %s cases  %.0f rows/s", share * 100, Grouped(rows),
                                           Grouped(cases), seconds > 0 ? static_cast<double>(rows) / seconds : 0.0);
  if (!is_terminal_) {
    out_ << text << std::endl;
    return;
  }
  constexpr int kWidth = 24;
  const int filled = static_cast<int>(share * kWidth);
  out_ << "\r\033[K[" << std::string(filled, '#') << std::string(kWidth - filled, '.') << "] " << text << std::flush;
  shown_ = true;
}

void ProgressLine::Clear() {
  if (std::exchange(shown_, false)) out_ << "\r\033[K" << std::flush;
}

absl::Status ImportReport::WriteTo(const std::string& path) {
  path_ = path;
  file_.open(path, std::ios::binary | std::ios::trunc);
  if (!file_) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be written"));
  return absl::OkStatus();
}

absl::Status ImportReport::Close() {
  if (!file_.is_open()) return absl::OkStatus();
  file_.close();
  if (!file_) return absl::DataLossError(absl::StrCat(path_, ": could not be written whole"));
  return absl::OkStatus();
}

void ImportReport::OnBadRow(const RowProblem& problem) {
  Print("bad row", ++bad_rows_, problem);
  Write(problem, true);
  if (first_bad_rows_.size() < kShown) first_bad_rows_.push_back(problem);
}

void ImportReport::OnNote(const RowProblem& problem) {
  Print("note", ++notes_, problem);
  Write(problem, false);
}

void ImportReport::Print(const char* what, uint64_t number, const RowProblem& problem) {
  if (number > kShown + 1) return;
  if (progress_ != nullptr) progress_->Clear();
  if (number == kShown + 1) {
    err_ << what << ": further ones are counted, and written to the file of --report\n";
    return;
  }
  err_ << what << ": " << import_file_ << ":" << problem.line;
  if (!problem.key.empty()) err_ << ", case " << Harmless(problem.key);
  if (!problem.column.empty()) err_ << ", column " << Harmless(problem.column);
  err_ << ": " << Harmless(problem.reason) << "\n";
}

void ImportReport::Write(const RowProblem& problem, bool bad) {
  if (!file_.is_open()) return;
  file_ << "{\"file\":" << JsonString(import_file_) << ",\"bad\":" << (bad ? "true" : "false") << ","
        << Members(problem) << "}\n";
}

void PrintSummary(const ImportSummary& summary, std::ostream& out) {
  const double seconds = absl::ToDoubleSeconds(summary.elapsed);
  out << (summary.dry_run ? "read " : "imported ") << summary.file
      << absl::StrFormat(" in %.1f s%s\n", seconds, summary.dry_run ? " (dry run, nothing was sent)" : "");
  const std::pair<const char*, uint64_t> lines[] = {
      {"rows", summary.rows},           {"cases", summary.cases},       {"commits added", summary.commits_added},
      {"unchanged", summary.unchanged}, {"bad rows", summary.bad_rows}, {"rows left out", summary.rows_left_out},
      {"notes", summary.notes},
  };
  for (const auto& [name, number] : lines) out << absl::StrFormat("  %-14s %12s\n", name, Grouped(number));
}

void PrintSummaryJson(const ImportSummary& summary, const std::vector<RowProblem>& bad_rows, std::ostream& out) {
  out << "{\"file\":" << JsonString(summary.file) << ",\"dryRun\":" << (summary.dry_run ? "true" : "false")
      << ",\"rows\":" << summary.rows << ",\"cases\":" << summary.cases << ",\"rowsImported\":" << summary.rows_imported
      << ",\"commitsAdded\":" << summary.commits_added << ",\"unchanged\":" << summary.unchanged
      << ",\"badRows\":" << summary.bad_rows << ",\"rowsLeftOut\":" << summary.rows_left_out
      << ",\"notes\":" << summary.notes
      << absl::StrFormat(",\"seconds\":%.3f,\"firstBadRows\":[", absl::ToDoubleSeconds(summary.elapsed));
  for (size_t i = 0; i < bad_rows.size(); ++i) {
    out << (i == 0 ? "" : ",") << "{" << Members(bad_rows[i]) << "}";
  }
  out << "]}\n";
}

}  // namespace docket::import_tool
