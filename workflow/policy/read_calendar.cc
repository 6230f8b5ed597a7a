#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "workflow/policy/documents.h"
#include "workflow/policy/local_time.h"
#include "workflow/sla/calendar.h"
#include "workflow/sla/calendar_compile.h"

namespace docket::policy {
namespace {

constexpr size_t kMaxExceptions = 2048;  // of the message Calendar
constexpr int kMaxRangeDays = 366;
const absl::CivilDay kEpoch(1970, 1, 1);

using Windows = google::protobuf::RepeatedPtrField<v1::Calendar::LocalWindow>;

// No path, no "localtime": what a zone means must not hang on the machine.
bool IsZoneName(absl::string_view zone) {
  if (zone.empty() || zone[0] == '/' || zone == "localtime" || absl::StrContains(zone, "..")) return false;
  return std::all_of(zone.begin(), zone.end(),
                     [](char c) { return absl::ascii_isalnum(c) || absl::StrContains("_+-/", std::string(1, c)); });
}

class CalendarReader {
 public:
  CalendarReader(MapReader& reader, absl::Time now, ParsedDocument* document, Findings* findings)
      : reader_(reader), now_(now), findings_(findings), calendar_(*document->compiled.mutable_calendar()) {}

  void Read() {
    const size_t before = findings_->size();
    calendar_.set_always(reader_.Bool("always", false));
    calendar_.set_zone(reader_.Text("zone", Syntax::kText, calendar_.always() ? Need::kOptional : Need::kRequired));
    if (reader_.Has("zone") && !calendar_.zone().empty() && !IsZoneName(calendar_.zone())) UnknownZone();
    const YamlNode* week = reader_.Find("week", calendar_.always() ? Need::kOptional : Need::kRequired);
    const YamlNode* exceptions = reader_.Find("exceptions");
    if (calendar_.always()) {
      if (week != nullptr || exceptions != nullptr) {
        findings_->Add(week != nullptr ? reader_.LineOf("week") : reader_.LineOf("exceptions"), "ALWAYS_WITH_WINDOWS",
                       "calendar: found always: true with windows, want only one of them");
      }
    } else {
      if (week != nullptr) ReadWeek(*week);
      if (exceptions != nullptr) ReadExceptions(*exceptions);
    }
    // What is already known to be wrong would only be found wrong again.
    if (findings_->size() == before) Compile();
  }

 private:
  void UnknownZone() {
    findings_->Add(
        reader_.LineOf("zone"), "UNKNOWN_ZONE",
        absl::StrCat("calendar.zone: found ", calendar_.zone(), ", want an IANA name such as Europe/London"));
  }

  void ReadWeek(const YamlNode& node) {
    for (size_t i = 0; i < kDayNames.size(); ++i) calendar_.add_week();
    if (!node.is_map()) {
      findings_->Add(node.line, "WRONG_TYPE",
                     absl::StrCat("calendar.week: found ", node.Describe(), ", want days: mon to sun"));
      return;
    }
    std::array<bool, 7> given = {};
    for (const YamlEntry& entry : node.entries) {
      const std::optional<DayRange> days = ParseDays(entry.key);
      if (!days.has_value()) {
        findings_->Add(entry.line, "UNKNOWN_KEY",
                       absl::StrCat("calendar.week: found the key \"", entry.key.substr(0, 80),
                                    "\", want mon, tue, wed, thu, fri, sat, sun or mon..fri"));
        continue;
      }
      Windows windows;
      ReadWindows(entry.value, "calendar.week", &windows);
      for (size_t index = days->first; index <= days->last; ++index) {
        if (std::exchange(given[index], true)) {
          findings_->Add(entry.line, "DUPLICATE_KEY",
                         absl::StrCat("calendar.week: found ", kDayNames[index], " again, want each day once"));
        }
        *calendar_.mutable_week(static_cast<int>(index))->mutable_windows() = windows;
      }
    }
  }

  void ReadWindows(const YamlNode& node, absl::string_view what, Windows* windows) {
    if (!node.is_list() || node.items.size() > sla::kMaxWindowsPerDay) {
      findings_->Add(node.line, "WRONG_TYPE",
                     absl::StrCat(what, ": found ", node.Describe(), ", want a list of at most ",
                                  sla::kMaxWindowsPerDay, " windows such as [09:00-12:00]"));
      return;
    }
    for (const YamlNode& item : node.items) {
      const std::vector<std::string> ends = absl::StrSplit(item.text, absl::MaxSplits('-', 1));
      const auto start = ParseClock(ends.front());
      const auto end = ParseClock(ends.back());
      if (!item.is_scalar() || ends.size() != 2 || !start.has_value() || !end.has_value()) {
        findings_->Add(item.line, "BAD_WINDOW",
                       absl::StrCat(what, ": found ", item.Describe(), ", want HH:MM-HH:MM up to 24:00"));
        continue;
      }
      if (*end <= *start) {
        findings_->Add(
            item.line, "BAD_WINDOW",
            absl::StrCat(what, ": found ", item.text, ", want an end after the start; a night is two windows"));
        continue;
      }
      if (!windows->empty() && *start < windows->rbegin()->end_s()) {
        findings_->Add(item.line, "WINDOWS_OVERLAP",
                       absl::StrCat(what, ": found ", item.text, ", want ascending windows that do not overlap"));
        continue;
      }
      v1::Calendar::LocalWindow* window = windows->Add();
      window->set_start_s(*start);
      window->set_end_s(*end);
    }
  }

