#include "tools/cli/explain_view.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/cli/case_view.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "workflow/base/time.h"
#include "workflow/sla/target.h"

namespace docket::cli {
namespace {

constexpr int kSlots = 48;  // of a day in a picture

struct Day {
  absl::CivilDay date;
  std::string bar = std::string(kSlots, ' ');
  absl::Duration counted;
  std::string labels;
};

char SignOf(v1::DueInterval::Why why) {
  switch (why) {
    case v1::DueInterval::COUNTED:
      return '#';
    case v1::DueInterval::PAUSED:
      return '-';
    case v1::DueInterval::EXCLUDED:
      return 'x';
    default:
      return '.';
  }
}

// What counts is drawn over what does not, so that a quarter of an hour can be seen.
int Weight(char sign) { return sign == '#' ? 3 : sign == '-' || sign == 'x' ? 2 : sign == '.' ? 1 : 0; }

void Draw(const v1::DueInterval& interval, absl::Time from, absl::Time to, absl::TimeZone zone, Day* day) {
  // By the wall: on the two odd days of the year an hour is missing, or drawn twice in one place.
  const auto minute = [&](absl::Time t) {
    const absl::CivilMinute civil = absl::ToCivilMinute(t, zone);
    return static_cast<int>(civil - absl::CivilMinute(day->date));
  };
  const char sign = SignOf(interval.why());
  const int first = std::clamp(minute(from) / 30, 0, kSlots - 1);
  const int last = std::clamp((minute(to - absl::Microseconds(1))) / 30, first, kSlots - 1);
  for (int slot = first; slot <= last; ++slot) {
    if (Weight(sign) > Weight(day->bar[slot])) day->bar[slot] = sign;
  }
  if (sign == '#') day->counted += to - from;
  if (!interval.label().empty() && day->labels.find(interval.label()) == std::string::npos) {
    absl::StrAppend(&day->labels, day->labels.empty() ? "" : ", ", interval.label());
  }
}

std::vector<Day> DaysOf(const google::protobuf::RepeatedPtrField<v1::DueInterval>& intervals, absl::TimeZone zone) {
  std::vector<Day> days;
  for (const v1::DueInterval& interval : intervals) {
    const absl::Time end = FromProto(interval.end());
    for (absl::Time from = FromProto(interval.start()); from < end;) {
      const absl::CivilDay date = absl::ToCivilDay(from, zone);
      const absl::Time to = std::min(end, absl::FromCivil(date + 1, zone));
      if (days.empty() || days.back().date != date) days.push_back({.date = date});
      Draw(interval, from, to, zone, &days.back());
      from = to;
    }
  }
  return days;
}

std::string DateText(absl::CivilDay date) {
  return absl::FormatTime("%a %d %b %Y", absl::FromCivil(date, absl::UTCTimeZone()), absl::UTCTimeZone());
}

bool OneLineForBoth(const Day& a, const Day& b) {
  return a.counted == absl::ZeroDuration() && b.counted == absl::ZeroDuration() && a.bar == b.bar &&
         a.labels == b.labels;
}

}  // namespace

std::vector<std::string> Timeline(const google::protobuf::RepeatedPtrField<v1::DueInterval>& intervals,
                                  absl::TimeZone zone) {
  std::vector<std::string> lines;
  const std::vector<Day> days = DaysOf(intervals, zone);
  for (size_t i = 0; i < days.size();) {
    size_t last = i;
    while (last + 1 < days.size() && OneLineForBoth(days[i], days[last + 1])) ++last;
    const Day& day = days[i];
    std::string line = absl::StrFormat("%s  %s  %s", DateText(day.date), day.bar,
                                       day.counted > absl::ZeroDuration() ? FormatSpan(day.counted) : "");
    if (last > i) absl::StrAppend(&line, "until ", DateText(days[last].date));
    if (!day.labels.empty()) absl::StrAppend(&line, "  ", day.labels);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    lines.push_back(std::move(line));
    i = last + 1;
  }
  return lines;
}

std::string CountedText(const v1::ExplainDueReply& reply) {
  const v1::Clock& clock = reply.clock();
  const std::string counted = FormatWorkingTime(FromProto(reply.counted()));
  if (clock.has_carried_at()) {
    const absl::Time carried_at = FromProto(clock.carried_at());
    absl::Duration before;
    for (const v1::DueInterval& one : reply.intervals()) {
      const absl::Time end = std::min(FromProto(one.end()), carried_at);
      if (one.why() == v1::DueInterval::COUNTED) before += std::max(absl::ZeroDuration(), end - FromProto(one.start()));
    }
    absl::TimeZone zone;
    if (!absl::LoadTimeZone(reply.zone(), &zone)) zone = absl::UTCTimeZone();
    return absl::StrCat("counted ", FormatWorkingTime(before), " until ", FormatMoment(carried_at, zone),
                        ", taken over as ", FormatWorkingTime(FromProto(clock.carried_used())), " of ",
                        sla::FormatTarget(clock.target()), ", and ",
                        FormatWorkingTime(FromProto(reply.counted()) - before), " since");
  }
  if (!clock.has_brought()) return absl::StrCat("counted ", counted);
  return absl::StrCat("counted ", counted, ", and ", FormatWorkingTime(FromProto(clock.brought())),
                      " on earlier visits");
}

void PrintExplanation(GlobalOptions& options, const v1::ExplainDueReply& reply) {
  std::ostream& out = *options.out;
  const v1::Clock& clock = reply.clock();
  // Windows are the calendar's, so its zone is the one in which the picture makes sense.
  absl::TimeZone zone;
  std::string zone_name = reply.zone();
  if (!absl::LoadTimeZone(zone_name, &zone)) {
    zone = absl::UTCTimeZone();
    zone_name = "UTC";
  }
  const absl::Time valid_at = FromProto(reply.valid_at());
  PrintFields({{"clock", absl::StrCat(clock.clock_no(), " ", clock.metric(),
                                      clock.cycle() > 1 ? absl::StrCat(" #", clock.cycle()) : "")},
               {"owed to", v1::Obligation_Name(clock.obligation())},
               {"target", sla::FormatTarget(clock.target())},
               {"calendar", absl::StrCat(clock.calendar().id(), "@", clock.calendar().version(), ", ", reply.zone())},
               {"policy", absl::StrCat(clock.policy().id(), "@", clock.policy().version())},
               {"started", FormatMoment(clock.start_at(), zone)},
               {"due", clock.has_due_at() ? FormatMoment(clock.due_at(), zone) : "open: paused without a known end"},
               {"first due", FormatMoment(clock.first_due_at(), zone)},
               {"stopped", FormatMoment(clock.stopped_at(), zone)},
               {"stands", ClockStands(clock, valid_at)},
               {"notes", ClockNotes(clock, zone)}},
              out);
  out << "\nWhat set the due\n";
  Table steps(
      {{"REV", Table::Align::kRight}, {"OCCURRED"}, {"EVENT"}, {"CAUSE"}, {"BY"}, {"STATE"}, {"DUE AFTERWARDS"}});
  for (const v1::DueStep& step : reply.steps()) {
    steps.AddRow({absl::StrCat(step.revision()), FormatMoment(step.occurred_at(), zone), step.type(), step.cause(),
                  step.rule().empty() ? ActorText(step.actor()) : step.rule(), v1::ClockState_Name(step.state()),
                  FormatMoment(step.due_at(), zone)});
  }
  steps.Print(out);
  out << "\nTime that counts, half an hour per character: # counts, . outside hours, - paused, x set aside\n";
  for (const std::string& line : Timeline(reply.intervals(), zone)) out << line << "\n";
  if (reply.intervals_cut()) out << "… and so on\n";
  const bool working_time = clock.target().unit() == v1::Target::WORKING_TIME;
  if (working_time) out << CountedText(reply) << "\n";
  out << "times in " << zone_name << "\n";
}

}  // namespace docket::cli
