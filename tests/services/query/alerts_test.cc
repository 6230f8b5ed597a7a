#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/query/alert_follower.h"
#include "services/query/case_fold.h"
#include "store/record_format.h"
#include "tests/services/query/query_house.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"

namespace docket::query {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kInstant = absl::Microseconds(1);  // what is due now is late the microsecond after

// What a follower has to tell until nothing is new; each position once, in order.
std::vector<v1::Alert> Drain(House& house, AlertFollower& follower) {
  std::vector<v1::Alert> alerts;
  while (true) {
    auto reply = follower.Next(house.engine());
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok() || !reply->has_value()) return alerts;
    for (v1::Alert& alert : *(*reply)->mutable_alerts()) {
      EXPECT_LE(alert.position(), (*reply)->progress());
      EXPECT_GT(alert.position(), alerts.empty() ? 0 : alerts.back().position());
      alerts.push_back(std::move(alert));
    }
  }
}

AlertFollower MustOpen(House& house, uint64_t from, const std::string& filter = "") {
  v1::WatchAlertsRequest request;
  request.set_from_position(from);
  *request.mutable_filter() = Text<v1::AlertFilter>(filter);
  auto follower = AlertFollower::Open(house.engine(), request, Viewer{.principal_id = "grace.lind"});
  EXPECT_TRUE(follower.ok()) << follower.status();
  return *std::move(follower);
}

std::vector<v1::Alert> AlertsFrom(House& house, uint64_t from, const std::string& filter = "") {
  AlertFollower follower = MustOpen(house, from, filter);
  return Drain(house, follower);
}

std::vector<std::string> KindsOf(const std::vector<v1::Alert>& alerts) {
  std::vector<std::string> kinds;
  for (const v1::Alert& alert : alerts) kinds.push_back(v1::AlertKind_Name(alert.kind()));
  return kinds;
}

// Every event of the log that may be an alert, with its place.
void ForEachAlertEvent(House& house,
                       const std::function<void(const v1::CommitRecord&, uint64_t position, const std::string& case_id,
                                                uint32_t revision, const v1::Event&)>& visit) {
  const auto cursor = house.log().ReadFrom(0);
  while (true) {
    const auto stored = cursor->Next();
    ASSERT_TRUE(stored.ok());
    if (!stored->has_value()) return;
    const auto record = store::DecodeRecord(**stored);
    ASSERT_TRUE(record.ok());
    uint64_t position = record->first_position();
    for (const v1::Slice& slice : record->slices()) {
      for (int i = 0; i < slice.events_size(); ++i, ++position) {
        const auto event = workflow::DecodeEvent(slice.events(i));
        ASSERT_TRUE(event.ok());
        if (!event->has_warning_reached() && !event->has_clock_breached() && !event->has_escalation_raised() &&
            !event->has_owed_item_asked()) {
          continue;
        }
        visit(*record, position, slice.stream_id(), static_cast<uint32_t>(slice.first_revision() + i), *event);
      }
    }
  }
}

// Cases that become late in different ways, with enough notes between for states to be kept.
void LiveAWhile(House& house) {
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(FileCase(house, absl::StrCat(i % 2 == 0 ? "kind: COMPLAINT department: 'complaints'"
                                                          : "kind: INCIDENT department: 'billing'",
                                               " title: 'c' impact: ", 1 + i % 3, " urgency: 2")));
  }
  MustDo(house, ids[1], "take {}", "sam.doyle");
  for (int day = 0; day < 6; ++day) {
    for (int note = 0; note < 25; ++note) MustDo(house, ids[day % 2], "add_note { body: 'n' }");
    if (day == 2) MustDo(house, ids[2], "escalate { kind: HIERARCHICAL reason_code: 'X' }");
    if (day == 3) MustDo(house, ids[0], "set_priority { priority: 1 override_reason: 'VIP' }");
    AdvanceTo(house, house.clock().Now() + absl::Hours(17));
  }
}

