#ifndef DOCKET_TESTS_WORKFLOW_ESCALATION_LADDER_TWIN_H_
#define DOCKET_TESTS_WORKFLOW_ESCALATION_LADDER_TWIN_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "tests/workflow/sla/slow_twin.h"

// A ladder over one clock, as slowly and plainly as it can be written: instants from a calendar counted minute by
// minute, every level asked at every instant. Shares no code with workflow/escalation. Everything is in whole minutes.
namespace docket::escalation::testing {

enum class Fires { kFraction, kBeforeDue, kBreach, kAfterDue, kAckLapsed };

struct TwinLevel {
  Fires fires = Fires::kBreach;
  uint32_t permille = 0;
  absl::Duration span;
  bool elapsed = false;
  absl::Duration ack_within;  // zero: none
  bool ack_working = false;
};

struct TwinRaised {
  uint32_t level = 0;
  absl::Time at;
  bool passed = false;
  std::optional<absl::Time> ack_due;
  bool acknowledged = false;
  bool lapsed = false;
};

class LadderTwin {
 public:
  LadderTwin(const sla::testing::SlowTwin* calendar, std::vector<TwinLevel> levels, absl::Time start,
             absl::Duration target)
      : calendar_(calendar), levels_(std::move(levels)), start_(start), target_(target), last_(start) {
    Plan();
  }

  // Everything true by `now`, noticed now.
  void Advance(absl::Time now) {
    const size_t first = raised_.size();
    for (;;) {
      const Next next = NextThing();
      if (next.true_from > now) break;
      last_ = std::max(last_, next.at);
      if (next.lapse >= 0) {
        Lapse(static_cast<size_t>(next.lapse), now);
      } else if (next.breach) {
        breached_ = true;
        for (size_t i = 0; i < levels_.size(); ++i) {
          if (levels_[i].fires == Fires::kBreach) Raise(i, now);
        }
      } else {
        Reach(next.level, now);
      }
    }
    MarkPassed(first, now);
  }

  void Pause(absl::Time at) {
    last_ = std::max(last_, at);
    if (stopped_ || paused() || breached_ || at >= due_) return;
    pauses_.push_back({at, absl::InfiniteFuture()});
    Plan();
  }
  void Resume(absl::Time at) {
    last_ = std::max(last_, at);
    if (stopped_ || !paused()) return;
    pauses_.back().end = at;
    Plan();
  }
  void Stop(absl::Time at) {
    last_ = std::max(last_, at);
    stopped_ = true;
    Plan();
  }
  // The first that waits for it.
  void Acknowledge(absl::Time at) {
    last_ = std::max(last_, at);
    for (TwinRaised& one : raised_) {
      if (one.passed || one.acknowledged) continue;
      one.acknowledged = true;
      return;
    }
  }

  const std::vector<TwinRaised>& raised() const { return raised_; }

 private:
  struct Next {
    absl::Time at = absl::InfiniteFuture();
    absl::Time true_from = absl::InfiniteFuture();
    int order = 0;  // at one instant: instants before the due, then the breach and what follows, then lapses
    size_t level = 0;
    bool breach = false;
    int lapse = -1;
  };

  bool paused() const { return !pauses_.empty() && pauses_.back().end == absl::InfiniteFuture(); }

  // Counting minutes takes long, so it is done only when something moved.
  void Plan() {
    due_ = stopped_ ? absl::InfiniteFuture() : calendar_->Advance(start_, target_, pauses_);
    instants_.clear();
    for (const TwinLevel& level : levels_) instants_.push_back(InstantOf(level, due_));
  }

  // When the level's own instant comes as things stand.
  absl::Time InstantOf(const TwinLevel& level, absl::Time due) const {
    if (due == absl::InfiniteFuture()) return due;
    switch (level.fires) {
      case Fires::kFraction:
        return std::min(due, calendar_->Advance(start_, target_ * level.permille / 1000, pauses_));
      case Fires::kBeforeDue:
        return std::max(start_, level.elapsed ? due - level.span : calendar_->Retreat(due, level.span, pauses_));
      case Fires::kAfterDue:
        return level.elapsed ? due + level.span : calendar_->Advance(due, level.span, pauses_);
      default:
        return absl::InfiniteFuture();
    }
  }

