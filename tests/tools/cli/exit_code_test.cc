#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/cli/cli_runner.h"
#include "tools/client/call_status.h"

namespace docket::cli {
namespace {

using ::testing::HasSubstr;

TEST(ExitCode, TellsARefusalFromAServerThatIsNotThere) {
  EXPECT_EQ(ExitCodeFor(absl::OkStatus()), 0);
  EXPECT_EQ(ExitCodeFor(Refuse(absl::StatusCode::kFailedPrecondition, "GUARD_UNMET", "no")), 1);
  EXPECT_EQ(ExitCodeFor(Refuse(absl::StatusCode::kUnavailable, "WRITES_DISABLED", "no")), 1);
  EXPECT_EQ(ExitCodeFor(absl::UnimplementedError("no")), 1);
  EXPECT_EQ(ExitCodeFor(client::NotConnected("h:1")), 3);
  EXPECT_EQ(ExitCodeFor(absl::UnavailableError("connection reset")), 3);
  EXPECT_EQ(ExitCodeFor(absl::DeadlineExceededError("late")), 3);
}

TEST(ExitCode, UsageIsTwo) {
  EXPECT_EQ(RunDocket({"frobnicate"}).exit_code, 2);
  EXPECT_EQ(RunDocket({"case"}).exit_code, 2);
  EXPECT_EQ(RunDocket({"case", "show"}).exit_code, 2);
  EXPECT_EQ(RunDocket({"overdue", "--as-of", "soon"}).exit_code, 2);
  EXPECT_EQ(RunDocket({"overdue", "--by", "weather"}).exit_code, 2);
  EXPECT_EQ(RunDocket({"-o", "xml", "overdue"}).exit_code, 2);
  EXPECT_EQ(RunDocket({"log", "read", "--follow", "-o", "json"}).exit_code, 2);
}

TEST(ExitCode, AWrongPrincipalIsRefusedBeforeItReachesTheWire) {
  for (const char* principal : {"x\ny", "Alice", "a b", "caf\xC3\xA9"}) {
    const Ran ran = RunDocket({"--as", principal, "mine"});
    EXPECT_EQ(ran.exit_code, 2) << principal;
    EXPECT_THAT(ran.err, HasSubstr("want a principal id, of a-z 0-9 . _ -"));
  }
  EXPECT_THAT(RunDocket({"--as", "x\ny", "mine"}).err, HasSubstr("--as: \"x\\ny\""));
}

TEST(ExitCode, AWrongServerNamesTheForm) {
  for (const char* server : {"", "host", ":7450", "host:", "host:0", "host:65536", "host:http"}) {
    const Ran ran = RunDocket({"--server", server, "overdue"});
    EXPECT_EQ(ran.exit_code, 2) << server;
    EXPECT_THAT(ran.err, HasSubstr("want HOST:PORT"));
  }
}

TEST(ExitCode, RevisionZeroIsNoRevision) {
  const Ran ran = RunDocket({"case", "show", "CMP-1", "--revision", "0"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("--revision: 0, want 1 (the first) or more"));
}

TEST(ExitCode, HelpOfACommandShowsNoExampleOfAnother) {
  EXPECT_THAT(RunDocket({"--help"}).out, HasSubstr("docket case file --kind complaint"));
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"admin", "--help"}, {"waiting", "--help"}, {"case", "allowed", "--help"}}) {
    EXPECT_THAT(RunDocket(command).out, testing::Not(HasSubstr("docket case file"))) << command[0];
  }
}

TEST(ExitCode, HelpAndVersionAreZero) {
  EXPECT_EQ(RunDocket({"--help"}).exit_code, 0);
  EXPECT_EQ(RunDocket({"case", "hold", "--help"}).exit_code, 0);
  const Ran version = RunDocket({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.out.rfind("docket ", 0), 0) << version.out;
}

TEST(ExitCode, AloneItShowsWhereToBegin) {
  const Ran ran = RunDocket({});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.out, HasSubstr("docket overdue"));
  EXPECT_THAT(ran.out, HasSubstr("docket mine"));
  EXPECT_THAT(ran.out, HasSubstr("docket case file"));
}

TEST(ExitCode, AWrongValueNamesFieldValueAndWish) {
  const Ran ran = RunDocket({"case", "set-priority", "CMP-1", "--priority", "high"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("--priority: \"high\", want a whole number"));
}

}  // namespace
}  // namespace docket::cli
