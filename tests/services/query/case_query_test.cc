#include "services/query/case_query.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/query/case_fold.h"
#include "services/query/history.h"
#include "services/query/lists.h"
#include "services/query/texts.h"
#include "store/personal.h"
#include "tests/services/query/query_house.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::query {
namespace {

TEST(CaseQueryTest, ACaseIsFoundByEachOfItsNames) {
  House house;
  const auto filed = house.File("kind: COMPLAINT title: 'x' external_ref { source: 'old' key: 'A-1' }");
  ASSERT_TRUE(filed.ok()) << filed.status();
  const Reader reader = ReaderOf(house);
  const auto ref = Text<v1::ExternalRef>("source: 'old' key: 'A-1'");
  EXPECT_EQ(*ResolveCase(reader, {.case_id = filed->case_id()}), filed->case_id());
  EXPECT_EQ(*ResolveCase(reader, {.case_no = filed->case_no()}), filed->case_id());
  std::string lower = filed->case_no();
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  EXPECT_EQ(*ResolveCase(reader, {.case_no = lower}), filed->case_id());
  EXPECT_EQ(*ResolveCase(reader, {.external_ref = &ref}), filed->case_id());
}

TEST(CaseQueryTest, UnknownNamesAreNotFoundAndMistypedOnesAreInvalid) {
  House house;
  const auto filed = house.File(kComplaint);
  ASSERT_TRUE(filed.ok());
  const Reader reader = ReaderOf(house);
  const auto ref = Text<v1::ExternalRef>("source: 'old' key: 'A-2'");
  EXPECT_EQ(ReasonOf(ResolveCase(reader, {.case_id = "019a93c2-2c80-7abc-8def-0123456789ab"}).status()),
            "CASE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(ResolveCase(reader, {.external_ref = &ref}).status()), "CASE_NOT_FOUND");
  std::string wrong = filed->case_no();
  wrong.back() = wrong.back() == 'A' ? 'B' : 'A';
  const auto mistyped = ResolveCase(reader, {.case_no = wrong});
  EXPECT_EQ(mistyped.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(mistyped.status()), "CASE_NO_INVALID");
  EXPECT_EQ(ReasonOf(ResolveCase(reader, {.case_no = "hello"}).status()), "CASE_NO_INVALID");
}

v1::GetCaseRequest Get(const std::string& case_id) {
  v1::GetCaseRequest request;
  request.set_case_id(case_id);
  return request;
}

// What a case was at each of its revisions and at each instant, from the answers given at the time.
TEST(CaseQueryTest, ThePastIsWhatWasAnsweredThen) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  std::vector<std::pair<absl::Time, v1::Case>> seen;
  const auto remember = [&] {
    const auto reply = GetCase(ReaderOf(house), Get(id));
    ASSERT_TRUE(reply.ok()) << reply.status();
    seen.emplace_back(house.clock().Now(), reply->case_());
  };
  remember();
  const std::vector<std::string> commands = {"accept {}",
                                             "take {}",
                                             "triage { severity: 2 impact: 1 urgency: 2 }",
                                             "classify { category: 'LEAK' }",
                                             "hold { waiting_on: DEPARTMENT reason_code: 'PLANS' }",
                                             "add_note { body: 'asked twice' }",
                                             "resume {}"};
  for (const std::string& command : commands) {
    AdvanceTo(house, house.clock().Now() + absl::Minutes(20));
    MustDo(house, id, command);
    remember();
  }
  for (const auto& [when, state] : seen) {
    const Reader reader = ReaderOf(house);
    v1::GetCaseRequest by_revision = Get(id);
    by_revision.set_revision(state.revision());
    v1::GetCaseRequest by_valid = Get(id);
    *by_valid.mutable_valid_at() = ToProto(when);
    v1::GetCaseRequest by_known = Get(id);
    *by_known.mutable_valid_at() = *by_known.mutable_known_at() = ToProto(when);
    for (const auto& request : {by_revision, by_valid, by_known}) {
      const auto reply = GetCase(reader, request);
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply->case_().DebugString(), state.DebugString()) << request.DebugString();
      EXPECT_EQ(reply->position(), reader.view.position);
    }
  }
  v1::GetCaseRequest before = Get(id);
  *before.mutable_valid_at() = ToProto(Wednesday() - absl::Microseconds(1));
  EXPECT_EQ(ReasonOf(GetCase(ReaderOf(house), before).status()), "CASE_NOT_FOUND");
  v1::GetCaseRequest beyond = Get(id);
  beyond.set_revision(seen.back().second.revision() + 1);
  const auto refused = GetCase(ReaderOf(house), beyond);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ReasonOf(refused.status()), "REVISION_BEYOND_END");
}

