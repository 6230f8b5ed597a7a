#include "tools/import/case_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/tools/import/test_files.h"
#include "workflow/base/time.h"

namespace docket::import_tool {
namespace {

using docket::v1::ExecuteRequest;
using docket::v1::SourceRow;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kHeader[] = "id,state,opened,updated,group,who,impact\n";

// What a file becomes under a mapping.
struct Converted {
  std::vector<CaseWork> cases;
  RecordingObserver told;
  uint64_t rows_left_out = 0;
  uint64_t cases_left_out = 0;
  absl::Status status;
};

Converted Convert(const std::string& csv, const std::string& yaml = kSmallMapping) {
  Converted converted;
  const Mapping mapping = MustParse(yaml);
  auto bytes = MustOpen(WriteFile(csv));
  auto reader = OpenCsv(bytes.get(), mapping.Columns(), mapping.delimiter);
  converted.status = reader.status();
  if (!reader.ok()) return converted;
  int ids = 0;
  CaseSource source(
      mapping, reader->get(), "desk.csv", [&ids] { return absl::StrCat("id-", ++ids); }, &converted.told);
  CaseWork work;
  while (true) {
    const absl::StatusOr<bool> more = source.Next(&work);
    converted.status = more.status();
    if (!more.ok() || !*more) break;
    converted.cases.push_back(work);
  }
  converted.rows_left_out = source.rows_left_out();
  converted.cases_left_out = source.cases_left_out();
  return converted;
}

const SourceRow& RowOf(const ExecuteRequest& request) {
  return request.command().has_file() ? request.command().file().row() : request.command().record_source_row().row();
}

// "12:00 file NEW desk-1/ann" and the like.
std::string Describe(const ExecuteRequest& request) {
  const std::string time = absl::FormatTime("%H:%M", FromProto(request.occurred_at()), absl::UTCTimeZone());
  if (request.command().has_end_history()) {
    return absl::StrCat(
        time, " end ",
        absl::FormatTime("%H:%M", FromProto(request.command().end_history().observed_until()), absl::UTCTimeZone()));
  }
  const SourceRow& row = RowOf(request);
  return absl::StrCat(time, request.command().has_file() ? " file " : " row ", row.cursor(), " ", row.status(), " ",
                      row.queue(), "/", row.owner(), "/", row.impact());
}

std::vector<std::string> Describe(const CaseWork& work) {
  std::vector<std::string> lines;
  for (const ExecuteRequest& request : work.commands) lines.push_back(Describe(request));
  return lines;
}

TEST(CaseSourceTest, RowsOfACaseBecomeFileRowsAndEnd) {
  const Converted converted = Convert(absl::StrCat(kHeader,
                                                   "A,New,1/2/2016 08:00,1/2/2016 09:00,Group 7,?,2 - Medium\n"
                                                   "A,New,1/2/2016 08:00,1/2/2016 09:05,Group 7,Ann B.,1 - High\n"
                                                   "A,Done,1/2/2016 08:00,1/2/2016 10:00,?,?,?\n"
                                                   "B,Done,2/2/2016 08:00,2/2/2016 09:00,?,?,3 - Low\n"));
  ASSERT_TRUE(converted.status.ok()) << converted.status;
  ASSERT_THAT(converted.cases, SizeIs(2));
  EXPECT_THAT(converted.told.bad_rows, IsEmpty());
  EXPECT_THAT(converted.told.notes, IsEmpty());
  EXPECT_THAT(Describe(converted.cases[0]),
              ElementsAre("09:00 file 1 NEW group-7//2", "09:05 row 2 NEW group-7/ann-b/1", "10:00 row 3 RESOLVED //0",
                          "10:00 end 10:00"));
  EXPECT_THAT(converted.cases[0].lines, ElementsAre(2, 3, 4, 4));
  EXPECT_THAT(Describe(converted.cases[1]), ElementsAre("09:00 file 1 RESOLVED //3", "09:00 end 09:00"));
}

TEST(CaseSourceTest, TheHeadCarriesReferenceTitleAndTimeOfReceipt) {
  const Converted converted = Convert(
      absl::StrCat(kHeader, "A,New,1/2/2016 08:00,1/2/2016 09:00,Group 7,?,2\nA,Done,?,1/2/2016 09:30,?,?,?\n"));
  ASSERT_THAT(converted.cases, SizeIs(1));
  const std::vector<ExecuteRequest>& commands = converted.cases[0].commands;
  const docket::v1::FileCase& file = commands[0].command().file();
  EXPECT_TRUE(file.history());
  EXPECT_EQ(file.kind(), docket::v1::INCIDENT);
  EXPECT_EQ(file.workflow(), "desk-chart");
  EXPECT_EQ(file.title(), "Incident A");
  EXPECT_EQ(file.external_ref().source(), "desk");
  EXPECT_EQ(file.external_ref().key(), "A");
  EXPECT_EQ(FormatUtc(FromProto(file.received_at())), "2016-02-01T08:00:00Z");
  EXPECT_EQ(file.row().file(), "desk.csv");
  EXPECT_EQ(file.row().line(), 2);
  EXPECT_EQ(file.row().source_status(), "New");
  EXPECT_FALSE(commands[0].has_external_ref());
  for (size_t i = 1; i < commands.size(); ++i) EXPECT_EQ(commands[i].external_ref().key(), "A");
  std::set<std::string> ids;
  for (const ExecuteRequest& request : commands) ids.insert(request.request_id());
  EXPECT_THAT(ids, SizeIs(3));
}

TEST(CaseSourceTest, ATimeOutOfOrderTakesThatOfItsNeighbourAndIsNoted) {
  const Converted converted =
      Convert(absl::StrCat(kHeader,
                           "A,New,1/2/2016 08:00,1/2/2016 09:00,?,?,2\nA,New,1/2/2016 08:00,1/2/2016 08:59,?,?,2\n"
                           "A,Done,1/2/2016 08:00,1/2/2016 09:30,?,?,2\n"));
  ASSERT_THAT(converted.cases, SizeIs(1));
  EXPECT_THAT(Describe(converted.cases[0]), ElementsAre("09:00 file 1 NEW //2", "09:00 row 2 NEW //2",
                                                        "09:30 row 3 RESOLVED //2", "09:30 end 09:30"));
  EXPECT_THAT(
      converted.told.notes,
      ElementsAre("3 A: its time 2016-02-01T08:59:00Z is out of order; it takes 2016-02-01T09:00:00Z of the row "
                  "next to it"));
}

TEST(CaseSourceTest, ABadRowLeavesItsWholeCaseOutAndNoOther) {
  const Converted converted =
      Convert(absl::StrCat(kHeader,
                           "A,New,1/2/2016 08:00,1/2/2016 09:00,?,?,2\nA,New,1/2/2016 08:00,soon,?,?,2\n"
                           "A,Odd,1/2/2016 08:00,1/2/2016 09:30,?,?,2\nB,New,1/2/2016 08:00,1/2/2016 09:30,?,?,2\n"
                           "C,New,1/2/2016 08:00,1/2/2016 09:30,?,?,high\nD,New,1/2/2016 08:00\n"));
  ASSERT_THAT(converted.cases, SizeIs(1));
  EXPECT_EQ(converted.cases[0].key, "B");
  EXPECT_THAT(converted.told.bad_rows,
              ElementsAre("3 A: updated: \"soon\": Failed to parse input, want %d/%m/%Y %H:%M",
                          "4 A: status: \"Odd\" is not in the map of map.yaml:14",
                          "6 C: impact: \"high\", want a number in front", "7 D: 3 fields, want 7 as in the header"));
  EXPECT_EQ(converted.rows_left_out, 1);
  EXPECT_EQ(converted.cases_left_out, 3);
}

TEST(CaseSourceTest, ARowWithoutAKeyBelongsToNobody) {
  const Converted converted = Convert(absl::StrCat(kHeader,
                                                   "?,New,1/2/2016 08:00,1/2/2016 09:00,?,?,2\n"
                                                   "B,New,1/2/2016 08:00,1/2/2016 09:30,?,?,2\n"));
  EXPECT_THAT(converted.told.bad_rows, ElementsAre("2 : no key in id"));
  EXPECT_THAT(converted.cases, SizeIs(1));
}

TEST(CaseSourceTest, RowsOfACaseThatStandApartAreRefused) {
  const std::string row = "New,1/2/2016 08:00,1/2/2016 09:00,?,?,2\n";
  const Converted converted = Convert(absl::StrCat(kHeader, "A,", row, "B,", row, "A,", row, "A,", row));
  EXPECT_THAT(converted.cases, SizeIs(2));
  EXPECT_THAT(converted.told.bad_rows,
              ElementsAre("4 A: the case has rows further up; the rows of a case must stand together"));
  EXPECT_EQ(converted.rows_left_out, 1);
}

TEST(CaseSourceTest, TooManyRowsForOneCaseAreRefused) {
  std::string csv = kHeader;
  for (size_t i = 0; i < kMaxRowsPerCase; ++i) csv += "A,New,1/2/2016 08:00,1/2/2016 09:00,?,?,2\n";
  EXPECT_THAT(Convert(csv).cases, SizeIs(1));
  const Converted converted = Convert(csv + "A,New,1/2/2016 08:00,1/2/2016 09:00,?,?,2\n");
  EXPECT_THAT(converted.cases, IsEmpty());
  EXPECT_THAT(converted.told.bad_rows, ElementsAre("2 A: 10001 rows in one case, want at most 10000"));
}

TEST(CaseSourceTest, TwoValuesThatBecomeOneSlugAreNotedOnce) {
  const Converted converted = Convert(absl::StrCat(kHeader,
                                                   "A,New,1/2/2016 08:00,1/2/2016 09:00,Group 7,?,2\n"
                                                   "B,New,1/2/2016 08:00,1/2/2016 09:00,group  7,?,2\n"
                                                   "C,New,1/2/2016 08:00,1/2/2016 09:00,group  7,?,2\n"));
  EXPECT_THAT(converted.told.notes, ElementsAre("3 B: queue: \"Group 7\" and \"group  7\" both become \"group-7\""));
}

TEST(CaseSourceTest, TextThatIsNotUtf8IsABadRow) {
  const Converted converted = Convert(absl::StrCat(kHeader, "A,New,1/2/2016 08:00,1/2/2016 09:00,Caf\xE9,?,2\n"));
  EXPECT_THAT(converted.told.bad_rows, ElementsAre("2 A: queue: not UTF-8"));
}

TEST(CaseSourceTest, AFixedEndOfObservationNeverLiesBeforeTheLastRow) {
  const std::string yaml = absl::StrCat("observed_until: 2016-02-01T12:00:00Z", kSmallMapping);
  const Converted converted = Convert(absl::StrCat(kHeader,
                                                   "A,New,1/2/2016 08:00,1/2/2016 09:00,?,?,2\n"
                                                   "B,New,1/2/2016 08:00,1/2/2016 13:00,?,?,2\n"),
                                      yaml);
  ASSERT_THAT(converted.cases, SizeIs(2));
  EXPECT_EQ(Describe(converted.cases[0]).back(), "12:00 end 12:00");
  EXPECT_EQ(Describe(converted.cases[1]).back(), "13:00 end 13:00");
}

// One row per case, as cities publish them: two spellings of a column, and a date that wins over the status.
constexpr char kCityMapping[] = R"(
source: city
workflow: city-chart
kind: REQUEST
format: csv
rows: whole case
time: {format: ["%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d"], zone: America/New_York}
case:
  key: [Unique Key, unique_key]
  title: "{Kind}"
  received_at: Created
  updated_at: [Closed, Created]
  status: {column: Status, map: {Open: OPEN}, default: OTHER, if_set: {Closed: CLOSED}}
  first_status: OPEN
  channel: {column: How, map: {PHONE: {medium: VOICE, carrier: phone}}, default: {medium: TEXT, carrier: portal}}
reject:
  - {column: Closed, before: Created, reason: closed before it was opened}
)";

TEST(CaseSourceTest, AWholeCaseIsABeginningAndAnEnd) {
  const Converted converted = Convert(
      "unique_key,Kind,Created,Closed,Status,How\n"
      "1,Noise,07/01/2016 09:00:00 AM,07/01/2016 01:30:00 PM,Open,PHONE\n"
      "2,Noise,2016-07-02,,Odd,WEB\n",
      kCityMapping);
  ASSERT_THAT(converted.told.bad_rows, IsEmpty());
  ASSERT_THAT(converted.cases, SizeIs(2));
  EXPECT_THAT(Describe(converted.cases[0]),
              ElementsAre("13:00 file 1 OPEN //0", "17:30 row 2 CLOSED //0", "17:30 end 17:30"));
  EXPECT_THAT(Describe(converted.cases[1]),
              ElementsAre("04:00 file 1 OPEN //0", "04:00 row 2 OTHER //0", "04:00 end 04:00"));
  EXPECT_EQ(converted.cases[0].commands[0].command().file().channel().carrier(), "phone");
  EXPECT_EQ(converted.cases[1].commands[0].command().file().channel().carrier(), "portal");
  EXPECT_EQ(RowOf(converted.cases[0].commands[0]).source_status(), "");
  EXPECT_EQ(RowOf(converted.cases[0].commands[1]).source_status(), "Open");
}

TEST(CaseSourceTest, ACaseClosedBeforeItWasOpenedIsRejectedWhole) {
  const Converted converted = Convert(
      "unique_key,Kind,Created,Closed,Status,How\n"
      "1,Noise,07/01/2016 09:00:00 AM,07/01/2016 08:59:59 AM,Open,\n"
      "2,Noise,07/01/2016 09:00:00 AM,07/01/2016 09:00:00 AM,Open,\n",
      kCityMapping);
  EXPECT_THAT(converted.told.bad_rows,
              ElementsAre("2 1: closed before it was opened: Closed 07/01/2016 08:59:59 AM, Created 07/01/2016 "
                          "09:00:00 AM"));
  ASSERT_THAT(converted.cases, SizeIs(1));
  EXPECT_EQ(converted.cases[0].key, "2");
}

TEST(CaseSourceTest, AWholeCaseThatEndsBeforeItsReceiptIsRejectedWithoutARuleInTheMapping) {
  const std::string mapping = kCityMapping;
  const Converted converted = Convert(
      "unique_key,Kind,Created,Closed,Status,How\n"
      "1,Noise,2016-07-02,2016-07-01,Open,\n"
      "2,Noise,2016-07-02,2016-07-02,Open,\n",
      mapping.substr(0, mapping.find("reject:")));
  EXPECT_THAT(converted.told.bad_rows,
              ElementsAre("2 1: updated_at: \"2016-07-01\", want no earlier than received_at, 2016-07-02T04:00:00Z"));
  EXPECT_THAT(converted.told.notes, IsEmpty());
  ASSERT_THAT(converted.cases, SizeIs(1));
  EXPECT_EQ(converted.cases[0].key, "2");
}

TEST(CaseSourceTest, ADamagedFileEndsAfterTheCasesBeforeTheDamage) {
  const Mapping mapping = MustParse(absl::StrReplaceAll(kSmallMapping, {{"format: csv", "format: json"}}));
  auto bytes = MustOpen(WriteFile(
      R"([{"id":"A","state":"New","updated":"1/2/2016 09:00"},{"id":"B","state":"New","updated":"1/2/2016 09:00"},)"));
  auto reader = OpenJson(bytes.get(), mapping.Columns());
  RecordingObserver told;
  CaseSource source(
      mapping, reader.get(), "f", [] { return "id"; }, &told);
  CaseWork work;
  ASSERT_TRUE(source.Next(&work).ok());
  EXPECT_EQ(work.key, "A");
  EXPECT_EQ(source.Next(&work).status().code(), absl::StatusCode::kInvalidArgument);
}

// The layouts of a city: two spellings of each column, a date of closing that wins over the status, a date promised.
constexpr char kSpellings[] = R"(
source: city
workflow: city-chart
kind: REQUEST
format: csv or json
rows: whole case
time: {format: ["%m/%d/%Y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%E*S"], zone: America/New_York}
aliases:
  key: [Unique Key, unique_key]
  created: [Created Date, created_date]
  closed: [Closed Date, closed_date]
  due: [Due Date, due_date]
  touched: [Touched, touched]
  status: [Status, status]
  how: [How, how]
optional: [how]
case:
  key: key
  title: "Request {key}"
  received_at: created
  updated_at: [touched, created]
  due_at: due
  closed_at: {column: closed, status: CLOSED}
  first_status: OPEN
  status: {column: status, map: {Open: OPEN, Pending: PENDING, Closed: CLOSED}}
  channel: {column: how, map: {PHONE: {medium: VOICE, carrier: phone}}}
reject:
  - {column: closed, before: created, reason: closed before it was created}
)";
constexpr char kTitles[] = "Unique Key,Created Date,Closed Date,Due Date,Touched,Status\n";
constexpr char kIds[] = "unique_key,created_date,closed_date,due_date,touched,status,how\n";

