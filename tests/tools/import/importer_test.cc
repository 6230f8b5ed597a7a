#include "tools/import/importer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/tools/import/test_files.h"
#include "tools/import/report.h"
#include "workflow/base/refusal.h"

namespace docket::import_tool {
namespace {

using docket::v1::ExecuteReply;
using docket::v1::ExecuteRequest;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string KeyOf(const ExecuteRequest& request) {
  return request.command().has_file() ? request.command().file().external_ref().key() : request.external_ref().key();
}

// Takes commands and answers them, newest first, when somebody waits for answers: the order that would harm an importer
// that relies on any. Remembers what the server knows, so that a second import finds it unchanged.
class FakePipeline : public CommandPipeline {
 public:
  absl::Status Send(const ExecuteRequest& request) override {
    if (!broken.ok()) return broken;
    // Two commands of one case on the way could overtake each other.
    if (!busy_.insert(KeyOf(request)).second) overlaps.push_back(KeyOf(request));
    waiting_.push_back(request);
    most_on_the_way = std::max(most_on_the_way, waiting_.size());
    return absl::OkStatus();
  }

  absl::Status Await(size_t unanswered) override {
    // A real pipeline would wait for ever for an answer that it has given already, or was never asked for.
    if (waiting_.size() <= unanswered) return absl::OkStatus();
    std::vector<ExecuteRequest> answered = std::exchange(waiting_, {});
    busy_.clear();
    std::reverse(answered.begin(), answered.end());
    const auto answer = [this, &answered] {
      for (const ExecuteRequest& request : answered) on_result(request, Execute(request));
    };
    if (!from_another_thread) {
      answer();
    } else {
      std::thread(answer).join();
    }
    return absl::OkStatus();
  }

  absl::Status Finish() override {
    finished = true;
    return absl::OkStatus();
  }

  OnResult on_result;
  std::map<std::string, absl::Status> refusals;  // "A 2": the second row of case A
  absl::Status broken;
  bool from_another_thread = false;

  std::vector<std::string> overlaps;
  std::map<std::string, std::vector<std::string>> log;  // what each case got, in order
  size_t most_on_the_way = 0;
  bool finished = false;

 private:
  absl::StatusOr<ExecuteReply> Execute(const ExecuteRequest& request) {
    const docket::v1::Command& command = request.command();
    const uint64_t cursor = command.has_file() ? command.file().row().cursor() : command.record_source_row().row().cursor();
    const std::string what = command.has_end_history() ? "end" : absl::StrCat(cursor);
    const auto refusal = refusals.find(absl::StrCat(KeyOf(request), " ", what));
    if (refusal != refusals.end()) return refusal->second;
    std::vector<std::string>& events = log[KeyOf(request)];
    ExecuteReply reply;
    const std::string status =
        command.has_file() ? command.file().row().status() : command.record_source_row().row().status();
    if (!status.empty()) statuses_.emplace(absl::StrCat(KeyOf(request), " ", what), status);
    reply.set_status(statuses_[absl::StrCat(KeyOf(request), " ", what)]);
    if (std::find(events.begin(), events.end(), what) != events.end()) {
      reply.set_unchanged(true);
    } else {
      events.push_back(what);
    }
    return reply;
  }