TEST(AlertsTest, EveryWarningBreachAndEscalationIsToldOnceWithTheCaseAsItWasThen) {
  House house;
  LiveAWhile(house);
  const std::vector<v1::Alert> alerts = AlertsFrom(house, 1);
  size_t next = 0;
  std::set<v1::AlertKind> kinds;
  ForEachAlertEvent(house, [&](const v1::CommitRecord& record, uint64_t position, const std::string& case_id,
                               uint32_t revision, const v1::Event& event) {
    ASSERT_LT(next, alerts.size());
    const v1::Alert& alert = alerts[next++];
    kinds.insert(alert.kind());
    EXPECT_EQ(alert.position(), position);
    EXPECT_EQ(alert.commit(), record.commit());
    EXPECT_EQ(alert.revision(), revision);
    const auto state = FoldCase(ReaderOf(house), case_id, {.revision = revision});
    ASSERT_TRUE(state.ok() && state->has_value());
    EXPECT_EQ(alert.case_id(), case_id);
    EXPECT_EQ(alert.case_no(), (*state)->case_no());
    EXPECT_EQ(alert.case_kind(), (*state)->kind());
    EXPECT_EQ(alert.owner(), (*state)->owner());
    EXPECT_EQ(alert.queue(), (*state)->queue());
    EXPECT_EQ(alert.priority(), (*state)->priority());
    EXPECT_EQ(FromProto(alert.occurred_at()), FromProto(event.occurred_at()));
    for (const v1::Clock& clock : (*state)->clocks()) {
      if (clock.clock_no() != alert.clock_no()) continue;
      EXPECT_EQ(alert.metric(), clock.metric());
      EXPECT_EQ(alert.obligation(), clock.obligation());
      EXPECT_EQ(alert.department(), clock.answerable());
    }
    EXPECT_EQ(alert.has_item(), event.has_owed_item_asked());
    if (event.has_clock_breached()) {
      EXPECT_EQ(FromProto(alert.due_at()), FromProto(event.clock_breached().due_at()));
    }
    if (event.has_escalation_raised()) {
      EXPECT_EQ(alert.escalation().escalation_no(), revision);
      EXPECT_EQ(alert.escalation().targets_size(), event.escalation_raised().targets_size());
      EXPECT_EQ(alert.escalation().target_basis(), event.escalation_raised().target_basis());
    }
  });
  EXPECT_EQ(next, alerts.size());
  EXPECT_EQ(kinds.size(), 3u);
}

TEST(AlertsTest, WhatIsAskedOfADepartmentIsToldToItAndTimed) {
  House house;
  ASSERT_TRUE(house.Publish(testing::ReadPack("internal-ola.yaml")).ok());
  const std::string id = FileCase(house, kComplaint);
  const uint64_t from = house.engine().Read().position + 1;
  MustDo(house, id, "ask_item { kind: WORK department: 'legal' what: 'LEGAL_ADVICE' }");
  MustDo(house, id, "ask_item { kind: SUPERVISION_ORDER department: 'billing' principal: 'sam.doyle' what: 'REPORT' }",
         "helen.marsh");
  const std::vector<v1::Alert> asked = AlertsFrom(house, from);
  ASSERT_THAT(KindsOf(asked), ElementsAre("OWED_ITEM", "OWED_ITEM"));
  const v1::AlertItem& work = asked[0].item();
  EXPECT_EQ(asked[0].department(), "legal");
  EXPECT_EQ(asked[0].clock_no(), 0u);
  EXPECT_EQ(work.item_no(), house.Get(id)->items(0).item_no());
  EXPECT_EQ(work.kind(), v1::WORK);
  EXPECT_EQ(work.what(), "LEGAL_ADVICE");
  EXPECT_EQ(work.department(), "legal");
  EXPECT_EQ(work.asked_by(), "grace.lind");
  EXPECT_EQ(work.asked_by_department(), "complaints");
  EXPECT_EQ(work.visits(), 1u);
  EXPECT_EQ(AlertsFrom(house, from, "department: 'legal'").size(), 1u);
  const std::vector<v1::Alert> sams = AlertsFrom(house, from, "targets: 'sam.doyle'");
  ASSERT_EQ(sams.size(), 1u);
  EXPECT_EQ(sams[0].item().principal(), "sam.doyle");
  // Its clock warns whoever owes it, and it is told again when it is asked again.
  AdvanceTo(house, Wednesday() + absl::Hours(24 * 7));
  EXPECT_THAT(KindsOf(AlertsFrom(house, from, "metrics: 'WORK' department: 'legal'")),
              ElementsAre("WARNING", "BREACH", "ESCALATION"));
  MustDo(house, id, absl::StrCat("return_item { item_no: ", work.item_no(), " reason_code: 'UNCLEAR' }"),
         "jonas.weber");
  const uint64_t again = house.engine().Read().position + 1;
  MustDo(
      house, id,
      absl::StrCat("ask_item { kind: WORK department: 'legal' what: 'LEGAL_ADVICE' item_no: ", work.item_no(), " }"));
  const std::vector<v1::Alert> asked_again = AlertsFrom(house, again, "kinds: OWED_ITEM");
  ASSERT_EQ(asked_again.size(), 1u);
  EXPECT_EQ(asked_again[0].item().item_no(), work.item_no());
  EXPECT_EQ(asked_again[0].item().visits(), 2u);
}

