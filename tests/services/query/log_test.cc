#include <functional>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "services/engine/replies.h"
#include "services/query/event_writer.h"
#include "services/query/log_follower.h"
#include "services/query/log_reader.h"
#include "services/query/page_token.h"
#include "services/query/texts.h"
#include "services/query/visibility.h"
#include "store/record_format.h"
#include "tests/services/query/query_house.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::query {
namespace {

struct LogResult {
  std::vector<v1::HistoryEvent> events;
  std::vector<v1::CommitRecord> records;
  uint64_t scanned = 0;
};

LogResult ReadAll(House& house, const v1::ReadLogRequest& request) {
  LogResult result;
  auto log = LogReader::Open(ReaderOf(house), request);
  EXPECT_TRUE(log.ok()) << log.status();
  while (log.ok()) {
    auto message = log->Next(ReaderOf(house));
    EXPECT_TRUE(message.ok()) << message.status();
    if (!message.ok() || !message->has_value()) break;
    auto reply = Parsed<v1::ReadLogReply>(**message);
    EXPECT_LE(reply.events_size(), 256);
    EXPECT_GT(reply.scanned_position(), result.scanned);
    result.scanned = reply.scanned_position();
    for (auto& event : *reply.mutable_events()) result.events.push_back(std::move(event));
    for (const std::string& stored : reply.raw_records()) {
      const auto record = store::DecodeRecord(stored);
      EXPECT_TRUE(record.ok()) << record.status();
      if (record.ok()) result.records.push_back(*record);
    }
  }
  return result;
}

TEST(LogReaderTest, FiltersChooseFromTheSameEvents) {
  House house;
  const std::string one = FileCase(house, kComplaint);
  const std::string two = FileCase(house, kComplaint);
  for (int i = 0; i < 30; ++i) MustDo(house, i % 2 == 0 ? one : two, "add_note { body: 'x' }");
  const LogResult all = ReadAll(house, v1::ReadLogRequest());
  const uint64_t end = house.engine().Read().position;
  ASSERT_EQ(all.events.size(), end);
  for (uint64_t i = 0; i < end; ++i) EXPECT_EQ(all.events[i].position(), i + 1);

  const auto expect = [&](const std::string& text, const std::function<bool(const v1::HistoryEvent&)>& wanted) {
    std::vector<uint64_t> expected;
    for (const auto& event : all.events) {
      if (wanted(event)) expected.push_back(event.position());
    }
    std::vector<uint64_t> got;
    for (const auto& event : ReadAll(house, Text<v1::ReadLogRequest>(text)).events) got.push_back(event.position());
    EXPECT_EQ(got, expected) << text;
    EXPECT_FALSE(expected.empty()) << text;
  };
  expect("filter { types: 'InternalNoteAdded' }",
         [](const auto& event) { return event.type() == "InternalNoteAdded"; });
  expect("filter { types: 'CaseReceived' types: 'CaseQueued' }",
         [](const auto& event) { return event.type() == "CaseReceived" || event.type() == "CaseQueued"; });
  expect("filter { case_ids: '" + one + "' }", [&](const auto& event) { return event.stream_id() == one; });
  expect("filter { stream_kinds: STREAM_KIND_POLICY }",
         [](const auto& event) { return event.stream_kind() == v1::STREAM_KIND_POLICY; });
  for (const uint64_t from : {uint64_t{2}, end / 2, end - 1, end}) {
    expect("from_position: " + std::to_string(from), [&](const auto& event) { return event.position() >= from; });
  }
}

// Copied bytes mean what the decoder would have said: every event of a log with back-dated contacts, waits, breaches,
// escalations, policies and a directory.
TEST(EventWriterTest, WrittenEventsAreTheDecodedOnes) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  MustDo(house, id, "accept {}");
  MustDo(house, id, "take {}");
  MustDo(house, id, "triage { severity: 2 impact: 1 urgency: 1 }");
  MustDo(house, id, "send_outbound { kind: INFORMATION_REQUEST body: 'which meter?' }");
  MustDo(house, id, "hold { waiting_on: COMPLAINANT reason_code: 'METER' }");
  AdvanceTo(house, Wednesday() + absl::Hours(30));
  auto late = Text<v1::ExecuteRequest>("command { record_inbound { body: '12345' } } evidence_ref: 'mail-1'");
  late.set_case_id(id);
  *late.mutable_occurred_at() = ToProto(Wednesday() + absl::Hours(20));
  const auto answered = house.Do(late);
  ASSERT_TRUE(answered.ok()) << answered.status();
  AdvanceTo(house, Wednesday() + absl::Hours(24 * 20));
  MustDo(house, id, "acknowledge_escalation { escalation_no: 0 }", "helen.marsh");

