#include "workflow/policy/rota.h"

#include <algorithm>

namespace docket::policy {
namespace {

template <class Entry>
void AddPrincipals(const Entry& entry, std::vector<std::string>* out) {
  for (const std::string& principal : entry.principals()) {
    if (std::find(out->begin(), out->end(), principal) == out->end()) out->push_back(principal);
  }
}

}  // namespace

std::vector<std::string> OnDuty(const v1::Rota& rota, absl::CivilSecond local) {
  const absl::CivilDay day(local);
  const int64_t civil_day = day - absl::CivilDay(1970, 1, 1);
  std::vector<std::string> on_duty;
  bool turn_covers = false;
  for (const v1::Rota::Turn& turn : rota.turns()) {
    if (civil_day < turn.first_day() || civil_day > turn.last_day()) continue;
    turn_covers = true;
    AddPrincipals(turn, &on_duty);
  }
  if (turn_covers) return on_duty;
  const uint32_t weekday = static_cast<uint32_t>(absl::GetWeekday(day)) + 1;  // absl counts from Monday = 0
  const auto second = static_cast<uint32_t>(local - absl::CivilSecond(day));
  for (const v1::Rota::Shift& shift : rota.shifts()) {
    if (shift.weekday() == weekday && shift.start_s() <= second && second < shift.end_s())
      AddPrincipals(shift, &on_duty);
  }
  return on_duty;
}

}  // namespace docket::policy
