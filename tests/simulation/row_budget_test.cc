// The row budget (random rows are what a commit costs on disk): a note or a message writes its record, its text and at
// most two rows of views of now, a status change at most five. A row that moves, deleted under one key and put under
// another of the same view for the same case, counts once; so does a case that moves between its queue and the list of
// those that wait, which are views of one kind. What a change leaves in the views of the past is counted by itself.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "store/memory_kv.h"
#include "store/ordered_key.h"
#include "tests/support/house.h"
#include "workflow/base/check.h"

namespace docket::testing {
namespace {

// A store that remembers what its last write held.
class CountingKv : public store::KvStore {
 public:
  CountingKv() : behind_(store::OpenMemoryKv()) {}

  absl::Status Write(const store::KvBatch& batch, bool sync) override {
    entries_ = batch.entries();
    ++writes_;
    return behind_->Write(batch, sync);
  }
  std::unique_ptr<store::KvSnapshot> Snapshot() const override { return behind_->Snapshot(); }
  absl::Status CreateFamily(store::Family family) override { return behind_->CreateFamily(family); }
  absl::Status DropFamily(store::Family family) override { return behind_->DropFamily(family); }
  std::vector<store::Family> Families() const override { return behind_->Families(); }
  absl::Status IngestSorted(store::Family family,
                            const std::vector<std::pair<std::string, std::string>>& entries) override {
    return behind_->IngestSorted(family, entries);
  }
  absl::Status WriteLatch() const override { return behind_->WriteLatch(); }

  const std::vector<store::KvBatch::Entry>& last() const { return entries_; }
  int writes() const { return writes_; }

 private:
  std::unique_ptr<store::KvStore> behind_;
  std::vector<store::KvBatch::Entry> entries_;
  int writes_ = 0;
};

// One for how the case stood, one for its place in the queue, one for each list that it leaves or moves in.
constexpr int kMostOfThePast = 5;

struct Rows {
  int records = 0;
  int texts = 0;
  int views = 0;      // of now; a row that moves counts once
  int past = 0;       // of the past
  int raw = 0;        // all entries of the batch
  std::string words;  // "case 1, request 1, wake 1+1"
};

const char* NameOf(uint16_t keyspace) {
  static constexpr const char* kNames[] = {"marker",     "case",    "number", "external", "duty",   "queue", "wake",
                                           "escalation", "request", "kept",   "config",   "period", "entry", "past", "queued"};
  return keyspace < std::size(kNames) ? kNames[keyspace] : "?";
}

bool IsOfThePast(uint16_t keyspace) { return keyspace == 11 || keyspace == 13 || keyspace == 14; }

Rows Count(const std::vector<store::KvBatch::Entry>& entries) {
  Rows rows;
  std::map<uint16_t, std::pair<int, int>> views;  // puts and deletes
  for (const store::KvBatch::Entry& entry : entries) {
    ++rows.raw;
    if (entry.family == store::kLogFamily) {
      ++rows.records;
    } else if (entry.family == store::kPersonalFamily) {
      ++rows.texts;
    } else {
      uint16_t keyspace = 0;
      DOCKET_CHECK(store::KeyReader(entry.key).U16(&keyspace));
      ++(entry.value.has_value() ? views[keyspace].first : views[keyspace].second);
    }
  }
  const auto [queued, unqueued] = views[5];
  const auto [listed, unlisted] = views[12];
  rows.views -= std::min(std::max(0, queued - unqueued), std::max(0, unlisted - listed)) +
                std::min(std::max(0, unqueued - queued), std::max(0, listed - unlisted));
  for (const auto& [keyspace, counts] : views) {
    (IsOfThePast(keyspace) ? rows.past : rows.views) += std::max(counts.first, counts.second);
    if (counts == std::pair(0, 0)) continue;
    absl::StrAppend(&rows.words, rows.words.empty() ? "" : ", ", NameOf(keyspace), " +", counts.first, " -",
                    counts.second);
  }
  return rows;
}

class RowBudgetTest : public ::testing::Test {
 protected:
  RowBudgetTest() {
    auto kv = std::make_unique<CountingKv>();
    kv_ = kv.get();
    House::Options options;
    options.kv = std::move(kv);
    house_ = std::make_unique<House>(std::move(options));
  }

  // Does one command, which must write one batch, and tells what is in it.
  Rows Do(absl::string_view command) {
    const int writes = kv_->writes();
    const auto reply = command.substr(0, 4) == "kind" ? house_->File(command) : house_->Do(case_id_, command);
    EXPECT_TRUE(reply.ok()) << command << ": " << reply.status();
    if (!reply.ok()) return {};
    EXPECT_EQ(kv_->writes(), writes + 1) << command;
    case_id_ = reply->case_id();
    const Rows rows = Count(kv_->last());
    std::string verb(command.substr(0, command.find(' ')));
    std::printf("%-16s rows %d, of the past %d, texts %d, entries %d: %s\n", verb.c_str(), rows.views, rows.past,
                rows.texts, rows.raw, rows.words.c_str());
    EXPECT_EQ(rows.records, 1) << command;
    return rows;
  }