  const Reader reader = ReaderOf(house);
  EventWriter writer(*reader.view.snapshot);
  std::set<std::string> types;
  bool entered_late = false;
  for (uint64_t commit = 0; commit < reader.view.commits; ++commit) {
    const std::string stored = *reader.log->Read(commit);
    v1::CommitRecord record;
    ASSERT_TRUE(ParseStored(stored, &record).ok());
    EXPECT_EQ(record.DebugString(), store::DecodeRecord(stored)->DebugString());
    writer.BeginRecord(record);
    uint64_t position = record.first_position();
    for (int s = 0; s < record.slices_size(); ++s) {
      for (int i = 0; i < record.slices(s).events_size(); ++i, ++position) {
        const auto bytes = writer.Write(record, s, i, position);
        ASSERT_TRUE(bytes.ok()) << bytes.status();
        auto decoded = engine::ToHistoryEvent(record, s, i, position);
        ASSERT_TRUE(decoded.ok());
        ASSERT_TRUE(RevealTexts(*reader.view.snapshot, decoded->mutable_event()).ok());
        EXPECT_EQ(Parsed<v1::HistoryEvent>(std::string(*bytes)).DebugString(), decoded->DebugString());
        types.insert(decoded->type());
        entered_late = entered_late || decoded->entered_late();
      }
    }
  }
  EXPECT_TRUE(entered_late);
  EXPECT_GT(types.size(), 18u);
}

TEST(EventWriterTest, AnUnknownEventIsAnErrorNotAGap) {
  House house;
  const Reader reader = ReaderOf(house);
  EventWriter writer(*reader.view.snapshot);
  v1::CommitRecord record;
  v1::RecordedEvent* event = record.add_slices()->add_events();
  event->set_version(1);
  for (const uint32_t type : {0u, 9u, 5000u, 1u << 30}) {
    event->set_type(type);
    EXPECT_EQ(writer.Write(record, 0, 0, 1).status().code(), absl::StatusCode::kDataLoss) << type;
  }
  event->set_type(v1::Event::kCaseDequeued);
  EXPECT_TRUE(writer.Write(record, 0, 0, 1).ok());
  event->set_version(2);
  EXPECT_EQ(writer.Write(record, 0, 0, 1).status().code(), absl::StatusCode::kDataLoss);
}

TEST(LogReaderTest, LimitsEndAfterThatManyEvents) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  for (int i = 0; i < 10; ++i) MustDo(house, id, "add_note { body: 'x' }");
  for (const uint64_t limit : {1, 3, 7}) {
    v1::ReadLogRequest request;
    request.set_limit(limit);
    const LogResult some = ReadAll(house, request);
    ASSERT_EQ(some.events.size(), limit);
    EXPECT_EQ(some.scanned, some.events.back().position());
    request.set_from_position(some.scanned + 1);  // resuming continues without a gap
    EXPECT_EQ(ReadAll(house, request).events.front().position(), some.scanned + 1);
  }
}

TEST(LogReaderTest, RawRecordsAreTheStoredOnes) {
  House house;
  FileCase(house, kComplaint);
  v1::ReadLogRequest request;
  request.set_raw(true);
  const LogResult raw = ReadAll(house, request);
  ASSERT_EQ(raw.records.size(), house.engine().Read().commits);
  for (size_t i = 0; i < raw.records.size(); ++i) EXPECT_EQ(raw.records[i].commit(), i);
  request.mutable_filter()->add_types("CaseReceived");
  EXPECT_EQ(ReadAll(house, request).records.size(), 1u);
}