  std::map<std::string, std::string> statuses_;  // that a case had after its row, as it came first
  std::vector<ExecuteRequest> waiting_;
  std::set<std::string> busy_;
};

// Rows of cases "0".."cases-1", `rows` each.
std::string File(int cases, int rows) {
  std::string csv = "id,state,opened,updated,group,who,impact\n";
  for (int i = 0; i < cases; ++i) {
    for (int row = 0; row < rows; ++row) absl::StrAppend(&csv, i, ",New,1/2/2016 08:00,1/2/2016 09:00,g,?,2\n");
  }
  return csv;
}

struct Imported {
  absl::Status status;
  absl::Status file_status;
  ImportCounts counts;
  RecordingObserver told;
};

Imported Import(const std::string& content, FakePipeline& pipeline, FileFormat format = FileFormat::kCsv) {
  Imported run;
  const Mapping mapping = MustParse(kSmallMapping);
  auto bytes = MustOpen(WriteFile(content));
  std::unique_ptr<RecordReader> reader;
  if (format == FileFormat::kCsv) {
    auto opened = OpenCsv(bytes.get(), mapping.Columns(), ',');
    EXPECT_TRUE(opened.ok()) << opened.status();
    reader = *std::move(opened);
  } else {
    reader = OpenJson(bytes.get(), mapping.Columns());
  }
  int ids = 0;
  CaseSource source(mapping, reader.get(), "f", [&ids] { return absl::StrCat("id-", ++ids); }, &run.told);
  Importer importer(&source, &run.told, [](const ImportCounts&) {});
  pipeline.on_result = importer.callback();
  run.status = importer.Run(&pipeline);
  run.file_status = importer.file_status();
  run.counts = importer.counts();
  return run;
}

TEST(ImporterTest, CommandsOfACaseGoOneAfterAnotherAndCasesSideBySide) {
  FakePipeline pipeline;
  const Imported run = Import(File(2000, 3), pipeline);
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_THAT(pipeline.overlaps, IsEmpty());
  EXPECT_EQ(pipeline.most_on_the_way, Importer::kActiveCases);
  EXPECT_EQ(pipeline.log.size(), 2000);
  for (const auto& [key, events] : pipeline.log) ASSERT_THAT(events, ElementsAre("1", "2", "3", "end")) << key;
  EXPECT_EQ(run.counts.cases_done, 2000);
  EXPECT_EQ(run.counts.rows_done, 6000);
  EXPECT_EQ(run.counts.commits_added, 8000);
  EXPECT_EQ(run.counts.unchanged, 0);
  EXPECT_TRUE(pipeline.finished);
}

TEST(ImporterTest, AnswersFromAnotherThreadAreTheSame) {
  FakePipeline pipeline;
  pipeline.from_another_thread = true;
  const Imported run = Import(File(700, 2), pipeline);
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.counts.commits_added, 2100);
}

TEST(ImporterTest, ImportingTwiceAddsNothing) {
  FakePipeline pipeline;
  ASSERT_TRUE(Import(File(5, 3), pipeline).status.ok());
  const Imported again = Import(File(5, 3), pipeline);
  EXPECT_EQ(again.counts.commits_added, 0);
  EXPECT_EQ(again.counts.unchanged, 20);
  EXPECT_EQ(again.counts.rows_done, 15);
}

TEST(ImporterTest, ARowThatSaysSomethingElseThanTheLogIsNoted) {
  const std::string begin = "id,state,opened,updated,group,who,impact\nA,New,1/2/2016 08:00,1/2/2016 09:00,g,?,2\n";
  FakePipeline pipeline;
  ASSERT_TRUE(Import(begin + "A,New,1/2/2016 08:00,1/2/2016 10:00,g,?,2\n", pipeline).status.ok());
  const Imported changed = Import(begin + "A,Done,1/2/2016 08:00,1/2/2016 10:00,g,?,2\n", pipeline);
  EXPECT_EQ(changed.counts.unchanged, 3);
  EXPECT_THAT(changed.told.bad_rows, IsEmpty());
  EXPECT_THAT(
      changed.told.notes,
      ElementsAre(HasSubstr("3 A: in the log already with status NEW, the row says RESOLVED; nothing was changed")));
}

TEST(ImporterTest, AHistoryThatHasEndedSaysWhatToDo) {
  FakePipeline pipeline;
  pipeline.refusals["0 2"] = Refuse(absl::StatusCode::kFailedPrecondition, "NOT_HISTORY", "its history has ended");
  const Imported run = Import(File(1, 3), pipeline);
  EXPECT_THAT(run.told.bad_rows,
              ElementsAre(AllOf(HasSubstr("3 0: NOT_HISTORY: its history has ended. An earlier import ended it"),
                                HasSubstr("`docket case`"))));
}

TEST(ImporterTest, ARefusalEndsItsCaseAndNoOther) {
  FakePipeline pipeline;
  pipeline.refusals["1 2"] = Refuse(absl::StatusCode::kFailedPrecondition, "SOURCE_ROW_GAP", "one is missing");
  const Imported run = Import(File(3, 4), pipeline);
  ASSERT_TRUE(run.status.ok()) << run.status;
  EXPECT_THAT(pipeline.log["1"], ElementsAre("1"));
  EXPECT_THAT(pipeline.log["2"], ElementsAre("1", "2", "3", "4", "end"));
  EXPECT_THAT(run.told.bad_rows, ElementsAre("7 1: SOURCE_ROW_GAP: one is missing"));
  EXPECT_EQ(run.counts.refused, 1);
  EXPECT_EQ(run.counts.rows_after_refusal, 2);
  EXPECT_EQ(run.counts.rows_done, 9);
  EXPECT_EQ(run.counts.cases_done, 2);
}

TEST(ImporterTest, AServerThatFailsEndsTheImport) {
  FakePipeline pipeline;
  pipeline.refusals["1 2"] = absl::UnavailableError("gone");
  EXPECT_EQ(Import(File(3, 4), pipeline).status.message(), "gone");
  EXPECT_FALSE(pipeline.finished);

  FakePipeline unreachable;
  unreachable.broken = absl::UnavailableError("no connection");
  EXPECT_EQ(Import(File(3, 4), unreachable).status.message(), "no connection");
}

TEST(ImporterTest, CasesBeforeADamageAreFinished) {
  FakePipeline pipeline;
  const Imported run = Import("{\"id\":\"A\",\"state\":\"New\",\"updated\":\"1/2/2016 09:00\"}\nnonsense\n", pipeline,
                         FileFormat::kJson);
  EXPECT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.file_status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(ImporterTest, AFileOfNoRowsIsAnImportOfNothing) {
  FakePipeline pipeline;
  const Imported run = Import(File(0, 0), pipeline);
  EXPECT_TRUE(run.status.ok());
  EXPECT_EQ(run.counts.cases_sent, 0);
  EXPECT_TRUE(pipeline.finished);
}

TEST(ReportTest, TheFirstProblemsAreShownAndAllAreWritten) {
  std::ostringstream err;
  ImportReport report(err, "f.csv", nullptr);
  const std::string path = WriteFile("");
  ASSERT_TRUE(report.WriteTo(path).ok());
  for (uint64_t i = 1; i <= ImportReport::kShown + 5; ++i) report.OnBadRow({i, "A\"", "re\nason", "c\n", "v"});
  report.OnNote({9, "", "note\x1B[2J"});
  ASSERT_TRUE(report.Close().ok());
  const std::string file = ReadBytes(path);
  EXPECT_EQ(std::count(file.begin(), file.end(), '\n'), ImportReport::kShown + 6);
  EXPECT_THAT(file, HasSubstr("{\"file\":\"f.csv\",\"bad\":true,\"line\":25,\"key\":\"A\\\"\",\"column\":\"c\\n\",\"value\":\"v\","
                              "\"reason\":\"re\\nason\"}\n"));
  EXPECT_THAT(file, HasSubstr("\"bad\":false,\"line\":9,\"key\":\"\",\"column\":\"\",\"value\":\"\",\"reason\":\"note\\u001b[2J\"}\n"));
  const std::string shown = err.str();
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), ImportReport::kShown + 2);
  EXPECT_THAT(shown, HasSubstr("bad row: f.csv:20, case A\", column c?: re?ason\n"));
  EXPECT_THAT(shown, testing::Not(HasSubstr("csv:21")));
  EXPECT_THAT(shown, HasSubstr("note: f.csv:9: note?[2J\n"));
  EXPECT_EQ(report.bad_rows(), 25);
}