// R1: a back-dated contact is true at its own time as we know now, but was not known then.
TEST(CaseQueryTest, ABackDatedContactDividesTheTwoAxes) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  const absl::Time called = Wednesday() + absl::Hours(1);
  const absl::Time between = Wednesday() + absl::Hours(2);
  AdvanceTo(house, Wednesday() + absl::Hours(3));
  auto request = Text<v1::ExecuteRequest>("command { send_outbound { kind: RESPONSE body: 'we called' } }");
  request.set_case_id(id);
  *request.mutable_occurred_at() = ToProto(called);
  request.set_evidence_ref("call-log-17");
  const auto sent = house.Do(request);
  ASSERT_TRUE(sent.ok()) << sent.status();

  v1::GetCaseRequest valid = Get(id);
  *valid.mutable_valid_at() = ToProto(between);
  const auto as_we_know_now = GetCase(ReaderOf(house), valid);
  ASSERT_TRUE(as_we_know_now.ok()) << as_we_know_now.status();
  EXPECT_EQ(FromProto(as_we_know_now->case_().first_response_at()), called);

  v1::GetCaseRequest known = valid;
  *known.mutable_known_at() = ToProto(between);
  const auto as_known = GetCase(ReaderOf(house), known);
  ASSERT_TRUE(as_known.ok()) << as_known.status();
  EXPECT_FALSE(as_known->case_().has_first_response_at());
  EXPECT_EQ(FromProto(as_known->known_at()), between);
}

TEST(CaseQueryTest, AnErasedTextIsShownAsErasedAndNothingElseChanges) {
  House house;
  const std::string id = FileCase(house, "kind: COMPLAINT title: 'Water off' narrative: 'since Monday'");
  store::KvBatch batch;
  ASSERT_TRUE(store::EraseSubject(*house.kv().Snapshot(), id, &batch).ok());
  ASSERT_TRUE(house.kv().Write(batch, true).ok());
  MustDo(house, id, "accept {}");  // a new snapshot for readers
  const auto reply = GetCase(ReaderOf(house), Get(id));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->case_().title().erased());
  EXPECT_EQ(reply->case_().title().text(), "");
  EXPECT_TRUE(reply->case_().narrative().erased());
  EXPECT_EQ(reply->case_().status().status(), "ASSESSMENT");
}

TEST(CaseQueryTest, APositionNotYetReadableIsUnavailable) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  const Reader reader = ReaderOf(house);
  v1::GetCaseRequest request = Get(id);
  request.set_min_position(reader.view.position);
  EXPECT_TRUE(GetCase(reader, request).ok());
  request.set_min_position(reader.view.position + 1);
  const auto early = GetCase(reader, request);
  EXPECT_EQ(early.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(early.status()), "POSITION_NOT_REACHED");
}

// The future is told one way: by the case, by its clocks and by every list (R1, R6).
TEST(CaseQueryTest, AtAFutureInstantTheWaitIsOverEverywhere) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  MustDo(house, id, "accept {}");
  MustDo(house, id, "take {}");
  MustDo(house, id, "send_outbound { kind: INFORMATION_REQUEST body: 'which meter?' }");
  const absl::Time until = Wednesday() + absl::Hours(72);
  MustDo(house, id,
         absl::StrCat("hold { waiting_on: COMPLAINANT reason_code: 'METER' until { seconds: ",
                      absl::ToUnixSeconds(until), " } }"));
  const auto told_at = [&](absl::Time at) {
    const Reader reader = ReaderOf(house);
    v1::GetCaseRequest get = Get(id);
    v1::GetClocksRequest clocks;
    clocks.set_case_id(id);
    auto mine = Text<v1::ListDutiesRequest>("preset: MINE metric: 'RESOLUTION'");
    *get.mutable_valid_at() = *clocks.mutable_valid_at() = *mine.mutable_valid_at() = ToProto(at);
    const auto state = GetCase(reader, get);
    const auto running = GetClocks(reader, clocks);
    const auto list = ListDuties(reader, mine);
    EXPECT_TRUE(state.ok() && running.ok() && list.ok()) << state.status() << running.status() << list.status();
    std::string clock_state;
    for (const v1::Clock& clock : running->clocks()) {
      if (clock.metric() == "RESOLUTION") clock_state = v1::ClockState_Name(clock.state());
    }
    EXPECT_EQ(list->items_size(), 1);
    return absl::StrCat(state->case_().status().status(), " ", clock_state, " ", list->items(0).case_().status(), " ",
                        list->items(0).paused() ? "paused" : "running");
  };
  EXPECT_EQ(told_at(until - absl::Microseconds(1)), "WAITING_COMPLAINANT PAUSED WAITING_COMPLAINANT paused");
  EXPECT_EQ(told_at(until), "ASSESSMENT RUNNING ASSESSMENT running");
}