std::string Due(const ExecuteRequest& request) {
  const SourceRow& row = RowOf(request);
  return row.has_due_at() ? FormatUtc(FromProto(row.due_at())) : "";
}

TEST(CaseSourceTest, EitherSpellingOfTheColumnsMakesTheSameCase) {
  const Converted titles =
      Convert(absl::StrCat(kTitles, "1,07/01/2016 09:00:00 AM,07/01/2016 01:30:00 PM,07/02/2016 12:00:00 PM,,Closed\n"),
              kSpellings);
  const Converted ids = Convert(
      absl::StrCat(kIds, "1,2016-07-01T09:00:00.000,2016-07-01T13:30:00.000,2016-07-02T12:00:00.000,,Closed,PHONE\n"),
      kSpellings);
  for (const Converted* one : {&titles, &ids}) {
    EXPECT_THAT(one->told.bad_rows, IsEmpty());
    EXPECT_THAT(one->told.notes, IsEmpty());
    ASSERT_THAT(one->cases, SizeIs(1));
    EXPECT_THAT(Describe(one->cases[0]),
                ElementsAre("13:00 file 1 OPEN //0", "17:30 row 2 CLOSED //0", "17:30 end 17:30"));
    EXPECT_EQ(Due(one->cases[0].commands[0]), "2016-07-02T16:00:00Z");
    EXPECT_EQ(Due(one->cases[0].commands[1]), "2016-07-02T16:00:00Z");
    EXPECT_EQ(one->cases[0].commands[0].command().file().title(), "Request 1");
  }
  EXPECT_FALSE(titles.cases[0].commands[0].command().file().has_channel());  // that layout has no such column
  EXPECT_EQ(ids.cases[0].commands[0].command().file().channel().carrier(), "phone");
}

