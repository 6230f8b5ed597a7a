#include "workflow/escalation/instants.h"

#include "absl/algorithm/container.h"
#include "workflow/base/time.h"
#include "workflow/policy/levels.h"

namespace docket::escalation {

bool AppliesToMetric(const v1::Ladder::Level& level, absl::string_view metric, v1::MetricNature nature) {
  if (!policy::RidesOnClock(level)) return false;
  if (level.metrics().empty()) return nature == v1::DUTY;
  return absl::c_linear_search(level.metrics(), metric);
}

std::optional<v1::Warning> InstantOf(const v1::Ladder::Level& level, v1::MetricNature nature) {
  v1::Warning warning;
  warning.set_silent(true);
  if (level.trigger() == "FRACTION") {
    warning.set_permille(level.permille());
  } else if (level.trigger() == "BEFORE_DUE") {
    *warning.mutable_before() = level.span();
    warning.set_elapsed(level.elapsed());
  } else if (level.trigger() == "AFTER_DUE") {
    *warning.mutable_after() = level.span();
    warning.set_elapsed(level.elapsed());
  } else if (level.trigger() == "AT_DUE" && nature == v1::WINDOW) {
    // No event says that a window has elapsed; a duty has its breach.
    *warning.mutable_after() = ToProto(absl::ZeroDuration());
  } else {
    return std::nullopt;
  }
  return warning;
}

bool SameInstant(const v1::Warning& a, const v1::Warning& b) {
  return a.permille() == b.permille() && a.has_before() == b.has_before() && a.has_after() == b.has_after() &&
         a.elapsed() == b.elapsed() && FromProto(a.before()) == FromProto(b.before()) &&
         FromProto(a.after()) == FromProto(b.after());
}

std::vector<v1::Warning> InstantsFor(const policy::PolicySet& policies, absl::string_view metric,
                                     v1::MetricNature nature, absl::Time at) {
  std::vector<v1::Warning> wanted;
  for (const auto* ladder : policies.Ladders(at)) {
    for (const v1::Ladder::Level& level : ladder->value->levels()) {
      if (!AppliesToMetric(level, metric, nature)) continue;
      const std::optional<v1::Warning> instant = InstantOf(level, nature);
      if (!instant.has_value()) continue;
      const bool known = absl::c_any_of(wanted, [&](const v1::Warning& one) { return SameInstant(one, *instant); });
      if (!known) wanted.push_back(*instant);
    }
  }
  return wanted;
}

}  // namespace docket::escalation
