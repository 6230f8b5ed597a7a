#ifndef DOCKET_TESTS_WORKFLOW_SLA_CALENDARS_H_
#define DOCKET_TESTS_WORKFLOW_SLA_CALENDARS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/policy.pb.h"
#include "workflow/sla/calendar.h"

// Calendars for the tests of the SLA arithmetic, written the way people write them.
namespace docket::sla::testing {

struct Exception {
  std::string day;      // "2026-12-25"
  std::string windows;  // "": closed
  std::string label;
};

struct CalendarSpec {
  std::string zone = "Europe/London";
  std::vector<std::string> week;  // Monday first; "09:00-12:00 13:30-18:00"; "": closed
  std::vector<Exception> exceptions;
  bool always = false;
  std::string from = "2014-01-01";
  std::string until = "2031-01-01";
};

// "Mon to Fri the same, weekend closed".
std::vector<std::string> Weekdays(const std::string& windows);

// Mon–Fri 09:00–17:00 Europe/London.
CalendarSpec London();
// Mon–Fri 09:00–12:00, 13:30–18:00 Asia/Shanghai with the Golden Week of 2026 and its make-up Saturday.
CalendarSpec Shanghai();

// Not compiled. Aborts on a spec that does not parse.
v1::Calendar ToProto(const CalendarSpec& spec);
v1::Calendar Compiled(const CalendarSpec& spec);
std::shared_ptr<const WorkingCalendar> Make(const CalendarSpec& spec);

absl::TimeZone Zone(absl::string_view name);
// "2026-11-20 16:30" or "2026-11-20 16:30:01.000001" in `zone`; the first one of a repeated time.
absl::Time At(absl::string_view zone, absl::string_view local);
// "Fri 2026-11-20 16:30:00" with as many fractional digits as needed; "never" for InfiniteFuture.
std::string Show(absl::string_view zone, absl::Time t);

}  // namespace docket::sla::testing

#endif  // DOCKET_TESTS_WORKFLOW_SLA_CALENDARS_H_