TEST(CaseSourceTest, ADateOfClosingWinsOverTheStatusAndBothWaysOfDisagreeingAreNoted) {
  const Converted converted =
      Convert(absl::StrCat(kTitles, "1,07/01/2016 09:00:00 AM,07/01/2016 01:30:00 PM,,,Pending\n",
                           "2,07/01/2016 09:00:00 AM,,,07/01/2016 10:00:00 AM,Closed\n",
                           "3,07/01/2016 09:00:00 AM,,,07/01/2016 08:00:00 AM,Pending\n",
                           "4,07/01/2016 09:00:00 AM,07/01/2016 09:30:00 AM,,,Odd\n"),
              kSpellings);
  ASSERT_THAT(converted.cases, SizeIs(3));
  EXPECT_EQ(Describe(converted.cases[0])[1], "17:30 row 2 CLOSED //0");
  EXPECT_EQ(RowOf(converted.cases[0].commands[1]).source_status(), "Pending");
  EXPECT_EQ(Describe(converted.cases[1])[1], "14:00 row 2 CLOSED //0");
  EXPECT_EQ(Describe(converted.cases[2])[1], "13:00 row 2 PENDING //0");
  EXPECT_THAT(converted.told.notes,
              ElementsAre("2 1: status: \"Pending\" although Closed Date is 07/01/2016 01:30:00 PM; the case is closed",
                          "3 2: status: \"Closed\" without a time in closed; taken as of 2016-07-01T14:00:00Z",
                          "4 3: Touched: \"07/01/2016 08:00:00 AM\" lies before the receipt; taken as "
                          "2016-07-01T13:00:00Z"));
  EXPECT_THAT(converted.told.bad_rows, ElementsAre("5 4: status: \"Odd\" is not in the map of map.yaml:25"));
}