  void ReadExceptions(const YamlNode& node) {
    if (!node.is_map()) {
      findings_->Add(
          node.line, "WRONG_TYPE",
          absl::StrCat("calendar.exceptions: found ", node.Describe(), ", want days such as 2026-12-25: []"));
      return;
    }
    std::map<int32_t, v1::Calendar::Exception> days;
    for (const YamlEntry& entry : node.entries) ReadException(entry, &days);
    if (days.size() > kMaxExceptions) {
      findings_->Add(node.line, "TOO_MANY",
                     absl::StrCat("calendar.exceptions: found ", days.size(), " days, want at most ", kMaxExceptions));
      return;
    }
    for (auto& [day, exception] : days) *calendar_.add_exceptions() = std::move(exception);
  }

  void ReadException(const YamlEntry& entry, std::map<int32_t, v1::Calendar::Exception>* days) {
    const std::vector<std::string> ends = absl::StrSplit(entry.key, "..");
    const auto first = ParseDay(ends.front());
    const auto last = ParseDay(ends.back());
    if (ends.size() > 2 || !first.has_value() || !last.has_value() || *last < *first ||
        *last - *first >= kMaxRangeDays) {
      findings_->Add(entry.line, "BAD_DATE",
                     absl::StrCat("calendar.exceptions: found ", entry.key.substr(0, 80),
                                  ", want YYYY-MM-DD or YYYY-MM-DD..YYYY-MM-DD of at most a year"));
      return;
    }
    v1::Calendar::Exception exception;
    if (entry.value.is_map()) {
      MapReader reader(entry.value, "exception", findings_);
      if (const YamlNode* windows = reader.Find("windows", Need::kRequired)) {
        ReadWindows(*windows, "exception.windows", exception.mutable_windows());
      }
      exception.set_label(reader.Text("label", Syntax::kText));
      reader.Finish();
    } else {
      ReadWindows(entry.value, "exception", exception.mutable_windows());
    }
    for (absl::CivilDay day = *first; day <= *last; ++day) {
      exception.set_civil_day(static_cast<int32_t>(day - kEpoch));
      if (!days->emplace(exception.civil_day(), exception).second) {
        findings_->Add(
            entry.line, "DUPLICATE_KEY",
            absl::StrCat("calendar.exceptions: found ", absl::FormatCivilTime(day), " again, want each day once"));
      }
    }
  }

  // Whole civil years in UTC around `now`: the same calendar published twice on one day compiles to the same bytes.
  void Compile() {
    const absl::CivilDay today = absl::ToCivilDay(now_, absl::UTCTimeZone());
    const auto years_from_now = [&](int years) {
      return absl::FromCivil(absl::CivilDay(today.year() + years, today.month(), today.day()), absl::UTCTimeZone());
    };
    const absl::Status compiled = sla::CompileCalendar(years_from_now(-sla::kCompileYearsBack),
                                                       years_from_now(sla::kCompileYearsAhead), &calendar_);
    if (!compiled.ok()) {
      if (absl::StartsWith(compiled.message(), "zone")) return UnknownZone();
      findings_->Add(reader_.LineOf("week"), compiled, "BAD_CALENDAR");
      return;
    }
    if (const auto usable = sla::WorkingCalendar::FromCompiled(calendar_); !usable.ok()) {
      findings_->Add(reader_.line(), usable.status(), "BAD_CALENDAR");
    } else if (!calendar_.always() && calendar_.windows_delta_s().empty()) {
      findings_->Add(reader_.LineOf("week"), "NO_WORKING_TIME",
                     "calendar: found no working window at all, want at least one");
    }
  }

  MapReader& reader_;
  const absl::Time now_;
  Findings* const findings_;
  v1::Calendar& calendar_;
};

}  // namespace

void ReadCalendar(MapReader& reader, absl::Time now, ParsedDocument* document, Findings* findings) {
  CalendarReader(reader, now, document, findings).Read();
}

}  // namespace docket::policy