  Next NextThing() const {
    Next next;
    const auto offer = [&](const Next& other) {
      if (std::tie(other.true_from, other.order, other.at) < std::tie(next.true_from, next.order, next.at))
        next = other;
    };
    const absl::Duration just = absl::Microseconds(1);
    for (size_t i = 0; i < levels_.size(); ++i) {
      const absl::Time at = instants_[i];
      if (at == absl::InfiniteFuture() || WasReached(i)) continue;
      const bool after = levels_[i].fires == Fires::kAfterDue;
      offer({.at = at, .true_from = after ? at + just : at, .order = after ? 2 : 0, .level = i});
    }
    if (!breached_ && due_ != absl::InfiniteFuture()) {
      offer({.at = due_, .true_from = due_ + just, .order = 1, .breach = true});
    }
    for (size_t i = 0; i < raised_.size(); ++i) {
      const TwinRaised& one = raised_[i];
      if (!one.ack_due.has_value() || one.acknowledged || one.lapsed) continue;
      offer({.at = *one.ack_due, .true_from = *one.ack_due + just, .order = 3, .lapse = static_cast<int>(i)});
    }
    return next;
  }

  // Levels that want the same instant share it.
  bool Same(size_t a, size_t b) const {
    return levels_[a].fires == levels_[b].fires && levels_[a].permille == levels_[b].permille &&
           levels_[a].span == levels_[b].span && levels_[a].elapsed == levels_[b].elapsed;
  }
  bool WasReached(size_t level) const {
    return std::any_of(reached_.begin(), reached_.end(), [&](size_t other) { return Same(level, other); });
  }
  void Reach(size_t level, absl::Time now) {
    reached_.push_back(level);
    for (size_t i = 0; i < levels_.size(); ++i) {
      if (Same(i, level)) Raise(i, now);
    }
  }

  void Lapse(size_t index, absl::Time now) {
    raised_[index].lapsed = true;
    // The next higher level, whatever its trigger.
    if (!stopped_ && raised_[index].level < levels_.size()) Raise(raised_[index].level, now);
  }

  // `index` from 0.
  void Raise(size_t index, absl::Time now) {
    const auto number = static_cast<uint32_t>(index + 1);
    for (const TwinRaised& one : raised_) {
      if (one.level >= number) return;
    }
    TwinRaised raised{.level = number, .at = last_};
    if (levels_[index].ack_within > absl::ZeroDuration()) {
      const absl::Time told = Told(last_, now);
      raised.ack_due = levels_[index].ack_working ? calendar_->Advance(told, levels_[index].ack_within, {})
                                                  : told + levels_[index].ack_within;
    }
    raised_.push_back(raised);
  }

  static absl::Time Told(absl::Time at, absl::Time now) { return now > at + absl::Minutes(2) ? now : at; }

  void MarkPassed(size_t first, absl::Time now) {
    uint32_t highest = 0;
    for (size_t i = first; i < raised_.size(); ++i) highest = std::max(highest, raised_[i].level);
    for (size_t i = first; i < raised_.size(); ++i) {
      if (raised_[i].level == highest || Told(raised_[i].at, now) == raised_[i].at) continue;
      raised_[i].passed = true;
      raised_[i].ack_due.reset();
    }
  }

  const sla::testing::SlowTwin* calendar_;
  const std::vector<TwinLevel> levels_;
  const absl::Time start_;
  const absl::Duration target_;
  absl::Time last_;  // time of the last event
  absl::Time due_;
  std::vector<absl::Time> instants_;  // by level, as things stand
  std::vector<sla::TimeSpan> pauses_;
  bool stopped_ = false;
  bool breached_ = false;
  std::vector<size_t> reached_;
  std::vector<TwinRaised> raised_;
};

}  // namespace docket::escalation::testing

#endif  // DOCKET_TESTS_WORKFLOW_ESCALATION_LADDER_TWIN_H_