TEST(CaseSourceTest, WhatIsImpossibleIsRejectedWholeAlsoFarInThePast) {
  const Converted converted = Convert(
      absl::StrCat(kTitles, "1,07/01/2016 09:00:00 AM,01/01/1900 12:00:00 AM,,,Closed\n",
                   "2,07/01/2016 09:00:00 AM,,07/01/2016 08:59:59 AM,,Open\n", "3,01/01/1900 12:00:00 AM,,,,Open\n",
                   "4,07/01/2016 09:00:00 AM,,07/01/2036 09:00:00 AM,,Open\n"),
      kSpellings);
  EXPECT_THAT(converted.cases, IsEmpty());
  EXPECT_THAT(
      converted.told.bad_rows,
      ElementsAre("2 1: closed before it was created: Closed Date 01/01/1900 12:00:00 AM, Created Date 07/01/2016 "
                  "09:00:00 AM",
                  "3 2: due_at: 2016-07-01T12:59:59Z, want it no earlier than received_at, 2016-07-01T13:00:00Z",
                  "4 3: Created Date: \"01/01/1900 12:00:00 AM\", want an instant of the years 1970 to 9999",
                  "5 4: due_at: 2036-07-01T13:00:00Z, want at most 87600h after received_at, "
                  "2016-07-01T13:00:00Z"));
}

