#ifndef DOCKET_TOOLS_POLICYTEST_FIELDS_H_
#define DOCKET_TOOLS_POLICYTEST_FIELDS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"

// What can be expected of clocks, warnings, breaches and escalations: a table of named fields each, with values as
// text, so that expected and got are compared and shown in one form.
namespace docket::policytest {

enum class Form {
  kText,
  kTexts,  // in order, joined with ", "
  kInteger,
  kBool,
  kSpan,
  kTarget,
  kInstant,
  kInstants,
};
struct Field {
  const char* name;
  Form form;
  bool names = false;  // chooses the clock that is meant, rather than being expected of it
};

absl::Span<const Field> ClockFields();
absl::Span<const Field> WarningFields();
absl::Span<const Field> BreachFields();
absl::Span<const Field> EscalationFields();

// By name of the field.
using Seen = std::map<std::string, std::string>;

// The clock as it stands at `now`.
Seen SeeClock(const v1::Clock& clock, absl::Time now, absl::TimeZone zone);
// "RESOLUTION CUSTOMER RUNNING due Fri 2026-11-20 17:00": a clock on one line.
std::string ClockLine(const Seen& clock);

// What happened, in the order recorded.
struct Happened {
  std::vector<Seen> warnings;
  std::vector<Seen> breaches;
  std::vector<Seen> escalations;
};
// `state`: with the clocks that `events` speak of.
Happened SeeEvents(absl::Span<const v1::Event> events, const v1::Case& state, absl::TimeZone zone);

// "8h", "1h30m", "0".
std::string FormatSpan(absl::Duration span);

}  // namespace docket::policytest

#endif  // DOCKET_TOOLS_POLICYTEST_FIELDS_H_