  std::unique_ptr<House> house_;
  CountingKv* kv_ = nullptr;
  std::string case_id_;
};

TEST_F(RowBudgetTest, ANoteOrMessageTouchesAtMostTwoRows) {
  Do("kind: COMPLAINT title: 'No water' impact: 2 urgency: 2");
  for (const char* command : {"add_note { body: 'Called' }", "record_inbound { body: 'Still none' }",
                              "send_outbound { kind: UPDATE body: 'Received' automated: true }",
                              "send_outbound { kind: UPDATE body: 'To a colleague' internal: true }"}) {
    const Rows rows = Do(command);
    EXPECT_LE(rows.views, 2) << command << ": " << rows.words;
    EXPECT_EQ(rows.past, 0) << command << ": " << rows.words;
    EXPECT_EQ(rows.texts, 1) << command;
  }
}

TEST_F(RowBudgetTest, AStatusChangeTouchesAtMostFiveRows) {
  Do("kind: COMPLAINT title: 'No water' impact: 2 urgency: 2");
  Do("take {}");
  Do("send_outbound { kind: INFORMATION_REQUEST body: 'Which street?' }");
  std::vector<std::string> story = {
      "accept {}",
      "triage { severity: 2 impact: 2 urgency: 2 }",
      "hold { waiting_on: LEGAL reason_code: 'X' until { seconds: 1796000000 } }",
      "resume {}",
      "draft_decision { text: 'Sorry' findings { matter_no: 1 finding: UPHELD root_cause: 'PIPE' } }",
      "issue_decision { parts: 'REASONS' parts: 'FURTHER_ROUTES' }",
      "reopen { reason: NOT_RESOLVED }",
  };
  for (const std::string& command : story) {
    house_->clock().Advance(absl::Seconds(1));
    const Rows rows = Do(command);
    EXPECT_LE(rows.views, 5) << command << ": " << rows.words;
    EXPECT_LE(rows.past, kMostOfThePast) << command << ": " << rows.words;
  }
}

// A wait that pauses and has an end, as every wait for the requester under a cap has, moves a duty and the wake on top
// of a status change; so does ending it before.
TEST_F(RowBudgetTest, AWaitThatPausesAndEndsByItselfTouchesSeven) {
  Do("kind: COMPLAINT title: 'No water' impact: 2 urgency: 2");
  Do("send_outbound { kind: INFORMATION_REQUEST body: 'Which street?' }");
  for (const char* command :
       {"hold { waiting_on: COMPLAINANT reason_code: 'X' }", "record_inbound { body: 'Elm Road' }"}) {
    house_->clock().Advance(absl::Seconds(1));
    const Rows rows = Do(command);
    EXPECT_LE(rows.views, 7) << command << ": " << rows.words;
    EXPECT_LE(rows.past, kMostOfThePast) << command << ": " << rows.words;
  }
}

// A change of priority moves every duty of the case, its place in the queue and its wake; with a status change on top
// that is one row more than a status change alone.
TEST_F(RowBudgetTest, ATriageThatChangesThePriorityTouchesSix) {
  Do("kind: COMPLAINT title: 'No water' impact: 2 urgency: 2");
  Do("take {}");
  Do("accept {}");
  const Rows rows = Do("triage { severity: 1 impact: 1 urgency: 1 }");
  EXPECT_LE(rows.views, 6) << rows.words;
}

TEST_F(RowBudgetTest, ATicketFromFilingToClosing) {
  Do("kind: REQUEST title: 'Phone' impact: 2 urgency: 2");
  for (const char* command : {"accept {}", "hold { waiting_on: DEPARTMENT reason_code: 'X' }", "resume {}",
                              "send_outbound { kind: RESPONSE body: 'Ordered' }",
                              "resolve { resolution_code: 'FIXED' }", "close { basis: 'ACCEPTED' }",
                              "reopen { reason: NOT_RESOLVED }", "void { reason_code: 'X' approver: 'helen.marsh' }"}) {
    house_->clock().Advance(absl::Seconds(1));
    const Rows rows = Do(command);
    // Nobody owns this one, so it enters and leaves the list of those too when there is work to do and no more.
    const bool in_or_out = absl::StartsWith(command, "resolve") || absl::StartsWith(command, "reopen") ||
                           absl::StartsWith(command, "void");
    EXPECT_LE(rows.views, in_or_out ? 6 : 5) << command << ": " << rows.words;
    EXPECT_LE(rows.past, kMostOfThePast) << command << ": " << rows.words;
  }
}

// The state is kept every 32 revisions, not with every command.
TEST_F(RowBudgetTest, TheWholeStateIsKeptOnceInAWhile) {
  Do("kind: COMPLAINT title: 'No water' impact: 2 urgency: 2");
  int kept = 0;
  for (int i = 0; i < 64; ++i) kept += absl::StrContains(Do("add_note { body: 'x' }").words, "kept") ? 1 : 0;
  EXPECT_EQ(kept, 2);
}

}  // namespace
}  // namespace docket::testing
