// Old events replay for ever: for each event a frozen sample, its stored bytes, a state before it and the state after.
// tests/golden holds them; tests/simulation/write_golden_samples.cc made them once. A sample is never changed: an event
// with another meaning is another version and gets a sample of its own.
#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_replace.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/support/golden_sample.h"
#include "workflow/case/replay.h"

namespace docket::workflow {
namespace {

using google::protobuf::FieldDescriptor;
using testing::GoldenSample;

const google::protobuf::OneofDescriptor* Body() { return v1::Event::descriptor()->FindOneofByName("body"); }

// Events that belong to streams other than cases.
bool IsOfCase(const FieldDescriptor& field) {
  static const auto& others = *new std::set<std::string>{
      "absence_recorded",       "policy_published", "directory_published",    "schema_recorded",
      "clock_suspected",        "clock_accepted",   "policy_rollout_planned", "policy_rollout_approved",
      "policy_rollout_applied", "timer_catch_up"};
  return others.count(field.name()) == 0;
}

class GoldenTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    absl::StatusOr<GoldenSample> read = testing::ReadGoldenSample(GetParam());
    ASSERT_TRUE(read.ok()) << read.status();
    sample_ = *std::move(read);
    field_ = v1::Event::descriptor()->FindFieldByNumber(sample_.event.body_case());
    ASSERT_NE(field_, nullptr) << GetParam() << ": a released event may not disappear";
  }

  GoldenSample sample_;
  const FieldDescriptor* field_ = nullptr;
};

TEST_P(GoldenTest, IsReadFromItsStoredBytesAsItWas) {
  v1::RecordedEvent recorded;
  ASSERT_TRUE(recorded.ParseFromString(sample_.stored));
  EXPECT_EQ(recorded.type(), field_->number());
  const auto decoded = DecodeEvent(recorded);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->DebugString(), sample_.event.DebugString());
  EXPECT_EQ(EncodeEvent(sample_.event).SerializeAsString(), sample_.stored) << "it would be stored otherwise today";
}

TEST_P(GoldenTest, IsAppliedAsItWas) {
  ASSERT_EQ(sample_.of_case, IsOfCase(*field_));
  v1::Case state = sample_.before;
  const absl::Status applied = Apply(sample_.event, &state);
  if (!sample_.of_case) {
    EXPECT_EQ(applied.code(), absl::StatusCode::kDataLoss) << applied;
    return;
  }
  ASSERT_TRUE(applied.ok()) << applied;
  // What the state said then it says still; it may have learnt to say more since.
  google::protobuf::util::MessageDifferencer differencer;
  differencer.set_scope(google::protobuf::util::MessageDifferencer::PARTIAL);
  std::string difference;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(sample_.after, state)) << difference;
  EXPECT_EQ(state.revision(), sample_.before.revision() + 1);
}

INSTANTIATE_TEST_SUITE_P(Events, GoldenTest, ::testing::ValuesIn(testing::SamplePaths()), [](const auto& info) {
  return absl::StrReplaceAll(std::filesystem::path(info.param).stem().string(), {{"-", "_"}, {".", "_"}});
});

// Fields no sample can show: ...
TEST(GoldenFolderTest, ShowsEveryEventAndEveryField) {
  std::set<std::string> shown;
  for (const std::string& path : testing::SamplePaths()) {
    const auto sample = testing::ReadGoldenSample(path);
    ASSERT_TRUE(sample.ok()) << sample.status();
    shown.merge(testing::FieldsOf(sample->event));
  }
  for (int i = 0; i < Body()->field_count(); ++i) {
    EXPECT_TRUE(std::filesystem::exists(testing::PathOfSample(Body()->field(i)->name()))) << Body()->field(i)->name();
  }
  for (const std::string& field : testing::FieldsOfAllEvents()) {
    EXPECT_TRUE(shown.count(field) > 0) << field << " is in no golden sample";
  }
}

TEST(DecodeEventTest, AnUnknownEventIsAnErrorAndNeverSkipped) {
  v1::Event event;
  event.mutable_internal_note_added();
  v1::RecordedEvent recorded = EncodeEvent(event);
  ASSERT_TRUE(DecodeEvent(recorded).ok());
  recorded.set_version(2);
  EXPECT_EQ(DecodeEvent(recorded).status().code(), absl::StatusCode::kDataLoss);
  recorded.set_version(1);
  recorded.set_type(9999);
  EXPECT_EQ(DecodeEvent(recorded).status().code(), absl::StatusCode::kDataLoss);
  recorded.set_type(1);  // occurred_at is a field of Event, but no event
  EXPECT_EQ(DecodeEvent(recorded).status().code(), absl::StatusCode::kDataLoss);
  recorded.set_type(v1::Event::kInternalNoteAdded);
  recorded.set_payload("\xff\xff\xff");
  EXPECT_EQ(DecodeEvent(recorded).status().code(), absl::StatusCode::kDataLoss);
}

TEST(ApplyTest, OnlyCaseReceivedOpensACaseAndOnlyOnce) {
  v1::Case state;
  v1::Event note;
  note.mutable_internal_note_added();
  EXPECT_EQ(Apply(note, &state).code(), absl::StatusCode::kDataLoss);
  v1::Event received;
  received.mutable_case_received();
  ASSERT_TRUE(Apply(received, &state).ok());
  EXPECT_EQ(Apply(received, &state).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace docket::workflow
