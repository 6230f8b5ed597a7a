// Writes the golden samples that tests/workflow/case/golden_test.cc judges, for events and fields that have none yet.
// It walks at random until every event of a case has occurred, and keeps of each event, and of each field of one that
// no sample shows, the one that happened to the smallest case. Fields that no walk sets are set in events that one
// left.
//
//   DOCKET_GOLDEN_WRITE=1 build/release/tests/simulation/write_golden_samples     (from the root of the repository)
//
// A sample that exists is never written again: what is released keeps its meaning for ever.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/text_format.h"
#include "store/record_format.h"
#include "tests/support/golden_sample.h"
#include "tests/support/house.h"
#include "tests/support/random_walk.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"

namespace docket::testing {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kWalks = 60;
constexpr int kSteps = 120;
constexpr size_t kMaxSize = 20'000;  // bytes of a sample kept for one field

struct Sample : GoldenSample {
  size_t size = 0;
};
struct Samples {
  std::map<int, Sample> of_event;          // by the event's number
  std::map<std::string, Sample> of_field;  // by the field's full name
  std::set<std::string> shown;             // fields that the samples there are show
};

void Keep(const Sample& sample, Sample* kept) {
  if (kept->size == 0 || sample.size < kept->size) *kept = sample;
}

void Offer(Sample sample, Samples* samples) {
  sample.size = sample.event.ByteSizeLong() + sample.before.ByteSizeLong() + sample.after.ByteSizeLong();
  // An event that changes nothing but the revision shows little, so any other is better.
  v1::Case moved = sample.before;
  moved.set_revision(sample.after.revision());
  *moved.mutable_last_event_at() = sample.after.last_event_at();
  if (sample.of_case && moved.SerializeAsString() == sample.after.SerializeAsString()) sample.size += 1 << 20;
  for (const std::string& field : FieldsOf(sample.event)) {
    if (samples->shown.count(field) == 0 && sample.size <= kMaxSize) Keep(sample, &samples->of_field[field]);
  }
  Keep(sample, &samples->of_event[sample.event.body_case()]);
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

// And work asked again of who handed it back.
void TellOfWorkAskedAgain(House& house) {
  const auto filed = house.File("kind: COMPLAINT title: 'No water'");
  DOCKET_CHECK(filed.ok());
  constexpr char kAsk[] = "ask_item { kind: WORK department: 'legal' what: 'LEGAL_ADVICE' item_no: %d }";
  DOCKET_CHECK(house.Do(filed->case_id(), absl::StrFormat(kAsk, 0)).ok());
  const auto state = house.Get(filed->case_id());
  DOCKET_CHECK(state.ok() && state->items_size() == 1);
  DOCKET_CHECK(house.Do(filed->case_id(), "return_item { reason_code: 'UNCLEAR' }", "jonas.weber").ok());
  DOCKET_CHECK(house.Do(filed->case_id(), absl::StrFormat(kAsk, state->items(0).item_no())).ok());
}

void SetSomething(const FieldDescriptor& field, Message* message) {
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  const bool repeated = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return repeated ? reflection.AddBool(message, &field, true) : reflection.SetBool(message, &field, true);
    case FieldDescriptor::CPPTYPE_STRING:
      return repeated ? reflection.AddString(message, &field, field.name())
                      : reflection.SetString(message, &field, field.name());
    case FieldDescriptor::CPPTYPE_ENUM:
      return repeated ? reflection.AddEnumValue(message, &field, 1) : reflection.SetEnumValue(message, &field, 1);
    case FieldDescriptor::CPPTYPE_UINT32:
      return repeated ? reflection.AddUInt32(message, &field, 2) : reflection.SetUInt32(message, &field, 2);
    case FieldDescriptor::CPPTYPE_INT32:
      return repeated ? reflection.AddInt32(message, &field, 2) : reflection.SetInt32(message, &field, 2);
    case FieldDescriptor::CPPTYPE_UINT64:
      return repeated ? reflection.AddUInt64(message, &field, 2) : reflection.SetUInt64(message, &field, 2);
    case FieldDescriptor::CPPTYPE_INT64:
      return repeated ? reflection.AddInt64(message, &field, 2) : reflection.SetInt64(message, &field, 2);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      repeated ? reflection.AddMessage(message, &field) : reflection.MutableMessage(message, &field);
      return;
    default:
      DOCKET_CHECK(false);  // no event has fields of such a kind
  }
}

// In the first part of `message` that can have the field; false when there is none.
bool SetSomewhere(const std::string& name, Message* message) {
  const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(name.substr(name.rfind('.') + 1));
  if (field != nullptr && field->full_name() == name) {
    SetSomething(*field, message);
    return true;
  }
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection.ListFields(*message, &set);
  for (const FieldDescriptor* one : set) {
    if (one->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!one->is_repeated() && SetSomewhere(name, reflection.MutableMessage(message, one))) return true;
    for (int i = 0; one->is_repeated() && i < reflection.FieldSize(*message, one); ++i) {
      if (SetSomewhere(name, reflection.MutableRepeatedMessage(message, one, i))) return true;
    }
  }
  return false;
}

// The same event with one field more; false when it cannot be, or one of `wanted` would be lost.
bool Vary(const std::string& field, const std::set<std::string>& wanted, Sample* sample) {
  Sample varied = *sample;
  if (!SetSomewhere(field, &varied.event)) return false;
  const std::set<std::string> has = FieldsOf(varied.event);
  if (has.count(field) == 0 || !std::includes(has.begin(), has.end(), wanted.begin(), wanted.end())) return false;
  varied.after = varied.before;
  if (varied.of_case && !workflow::Apply(varied.event, &varied.after).ok()) return false;
  *sample = std::move(varied);
  return true;
}

// Fields that are still to be shown, as many in one event as go together. A field of a part is set when the part is, so
// this goes on until no more can be.
void VaryEvents(const std::vector<Sample>& samples, std::set<std::string>* unshown, std::vector<Sample>* varied) {
  for (const Sample& given : samples) {
    for (size_t before = unshown->size() + 1; unshown->size() < before;) {
      before = unshown->size();
      Sample sample = given;
      std::set<std::string> shown;
      for (size_t last = 1; shown.size() != last;) {
        last = shown.size();
        for (const std::string& field : *unshown) {
          if (shown.count(field) == 0 && Vary(field, shown, &sample)) shown.insert(field);
        }
      }
      for (const std::string& field : shown) unshown->erase(field);
      if (!shown.empty()) varied->push_back(std::move(sample));
    }
  }
}

std::string Text(const google::protobuf::Message& message) {
  std::string text;
  const bool printed = google::protobuf::TextFormat::PrintToString(message, &text);
  DOCKET_CHECK(printed);
  return text;
}

void Write(const std::string& path, const Sample& sample, std::set<std::string>* shown) {
  std::ofstream file(path);
  file << "# Frozen. docket.v1.Event; docket.v1.RecordedEvent in base64"
       << (sample.of_case ? "; docket.v1.Case twice" : "") << ".\n--- event\n"
       << Text(sample.event) << "--- stored\n"
       << absl::Base64Escape(workflow::EncodeEvent(sample.event).SerializeAsString()) << "\n";
  if (sample.of_case) file << "--- before\n" << Text(sample.before) << "--- after\n" << Text(sample.after);
  DOCKET_CHECK(file.good());
  shown->merge(FieldsOf(sample.event));
  std::printf("wrote %s\n", path.c_str());
}

// After the event and a field that it is there to show.
std::string NameOf(const Sample& sample, const std::string& field) {
  const std::string event = v1::Event::descriptor()->FindFieldByNumber(sample.event.body_case())->name();
  return absl::StrCat(event, "-", absl::StrReplaceAll(field, {{"docket.v1.", ""}}));
}

int Main() {
  if (std::getenv("DOCKET_GOLDEN_WRITE") == nullptr) {
    std::fprintf(stderr, "DOCKET_GOLDEN_WRITE is not set: nothing written\n");
    return 2;
  }
  Samples samples;
  for (const std::string& path : SamplePaths()) {
    const auto sample = ReadGoldenSample(path);
    DOCKET_CHECK(sample.ok());
    samples.shown.merge(FieldsOf(sample->event));
  }
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
  TellOfWorkAskedAgain(house);
  CollectFrom(house.log(), &samples);
  const auto* body = v1::Event::descriptor()->FindOneofByName("body");
  int missing = 0;
  for (int i = 0; i < body->field_count(); ++i) {
    const std::string path = PathOfSample(body->field(i)->name());
    if (std::filesystem::exists(path)) continue;
    const auto sample = samples.of_event.find(body->field(i)->number());
    if (sample == samples.of_event.end()) {
      std::fprintf(stderr, "%s did not occur\n", body->field(i)->name().c_str());
      ++missing;
      continue;
    }
    Write(path, sample->second, &samples.shown);
  }
  for (const auto& [field, sample] : samples.of_field) {
    if (samples.shown.count(field) == 0) Write(PathOfSample(NameOf(sample, field)), sample, &samples.shown);
  }
  std::set<std::string> unshown;
  for (const std::string& field : FieldsOfAllEvents()) {
    if (samples.shown.count(field) == 0) unshown.insert(field);
  }
  std::vector<Sample> known;
  for (const std::string& path : SamplePaths()) known.push_back({*ReadGoldenSample(path)});
  std::vector<Sample> varied;
  VaryEvents(known, &unshown, &varied);
  for (const Sample& sample : varied) {
    for (const std::string& field : FieldsOf(sample.event)) {
      if (samples.shown.count(field) == 0) Write(PathOfSample(NameOf(sample, field)), sample, &samples.shown);
    }
  }
  for (const std::string& field : unshown) std::fprintf(stderr, "%s is never set\n", field.c_str());
  return missing == 0 ? 0 : 1;
}

}  // namespace
}  // namespace docket::testing

int main() { return docket::testing::Main(); }