TEST(AlertsTest, WhatWaitsForASecondPersonIsToldToWhoMayDecide) {
  House house;
  ASSERT_TRUE(
      house
          .Publish("ladder: second-persons\nlevels:\n  - {level: 1, kind: CUSTOMER_ESCALATION, trigger: MANUAL, "
                   "target: QUEUE_LEAD, approval: true}\n")
          .ok());
  const std::string id = FileCase(house, kComplaint);
  const uint64_t from = house.engine().Read().position + 1;
  MustDo(house, id, "escalate { kind: CUSTOMER_ESCALATION reason_code: 'PRESS' justification: 'the news' }");
  const std::vector<v1::Alert> alerts = AlertsFrom(house, from, "targets: 'helen.marsh'");
  ASSERT_THAT(KindsOf(alerts), ElementsAre("APPROVAL"));
  const v1::AlertApproval& approval = alerts[0].approval();
  EXPECT_EQ(alerts[0].department(), "complaints");
  EXPECT_EQ(approval.kind(), v1::Approval::ESCALATION);
  EXPECT_EQ(approval.escalation_no(), house.Get(id)->escalations(0).escalation_no());
  EXPECT_EQ(approval.escalation_kind(), v1::CUSTOMER_ESCALATION);
  EXPECT_EQ(approval.asked_by(), "grace.lind");
  EXPECT_EQ(approval.reason_code(), "PRESS");
  EXPECT_EQ(approval.command(), "approve_escalation");
  EXPECT_THAT(AlertsFrom(house, from, "targets: 'sam.doyle'"), IsEmpty());
}

TEST(AlertsTest, QuietHoursDelayTellingOfARequestAndItsDepartmentIsTheOneAsked) {
  House house;
  ASSERT_TRUE(house
                  .Publish("ladder: second-persons\nnotify_calendar: london\nlevels:\n"
                           "  - {level: 1, kind: CUSTOMER_ESCALATION, trigger: MANUAL, target: ROLE, role: COMPLIANCE, "
                           "approval: true}\n")
                  .ok());
  constexpr char kAsk[] = "escalate { kind: CUSTOMER_ESCALATION reason_code: 'PRESS' justification: 'the news' }";
  const std::string id = FileCase(house, kComplaint);
  const uint64_t from = house.engine().Read().position + 1;
  MustDo(house, id, kAsk);
  AdvanceTo(house, Wednesday() + absl::Hours(11));  // 20:00
  MustDo(house, FileCase(house, kComplaint), kAsk);
  std::vector<v1::Alert> alerts = AlertsFrom(house, from, "kinds: APPROVAL department: 'legal'");
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_EQ(alerts[0].department(), "legal");
  EXPECT_EQ(alerts[0].approval().department(), "legal");
  EXPECT_FALSE(alerts[0].has_notify_at());
  EXPECT_EQ(FromProto(alerts[1].notify_at()), Wednesday() + absl::Hours(24));
  // Asked of others, it is told to them under its number.
  MustDo(house, id, "declare_conflict { principal: 'jonas.weber' nature: 'KINSHIP' }");
  alerts = AlertsFrom(house, from, "kinds: APPROVAL");
  ASSERT_EQ(alerts.size(), 3u);
  EXPECT_EQ(alerts[2].approval().escalation_no(), alerts[0].approval().escalation_no());
  EXPECT_THAT(alerts[2].approval().targets(), ElementsAre("helen.marsh"));
  EXPECT_EQ(alerts[2].department(), "complaints");
}

