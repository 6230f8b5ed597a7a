// Writes the golden samples that tests/workflow/case/golden_test.cc judges, for events that have none yet. It walks at
// random until every event of a case has occurred, and keeps of each the one that happened to the smallest case.
//
//   DOCKET_GOLDEN_WRITE=1 build/release/tests/simulation/write_golden_samples     (from the root of the repository)
//
// A sample that exists is never written again: what is released keeps its meaning for ever.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "store/record_format.h"
#include "tests/support/house.h"
#include "tests/support/random_walk.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"

namespace docket::testing {
namespace {

constexpr int kWalks = 60;
constexpr int kSteps = 120;

struct Sample {
  v1::Event event;
  v1::Case before;
  v1::Case after;
  bool of_case = false;
  size_t size = 0;
};
using Samples = std::map<int, Sample>;  // by the event's number

void Offer(Sample sample, Samples* samples) {
  sample.size = sample.event.ByteSizeLong() + sample.before.ByteSizeLong() + sample.after.ByteSizeLong();
  // An event that changes nothing but the revision shows little, so any other is better.
  v1::Case moved = sample.before;
  moved.set_revision(sample.after.revision());
  *moved.mutable_last_event_at() = sample.after.last_event_at();
  if (sample.of_case && moved.SerializeAsString() == sample.after.SerializeAsString()) sample.size += 1 << 20;
  const auto found = samples->find(sample.event.body_case());
  if (found == samples->end() || sample.size < found->second.size)
    (*samples)[sample.event.body_case()] = std::move(sample);
}

void CollectFrom(const store::EventLog& log, Samples* samples) {
  std::map<std::string, v1::Case> states;
  const auto cursor = log.ReadFrom(0);
  for (;;) {
    const auto stored = cursor->Next();
    DOCKET_CHECK(stored.ok());
    if (!stored->has_value()) return;
    const auto record = store::DecodeRecord(**stored);
    DOCKET_CHECK(record.ok());
    for (const v1::Slice& slice : record->slices()) {
      for (const v1::RecordedEvent& recorded : slice.events()) {
        const auto event = workflow::DecodeEvent(recorded);
        DOCKET_CHECK(event.ok());
        Sample sample;
        sample.event = *event;
        sample.of_case = slice.kind() == v1::STREAM_KIND_CASE;
        if (sample.of_case) {
          v1::Case& state = states[slice.stream_id()];
          state.set_case_id(slice.stream_id());
          sample.before = state;
          const absl::Status applied = workflow::Apply(*event, &state);
          DOCKET_CHECK(applied.ok());
          sample.after = state;
        }
        Offer(std::move(sample), samples);
      }
    }
  }
}

// The real one holds every descriptor and would fill a hundred kilobytes.
Sample SmallSchema() {
  Sample sample;
  *sample.event.mutable_occurred_at() = ToProto(Wednesday());
  sample.event.set_visibility(v1::VISIBILITY_INTERNAL);
  sample.event.mutable_schema_recorded()->set_descriptor_set("descriptors");
  sample.event.mutable_schema_recorded()->set_digest(std::string(32, 'd'));
  sample.event.mutable_schema_recorded()->set_schema_version(1);
  sample.event.mutable_schema_recorded()->set_binary("docketd 0.1.0");
  return sample;
}

// Rollouts, which walks do not plan.
void OfferRollout(Samples* samples) {
  const auto offer = [&](auto fill) {
    Sample sample;
    *sample.event.mutable_occurred_at() = ToProto(Wednesday());
    sample.event.set_visibility(v1::VISIBILITY_INTERNAL);
    fill(&sample.event);
    Offer(std::move(sample), samples);
  };
  constexpr char kId[] = "calendar-london-2";
  offer([&](v1::Event* event) {
    v1::PolicyRolloutPlanned* plan = event->mutable_policy_rollout_planned();
    plan->set_rollout_id(kId);
    plan->set_kind(v1::CALENDAR);
    plan->mutable_to()->set_id("london");
    plan->mutable_to()->set_version(2);
    plan->mutable_to()->set_position(17);
    plan->set_cause("CALENDAR");
    plan->set_clocks(12);
    plan->set_later(11);
    plan->set_earlier(1);
    plan->set_planned_by("mei.tan");
  });
  offer([&](v1::Event* event) {
    event->mutable_policy_rollout_approved()->set_rollout_id(kId);
    event->mutable_policy_rollout_approved()->set_approver("helen.marsh");
  });
  offer([&](v1::Event* event) {
    event->mutable_policy_rollout_applied()->set_rollout_id(kId);
    event->mutable_policy_rollout_applied()->set_cases(9);
    event->mutable_policy_rollout_applied()->set_clocks(12);
  });
}

Sample SomebodyAway() {
  Sample sample;
  *sample.event.mutable_occurred_at() = ToProto(Wednesday());
  sample.event.set_visibility(v1::VISIBILITY_INTERNAL);
  v1::Absence* absence = sample.event.mutable_absence_recorded()->mutable_absence();
  absence->set_principal("helen.marsh");
  *absence->mutable_from() = ToProto(Wednesday());
  *absence->mutable_until() = ToProto(Wednesday() + absl::Hours(48));
  absence->set_deputy("tomasz.zielinski");
  return sample;
}

Sample SomethingMissed() {
  Sample sample;
  *sample.event.mutable_occurred_at() = ToProto(Wednesday());
  sample.event.set_visibility(v1::VISIBILITY_INTERNAL);
  v1::TimerCatchUp* catch_up = sample.event.mutable_timer_catch_up();
  *catch_up->mutable_from() = ToProto(Wednesday() - absl::Hours(72));
  *catch_up->mutable_to() = ToProto(Wednesday());
  catch_up->set_fired(60);
  return sample;
}

// What walks seldom reach: a decision, and a reply that keeps it from closing in silence.
void TellOfADecision(House& house) {
  const auto filed = house.File("kind: COMPLAINT title: 'No water'");
  DOCKET_CHECK(filed.ok());
  for (const char* command :
       {"take {}", "accept {}", "triage { severity: 2 impact: 2 urgency: 2 }",
        "draft_decision { text: 'Sorry' findings { matter_no: 1 finding: UPHELD root_cause: 'PIPE' } remedies: "
        "'REPAIR' }",
        "issue_decision { parts: 'REASONS' parts: 'FURTHER_ROUTES' reply_until { seconds: 1799000000 } }",
        "record_inbound { body: 'Not enough' }"}) {
    DOCKET_CHECK(house.Do(filed->case_id(), command).ok());
  }
  house.AdvanceTo(Wednesday() + absl::Hours(24 * 57));
}

// And an extension, and an entry that nobody confirmed.
void TellOfTime(House& house) {
  DOCKET_CHECK(house.Publish(ReadPack("fca-disp-psd.yaml")).ok());
  const auto filed = house.File("kind: COMPLAINT title: 'Money gone' category: 'payment-services'");
  DOCKET_CHECK(filed.ok());
  DOCKET_CHECK(house.Do(filed->case_id(), "send_outbound { kind: HOLDING body: 'It takes longer' }").ok());
  v1::ExecuteRequest extend;
  extend.set_case_id(filed->case_id());
  extend.set_approver("helen.marsh");
  extend.mutable_command()->mutable_extend_clock()->set_metric("FINAL_RESPONSE");
  extend.mutable_command()->mutable_extend_clock()->set_ground("EXCEPTIONAL");
  DOCKET_CHECK(house.Do(std::move(extend)).ok());
  const auto late = house.File("kind: COMPLAINT title: 'No call'");
  DOCKET_CHECK(late.ok());
  const absl::Time called = house.clock().Now();
  house.AdvanceTo(called + absl::Hours(48));
  v1::ExecuteRequest answer;
  answer.set_case_id(late->case_id());
  answer.set_evidence_ref("call-17");
  *answer.mutable_occurred_at() = ToProto(called + absl::Hours(1));
  answer.mutable_command()->mutable_send_outbound()->set_kind(v1::RESPONSE);
  answer.mutable_command()->mutable_send_outbound()->set_body("Called");
  DOCKET_CHECK(house.Do(std::move(answer)).ok());
  DOCKET_CHECK(house.Do(late->case_id(), "judge_late_entry { confirmed: false }", "helen.marsh").ok());
}

// And an escalation that a second person does not grant.
void TellOfARefusedEscalation(House& house) {
  DOCKET_CHECK(house.Publish(ReadPack("ladder-complaints.yaml")).ok());
  const auto filed = house.File("kind: COMPLAINT title: 'No water'");
  DOCKET_CHECK(filed.ok());
  DOCKET_CHECK(
      house.Do(filed->case_id(), "escalate { kind: REGULATORY reason_code: 'WRITTEN' justification: 'x' }").ok());
  DOCKET_CHECK(house.Do(filed->case_id(), "decline_escalation { reason_code: 'NOT_NEEDED' }", "helen.marsh").ok());
}

std::string Text(const google::protobuf::Message& message) {
  std::string text;
  const bool printed = google::protobuf::TextFormat::PrintToString(message, &text);
  DOCKET_CHECK(printed);
  return text;
}

void Write(const std::string& path, const Sample& sample) {
  std::ofstream file(path);
  file << "# Frozen. docket.v1.Event; docket.v1.RecordedEvent in base64"
       << (sample.of_case ? "; docket.v1.Case twice" : "") << ".\n--- event\n"
       << Text(sample.event) << "--- stored\n"
       << absl::Base64Escape(workflow::EncodeEvent(sample.event).SerializeAsString()) << "\n";
  if (sample.of_case) file << "--- before\n" << Text(sample.before) << "--- after\n" << Text(sample.after);
  DOCKET_CHECK(file.good());
}

int Main() {
  if (std::getenv("DOCKET_GOLDEN_WRITE") == nullptr) {
    std::fprintf(stderr, "DOCKET_GOLDEN_WRITE is not set: nothing written\n");
    return 2;
  }
  Samples samples;
  Offer(SmallSchema(), &samples);
  OfferRollout(&samples);
  Offer(SomethingMissed(), &samples);
  Offer(SomebodyAway(), &samples);
  for (int seed = 1; seed <= kWalks; ++seed) {
    House house({.run_timers = seed % 2 == 0, .seed = static_cast<uint64_t>(seed)});
    RandomWalk walk(&house, seed, {.restarts = false, .publishing = false});
    for (int i = 0; i < kSteps; ++i) walk.Step();
    house.clock().Step(absl::Hours(24));
    house.Settle();
    DOCKET_CHECK(house.engine().AcceptClock({.principal_id = "mei.tan"}).ok());
    CollectFrom(house.log(), &samples);
  }
  House house;
  TellOfADecision(house);
  TellOfTime(house);
  TellOfARefusedEscalation(house);
  CollectFrom(house.log(), &samples);
  const auto* body = v1::Event::descriptor()->FindOneofByName("body");
  int missing = 0;
  for (int i = 0; i < body->field_count(); ++i) {
    const std::string path = absl::StrCat("tests/golden/", body->field(i)->name(), ".txtpb");
    const auto sample = samples.find(body->field(i)->number());
    if (std::filesystem::exists(path)) continue;
    if (sample == samples.end()) {
      std::fprintf(stderr, "%s did not occur\n", body->field(i)->name().c_str());
      ++missing;
      continue;
    }
    Write(path, sample->second);
    std::printf("wrote %s\n", path.c_str());
  }
  return missing == 0 ? 0 : 1;
}

}  // namespace
}  // namespace docket::testing

int main() { return docket::testing::Main(); }
