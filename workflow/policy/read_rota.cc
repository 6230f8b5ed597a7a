#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "workflow/policy/documents.h"
#include "workflow/policy/local_time.h"

namespace docket::policy {
namespace {

constexpr size_t kMaxShifts = 64;   // as written; each may stand for seven days
constexpr size_t kMaxTurns = 1024;  // of the message Rota
constexpr size_t kMaxOnDuty = 8;    // at once

class RotaReader {
 public:
  RotaReader(const YamlNode& node, v1::Rota* rota, Findings* findings)
      : node_(node), rota_(*rota), findings_(findings) {}

  // The principals it names, for the caller to look up.
  std::vector<Word> Read(MapReader& reader, ParsedDocument* document) {
    rota_.set_name(reader.Text("name", Syntax::kText, Need::kRequired));
    rota_.set_calendar(reader.Text("calendar", Syntax::kId));
    if (!rota_.calendar().empty()) {
      document->references.push_back({.to = Reference::To::kCalendar,
                                      .id = rota_.calendar(),
                                      .line = reader.LineOf("calendar"),
                                      .what = "rota.calendar"});
    }
    for (const YamlNode& shift : reader.List("shifts", kMaxShifts)) ReadShift(shift);
    for (const YamlNode& turn : reader.List("turns", kMaxTurns)) ReadTurn(turn);
    if (rota_.shifts().empty() && rota_.turns().empty()) {
      findings_->Add(node_.line, "ROTA_EMPTY", "rota: found neither shifts nor turns, want somebody to be on duty");
    }
    return std::move(people_);
  }

 private:
  template <class Entry>
  void ReadPrincipals(MapReader& reader, Entry* entry) {
    for (Word& word : reader.Texts("principals", Syntax::kId, kMaxOnDuty, Need::kRequired)) {
      entry->add_principals(word.text);
      people_.push_back(std::move(word));
    }
  }

  void ReadShift(const YamlNode& node) {
    MapReader reader(node, "shift", findings_);
    const std::string days = reader.Text("days", Syntax::kText, Need::kRequired);
    const std::optional<DayRange> range = ParseDays(days);
    if (!days.empty() && !range.has_value()) {
      findings_->Add(reader.LineOf("days"), "BAD_DAYS",
                     absl::StrCat("shift.days: found ", days, ", want mon to sun or a range such as mon..fri"));
    }
    v1::Rota::Shift shift;
    const std::string hours = reader.Text("hours", Syntax::kText, Need::kRequired);
    const std::vector<std::string> ends = absl::StrSplit(hours, absl::MaxSplits('-', 1));
    const auto start = ParseClock(ends.front());
    const auto end = ParseClock(ends.back());
    if (!hours.empty() && (ends.size() != 2 || !start.has_value() || !end.has_value() || *end <= *start)) {
      findings_->Add(reader.LineOf("hours"), "BAD_WINDOW",
                     absl::StrCat("shift.hours: found ", hours,
                                  ", want HH:MM-HH:MM up to 24:00, the end after the start; a night is two shifts"));
    }
    shift.set_start_s(start.value_or(0));
    shift.set_end_s(end.value_or(0));
    ReadPrincipals(reader, &shift);
    reader.Finish();
    if (!range.has_value()) return;
    for (size_t day = range->first; day <= range->last; ++day) {
      *rota_.add_shifts() = shift;
      rota_.mutable_shifts()->rbegin()->set_weekday(static_cast<uint32_t>(day) + 1);
    }
  }

  std::optional<absl::CivilDay> Day(MapReader& reader, const char* key, Need need) {
    const std::string text = reader.Text(key, Syntax::kText, need);
    const std::optional<absl::CivilDay> day = ParseDay(text);
    if (!text.empty() && !day.has_value()) {
      findings_->Add(reader.LineOf(key), "BAD_DAY",
                     absl::StrCat("turn.", key, ": found ", text, ", want a day such as 2026-12-25"));
    }
    return day;
  }

  void ReadTurn(const YamlNode& node) {
    MapReader reader(node, "turn", findings_);
    const auto first = Day(reader, "first", Need::kRequired);
    const auto last = reader.Has("last") ? Day(reader, "last", Need::kOptional) : first;
    v1::Rota::Turn& turn = *rota_.add_turns();
    ReadPrincipals(reader, &turn);
    reader.Finish();
    if (!first.has_value() || !last.has_value()) return;
    if (*last < *first) {
      findings_->Add(reader.LineOf("last"), "BAD_DAY",
                     absl::StrCat("turn.last: found ", absl::FormatCivilTime(*last), ", want no day before ",
                                  absl::FormatCivilTime(*first)));
    }
    const absl::CivilDay epoch(1970, 1, 1);
    turn.set_first_day(static_cast<int32_t>(*first - epoch));
    turn.set_last_day(static_cast<int32_t>(*last - epoch));
  }

  const YamlNode& node_;
  v1::Rota& rota_;
  Findings* const findings_;
  std::vector<Word> people_;
};

}  // namespace

std::vector<Word> ReadRota(const YamlNode& node, MapReader& reader, v1::Rota* rota, ParsedDocument* document,
                           Findings* findings) {
  return RotaReader(node, rota, findings).Read(reader, document);
}

}  // namespace docket::policy
