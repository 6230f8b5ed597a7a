#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "workflow/base/time.h"
#include "workflow/policy/documents.h"
#include "workflow/policy/levels.h"

namespace docket::policy {
namespace {

using Level = v1::Ladder::Level;

bool SpeaksOfPriority(const v1::Condition& condition) {
  switch (condition.node_case()) {
    case v1::Condition::kAll:
      return std::any_of(condition.all().of().begin(), condition.all().of().end(), SpeaksOfPriority);
    case v1::Condition::kAny:
      return std::any_of(condition.any().of().begin(), condition.any().of().end(), SpeaksOfPriority);
    case v1::Condition::kNot:
      return SpeaksOfPriority(condition.not_());
    case v1::Condition::kComparison:
      return condition.comparison().fact() == "case.priority";
    case v1::Condition::NODE_NOT_SET:
      break;
  }
  return false;
}

bool ForOneMetric(const Level& a, const Level& b) {
  if (a.metrics().empty() || b.metrics().empty()) return true;
  return std::any_of(a.metrics().begin(), a.metrics().end(), [&](const std::string& metric) {
    return std::find(b.metrics().begin(), b.metrics().end(), metric) != b.metrics().end();
  });
}

// Does `later` come before `earlier` on every clock? Shares and spans before the due cannot be compared, nor working
// with civil time.
bool OutOfTime(const Level& earlier, const Level& later) {
  const auto phase = [](const Level& level) {
    return level.trigger() == "AFTER_DUE" ? 2 : level.trigger() == "AT_DUE" || level.trigger() == "BREACH" ? 1 : 0;
  };
  if (phase(earlier) != phase(later)) return phase(later) < phase(earlier);
  if (earlier.trigger() != later.trigger() || earlier.elapsed() != later.elapsed()) return false;
  const absl::Duration first = FromProto(earlier.span());
  const absl::Duration second = FromProto(later.span());
  if (earlier.trigger() == "FRACTION") return later.permille() < earlier.permille();
  if (earlier.trigger() == "BEFORE_DUE") return second > first;
  return earlier.trigger() == "AFTER_DUE" && second < first;
}

class LadderChecker {
 public:
  LadderChecker(const v1::Ladder& ladder, const std::vector<int>& lines, Findings* findings)
      : ladder_(ladder), lines_(lines), findings_(*findings) {}

  void Check() {
    for (int i = 0; i < ladder_.levels_size(); ++i) {
      CheckTrigger(i);
      CheckTarget(i);
      CheckActions(i);
      CheckOrder(i);
      CheckTimes(i);
    }
  }

 private:
  const Level& level(int i) const { return ladder_.levels(i); }

  void Add(int i, absl::string_view reason, const std::string& message) { findings_.Add(lines_[i], reason, message); }

  // `key` is there if and only if it is needed.
  void Pair(int i, const char* key, bool given, bool needed, const std::string& by) {
    if (given == needed) return;
    Add(i, given ? "KEY_NOT_NEEDED" : "KEY_MISSING",
        absl::StrCat("level.", key, ": found ", given ? "it" : "none", " with ", by, ", want ",
                     given ? "none" : "one"));
  }

  void CheckTrigger(int i) {
    const std::string& trigger = level(i).trigger();
    const auto is = [&](std::initializer_list<absl::string_view> any) {
      return std::find(any.begin(), any.end(), trigger) != any.end();
    };
    Pair(i, "span", level(i).has_span(), is({"BEFORE_DUE", "AFTER_DUE", "NO_ACTIVITY"}), trigger);
    Pair(i, "permille", level(i).permille() > 0, is({"FRACTION"}), trigger);
    Pair(i, "count", level(i).count() > 0, is({"REOPENED", "TRANSFERS"}), trigger);
    if (level(i).elapsed()) Pair(i, "elapsed", true, is({"BEFORE_DUE", "AFTER_DUE"}), trigger);
    if (level(i).approval()) Pair(i, "approval", true, is({"MANUAL"}), trigger);
    if (trigger == "FACTS") Pair(i, "when", level(i).when().node_case() != v1::Condition::NODE_NOT_SET, true, trigger);
    if (!level(i).metrics().empty() && GroupOf(level(i)) != kClockGroup) {
      Add(i, trigger == "MANUAL" ? "MANUAL_WITH_METRICS" : "KEY_NOT_NEEDED",
          absl::StrCat("level.metrics: found with ", trigger, ", want only with triggers of a clock"));
    }
    if (trigger == "ACK_LAPSED" && !CanLapseBelow(i)) {
      Add(i, "NEVER_REACHED",
          absl::StrCat("level ", level(i).level(), ": found ACK_LAPSED, want a lower level with ack_within"));
    }
  }