TEST(CaseSourceTest, WithinTheHourThatCameTwiceNothingEndsBeforeItBegins) {
  // 6 November 2016, 01:00 to 02:00 came twice; 13 March 2016 had no 02:00 to 03:00.
  const Converted converted = Convert(
      absl::StrCat(kTitles, "1,11/06/2016 01:50:00 AM,11/06/2016 01:10:00 AM,,,Closed\n",
                   "2,03/13/2016 02:30:00 AM,03/13/2016 03:30:00 AM,,,Closed\n"),
      absl::StrReplaceAll(kSpellings, {{"reject:\n  - {column: closed, before: created, reason: closed before it "
                                        "was created}\n",
                                        ""}}));
  EXPECT_THAT(converted.told.bad_rows, IsEmpty());
  ASSERT_THAT(converted.cases, SizeIs(2));
  EXPECT_THAT(Describe(converted.cases[0]),
              ElementsAre("05:50 file 1 OPEN //0", "06:10 row 2 CLOSED //0", "06:10 end 06:10"));
  EXPECT_THAT(Describe(converted.cases[1]),
              ElementsAre("07:30 file 1 OPEN //0", "07:30 row 2 CLOSED //0", "07:30 end 07:30"));
  EXPECT_THAT(converted.told.notes, SizeIs(3));
  const Converted judged =
      Convert(absl::StrCat(kTitles, "1,11/06/2016 01:50:00 AM,11/06/2016 01:10:00 AM,,,Closed\n"), kSpellings);
  EXPECT_THAT(judged.told.bad_rows, IsEmpty());
}

