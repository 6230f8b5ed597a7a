#include "tests/workflow/sla/calendars.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "workflow/base/check.h"
#include "workflow/sla/calendar_compile.h"

namespace docket::sla::testing {
namespace {

uint32_t SecondOfDay(absl::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  DOCKET_CHECK(parts.size() == 2);
  return static_cast<uint32_t>(std::stoi(parts[0]) * 3600 + std::stoi(parts[1]) * 60);
}

void AddWindows(absl::string_view text, google::protobuf::RepeatedPtrField<v1::Calendar::LocalWindow>* windows) {
  for (absl::string_view part : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    const std::vector<std::string> ends = absl::StrSplit(part, '-');
    DOCKET_CHECK(ends.size() == 2);
    v1::Calendar::LocalWindow* window = windows->Add();
    window->set_start_s(SecondOfDay(ends[0]));
    window->set_end_s(SecondOfDay(ends[1]));
  }
}

}  // namespace

std::vector<std::string> Weekdays(const std::string& windows) {
  return {windows, windows, windows, windows, windows, "", ""};
}

CalendarSpec London() {
  CalendarSpec spec;
  spec.week = Weekdays("09:00-17:00");
  return spec;
}

CalendarSpec Shanghai() {
  CalendarSpec spec;
  spec.zone = "Asia/Shanghai";
  spec.week = Weekdays("09:00-12:00 13:30-18:00");
  for (int day = 1; day <= 7; ++day) spec.exceptions.push_back({absl::StrCat("2026-10-0", day), "", "Golden Week"});
  spec.exceptions.push_back({"2026-10-10", "09:00-12:00 13:30-18:00", "make-up day"});
  return spec;
}

v1::Calendar ToProto(const CalendarSpec& spec) {
  v1::Calendar calendar;
  calendar.set_id("test");
  calendar.set_version(1);
  calendar.set_zone(spec.zone);
  calendar.set_always(spec.always);
  for (const std::string& windows : spec.week) AddWindows(windows, calendar.add_week()->mutable_windows());
  for (const Exception& exception : spec.exceptions) {
    absl::CivilDay day;
    DOCKET_CHECK(absl::ParseCivilTime(exception.day, &day));
    v1::Calendar::Exception* added = calendar.add_exceptions();
    added->set_civil_day(static_cast<int32_t>(day - absl::CivilDay(1970, 1, 1)));
    added->set_label(exception.label);
    AddWindows(exception.windows, added->mutable_windows());
  }
  return calendar;
}

v1::Calendar Compiled(const CalendarSpec& spec) {
  v1::Calendar calendar = ToProto(spec);
  const absl::Status status = CompileCalendar(At(spec.zone, absl::StrCat(spec.from, " 00:00")),
                                              At(spec.zone, absl::StrCat(spec.until, " 00:00")), &calendar);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  DOCKET_CHECK(status.ok());
  return calendar;
}

std::shared_ptr<const WorkingCalendar> Make(const CalendarSpec& spec) {
  auto calendar = WorkingCalendar::FromCompiled(Compiled(spec));
  if (!calendar.ok()) std::fprintf(stderr, "%s\n", calendar.status().ToString().c_str());
  DOCKET_CHECK(calendar.ok());
  return *calendar;
}

absl::TimeZone Zone(absl::string_view name) {
  absl::TimeZone zone;
  DOCKET_CHECK(absl::LoadTimeZone(name, &zone));
  return zone;
}

absl::Time At(absl::string_view zone, absl::string_view local) {
  absl::Time t;
  std::string error;
  std::string text(local);
  if (text.find(':') == text.rfind(':')) text += ":00";
  if (!absl::ParseTime("%Y-%m-%d %H:%M:%E*S", text, Zone(zone), &t, &error)) {
    std::fprintf(stderr, "%s: %s\n", text.c_str(), error.c_str());
    DOCKET_CHECK(false);
  }
  return t;
}

std::string Show(absl::string_view zone, absl::Time t) {
  if (t == absl::InfiniteFuture()) return "never";
  if (t == absl::InfinitePast()) return "before all time";
  return absl::FormatTime("%a %Y-%m-%d %H:%M:%E*S", t, Zone(zone));
}

}  // namespace docket::sla::testing