TEST(AlertsTest, OfStoppedClocksOnlyADisputedEntryIsTold) {
  House house;
  const std::string id = FileCase(house, "kind: INCIDENT title: 'dark' impact: 2 urgency: 2");
  const absl::Time called = Wednesday() + absl::Minutes(1);
  AdvanceTo(house, Wednesday() + absl::Hours(60));
  const uint64_t from = house.engine().Read().position + 1;
  v1::ExecuteRequest answer;
  answer.set_case_id(id);
  *answer.mutable_occurred_at() = ToProto(called);
  answer.set_evidence_ref("call-log-18");
  *answer.mutable_command()->mutable_send_outbound() = Text<v1::SendOutbound>("kind: RESPONSE body: 'we come'");
  ASSERT_TRUE(house.Do(answer).ok());
  const std::vector<v1::Alert> alerts = AlertsFrom(house, from, "kinds: APPROVAL");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].approval().kind(), v1::Approval::LATE_ENTRY);
  EXPECT_EQ(alerts[0].approval().asked_by(), "grace.lind");
  EXPECT_EQ(alerts[0].approval().command(), "judge_late_entry");
  EXPECT_EQ(alerts[0].metric(), "FIRST_RESPONSE");
  EXPECT_EQ(alerts[0].approval().department(), alerts[0].department());
  const std::string in_time = FileCase(house, "kind: INCIDENT title: 'dark' impact: 2 urgency: 2");
  MustDo(house, in_time, "send_outbound { kind: RESPONSE body: 'we come' }");
  EXPECT_EQ(AlertsFrom(house, from, "kinds: APPROVAL").size(), 1u);
}

TEST(AlertsTest, AFeedTakenUpAnywhereTellsTheSameAsOneThatFollowedLive) {
  House house;
  AlertFollower live = MustOpen(house, 0);
  const uint64_t begin = house.engine().Read().position + 1;
  std::vector<v1::Alert> seen;
  for (int i = 0; i < 2; ++i) {
    LiveAWhile(house);
    for (v1::Alert& alert : Drain(house, live)) seen.push_back(std::move(alert));
  }
  ASSERT_GT(seen.size(), 20u);
  for (size_t i = 0; i <= seen.size(); i += 5) {
    const uint64_t from = i == 0 ? begin : seen[i - 1].position() + 1;
    const std::vector<v1::Alert> rest = AlertsFrom(house, from);
    ASSERT_EQ(rest.size(), seen.size() - i);
    for (size_t k = 0; k < rest.size(); ++k) {
      EXPECT_EQ(rest[k].SerializeAsString(), seen[i + k].SerializeAsString());
    }
  }
}

TEST(AlertsTest, WhatIsNoticedAtOnceIsNotLate) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  const v1::Clock clock = house.Get(id)->clocks(0);
  const uint64_t from = house.engine().Read().position + 1;
  AdvanceTo(house, FromProto(clock.warnings(0).at()));
  AdvanceTo(house, FromProto(clock.due_at()) + kInstant);
  std::vector<v1::Alert> alerts = AlertsFrom(house, from, "metrics: 'FIRST_RESPONSE' kinds: WARNING kinds: BREACH");
  ASSERT_THAT(KindsOf(alerts), ElementsAre("WARNING", "WARNING", "WARNING", "BREACH"));
  EXPECT_FALSE(alerts[0].late());
  EXPECT_EQ(alerts[0].warning().permille(), 500u);
  EXPECT_EQ(FromProto(alerts[0].scheduled_for()), FromProto(clock.warnings(0).at()));
  EXPECT_TRUE(alerts[1].late()) << "the clock jumped over it";
  EXPECT_FALSE(alerts[3].late());
  EXPECT_EQ(FromProto(alerts[3].scheduled_for()), FromProto(clock.due_at()));
  EXPECT_EQ(alerts[3].cause(), "TIME");
}