// One row per thing done; the columns of the case are on each.
constexpr char kSteps[] = R"(
source: permits
workflow: permit-chart
kind: REQUEST
format: csv
rows: step of a case
time: {format: "%Y-%m-%dT%H:%M%Ez", zone: Europe/Amsterdam}
case:
  key: case
  title: "Permit {case}"
  received_at: start
  updated_at: done
  due_at: deadline
  closed_at: {column: end, status: CLOSED, day_precision: true}
  first_status: RECEIVED
  status: {column: task, map: {}, default: IN_HAND}
  owner: {column: who, slug: true}
)";
constexpr char kStepColumns[] = "case,start,end,deadline,done,task,who\n";

TEST(CaseSourceTest, TheClosingStandsAmongTheStepsWhereItsTimePutsIt) {
  const std::string of_case = "A,2011-03-01T09:00+01:00,2011-03-03T12:00+01:00,2011-04-26T09:00+02:00,";
  const Converted converted =
      Convert(absl::StrCat(kStepColumns, of_case, "2011-03-02T09:00+01:00,Confirm,Ann\n", of_case,
                           "2011-03-03T12:00+01:00,Check,Ben\n", of_case, "2011-03-04T09:00+01:00,File away,Cas\n"),
              kSteps);
  ASSERT_THAT(converted.cases, SizeIs(1));
  const std::vector<ExecuteRequest>& commands = converted.cases[0].commands;
  EXPECT_THAT(Describe(converted.cases[0]),
              ElementsAre("08:00 file 1 RECEIVED //0", "08:00 row 2 IN_HAND /ann/0", "11:00 row 3 IN_HAND /ben/0",
                          "11:00 row 4 CLOSED /ben/0", "08:00 row 5 CLOSED /cas/0", "08:00 end 08:00"));
  EXPECT_THAT(converted.cases[0].lines, ElementsAre(2, 2, 3, 3, 4, 4));
  EXPECT_EQ(RowOf(commands[1]).source_status(), "Confirm");
  EXPECT_EQ(RowOf(commands[3]).source_status(), "");
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(Due(commands[i]), "2011-04-26T07:00:00Z");
  EXPECT_THAT(
      converted.told.notes,
      ElementsAre("4 A: 1 row from here on done after the case was closed, 2011-03-03T11:00:00Z; it stays closed"));
}

