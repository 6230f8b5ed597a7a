// Old events replay for ever: for each event a frozen sample, its stored bytes, a state before it and the state after.
// tests/golden holds them; tests/simulation/write_golden_samples.cc made them once. A sample is never changed: an event
// with another meaning is another version and gets a sample of its own.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "workflow/case/replay.h"

namespace docket::workflow {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::TextFormat;

constexpr char kFolder[] = "tests/golden";

const google::protobuf::OneofDescriptor* Body() { return v1::Event::descriptor()->FindOneofByName("body"); }

std::string PathOf(const FieldDescriptor& field) { return absl::StrCat(kFolder, "/", field.name(), ".txtpb"); }

// A file of sections, each under a line "--- name".
std::map<std::string, std::string> Sections(const std::string& path) {
  std::map<std::string, std::string> sections;
  std::ifstream file(path);
  std::string* current = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, "--- ")) {
      current = &sections[line.substr(4)];
    } else if (current != nullptr) {
      absl::StrAppend(current, line, "\n");
    }
  }
  return sections;
}

struct Sample {
  v1::Event event;
  std::string stored;  // RecordedEvent
  v1::Case before;
  v1::Case after;
  bool of_case = false;
};

void ReadSample(const FieldDescriptor& field, Sample* sample) {
  const std::map<std::string, std::string> sections = Sections(PathOf(field));
  ASSERT_TRUE(sections.count("event") > 0 && sections.count("stored") > 0)
      << field.name() << " has no golden sample in " << kFolder;
  ASSERT_TRUE(TextFormat::ParseFromString(sections.at("event"), &sample->event)) << field.name();
  ASSERT_TRUE(absl::Base64Unescape(sections.at("stored"), &sample->stored)) << field.name();
  sample->of_case = sections.count("after") > 0;
  if (!sample->of_case) return;
  ASSERT_TRUE(TextFormat::ParseFromString(sections.at("before"), &sample->before)) << field.name();
  ASSERT_TRUE(TextFormat::ParseFromString(sections.at("after"), &sample->after)) << field.name();
}

// Events that belong to streams other than cases.
bool IsOfCase(const FieldDescriptor& field) {
  static const auto& others = *new std::set<std::string>{
      "absence_recorded",       "policy_published", "directory_published",    "schema_recorded",
      "clock_suspected",        "clock_accepted",   "policy_rollout_planned", "policy_rollout_approved",
      "policy_rollout_applied", "timer_catch_up"};
  return others.count(field.name()) == 0;
}

class GoldenTest : public ::testing::TestWithParam<int> {
 protected:
  const FieldDescriptor& field() const { return *Body()->field(GetParam()); }
};

TEST_P(GoldenTest, IsReadFromItsStoredBytesAsItWas) {
  Sample sample;
  ASSERT_NO_FATAL_FAILURE(ReadSample(field(), &sample));
  EXPECT_EQ(sample.event.body_case(), field().number());
  v1::RecordedEvent recorded;
  ASSERT_TRUE(recorded.ParseFromString(sample.stored));
  EXPECT_EQ(recorded.type(), field().number());
  const auto decoded = DecodeEvent(recorded);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->DebugString(), sample.event.DebugString());
  EXPECT_EQ(EncodeEvent(sample.event).SerializeAsString(), sample.stored) << "it would be stored otherwise today";
}

TEST_P(GoldenTest, IsAppliedAsItWas) {
  Sample sample;
  ASSERT_NO_FATAL_FAILURE(ReadSample(field(), &sample));
  ASSERT_EQ(sample.of_case, IsOfCase(field()));
  v1::Case state = sample.before;
  const absl::Status applied = Apply(sample.event, &state);
  if (!sample.of_case) {
    EXPECT_EQ(applied.code(), absl::StatusCode::kDataLoss) << applied;
    return;
  }
  ASSERT_TRUE(applied.ok()) << applied;
  // What the state said then it says still; it may have learnt to say more since.
  google::protobuf::util::MessageDifferencer differencer;
  differencer.set_scope(google::protobuf::util::MessageDifferencer::PARTIAL);
  std::string difference;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(sample.after, state)) << difference;
  EXPECT_EQ(state.revision(), sample.before.revision() + 1);
}

INSTANTIATE_TEST_SUITE_P(Events, GoldenTest, ::testing::Range(0, Body()->field_count()),
                         [](const auto& info) { return Body()->field(info.param)->message_type()->name(); });

TEST(GoldenFolderTest, HoldsNoSampleOfAnEventThatIsGone) {
  std::set<std::string> known;
  for (int i = 0; i < Body()->field_count(); ++i) known.insert(PathOf(*Body()->field(i)));
  int samples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".txtpb") continue;
    ++samples;
    EXPECT_TRUE(known.count(entry.path().string()) > 0) << entry.path() << ": a released event may not disappear";
  }
  EXPECT_EQ(samples, Body()->field_count());
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