TEST(AlertsTest, ImportedHistoriesAreSilent) {
  House house;
  const uint64_t from = house.engine().Read().position + 1;
  v1::ExecuteRequest filing;
  *filing.mutable_occurred_at() = ToProto(Wednesday() - absl::Hours(48));
  // 24 hours, round the clock: late since yesterday.
  *filing.mutable_command()->mutable_file() = Text<v1::FileCase>(
      "kind: INCIDENT title: 'old' workflow: 'servicenow-incident' history: true "
      "external_ref { source: 'servicenow-incident' key: '1' } row { cursor: 1 status: 'NEW' priority: 2 }");
  *filing.mutable_command()->mutable_file()->mutable_received_at() = filing.occurred_at();
  const auto filed = house.Do(filing);
  ASSERT_TRUE(filed.ok()) << filed.status();
  v1::ExecuteRequest end;
  end.set_case_id(filed->case_id());
  *end.mutable_command()->mutable_end_history()->mutable_observed_until() = ToProto(Wednesday());
  ASSERT_TRUE(house.Do(end).ok());
  int silent = 0;
  ForEachAlertEvent(house,
                    [&](const v1::CommitRecord&, uint64_t, const std::string&, uint32_t, const v1::Event& event) {
                      silent += FromProto(event.occurred_at()) < Wednesday() ? 1 : 0;
                    });
  EXPECT_GT(silent, 0);
  EXPECT_THAT(AlertsFrom(house, from), IsEmpty());
  // From then on it is a case like others.
  AdvanceTo(house, Wednesday() + absl::Minutes(1));
  ASSERT_TRUE(house.Do(filed->case_id(), "escalate { kind: HIERARCHICAL reason_code: 'X' }").ok());
  EXPECT_THAT(KindsOf(AlertsFrom(house, from)), ElementsAre("ESCALATION"));
}

// The promise was broken before the case came here; what is entered about it now is judged now.
TEST(AlertsTest, ADisputedEntryIsToldAlsoOfTheTimeBeforeAnImport) {
  House house;
  const absl::Status published = house.Publish(
      "sla: old-answers\neffective_from: 2000-01-01T00:00:00Z\nobligation: CUSTOMER\norder: 10\n"
      "when: {case.external_source: old}\ncalendar: ALWAYS\nmetrics:\n"
      "  - {metric: FIRST_RESPONSE, start: {event: case_received}, stop: [{event: outbound_sent}], "
      "targets: [{target: 4h}]}\n");
  ASSERT_TRUE(published.ok()) << published;
  v1::ExecuteRequest filing;
  *filing.mutable_occurred_at() = ToProto(Wednesday() - absl::Hours(48));
  *filing.mutable_command()->mutable_file() = Text<v1::FileCase>(
      "kind: INCIDENT title: 'old' workflow: 'servicenow-incident' history: true "
      "external_ref { source: 'old' key: '1' } "
      "row { cursor: 1 status: 'NEW' priority: 2 }");
  *filing.mutable_command()->mutable_file()->mutable_received_at() = filing.occurred_at();
  const auto filed = house.Do(filing);
  ASSERT_TRUE(filed.ok()) << filed.status();
  v1::ExecuteRequest end;
  end.set_case_id(filed->case_id());
  *end.mutable_command()->mutable_end_history()->mutable_observed_until() = ToProto(Wednesday());
  ASSERT_TRUE(house.Do(end).ok());
  AdvanceTo(house, Wednesday() + absl::Minutes(1));
  const uint64_t from = house.engine().Read().position + 1;
  v1::ExecuteRequest answer;
  answer.set_case_id(filed->case_id());
  *answer.mutable_occurred_at() = ToProto(Wednesday() - absl::Hours(48) + absl::Minutes(1));
  answer.set_evidence_ref("call-log-18");
  *answer.mutable_command()->mutable_send_outbound() = Text<v1::SendOutbound>("kind: RESPONSE body: 'we come'");
  const auto sent = house.Do(answer);
  ASSERT_TRUE(sent.ok()) << sent.status();
  EXPECT_THAT(KindsOf(AlertsFrom(house, from)), ElementsAre("APPROVAL"));
}

