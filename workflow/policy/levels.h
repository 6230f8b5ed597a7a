#ifndef DOCKET_WORKFLOW_POLICY_LEVELS_H_
#define DOCKET_WORKFLOW_POLICY_LEVELS_H_

#include <string>

#include "docket/v1/policy.pb.h"

// How the levels of a ladder belong together. Pure.
namespace docket::policy {

inline constexpr char kClockGroup[] = "CLOCK";
inline constexpr char kEveryGroup[] = "";

// What the order of a level with supervision_order asks for.
inline constexpr char kSupervision[] = "SUPERVISION";

// BEFORE_DUE, FRACTION, AT_DUE, BREACH, AFTER_DUE.
bool RidesOnClock(const v1::Ladder::Level& level);

std::string ManualGroup(v1::EscalationKind kind);

// Levels of one group are climbed one after the other: all of one clock, all of one silence …, by hand those of one
// kind. kEveryGroup: ACK_LAPSED, which is climbed to from every level below it.
std::string GroupOf(const v1::Ladder::Level& level);

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_LEVELS_H_
