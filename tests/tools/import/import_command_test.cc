#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/tools/import/test_files.h"
#include "tests/tools/support/fake_server.h"
#include "tools/cli/app.h"
#include "tools/cli/global_options.h"
#include "workflow/base/refusal.h"

// `docket import` as typed, against a server over a socket.
namespace docket::import_tool {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kRows[] =
    "id,state,opened,updated,group,who,impact\n"
    "A,New,1/2/2016 08:00,1/2/2016 09:00,g,?,2\n"
    "A,Done,1/2/2016 08:00,1/2/2016 10:00,g,?,2\n"
    "B,New,1/2/2016 08:00,1/2/2016 09:00,g,?,2\n";
constexpr char kBadRow[] = "C,New,1/2/2016 08:00,never,g,?,2\n";

class ImportCommandTest : public ::testing::Test {
 protected:
  ImportCommandTest() : mapping_(WriteFile(kSmallMapping)) {
    server_.get_policy = [this](const v1::GetPolicyRequest& request, v1::GetPolicyReply* reply) {
      EXPECT_EQ(request.id(), "desk-chart");
      if (!published_) return Refuse(absl::StatusCode::kNotFound, "POLICY_NOT_FOUND", "no WORKFLOW desk-chart");
      v1::Chart* chart = reply->mutable_compiled()->mutable_chart();
      chart->set_id(request.id());
      chart->add_kinds(v1::INCIDENT);
      for (const std::string& status : statuses_) chart->add_statuses()->set_id(status);
      return absl::OkStatus();
    };
    server_.execute_stream = [this](const v1::ExecuteStreamRequest& request, v1::ExecuteStreamReply* reply) {
      if (++messages_ == break_at_) return absl::UnavailableError("connection lost");
      for (const v1::ExecuteRequest& one : request.requests()) *reply->add_results() = Answer(one);
      return absl::OkStatus();
    };
  }

  // Runs `docket import` and returns the exit code.
  int Import(const std::string& content, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"--server", server_.address(), "import", WriteFile(content), "--mapping", mapping_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Run(arguments);
  }