TEST(LogReaderTest, WhatCannotBeAnsweredIsRefused) {
  House house;
  const auto open = [&](const std::string& text) {
    return LogReader::Open(ReaderOf(house), Text<v1::ReadLogRequest>(text)).status();
  };
  EXPECT_EQ(ReasonOf(open("filter { types: 'OwnerAsigned' }")), "INVALID_FIELD");
  EXPECT_EQ(ReasonOf(open("filter { department: 'it' }")), "INVALID_FIELD");
  const uint64_t end = house.engine().Read().position;
  EXPECT_TRUE(open("from_position: " + std::to_string(end + 1)).ok());  // nothing yet
  EXPECT_EQ(ReasonOf(open("from_position: " + std::to_string(end + 2))), "POSITION_BEYOND_END");
}

TEST(LogFollowerTest, EachPositionOnceWhateverTheSource) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  v1::SubscribeRequest request;
  request.set_from_position(1);
  auto follower = LogFollower::Open(house.engine(), request, Viewer{});
  ASSERT_TRUE(follower.ok()) << follower.status();
  uint64_t next = 1;
  int caught_up = 0;
  const auto drain = [&] {
    while (true) {
      auto message = follower->Next(house.engine());
      ASSERT_TRUE(message.ok()) << message.status();
      if (!message->has_value()) return;
      const auto reply = Parsed<v1::SubscribeReply>(**message);
      for (const auto& event : reply.events()) EXPECT_EQ(event.position(), next++);
      EXPECT_EQ(reply.progress(), next - 1);
      caught_up += reply.caught_up() ? 1 : 0;
    }
  };
  drain();
  EXPECT_EQ(caught_up, 1);
  for (int i = 0; i < 20; ++i) {
    MustDo(house, id, "add_note { body: 'x' }");
    if (i % 3 == 0) drain();
  }
  drain();
  EXPECT_EQ(next, house.engine().Read().position + 1);
  EXPECT_EQ(caught_up, 1);  // never demoted: the feed held all of it
}

// After a restart the feed is empty, so the same positions come from the log.
TEST(LogFollowerTest, TheLogStandsInForTheFeed) {
  House house;
  FileCase(house, kComplaint);
  house.Reopen();
  v1::SubscribeRequest request;
  request.set_from_position(2);
  auto follower = LogFollower::Open(house.engine(), request, Viewer{});
  ASSERT_TRUE(follower.ok());
  auto message = follower->Next(house.engine());
  ASSERT_TRUE(message.ok() && message->has_value());
  const auto reply = Parsed<v1::SubscribeReply>(**message);
  EXPECT_EQ(reply.events(0).position(), 2u);
  EXPECT_EQ(reply.progress(), house.engine().Read().position);
  EXPECT_TRUE(reply.caught_up());
}

TEST(VisibilityTest, RestrictedEventsAndTheirRecordsAreWithheld) {
  EXPECT_TRUE(MaySee(Viewer{}, Subject{.visibility = v1::VISIBILITY_INTERNAL}));
  EXPECT_FALSE(MaySee(Viewer{}, Subject{.visibility = v1::VISIBILITY_RESTRICTED}));
  v1::CommitRecord record;
  record.add_slices()->add_events()->set_visibility(v1::VISIBILITY_PUBLIC);
  EXPECT_TRUE(MaySee(Viewer{}, record));
  record.add_slices()->add_events()->set_visibility(v1::VISIBILITY_RESTRICTED);
  EXPECT_FALSE(MaySee(Viewer{}, record));
}

TEST(PageTokenTest, RoundTripAndNothingElse) {
  Cursor cursor{.key = std::string("a\0b", 3),
                .valid_at = Wednesday(),
                .known_at = Wednesday() + absl::Hours(1),
                .by_replay = true};
  const std::string digest(16, 'd');
  const std::string token = EncodePageToken(digest, cursor);
  const auto back = DecodePageToken(token, digest);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->key, cursor.key);
  EXPECT_EQ(back->valid_at, cursor.valid_at);
  EXPECT_EQ(back->known_at, cursor.known_at);
  EXPECT_TRUE(back->by_replay);
  EXPECT_FALSE(DecodePageToken(token, std::string(16, 'e')).ok());
  EXPECT_FALSE(DecodePageToken(token.substr(0, 20), digest).ok());
  EXPECT_FALSE(IsPageToken(""));
  EXPECT_FALSE(IsPageToken("!"));
}

}  // namespace
}  // namespace docket::query
