// What reads the log and what is told of it: events, alerts, webhooks, letters given up.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "tests/tools/cli/readers.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

using ::testing::ElementsAre;

const absl::Time kDue = absl::FromUnixSeconds(1'795'192'200);  // 2026-11-20T16:30:00Z

void ServeLog(FakeServer& server) {
  server.read_log = [](const v1::ReadLogRequest& request, const std::function<bool(const v1::ReadLogReply&)>& write) {
    for (uint64_t position = request.from_position(); position <= 4; position += 2) {
      v1::ReadLogReply reply;
      reply.add_events()->set_position(position);
      reply.add_events()->set_position(position + 1);
      reply.set_scanned_position(position + 1);
      write(reply);
    }
    return absl::OkStatus();
  };
}

TEST_F(Readers, TheLogIsOneJsonDocumentOrALinePerEvent) {
  ServeLog(server_);
  v1::ReadLogReply parsed;
  const Ran json = Run({"log", "read", "-o", "json"});
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json.out, &parsed).ok()) << json.out;
  EXPECT_EQ(parsed.events_size(), 4);
  EXPECT_EQ(Run({"log", "read", "--from", "3", "-o", "jsonl"}).out, "{\"position\":\"3\"}\n{\"position\":\"4\"}\n");
  EXPECT_EQ(Run({"log", "read", "--from", "9", "-o", "json"}).out, "{\"events\":[]}\n");
}