// The first commit with an escalation.
v1::CommitRecord EscalatingCommit(House& house) {
  const std::string id = FileCase(house, kComplaint);
  AdvanceTo(house, FromProto(house.Get(id)->clocks(0).due_at()) + kInstant);
  v1::CommitRecord found;
  ForEachAlertEvent(
      house, [&](const v1::CommitRecord& record, uint64_t, const std::string&, uint32_t, const v1::Event& event) {
        if (event.has_escalation_raised() && found.slices().empty()) found = record;
      });
  return found;
}

// `record` with the escalation in it changed.
v1::CommitRecord Changed(v1::CommitRecord record, const std::function<void(v1::EscalationRaised*)>& change) {
  for (v1::RecordedEvent& one : *record.mutable_slices(0)->mutable_events()) {
    v1::Event event = *workflow::DecodeEvent(one);
    if (!event.has_escalation_raised()) continue;
    change(event.mutable_escalation_raised());
    one = workflow::EncodeEvent(event);
  }
  return record;
}

TEST(AlertsTest, APassedLevelIsSilentAndQuietHoursAreTold) {
  House house;
  const v1::CommitRecord record = EscalatingCommit(house);
  ASSERT_EQ(record.slices_size(), 1);
  const AlertMatcher matcher(Text<v1::AlertFilter>("kinds: ESCALATION"), Viewer{});
  const auto build = [&](const v1::CommitRecord& of) {
    AlertBuilder builder;
    auto alerts = builder.Build(ReaderOf(house), matcher, of, 1);
    EXPECT_TRUE(alerts.ok()) << alerts.status();
    return *alerts;
  };
  ASSERT_EQ(build(record).size(), 1u);
  EXPECT_FALSE(build(record)[0].has_notify_at());
  const absl::Time morning = Wednesday() + absl::Hours(24);
  const auto quiet =
      build(Changed(record, [&](v1::EscalationRaised* raised) { *raised->mutable_notify_at() = ToProto(morning); }));
  ASSERT_EQ(quiet.size(), 1u);
  EXPECT_EQ(FromProto(quiet[0].notify_at()), morning);
  EXPECT_THAT(build(Changed(record, [](v1::EscalationRaised* raised) { raised->set_passed(true); })), IsEmpty());
}

TEST(AlertsTest, FiltersChooseFromTheSameAlerts) {
  House house;
  LiveAWhile(house);
  const std::vector<v1::Alert> all = AlertsFrom(house, 1);
  const auto expect = [&](const std::string& filter, const std::function<bool(const v1::Alert&)>& wanted) {
    std::vector<uint64_t> expected, found;
    for (const v1::Alert& alert : all) {
      if (wanted(alert)) expected.push_back(alert.position());
    }
    for (const v1::Alert& alert : AlertsFrom(house, 1, filter)) found.push_back(alert.position());
    EXPECT_EQ(found, expected) << filter;
    EXPECT_LT(found.size(), all.size()) << filter;
    EXPECT_GT(found.size(), 0u) << filter;
  };
  expect("kinds: WARNING kinds: ESCALATION", [](const v1::Alert& one) { return one.kind() != v1::BREACH; });
  expect("case_kinds: INCIDENT", [](const v1::Alert& one) { return one.case_kind() == v1::INCIDENT; });
  expect("metrics: 'RESOLUTION'", [](const v1::Alert& one) { return one.metric() == "RESOLUTION"; });
  expect("obligations: CUSTOMER", [](const v1::Alert& one) { return one.obligation() == v1::CUSTOMER; });
  std::map<std::string, int> departments, targets;
  for (const v1::Alert& one : all) {
    ++departments[one.department()];
    for (const std::string& target : one.escalation().targets()) ++targets[target];
  }
  ASSERT_GT(departments.size(), 1u);
  const auto reader = ReaderOf(house);
  for (const auto& counted : departments) {
    const std::string& department = counted.first;
    expect(absl::StrCat("department: '", department, "'"), [&](const v1::Alert& one) {
      return one.department() == department || reader.view.policies->IsWithin(one.department(), department);
    });
  }
  ASSERT_FALSE(targets.empty());
  const std::string target = targets.begin()->first;
  expect(absl::StrCat("targets: '", target, "'"), [&](const v1::Alert& one) {
    const auto& all_targets = one.escalation().targets();
    return std::find(all_targets.begin(), all_targets.end(), target) != all_targets.end();
  });
  EXPECT_THAT(AlertsFrom(house, 1, absl::StrCat("kinds: BREACH targets: '", target, "'")), IsEmpty());
}

