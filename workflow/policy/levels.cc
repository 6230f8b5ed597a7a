#include "workflow/policy/levels.h"

#include "absl/strings/str_cat.h"

namespace docket::policy {

bool RidesOnClock(const v1::Ladder::Level& level) {
  for (const char* trigger : {"BEFORE_DUE", "FRACTION", "AT_DUE", "BREACH", "AFTER_DUE"}) {
    if (level.trigger() == trigger) return true;
  }
  return false;
}

std::string ManualGroup(v1::EscalationKind kind) { return absl::StrCat("MANUAL/", static_cast<int>(kind)); }

std::string GroupOf(const v1::Ladder::Level& level) {
  if (level.trigger() == "ACK_LAPSED") return kEveryGroup;
  if (level.trigger() == "MANUAL") return ManualGroup(level.kind());
  return RidesOnClock(level) ? kClockGroup : level.trigger();
}

}  // namespace docket::policy
