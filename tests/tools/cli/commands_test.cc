#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/cli/cli_runner.h"
#include "tests/tools/support/fake_server.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

using docket::testing::FakeServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kDue = absl::FromUnixSeconds(1'795'192'200);  // 2026-11-20T16:30:00Z

class Commands : public ::testing::Test {
 protected:
  Ran Run(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--server", server_.address()});
    return RunDocket(std::move(arguments), input);
  }

  // Accepts every command and keeps the request.
  void AcceptCommands() {
    server_.execute = [this](const v1::ExecuteRequest& request, v1::ExecuteReply* reply) {
      executed_ = request;
      reply->set_case_id("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
      reply->set_case_no("CMP-2026-000017-K");
      reply->set_status("ASSESSMENT");
      reply->set_revision(5);
      reply->set_commit(41);
      reply->set_first_position(120);
      reply->set_last_position(122);
      reply->mutable_next_duty()->set_metric("FIRST_RESPONSE");
      reply->mutable_next_duty()->set_department("complaints");
      *reply->mutable_next_duty()->mutable_due_at() = ToProto(kDue);
      return absl::OkStatus();
    };
    server_.list_allowed = [](const v1::ListAllowedCommandsRequest&, v1::ListAllowedCommandsReply* reply) {
      auto* one = reply->add_commands();
      one->set_command("add_note");
      one->set_allowed(true);
      reply->add_commands()->set_command("close");
      return absl::OkStatus();
    };
  }

  FakeServer server_;
  v1::ExecuteRequest executed_;
};

TEST_F(Commands, FilingSendsTheFieldsAndSaysWhatCameOfIt) {
  AcceptCommands();
  const Ran ran = Run({"case", "file", "--kind", "complaint", "--title", "Charged twice", "--matters", "first",
                       "--matters", "second", "--channel.carrier", "phone", "--as", "alice"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_EQ(ran.out,
            "CMP-2026-000017-K  ASSESSMENT  (revision 5)\n"
            "next duty    FIRST_RESPONSE, due Fri 2026-11-20 16:30, complaints\n"
            "allowed now  add-note\n"
            "commit       41, positions 120-122\n");
  const v1::FileCase& file = executed_.command().file();
  EXPECT_EQ(file.kind(), v1::COMPLAINT);
  EXPECT_EQ(file.title(), "Charged twice");
  EXPECT_THAT(file.matters(), ElementsAre("first", "second"));
  EXPECT_EQ(file.channel().carrier(), "phone");
  EXPECT_EQ(executed_.case_id() + executed_.case_no(), "");
  EXPECT_EQ(server_.last_principal(), "alice");
}

TEST_F(Commands, AVerbNamesTheCaseAndCarriesItsOptions) {
  AcceptCommands();
  const Ran ran = Run({"case", "record-inbound", "CMP-1", "--body", "-- angry --", "--internal",
                       "--no-reply-needed=false", "--occurred-at", "2026-11-20T10:00:00Z", "--evidence-ref", "call-7",
                       "--expected-revision", "0", "--request-id", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_EQ(executed_.case_no(), "CMP-1");
  EXPECT_EQ(executed_.command().record_inbound().body(), "-- angry --");
  EXPECT_TRUE(executed_.command().record_inbound().internal());
  EXPECT_FALSE(executed_.command().record_inbound().no_reply_needed());
  EXPECT_EQ(FormatUtc(FromProto(executed_.occurred_at())), "2026-11-20T10:00:00Z");
  EXPECT_EQ(executed_.evidence_ref(), "call-7");
  EXPECT_TRUE(executed_.has_expected_revision());
  EXPECT_EQ(executed_.expected_revision(), 0);
  EXPECT_EQ(executed_.request_id(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST_F(Commands, AVerbWithoutFieldsStillIsThatCommand) {
  AcceptCommands();
  EXPECT_EQ(Run({"case", "resume", "servicenow:INC1"}).exit_code, kExitOk);
  EXPECT_TRUE(executed_.command().has_resume());
  EXPECT_FALSE(executed_.has_expected_revision());
  EXPECT_EQ(executed_.external_ref().source(), "servicenow");
  EXPECT_EQ(executed_.external_ref().key(), "INC1");
}

TEST_F(Commands, OptionsComeOnTopOfJson) {
  AcceptCommands();
  const Ran ran = Run({"case", "file", "--json", "-", "--title", "From the line"},
                      R"({"kind":"COMPLAINT","title":"From the file","language":"en"})");
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_EQ(executed_.command().file().title(), "From the line");
  EXPECT_EQ(executed_.command().file().language(), "en");
}

TEST_F(Commands, JsonWithAnUnknownFieldIsUsage) {
  const Ran ran = Run({"case", "file", "--json", "-"}, R"({"titel":"x"})");
  EXPECT_EQ(ran.exit_code, kExitUsage);
  EXPECT_THAT(ran.err, HasSubstr("titel"));
}

TEST_F(Commands, ADryRunShowsEventsAndWritesNothing) {
  server_.execute = [this](const v1::ExecuteRequest& request, v1::ExecuteReply* reply) {
    executed_ = request;
    auto* event = reply->add_events();
    event->set_type("OwnerAssigned");
    event->mutable_event()->mutable_owner_assigned()->set_owner("bob");
    return absl::OkStatus();
  };
  const Ran ran = Run({"case", "assign", "CMP-1", "--owner", "bob", "--dry-run"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_TRUE(executed_.validate_only());
  EXPECT_THAT(ran.out, HasSubstr("OwnerAssigned"));
  EXPECT_THAT(ran.out, HasSubstr("owner=bob"));
  EXPECT_THAT(ran.out, HasSubstr("nothing was written"));
}

TEST_F(Commands, ARefusalListsEveryUnmetConditionWithTheCommandThatMeetsIt) {
  server_.execute = [](const v1::ExecuteRequest&, v1::ExecuteReply*) {
    return RefuseUnmet("GUARD_UNMET", "case CMP-1",
                       {{"OWNER_REQUIRED", "the case has no owner", "assign"},
                        {"MESSAGE_UNANSWERED", "message 7 is unanswered", "mark_no_reply_needed"},
                        {"RIGHTS_NOT_TOLD", "the referral rights were not told", "a letter"}});
  };
  const Ran ran = Run({"case", "resolve", "CMP-1", "--resolution-code", "FIXED"});
  EXPECT_EQ(ran.exit_code, kExitRefused);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err,
            "refused: FAILED_PRECONDITION GUARD_UNMET\n"
            "  case CMP-1\n"
            "unmet:\n"
            "  OWNER_REQUIRED: the case has no owner\n"
            "    met by: docket case assign CMP-1 --owner …\n"
            "  MESSAGE_UNANSWERED: message 7 is unanswered\n"
            "    met by: docket case mark-no-reply-needed CMP-1 --inbound-revision …\n"
            "  RIGHTS_NOT_TOLD: the referral rights were not told\n"
            "    met by: a letter\n");
}

TEST_F(Commands, ARefusalOfFieldsNamesEachOnce) {
  server_.execute = [](const v1::ExecuteRequest&, v1::ExecuteReply*) {
    return RefuseFields("INVALID_FIELD", {{"triage.severity", "9, want 1..4"}, {"triage.impact", "0, want 1..3"}});
  };
  const Ran ran = Run({"case", "triage", "CMP-1", "--severity", "9"});
  EXPECT_EQ(ran.exit_code, kExitRefused);
  EXPECT_EQ(ran.err,
            "refused: INVALID_ARGUMENT INVALID_FIELD\n"
            "  triage.severity: 9, want 1..4\n"
            "  triage.impact: 0, want 1..3\n");
}

TEST_F(Commands, AStaleRevisionSaysWhereTheCaseIs) {
  server_.execute = [](const v1::ExecuteRequest&, v1::ExecuteReply*) {
    return Refuse(absl::StatusCode::kAborted, "REVISION_MISMATCH", "the case has moved on", {{"actual", "4"}});
  };
  const Ran ran = Run({"case", "accept", "CMP-1", "--expected-revision", "1"});
  EXPECT_EQ(ran.exit_code, kExitRefused);
  EXPECT_EQ(ran.err, "refused: ABORTED REVISION_MISMATCH\n  the case has moved on\n  actual: 4\n");
}

TEST_F(Commands, AnUnknownOutcomeSaysHowToRepeat) {
  server_.execute = [](const v1::ExecuteRequest&, v1::ExecuteReply*) {
    return Refuse(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN", "failed while writing");
  };
  const Ran ran = Run({"case", "take", "CMP-1", "--request-id", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"});
  EXPECT_EQ(ran.exit_code, kExitRefused);
  EXPECT_THAT(ran.err, HasSubstr("--request-id 017f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
}

TEST_F(Commands, AWriteStaysAWriteWhenTheNextQuestionFails) {
  AcceptCommands();
  server_.list_allowed = nullptr;
  const Ran ran = Run({"case", "take", "CMP-1"});
  EXPECT_EQ(ran.exit_code, kExitOk);
  EXPECT_THAT(ran.out, HasSubstr("allowed now  not known"));
}

TEST_F(Commands, NobodyListeningIsThree) {
  const std::string address = server_.address();
  server_.Stop();
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"overdue"}, {"case", "take", "CMP-1"}, {"log", "read"}, {"admin", "rebuild"}}) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, kExitNoConnection) << arguments[0];
    EXPECT_THAT(ran.err, HasSubstr("cannot connect to " + address));
  }
}

TEST_F(Commands, AQueueNamedLikeACommandIsStillAQueue) {
  AcceptCommands();
  std::string taken;
  server_.take_next = [&](const v1::TakeNextRequest& request, v1::ExecuteReply* reply) {
    taken = request.queue();
    reply->set_case_no("CMP-1");
    return absl::OkStatus();
  };
  const Ran ran = Run({"queue", "take", "watch"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_EQ(taken, "watch");
  EXPECT_THAT(ran.out, HasSubstr("CMP-1"));
}

TEST_F(Commands, TakingSaysWhyThereIsNothingAndWhereToLook) {
  absl::Status refusal;
  server_.take_next = [&](const v1::TakeNextRequest&, v1::ExecuteReply*) { return refusal; };
  refusal = Refuse(absl::StatusCode::kFailedPrecondition, "CAPACITY_REACHED", "bob has 2 cases in hand, capacity 2",
                   {{"principal", "bob"}, {"in_hand", "2"}, {"capacity", "2"}});
  const Ran full = Run({"queue", "take", "billing"});
  EXPECT_EQ(full.exit_code, kExitRefused);
  EXPECT_EQ(full.err,
            "refused: FAILED_PRECONDITION CAPACITY_REACHED\n"
            "  bob has 2 cases in hand, capacity 2\n"
            "what you own: docket mine; one more all the same: docket case take CASE\n");
  refusal = Refuse(absl::StatusCode::kFailedPrecondition, "NOTHING_FOR_YOU",
                   "queue billing: 3 without an owner, none of them for bob: 3 want skills they lack (WELSH)",
                   {{"unowned", "3"}, {"lacking_skills", "3"}, {"skills", "WELSH"}});
  EXPECT_EQ(Run({"queue", "take", "billing"}).err,
            "refused: FAILED_PRECONDITION NOTHING_FOR_YOU\n"
            "  queue billing: 3 without an owner, none of them for bob: 3 want skills they lack (WELSH)\n"
            "all that nobody owns: docket queue show billing --unowned\n");
}

}  // namespace
}  // namespace docket::cli