TEST(CaseSourceTest, AClosingThatTellsTheDayOfTheReceiptIsTakenAsTheReceiptAndAnEarlierOneIsImpossible) {
  const std::string steps = absl::StrCat(
      kStepColumns, "A,2011-03-01T09:00+01:00,2011-03-01T00:00+01:00,,2011-03-02T09:00+01:00,Confirm,Ann\n",
      "B,2011-03-01T09:00+01:00,2011-02-28T23:59+01:00,,2011-03-02T09:00+01:00,Confirm,Ann\n",
      "C,2011-03-01T09:00+01:00,,,2011-03-02T09:00+01:00,Confirm,Ann\n");
  const Converted converted = Convert(steps, kSteps);
  ASSERT_THAT(converted.cases, SizeIs(2));
  EXPECT_THAT(Describe(converted.cases[0]), ElementsAre("08:00 file 1 RECEIVED //0", "08:00 row 2 CLOSED //0",
                                                        "08:00 row 3 CLOSED /ann/0", "08:00 end 08:00"));
  EXPECT_THAT(Describe(converted.cases[1]),
              ElementsAre("08:00 file 1 RECEIVED //0", "08:00 row 2 IN_HAND /ann/0", "08:00 end 08:00"));
  EXPECT_THAT(converted.told.bad_rows,
              ElementsAre("3 B: closed_at: \"2011-02-28T23:59+01:00\", want no earlier than received_at, "
                          "2011-03-01T08:00:00Z"));
  EXPECT_THAT(Convert(steps, absl::StrReplaceAll(kSteps, {{", day_precision: true", ""}})).told.bad_rows, SizeIs(2));
}

TEST(CaseSourceTest, StepsThatDisagreeAboutTheirCaseLeaveItOut) {
  const Converted converted =
      Convert(absl::StrCat(kStepColumns,
                           "A,2011-03-01T09:00+01:00,2011-03-03T12:00+01:00,,2011-03-02T09:00+01:00,Confirm,Ann\n",
                           "A,2011-03-01T09:00+01:00,2011-03-05T12:00+01:00,,2011-03-02T10:00+01:00,Check,Ben\n"),
              kSteps);
  EXPECT_THAT(converted.cases, IsEmpty());
  EXPECT_THAT(converted.told.bad_rows,
              ElementsAre("3 A: received_at or closed_at: other than on the first row of the case"));
  EXPECT_EQ(converted.rows_left_out, 1);
}

TEST(CaseSourceTest, WhatTheServerWouldRefuseLeavesTheCaseOutBeforeAnythingIsSent) {
  const std::string yaml = absl::StrCat(kSmallMapping, "  category: group\n");
  // A line end in a label, in the second row of its case.
  const Converted converted = Convert(absl::StrCat(kHeader, "A,New,1/2/2016 08:00,1/2/2016 09:00,Group 7,?,2\n",
                                                   "A,New,1/2/2016 08:00,1/2/2016 09:05,\"Group\n7\",?,2\n"),
                                      yaml);
  EXPECT_THAT(converted.cases, IsEmpty());
  EXPECT_THAT(converted.told.bad_rows,
              ElementsAre("3 A: record_source_row.row.category: holds a control character, want none"));
  EXPECT_EQ(converted.rows_left_out, 1);
}

}  // namespace
}  // namespace docket::import_tool