  bool CanLapseBelow(int i) const {
    return std::any_of(ladder_.levels().begin(), ladder_.levels().end(),
                       [&](const Level& other) { return other.level() < level(i).level() && other.has_ack_within(); });
  }

  void CheckTarget(int i) {
    const std::string& target = level(i).target();
    if (level(i).levels_up() > 0) {
      Pair(i, "levels_up", true, target == "OWNER_MANAGER" || target == "ACCOUNTABLE_MANAGER", target);
    }
    Pair(i, "role", !level(i).role().empty(), target == "ROLE", target);
    Pair(i, "rota", !level(i).rota().empty(), target == "ROTA", target);
  }

  void CheckActions(int i) {
    const bool asks = !level(i).open_task().empty() || level(i).supervision_order();
    if (level(i).has_answer_within()) Pair(i, "answer_within", true, asks, "neither open_task nor supervision_order");
    if (!level(i).task_department().empty()) {
      Pair(i, "task_department", true, !level(i).open_task().empty(), "no open_task");
    }
    if (level(i).set_priority() == 0 || level(i).trigger() != "FACTS") return;
    if (!SpeaksOfPriority(level(i).when()) && !SpeaksOfPriority(ladder_.when())) return;
    Add(i, "PRIORITY_FEEDS_ITSELF",
        absl::StrCat("level.set_priority: found ", level(i).set_priority(),
                     " at a level that fires by case.priority, want another fact or no set_priority"));
  }

  // Levels are climbed in the order written: from 1 without gaps, each once. A gap may be filled by ACK_LAPSED, which
  // is climbed to from every level below.
  void CheckOrder(int i) {
    const uint32_t number = level(i).level();
    if (number == 0 || level(i).trigger().empty()) return;
    const std::string group = GroupOf(level(i));
    std::set<uint32_t> before;  // numbers it may share a climb with
    uint32_t last = 0;          // of its group
    for (int j = 0; j < i; ++j) {
      const bool same = GroupOf(level(j)) == group;
      if (same || group.empty() || GroupOf(level(j)).empty()) before.insert(level(j).level());
      if (same) last = std::max(last, level(j).level());
    }
    const bool gap = number > 1 ? before.count(number - 1) == 0 : group.empty();
    if (!gap && before.count(number) == 0 && number > last) return;
    Add(i, "LEVELS_NOT_ASCENDING",
        absl::StrCat("level ", number, " of ", level(i).trigger(), " after ", last,
                     ": want levels from 1 without gaps, each once (by hand: once per kind)"));
  }

  void CheckTimes(int i) {
    for (int j = 0; j < i; ++j) {
      const bool clock = GroupOf(level(i)) == kClockGroup && GroupOf(level(j)) == kClockGroup;
      if (clock && ForOneMetric(level(j), level(i)) && OutOfTime(level(j), level(i))) {
        Add(i, "LEVELS_OUT_OF_TIME",
            absl::StrCat("level ", level(i).level(), " of ", level(i).trigger(),
                         ": found an instant before that of level ", level(j).level(), ", want none"));
        return;
      }
      if (level(i).trigger() != level(j).trigger()) continue;
      const bool sooner =
          level(i).trigger() == "NO_ACTIVITY" && FromProto(level(i).span()) < FromProto(level(j).span());
      if (sooner || level(i).count() < level(j).count()) {
        Add(i, "LEVELS_OUT_OF_TIME",
            absl::StrCat("level ", level(i).level(), " of ", level(i).trigger(), ": found less than level ",
                         level(j).level(), " wants, want as much or more"));
        return;
      }
    }
  }

  const v1::Ladder& ladder_;
  const std::vector<int>& lines_;
  Findings& findings_;
};

}  // namespace

void CheckLadder(const v1::Ladder& ladder, const std::vector<int>& lines, Findings* findings) {
  LadderChecker(ladder, lines, findings).Check();
}

}  // namespace docket::policy
