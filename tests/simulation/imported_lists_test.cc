// The lists of 24,918 real incidents, imported, at any instant of their past: what was overdue then is what
// straight-line code reads from the log. Skipped where the data are missing.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "services/query/lists.h"
#include "tests/support/brute_force.h"
#include "tests/support/house.h"
#include "tests/support/random_walk.h"
#include "tools/import/byte_source.h"
#include "tools/import/case_source.h"
#include "tools/import/mapping.h"
#include "tools/import/record_reader.h"
#include "workflow/base/time.h"

namespace docket::testing {
namespace {

constexpr int kInstants = 1000;     // of valid_at, known now: from the index
constexpr int kKnownInstants = 50;  // of known_at: by replay
constexpr char kMapping[] = "tools/import/mappings/servicenow-incident.yaml";

std::string DataFile() {
  const char* shared = std::getenv("DOCKET_SHARED");
  return absl::StrCat(shared != nullptr ? shared : "../shared", "/data/uci_servicenow_incidents/",
                      "incident_event_log.csv.gz");
}

struct Ignored : import_tool::ImportObserver {
  void OnBadRow(const import_tool::RowProblem&) override {}
  void OnNote(const import_tool::RowProblem&) override {}
};

// Every command a millisecond after the one before, so that known_at has something to tell apart.
void Import(const std::string& file, House* house) {
  const auto mapping = import_tool::LoadMapping(kMapping);
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  const auto bytes = import_tool::ByteSource::Open(file);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const auto reader = import_tool::OpenCsv(bytes->get(), mapping->Columns(), mapping->delimiter);
  ASSERT_TRUE(reader.ok()) << reader.status();
  Ignored observer;
  import_tool::CaseSource source(
      *mapping, reader->get(), "incidents.csv", [&] { return house->NewRequestId(); }, &observer);
  import_tool::CaseWork work;
  for (;;) {
    const absl::StatusOr<bool> more = source.Next(&work);
    ASSERT_TRUE(more.ok()) << more.status();
    if (!*more) return;
    for (const v1::ExecuteRequest& request : work.commands) {
      house->clock().Advance(absl::Milliseconds(1));
      const auto reply = house->Do(request, "importer");
      ASSERT_TRUE(reply.ok()) << work.key << ": " << reply.status();
    }
  }
}

std::vector<std::string> Overdue(House& house, absl::Time valid_at, absl::Time known_at) {
  const query::Reader reader = query::OpenReader(house.engine(), {.principal_id = "nikhil.rao"});
  v1::ListDutiesRequest request;
  request.set_preset(v1::OVERDUE);
  request.set_page_size(500);
  *request.mutable_valid_at() = ToProto(valid_at);
  if (known_at != absl::InfiniteFuture()) *request.mutable_known_at() = ToProto(known_at);
  std::vector<std::string> lines;
  do {
    const auto reply = query::ListDuties(reader, request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return lines;
    EXPECT_TRUE(known_at != absl::InfiniteFuture() || !reply->by_replay());
    for (const auto& item : reply->items()) {
      lines.push_back(absl::StrCat(FormatUtc(valid_at - FromProto(item.late_by())), " ", item.case_().case_id(), "/",
                                   item.clock_no(), " ", item.department(), item.paused() ? " paused" : ""));
    }
    request.set_page_token(reply->next_page_token());
  } while (!request.page_token().empty());
  return lines;
}

std::vector<std::string> Expected(const LogTwin& twin, absl::Time at) {
  std::vector<std::string> lines;
  for (const TwinDuty& duty : twin.OverdueAt(at)) {
    lines.push_back(absl::StrCat(FormatUtc(duty.late_from), " ", duty.case_id, "/", duty.clock_no, " ", duty.department,
                                 duty.paused ? " paused" : ""));
  }
  return lines;
}

// The first line that differs, for whole lists are long.
std::string Difference(const std::vector<std::string>& shown, const std::vector<std::string>& expected) {
  const auto [a, b] = std::mismatch(shown.begin(), shown.end(), expected.begin(), expected.end());
  if (a == shown.end() && b == expected.end()) return "";
  return absl::StrCat("row ", a - shown.begin(), " of ", shown.size(), " is ", a == shown.end() ? "missing" : *a,
                      ", want ", b == expected.end() ? "none" : *b, " of ", expected.size());
}

TEST(ImportedListsTest, WhatWasOverdueIsWhatTheLogSays) {
  const std::string file = DataFile();
  if (!std::ifstream(file)) GTEST_SKIP() << file << " is not here (set DOCKET_SHARED)";
  House house({.run_timers = false});
  const absl::Time begun = house.clock().Now();
  Import(file, &house);
  if (HasFatalFailure()) return;
  const std::vector<LogEvent> log = ReadWholeLog(house.log());
  const auto policies = house.engine().Read().policies;
  std::vector<absl::Time> instants;
  for (const LogEvent& one : log) instants.push_back(one.occurred_at);
  Dice dice(20160302);
  size_t rows = 0;
  for (int i = 0; i < kInstants && !HasFailure(); ++i) {
    const absl::Time at = dice.Pick(instants) + absl::Microseconds(dice.Below(3) - 1);
    const std::vector<std::string> expected = Expected(LogTwin(log, *policies, at, absl::InfiniteFuture()), at);
    EXPECT_EQ(Difference(Overdue(house, at, absl::InfiniteFuture()), expected), "") << "at " << FormatUtc(at);
    rows += expected.size();
  }
  for (int i = 0; i < kKnownInstants && !HasFailure(); ++i) {
    const absl::Time at = dice.Pick(instants);
    const absl::Time known_at = begun + dice.Span(absl::ZeroDuration(), house.clock().Now() - begun);
    EXPECT_EQ(Difference(Overdue(house, at, known_at), Expected(LogTwin(log, *policies, at, known_at), at)), "")
        << "at " << FormatUtc(at) << ", known at " << FormatUtc(known_at);
  }
  std::printf("events %zu, rows compared %zu\n", log.size(), rows);
  EXPECT_GT(rows, static_cast<size_t>(kInstants));
}

// Made anew from the log, the rows of now and of the past are the same bytes.
TEST(ImportedListsTest, ARebuildMakesTheSameRows) {
  const std::string file = DataFile();
  if (!std::ifstream(file)) GTEST_SKIP() << file << " is not here (set DOCKET_SHARED)";
  House house({.run_timers = false});
  Import(file, &house);
  if (HasFatalFailure()) return;
  const auto rebuilt = house.engine().Rebuild(/*keep_old=*/false, [](uint64_t, uint64_t) {});
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.status();
  EXPECT_TRUE(rebuilt->digests_equal());
}

}  // namespace
}  // namespace docket::testing