TEST(ReportTest, AReportThatCannotBeWrittenIsRefused) {
  std::ostringstream err;
  EXPECT_FALSE(ImportReport(err, "f.csv", nullptr).WriteTo("/nonexistent/report").ok());
}

TEST(ReportTest, ProgressKeepsItsPace) {
  const absl::Time start = absl::FromUnixSeconds(0);
  std::ostringstream plain;
  ProgressLine line(plain, /*is_terminal=*/false, start);
  line.Show(start + absl::Seconds(9), 0.1, 9000, 90);
  EXPECT_EQ(plain.str(), "");
  line.Show(start + absl::Seconds(10), 0.25, 10000, 1234);
  line.Show(start + absl::Seconds(11), 0.3, 11000, 1300);
  EXPECT_EQ(plain.str(), " 25%  10,000 rows  1,234 cases  1000 rows/s\n");

  std::ostringstream terminal;
  ProgressLine bar(terminal, /*is_terminal=*/true, start);
  bar.Show(start + absl::Seconds(1), 0.5, 10, 1);
  bar.Clear();
  bar.Clear();
  EXPECT_EQ(terminal.str(), "\r\033[K[############............]  50%  10 rows  1 cases  10 rows/s\r\033[K");
}

TEST(ReportTest, TheSummaryIsOneLineOfJson) {
  ImportSummary summary;
  summary.file = "f.csv";
  summary.rows = 3;
  summary.bad_rows = 1;
  summary.elapsed = absl::Milliseconds(1500);
  std::ostringstream out;
  PrintSummaryJson(summary, {{7, "A", "why", "c", "v"}}, out);
  EXPECT_EQ(out.str(),
            "{\"file\":\"f.csv\",\"dryRun\":false,\"rows\":3,\"cases\":0,\"rowsImported\":0,\"commitsAdded\":0,"
            "\"unchanged\":0,\"badRows\":1,\"rowsLeftOut\":0,\"notes\":0,\"seconds\":1.500,\"firstBadRows\":[{\"line\":7,"
            "\"key\":\"A\",\"column\":\"c\",\"value\":\"v\",\"reason\":\"why\"}]}\n");
}

}  // namespace
}  // namespace docket::import_tool