  int Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    cli::GlobalOptions options;
    options.out = &out_;
    options.err = &err_;
    options.now = [] { return absl::FromUnixSeconds(1'700'000'000); };
    options.client_options.sleep = sleep_;
    CLI::App app("", "docket");
    cli::BuildApp(app, options);
    cli::AddImportCommand(app, options);
    return cli::RunApp(app, options, arguments);
  }

  docket::testing::FakeServer server_;
  std::string mapping_;
  std::ostringstream out_, err_;
  std::map<std::string, absl::Status> refusals_;  // by external key
  std::vector<v1::ExecuteRequest> received_;
  bool published_ = true;
  std::vector<std::string> statuses_ = {"NEW", "RESOLVED"};
  std::function<void(absl::Duration)> sleep_ = [](absl::Duration) {};
  int break_at_ = 0;  // the message of requests at which the stream is lost

 private:
  v1::ExecuteStreamReply::Result Answer(const v1::ExecuteRequest& request) {
    received_.push_back(request);
    const bool filing = request.command().has_file();
    const std::string key = filing ? request.command().file().external_ref().key() : request.external_ref().key();
    const std::string cursor = absl::StrCat(key, filing ? 1 : request.command().record_source_row().row().cursor());
    v1::ExecuteStreamReply::Result result;
    const auto refusal = refusals_.find(key);
    if (refusal != refusals_.end()) {
      result.mutable_status()->ParseFromString(SerializeRpcStatus(refusal->second));
    } else {
      result.mutable_reply()->set_unchanged(!known_.insert(cursor).second);
    }
    return result;
  }

  std::set<std::string> known_;
  int messages_ = 0;
};

TEST_F(ImportCommandTest, AnImportIsSummedUpAndASecondOneAddsNothing) {
  EXPECT_EQ(Import(kRows), cli::kExitOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("  rows                      3\n  cases                     2\n"));
  EXPECT_THAT(out_.str(), HasSubstr("  commits added             5\n  unchanged                 0\n"));
  EXPECT_THAT(err_.str(), IsEmpty());
  EXPECT_EQ(received_.size(), 5);

  EXPECT_EQ(Import(kRows, {"-o", "json"}), cli::kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("\"rows\":3,\"cases\":2,\"rowsImported\":3,\"commitsAdded\":0,\"unchanged\":5,"));
}

TEST_F(ImportCommandTest, BadRowsAreToldAndExitWithOne) {
  EXPECT_EQ(Import(absl::StrCat(kRows, kBadRow)), cli::kExitRefused);
  EXPECT_THAT(err_.str(), HasSubstr(":5, case C, column updated: updated: \"never\""));
  EXPECT_THAT(out_.str(), HasSubstr("bad rows                  1\n"));
  EXPECT_EQ(received_.size(), 5);
}

TEST_F(ImportCommandTest, ARefusalOfTheServerIsABadRow) {
  refusals_["B"] = Refuse(absl::StatusCode::kNotFound, "WORKFLOW_NOT_FOUND", "no workflow desk-chart");
  EXPECT_EQ(Import(kRows), cli::kExitRefused);
  EXPECT_THAT(err_.str(), HasSubstr(":4, case B: WORKFLOW_NOT_FOUND: no workflow desk-chart"));
}

TEST_F(ImportCommandTest, ADryRunSendsNothingAndNeedsNoServer) {
  server_.Stop();
  EXPECT_EQ(Import(absl::StrCat(kRows, kBadRow), {"--dry-run"}), cli::kExitRefused);
  EXPECT_THAT(out_.str(), HasSubstr("(dry run, nothing was sent)"));
  EXPECT_THAT(received_, IsEmpty());
}

TEST_F(ImportCommandTest, TheChartOfTheServerIsAskedFirstSoThatNoCaseIsHalfLoaded) {
  statuses_ = {"NEW"};
  EXPECT_EQ(Import(kRows), cli::kExitRefused);
  EXPECT_THAT(err_.str(), HasSubstr(":3, case A: status: \"RESOLVED\" is no status of workflow desk-chart"));
  EXPECT_EQ(received_.size(), 2);  // case B
  published_ = false;
  EXPECT_EQ(Import(kRows), cli::kExitRefused);
  EXPECT_THAT(err_.str(), HasSubstr("no WORKFLOW desk-chart"));
  EXPECT_EQ(received_.size(), 2);
}

constexpr char kPack[] = R"(workflow: desk-chart
kinds: [INCIDENT]
case_number_prefix: DSK
initial: NEW
statuses:
  - {id: NEW, name: New, category: NEW}
  - {id: DONE, name: Done, category: CLOSED}
  - {id: VOIDED, name: Created in error, category: CLOSED, closure_code: VOIDED}
transitions:
  - {id: close, command: close, from: [NEW], to: DONE}
  - {id: void, command: void, from: [NEW, DONE], to: VOIDED}
closing_bases: [ACCEPTED]
)";

TEST_F(ImportCommandTest, ADryRunChecksStatusesAgainstAPack) {
  server_.Stop();
  EXPECT_EQ(Import(kRows, {"--dry-run", "--policy-pack", WriteFile(kPack)}), cli::kExitRefused);
  EXPECT_THAT(err_.str(), HasSubstr("status: \"RESOLVED\" is no status of workflow desk-chart"));
  EXPECT_EQ(Import(kRows, {"--dry-run", "--policy-pack", WriteFile(absl::StrReplaceAll(kPack, {{"DONE", "RESOLVED"}}))}),
            cli::kExitOk)
      << err_.str();
  EXPECT_EQ(
      Import(kRows, {"--dry-run", "--policy-pack", WriteFile(absl::StrReplaceAll(kPack, {{"desk-chart", "other"}}))}),
      cli::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--policy-pack: none has the workflow desk-chart"));
  EXPECT_EQ(Import(kRows, {"--dry-run", "--policy-pack",
                           WriteFile(absl::StrReplaceAll(kPack, {{"[INCIDENT]", "[REQUEST]"}}))}),
            cli::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("kind INCIDENT is none of workflow desk-chart"));
  EXPECT_EQ(Import(kRows, {"--dry-run"}), cli::kExitOk);
  EXPECT_THAT(err_.str(), HasSubstr("statuses are not checked: --policy-pack was not given"));
}

TEST_F(ImportCommandTest, AHistoryMayEndWithItsImport) {
  mapping_ = WriteFile(absl::StrCat("observed_until: import", kSmallMapping));
  EXPECT_EQ(Import(kRows), cli::kExitOk) << err_.str();
  for (const v1::ExecuteRequest& request : received_) {
    if (!request.command().has_end_history()) continue;
    EXPECT_EQ(request.command().end_history().observed_until().seconds(), 1'700'000'000);
  }
}

TEST_F(ImportCommandTest, AMappingForBothFormatsLooksAtTheFile) {
  mapping_ = WriteFile(absl::StrReplaceAll(kSmallMapping, {{"format: csv", "format: csv or json"}}));
  EXPECT_EQ(Import(kRows), cli::kExitOk) << err_.str();
  EXPECT_EQ(Import(R"([{"id": "J", "state": "New", "opened": "1/2/2016 08:00", "updated": "1/2/2016 09:00", "impact": 2}])"),
            cli::kExitOk)
      << err_.str();
  EXPECT_EQ(received_.back().external_ref().key(), "J");
}

TEST_F(ImportCommandTest, AReportHoldsEveryProblem) {
  const std::string report = WriteFile("");
  EXPECT_EQ(Import(absl::StrCat(kRows, kBadRow), {"--report", report}), cli::kExitRefused);
  EXPECT_THAT(ReadBytes(report), HasSubstr("\",\"bad\":true,\"line\":5,\"key\":\"C\",\"column\":\"updated\",\"value\":"
                                           "\"never\",\"reason\":\"updated: "));
  EXPECT_THAT(ReadBytes(report), HasSubstr("{\"file\":\"docket_import_"));
}

TEST_F(ImportCommandTest, WrongInputExitsWithTwo) {
  EXPECT_EQ(Run({"import", "/nonexistent.csv", "--mapping", mapping_}), cli::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("/nonexistent.csv: No such file"));
  EXPECT_EQ(Run({"import", WriteFile(kRows)}), cli::kExitUsage);
  EXPECT_EQ(Import("id,state\nA,New\n"), cli::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("the file has no column \"opened\""));
  EXPECT_EQ(Import(kRows, {"--report", "/nonexistent/report"}), cli::kExitUsage);
  mapping_ = WriteFile("source: [");
  EXPECT_EQ(Import(kRows), cli::kExitUsage);
  EXPECT_THAT(received_, IsEmpty());
}

TEST_F(ImportCommandTest, ADamagedFileIsImportedUpToTheDamageAndExitsWithTwo) {
  std::string csv = "id,state,opened,updated,group,who,impact\n";
  for (int i = 0; i < 20000; ++i) absl::StrAppend(&csv, i, ",New,1/2/2016 08:00,1/2/2016 09:00,g,p", i * 7919, ",2\n");
  std::string bytes = ReadBytes(WriteGzip(csv));
  bytes.resize(bytes.size() / 2);
  EXPECT_EQ(Import(bytes, {"--dry-run"}), cli::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("after line"));
}

TEST_F(ImportCommandTest, NoServerExitsWithThree) {
  server_.Stop();
  EXPECT_EQ(Import(kRows), cli::kExitNoConnection);
  EXPECT_THAT(out_.str(), IsEmpty());
}

TEST_F(ImportCommandTest, AStreamRefusedAtOnceIsARefusal) {
  server_.execute_stream = [](const v1::ExecuteStreamRequest&, v1::ExecuteStreamReply*) {
    return Refuse(absl::StatusCode::kInvalidArgument, "PRINCIPAL_MISSING", "a write must say who does it");
  };
  EXPECT_EQ(Import(kRows), cli::kExitRefused);
  EXPECT_THAT(err_.str(), HasSubstr("PRINCIPAL_MISSING"));
  EXPECT_THAT(err_.str(), HasSubstr("--as PRINCIPAL"));
}

TEST_F(ImportCommandTest, AServerKilledOnTheWayIsGivenUpWithAWordOnHowToGoOn) {
  break_at_ = 2;
  int waits = 0;
  sleep_ = [this, &waits](absl::Duration) {
    if (++waits == 1) server_.Stop();
  };
  EXPECT_EQ(Import(kRows), cli::kExitNoConnection);
  EXPECT_EQ(waits, 40);
  EXPECT_THAT(err_.str(), HasSubstr("is lost (connection lost); trying again for about a minute\n"));
  EXPECT_THAT(err_.str(), HasSubstr("cannot connect to"));
  EXPECT_THAT(err_.str(), HasSubstr("Run it again: what is in the log already is not added twice."));
  EXPECT_THAT(err_.str(), Not(HasSubstr("--request-id")));
}

TEST_F(ImportCommandTest, AServerKilledAndStartedAgainIsWaitedFor) {
  break_at_ = 3;
  int waits = 0;
  // The channel needs real time to connect again, so the client's own back-off is left as it is.
  const auto wait = client::Client(client::ClientOptions()).options().sleep;
  sleep_ = [&](absl::Duration delay) {
    if (++waits == 1) server_.Stop();
    if (waits == 3) server_.Restart();
    wait(delay);
  };
  EXPECT_EQ(Import(kRows), cli::kExitOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("commits added             5\n"));
  std::set<std::string> ids;
  for (const v1::ExecuteRequest& request : received_) ids.insert(request.request_id());
  EXPECT_EQ(ids.size(), 5);
}

TEST_F(ImportCommandTest, AServerThatFailsOnTheWayEndsTheImportWithAWordOnHowToGoOn) {
  refusals_["B"] = Refuse(absl::StatusCode::kUnavailable, "WRITES_DISABLED", "an earlier write failed");
  EXPECT_EQ(Import(kRows), cli::kExitRefused);
  EXPECT_THAT(err_.str(), HasSubstr("WRITES_DISABLED"));
  EXPECT_THAT(err_.str(), HasSubstr("Run it again: what is in the log already is not added twice."));
}

}  // namespace
}  // namespace docket::import_tool
