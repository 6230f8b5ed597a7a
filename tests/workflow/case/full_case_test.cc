// A case that holds nearly as many events as one may.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/case/allowed.h"
#include "workflow/case/decide.h"

namespace docket::workflow::testing {
namespace {

constexpr char kNote[] = "add_note { body: 'x' }";
constexpr char kVoid[] = "void { reason_code: 'CREATED_IN_ERROR' approver: 'helen.marsh' }";

bool Allows(const CaseDesk& desk, const std::string& command) {
  for (const AllowedCommand& one : AllowedCommands(desk.state(), desk.policies())) {
    if (one.command == command) return one.allowed;
  }
  return false;
}

TEST(FullCaseTest, NotesEndFirstThenCommandsThenTime) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.PretendRevision(EventLimit("add_note") - 1);
  desk.Must(kNote);
  EXPECT_EQ(Told(desk.Would(kNote)), "CASE_FULL");
  EXPECT_FALSE(Allows(desk, "add_note"));
  EXPECT_TRUE(Allows(desk, "void"));
  EXPECT_THAT(Told(desk.Would(kVoid)), ::testing::StartsWith("ok"));
  desk.PretendRevision(EventLimit("void"));
  EXPECT_EQ(Told(desk.Would(kVoid)), "CASE_FULL");
  desk.MoveTo("2026-11-18 17:00:00.000001");
  EXPECT_TRUE(desk.clock("FIRST_RESPONSE").has_breached_due_at());
  EXPECT_LT(desk.state().revision(), kMaxCaseEvents);
}

}  // namespace
}  // namespace docket::workflow::testing