TEST(AlertsTest, ARolloutThatWaitsForASecondPersonIsTold) {
  House house;
  FileCase(house, "kind: COMPLAINT title: 'No water'");
  AlertFollower live = MustOpen(house, 0, "kinds: APPROVAL");
  ASSERT_TRUE(house
                  .Publish(absl::StrReplaceAll(testing::ReadPack("calendar-london.yaml"),
                                               {{"exceptions:", "exceptions:\n  \"2026-11-19\": []"}}))
                  .ok());
  while (house.engine().ListRollouts().rollouts().empty()) house.Settle();  // the engine plans it by itself
  const v1::PolicyRolloutPlanned plan = house.engine().ListRollouts().rollouts(0).plan();
  for (const std::vector<v1::Alert>& alerts : {Drain(house, live), AlertsFrom(house, 1, "kinds: APPROVAL")}) {
    ASSERT_EQ(alerts.size(), 1u);
    const v1::Alert& alert = alerts[0];
    EXPECT_EQ(alert.kind(), v1::APPROVAL);
    EXPECT_EQ(alert.case_id(), "");
    EXPECT_EQ(alert.approval().rollout().SerializeAsString(), plan.SerializeAsString());
    EXPECT_EQ(alert.approval().asked_by(), plan.planned_by());
    EXPECT_EQ(alert.approval().command(), "approve_rollout");
    EXPECT_EQ(FromProto(alert.occurred_at()), house.clock().Now());
    EXPECT_FALSE(alert.late());
  }
  // It is of no case, department or person.
  for (const char* filter : {"kinds: BREACH", "case_kinds: COMPLAINT", "metrics: 'RESOLUTION'",
                             "department: 'complaints'", "targets: 'helen.marsh'"}) {
    EXPECT_THAT(AlertsFrom(house, 1, filter), IsEmpty()) << filter;
  }
  // Approving and applying it is no alert.
  v1::ApproveRolloutRequest approve;
  approve.set_rollout_id(plan.rollout_id());
  ASSERT_TRUE(house.engine().ApproveRollout(approve, {.principal_id = "helen.marsh"}).ok());
  while (!house.engine().ListRollouts().rollouts(0).has_applied()) house.Settle();
  EXPECT_THAT(Drain(house, live), IsEmpty());
}

TEST(AlertsTest, MisspeltNamesAndPositionsBeyondTheEndAreRefused) {
  House house;
  const auto reason = [&](const std::string& text) {
    return ReasonOf(AlertFollower::Open(house.engine(), Text<v1::WatchAlertsRequest>(text), Viewer{}).status());
  };
  EXPECT_EQ(reason("filter { department: 'complaint' }"), "UNKNOWN_DEPARTMENT");
  EXPECT_EQ(reason("filter { metrics: 'RESOLUTION' metrics: 'RESOLUTIONS' }"), "UNKNOWN_METRIC");
  EXPECT_EQ(reason("filter { targets: 'nobody.here' }"), "UNKNOWN_PRINCIPAL");
  const uint64_t last = house.engine().Read().position;
  EXPECT_EQ(reason(absl::StrCat("from_position: ", last + 1)), "");
  EXPECT_EQ(reason(absl::StrCat("from_position: ", last + 2)), "POSITION_BEYOND_END");
}

}  // namespace
}  // namespace docket::query