TEST_F(Readers, TheLogOfACaseTakesEveryNameOfACase) {
  constexpr char kId[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
  server_.get_case = [](const v1::GetCaseRequest& request, v1::GetCaseReply* reply) {
    reply->mutable_case_()->set_case_id("id of " + request.case_no() + request.external_ref().key());
    return absl::OkStatus();
  };
  std::vector<std::string> asked;
  server_.read_log = [&](const v1::ReadLogRequest& request, const std::function<bool(const v1::ReadLogReply&)>&) {
    asked.assign(request.filter().case_ids().begin(), request.filter().case_ids().end());
    return absl::OkStatus();
  };
  EXPECT_EQ(Run({"log", "read", "--case", "CMP-1", "--case", "src:K1", "--case", kId}).exit_code, kExitOk);
  EXPECT_THAT(asked, ElementsAre("id of CMP-1", "id of K1", kId));
}

TEST_F(Readers, FollowingEndsAtTheLimit) {
  server_.subscribe = [](const v1::SubscribeRequest& request,
                         const std::function<bool(const v1::SubscribeReply&)>& write) {
    v1::SubscribeReply reply;
    for (uint64_t position = request.from_position();; ++position) {
      reply.clear_events();
      reply.add_events()->set_position(position);
      reply.set_progress(position);
      if (!write(reply)) return absl::OkStatus();
    }
  };
  EXPECT_EQ(Run({"log", "read", "--from", "3", "--follow", "--limit", "2", "-o", "jsonl"}).out,
            "{\"position\":\"3\"}\n{\"position\":\"4\"}\n");
}

TEST_F(Readers, AlertsEndWhereTheyHaveCaughtUpUnlessFollowed) {
  std::vector<v1::WatchAlertsRequest> asked;
  server_.watch_alerts = [&](const v1::WatchAlertsRequest& request,
                             const std::function<bool(const v1::WatchAlertsReply&)>& write) {
    asked.push_back(request);
    for (uint64_t position = 3; true; ++position) {
      v1::WatchAlertsReply reply;
      auto* alert = reply.add_alerts();
      alert->set_position(position);
      alert->set_kind(v1::BREACH);
      alert->set_case_no("CMP-1");
      alert->set_metric("RESOLUTION");
      alert->set_department("complaints");
      *alert->mutable_due_at() = ToProto(kDue);
      *alert->mutable_occurred_at() = ToProto(kDue);
      reply.set_progress(position);
      reply.set_caught_up(position == 4);
      if (!write(reply)) return absl::OkStatus();
    }
  };
  const std::string moment = "Fri 2026-11-20 16:30";
  EXPECT_EQ(Run({"alerts", "--kind", "breach", "--metric", "resolution", "--utc"}).out,
            "3  " + moment + "  BREACH  CMP-1  RESOLUTION  due " + moment + "  complaints\n" + "4  " + moment +
                "  BREACH  CMP-1  RESOLUTION  due " + moment + "  complaints\n");
  EXPECT_EQ(asked.back().from_position(), 1u);
  EXPECT_THAT(asked.back().filter().kinds(), ElementsAre(v1::BREACH));
  EXPECT_THAT(asked.back().filter().metrics(), ElementsAre("RESOLUTION"));
  const Ran followed = Run({"alerts", "--follow", "--limit", "4", "-o", "jsonl"});
  EXPECT_EQ(asked.back().from_position(), 0u) << "only new ones";
  EXPECT_EQ(std::count(followed.out.begin(), followed.out.end(), '\n'), 4);
  EXPECT_EQ(Run({"alerts", "--kind", "breech"}).exit_code, kExitUsage);
}

TEST_F(Readers, WebhooksTellHowTheyStand) {
  server_.list_webhooks = [](const v1::ListWebhooksRequest&, v1::ListWebhooksReply* reply) {
    auto* good = reply->add_webhooks();
    good->set_name("ops");
    good->set_url("https://example.org/x");
    good->set_position(40);
    good->set_delivered(7);
    auto* bad = reply->add_webhooks();
    bad->set_name("wall");
    bad->set_lag(3);
    bad->set_pending(2);
    bad->set_dead_letters(1);
    bad->set_last_error("HTTP 503");
    *bad->mutable_failing_since() = ToProto(kDue);
    return absl::OkStatus();
  };
  EXPECT_EQ(Run({"admin", "webhooks"}).out,
            "WEBHOOK  POSITION  LAG  PENDING  DELIVERED  DEAD  STATE                                         URL\n"
            "ops            40    0        0          7     0  delivers                                      "
            "https://example.org/x\n"
            "wall            0    3        2          0     1  FAILING since Fri 2026-11-20 16:30: HTTP 503\n");
}

TEST_F(Readers, DeadLettersAreListedAndReplayed) {
  std::vector<std::string> asked;
  server_.list_dead_letters = [&](const v1::ListDeadLettersRequest& request, v1::ListDeadLettersReply* reply) {
    asked.push_back(request.webhook());
    auto* letter = reply->add_dead_letters();
    letter->set_webhook("ops");
    letter->set_position(12);
    letter->set_case_no("CMP-1");
    letter->set_kind(v1::BREACH);
    letter->set_attempts(3);
    letter->set_last_error("HTTP 422");
    *letter->mutable_dead_at() = ToProto(kDue);
    return absl::OkStatus();
  };
  v1::ReplayDeadLettersRequest replayed;
  server_.replay_dead_letters = [&](const v1::ReplayDeadLettersRequest& request, v1::ReplayDeadLettersReply* reply) {
    replayed = request;
    reply->set_replayed(2);
    return absl::OkStatus();
  };
  EXPECT_EQ(Run({"admin", "dead-letters", "--webhook", "ops"}).out,
            "Given up: 1 alert\n"
            "WEBHOOK  POSITION  CASE   KIND    ATTEMPTS  GIVEN UP              LAST ERROR\n"
            "ops            12  CMP-1  BREACH         3  Fri 2026-11-20 16:30  HTTP 422\n");
  EXPECT_THAT(asked, ElementsAre("ops"));
  EXPECT_EQ(Run({"admin", "dead-letters", "replay", "12", "x/13", "--webhook", "ops"}).out,
            "2 alerts on the way again\n");
  EXPECT_THAT(replayed.ids(), ElementsAre("12", "x/13"));
  EXPECT_EQ(replayed.webhook(), "ops");
  EXPECT_FALSE(replayed.all());
  EXPECT_EQ(Run({"admin", "dead-letters", "replay", "--all"}).exit_code, kExitOk);
  EXPECT_TRUE(replayed.all());
  EXPECT_EQ(Run({"admin", "dead-letters", "replay"}).exit_code, kExitUsage);
  EXPECT_THAT(asked, ElementsAre("ops")) << "replaying does not list";
}

TEST_F(Readers, AlertsTellOfRolloutsThatWait) {
  server_.watch_alerts = [](const v1::WatchAlertsRequest&,
                            const std::function<bool(const v1::WatchAlertsReply&)>& write) {
    v1::WatchAlertsReply reply;
    auto* alert = reply.add_alerts();
    alert->set_position(9);
    alert->set_kind(v1::APPROVAL);
    *alert->mutable_occurred_at() = ToProto(kDue);
    alert->mutable_approval()->set_asked_by("docketd");
    alert->mutable_approval()->mutable_rollout()->set_rollout_id("calendar.london.2");
    alert->mutable_approval()->mutable_rollout()->set_clocks(12);
    alert->mutable_approval()->mutable_rollout()->set_late(3);
    reply.set_caught_up(true);
    write(reply);
    return absl::OkStatus();
  };
  EXPECT_EQ(Run({"alerts", "--utc"}).out,
            "9  Fri 2026-11-20 16:30  APPROVAL  rollout calendar.london.2 of 12 clocks, 3 late at once, planned by "
            "docketd  docket policy rollout approve calendar.london.2\n");
}

}  // namespace
}  // namespace docket::cli