TEST(CaseQueryTest, NothingIsKnownThatIsNotYet) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  v1::GetCaseRequest get = Get(id);
  v1::GetClocksRequest clocks;
  clocks.set_case_id(id);
  auto overdue = Text<v1::ListDutiesRequest>("preset: OVERDUE");
  for (auto* known_at : {get.mutable_known_at(), clocks.mutable_known_at(), overdue.mutable_known_at()}) {
    *known_at = ToProto(house.clock().Now() + absl::Hours(100));
  }
  const Reader reader = ReaderOf(house);
  EXPECT_EQ(FromProto(GetCase(reader, get)->known_at()), reader.now);
  EXPECT_EQ(FromProto(GetClocks(reader, clocks)->known_at()), reader.now);
  EXPECT_EQ(FromProto(ListDuties(reader, overdue)->known_at()), reader.now);
}

TEST(CaseQueryTest, ClocksAndAllowedCommands) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  v1::GetClocksRequest clocks;
  clocks.set_case_id(id);
  const auto clock_reply = GetClocks(ReaderOf(house), clocks);
  ASSERT_TRUE(clock_reply.ok());
  ASSERT_EQ(clock_reply->clocks_size(), 2);
  EXPECT_EQ(clock_reply->clocks(0).metric(), "FIRST_RESPONSE");

  v1::ListAllowedCommandsRequest request;
  request.set_case_id(id);
  const auto allowed = ListAllowedCommands(ReaderOf(house), request);
  ASSERT_TRUE(allowed.ok());
  for (const auto& command : allowed->commands()) {
    if (command.command() == "accept" || command.command() == "issue_decision") {
      EXPECT_EQ(command.allowed(), command.command() == "accept");
    }
    EXPECT_EQ(command.allowed(), command.unmet().empty()) << command.command();
  }
  EXPECT_GT(allowed->commands_size(), 5);
  EXPECT_EQ(allowed->status(), "RECEIVED");
}

// Reads a history in messages; states after each event too.
std::vector<v1::ReadHistoryReply::Entry> ReadAll(House& house, const v1::ReadHistoryRequest& request) {
  std::vector<v1::ReadHistoryReply::Entry> entries;
  auto history = HistoryReader::Open(ReaderOf(house), request);
  EXPECT_TRUE(history.ok()) << history.status();
  while (history.ok()) {
    auto message = history->Next(ReaderOf(house));
    EXPECT_TRUE(message.ok()) << message.status();
    if (!message.ok() || !message->has_value()) break;
    auto reply = Parsed<v1::ReadHistoryReply>(**message);
    EXPECT_LE(reply.entries_size(), 256);
    EXPECT_EQ(reply.position(), house.engine().Read().position);
    for (auto& entry : *reply.mutable_entries()) entries.push_back(std::move(entry));
  }
  return entries;
}

TEST(HistoryReaderTest, RangesAndStatesAgreeWithTheFold) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  for (int i = 0; i < 400; ++i) MustDo(house, id, "add_note { body: 'on and on' }");
  const uint32_t last = house.Get(id)->revision();
  v1::ReadHistoryRequest request;
  request.set_case_id(id);
  const auto all = ReadAll(house, request);
  ASSERT_EQ(all.size(), last);
  for (uint32_t i = 0; i < last; ++i) EXPECT_EQ(all[i].event().revision(), i + 1);

  for (const auto& [from, to] : {std::pair<uint32_t, uint32_t>{2, 3}, {last, 0}, {last - 1, last}, {300, 310}}) {
    request.set_from_revision(from);
    request.set_to_revision(to);
    for (const bool with_state : {false, true}) {
      request.set_with_state(with_state);
      const auto some = ReadAll(house, request);
      ASSERT_EQ(some.size(), (to == 0 ? last : to) - from + 1);
      EXPECT_EQ(some.front().event().revision(), from);
      EXPECT_EQ(some.back().event().DebugString(), all[some.back().event().revision() - 1].event().DebugString());
      if (!with_state) continue;
      v1::GetCaseRequest get = Get(id);
      get.set_revision(some.back().event().revision());
      EXPECT_EQ(some.back().state().DebugString(), GetCase(ReaderOf(house), get)->case_().DebugString());
    }
  }
  request.set_from_revision(last + 1);
  request.set_to_revision(0);
  EXPECT_EQ(ReasonOf(HistoryReader::Open(ReaderOf(house), request).status()), "REVISION_BEYOND_END");
}

}  // namespace
}  // namespace docket::query
