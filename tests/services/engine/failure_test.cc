// A store that fails at its k-th call, for every k of a day's work: what is answered, what is still readable, and that
// nothing acknowledged is lost and nothing takes effect twice when the same requests are sent again.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "store/memory_kv.h"
#include "store/uuid.h"
#include "tests/services/engine/log_audit.h"
#include "tests/support/faulty_kv.h"
#include "tests/support/house.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"

namespace docket::engine {
namespace {

using test::FaultyKv;
using test::KvCall;
using testing::At;
using testing::House;

// What somebody does in the course of the day.
struct Deed {
  enum Act { kCommand, kTakeNext, kPublish, kRebuild, kWait } act = kCommand;
  v1::ExecuteRequest request;  // kCommand; of the others its request_id
  std::string principal = "grace.lind";
  std::string text;       // queue or pack
  absl::Time until;       // kWait
  bool keep_old = false;  // kRebuild
};

std::string Id(uint64_t n) {
  return store::MakeUuidV7(absl::ToUnixMillis(testing::Wednesday()), absl::StrCat("id", absl::Dec(n, absl::kZeroPad8)));
}

const std::string& ComplaintId() {
  static const std::string id = Id(1'000'001);
  return id;
}
const std::string& IncidentId() {
  static const std::string id = Id(1'000'002);
  return id;
}
const std::string& LongCaseId() {
  static const std::string id = Id(1'000'003);
  return id;
}

class Day {
 public:
  Day& Do(const std::string& case_id, const std::string& command, const std::string& principal = "grace.lind") {
    Deed& deed = Add(Deed::kCommand);
    deed.request.set_case_id(case_id);
    deed.principal = principal;
    const bool parsed = google::protobuf::TextFormat::ParseFromString(command, deed.request.mutable_command());
    DOCKET_CHECK(parsed);
    return *this;
  }
  Day& TakeNext(const std::string& queue) {
    Add(Deed::kTakeNext).text = queue;
    return *this;
  }
  Day& Publish(std::string yaml) {
    Deed& deed = Add(Deed::kPublish);
    deed.text = std::move(yaml);
    deed.principal = "mei.tan";
    return *this;
  }
  // Two more seconds, because what failed once may be tried again a second later.
  Day& WaitUntil(absl::Time time) {
    for (int second = 0; second <= 2; ++second) Add(Deed::kWait).until = time + absl::Seconds(second);
    return *this;
  }
  Day& Rebuild(bool keep_old) {
    Add(Deed::kRebuild).keep_old = keep_old;
    return *this;
  }
  const std::vector<Deed>& deeds() const { return deeds_; }

 private:
  Deed& Add(Deed::Act act) {
    Deed& deed = deeds_.emplace_back();
    deed.act = act;
    deed.request.set_request_id(Id(deeds_.size()));
    return deed;
  }

  std::vector<Deed> deeds_;
};

// Every kind of write there is: filing, notes, status changes, a timer, publications, rebuilds.
Day RecordedDay() {
  Day day;
  day.Publish("calendar: always\nalways: true\neffective_from: 1999-01-01T00:00:00Z\n")
      .Do(ComplaintId(),
          "file { kind: COMPLAINT title: 'Water off' impact: 2 urgency: 2 external_ref { source: 'web' key: '7' } }")
      .Do(IncidentId(), "file { kind: INCIDENT title: 'No dial tone' narrative: 'since noon' }", "sam.doyle")
      .Do(ComplaintId(), "accept {}")
      .TakeNext("intake")
      .Do(IncidentId(), "record_inbound { body: 'still nothing' }", "sam.doyle")
      .Do(LongCaseId(), "add_note { body: 'one that makes the state be kept' }")
      .WaitUntil(At("2026-11-18T17:00:01Z"))
      .Do(IncidentId(), "hold { waiting_on: DEPARTMENT reason_code: 'PARTS' }", "sam.doyle")
      .Rebuild(true)
      .Do(ComplaintId(), "send_outbound { kind: ACKNOWLEDGEMENT body: 'we are on it' }")
      .Publish("calendar: always\nalways: true\neffective_from: 1998-01-01T00:00:00Z\n")
      .Rebuild(false)
      .Do(IncidentId(), "resume {}", "sam.doyle")
      .Do(ComplaintId(), "add_note { body: 'called back' }");
  return day;
}

std::unique_ptr<store::KvStore> CopyOf(const store::KvStore& from) {
  auto copy = store::OpenMemoryKv();
  std::vector<store::Family> families = from.Families();
  for (const store::Family family : families) DOCKET_CHECK(copy->CreateFamily(family).ok());
  families.push_back(store::kLogFamily);
  families.push_back(store::kPersonalFamily);
  const auto snapshot = from.Snapshot();
  store::KvBatch batch;
  for (const store::Family family : families) {
    const auto rows = snapshot->Scan(family, "", "");
    for (; rows->Valid(); rows->Next()) batch.Put(family, std::string(rows->key()), std::string(rows->value()));
  }
  DOCKET_CHECK(copy->Write(batch, true).ok());
  return copy;
}

// The shipped packs and a case close to where its state is kept.
const store::KvStore& Morning() {
  static const store::KvStore* const morning = [] {
    auto disk = store::OpenMemoryKv();
    House house({.kv = std::make_unique<FaultyKv>(disk.get())});
    v1::ExecuteRequest filing;
    filing.set_case_id(LongCaseId());
    filing.mutable_command()->mutable_file()->set_kind(v1::REQUEST);
    filing.mutable_command()->mutable_file()->set_title("A key");
    auto reply = house.Do(filing);
    while (reply.ok() && reply->revision() < kSnapshotEvery - 1)
      reply = house.Do(LongCaseId(), "add_note { body: 'x' }");
    DOCKET_CHECK(reply.ok());
    return disk.release();
  }();
  return *morning;
}

// A disk, and a house over it whose store may fail. What went wrong is in complaints(); empty: nothing.
class Site {
 public:
  Site() : disk_(CopyOf(Morning())) { Open(testing::Wednesday() + absl::Minutes(1)); }

  void Reopen() {
    const absl::Time now = house_->clock().Now();
    house_.reset();
    Open(now);
  }

  FaultyKv& faulty() { return *faulty_; }
  House& house() { return *house_; }
  Engine& engine() { return house_->engine(); }

  absl::Status Perform(const Deed& deed) {
    const Caller caller{.principal_id = deed.principal};
    switch (deed.act) {
      case Deed::kCommand: {
        testing::Pending<v1::ExecuteReply> pending;
        engine().Submit(deed.request, caller, Lane::kInteractive, pending.Completion());
        return Note(deed, pending.Wait());
      }
      case Deed::kTakeNext: {
        testing::Pending<v1::ExecuteReply> pending;
        engine().SubmitTakeNext(deed.text, deed.request.request_id(), caller, pending.Completion());
        return Note(deed, pending.Wait());
      }
      case Deed::kPublish: {
        v1::PublishPoliciesRequest request;
        request.set_request_id(deed.request.request_id());
        request.set_yaml(deed.text);
        testing::Pending<v1::PublishPoliciesReply> pending;
        engine().SubmitPublish(request, caller, pending.Completion());
        return pending.Wait().status();
      }
      case Deed::kRebuild: {
        const auto rebuilt = engine().Rebuild(deed.keep_old, [](uint64_t, uint64_t) {});
        EXPECT_TRUE(!rebuilt.ok() || rebuilt->digests_equal()) << rebuilt->ShortDebugString();
        return rebuilt.status();
      }
      case Deed::kWait:
        if (house_->clock().Now() < deed.until) house_->clock().AdvanceTo(deed.until);
        house_->Settle();
        return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  // Answers seen, by request id; each must be given again.
  const std::map<std::string, std::string>& answers() const { return answers_; }
  bool last_was_replayed() const { return last_was_replayed_; }

  // Readers see what was acknowledged, all of it and nothing more.
  void ExpectReadable() {
    for (const auto& [case_id, revision] : revisions_) {
      const auto state = house_->Get(case_id);
      ASSERT_TRUE(state.ok()) << state.status();
      EXPECT_GE(state->revision(), revision);  // timers may have moved it on
    }
    const ReadView view = engine().Read();
    EXPECT_EQ(view.commits, house_->log().Head().commits);
    EXPECT_EQ(engine().feed().next_commit(), view.commits);
  }

 private:
  void Open(absl::Time now) {
    auto faulty = std::make_unique<FaultyKv>(disk_.get());
    faulty_ = faulty.get();
    house_ = std::make_unique<House>(
        House::Options{.kv = std::move(faulty), .start = now, .publish_packs = false, .seed = ++seed_});
    house_->Settle();
  }

  absl::Status Note(const Deed& deed, const absl::StatusOr<v1::ExecuteReply>& reply) {
    if (!reply.ok()) return reply.status();
    last_was_replayed_ = reply->replayed();
    const auto [answer, first] = answers_.emplace(deed.request.request_id(), testing::FirstAnswer(*reply));
    if (first) {
      revisions_[reply->case_id()] = reply->revision();
    } else {
      EXPECT_EQ(answer->second, testing::FirstAnswer(*reply)) << "another answer to the same request";
    }
    return absl::OkStatus();
  }

  std::unique_ptr<store::KvStore> disk_;
  std::unique_ptr<House> house_;
  FaultyKv* faulty_ = nullptr;
  uint64_t seed_ = 100;
  std::map<std::string, std::string> answers_;
  std::map<std::string, uint32_t> revisions_;
  bool last_was_replayed_ = false;
};

// What the log tells after a day without failures. Salts and numbers drawn differ from day to day, stories do not.
const std::vector<std::string>& UndisturbedStories() {
  static const std::vector<std::string>* const stories = [] {
    Site site;
    const Day day = RecordedDay();
    for (const Deed& deed : day.deeds()) {
      const absl::Status done = site.Perform(deed);
      EXPECT_TRUE(done.ok()) << deed.request.ShortDebugString() << deed.text << ": " << done;
    }
    const auto audited = testing::AuditLog(site.house().log());
    EXPECT_TRUE(audited.ok()) << audited.status();
    return new std::vector<std::string>(audited->stories);
  }();
  return *stories;
}

struct Fault {
  const char* name;
  KvCall call;
  absl::StatusCode code;

  bool writes() const { return call == KvCall::kWriteBefore || call == KvCall::kWriteAfter || call == KvCall::kIngest; }
  bool latches() const { return writes() && code == absl::StatusCode::kUnavailable; }
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class FailureTest : public ::testing::TestWithParam<Fault> {
 protected:
  // Judges a deed that the store's failure hit.
  void ExpectAnswer(const Deed& deed, const absl::Status& status) {
    if (deed.act == Deed::kWait) return;  // nobody is told
    EXPECT_EQ(status.code(), GetParam().code) << status;
    if (!GetParam().writes()) return;
    EXPECT_EQ(ReasonOf(status), GetParam().latches() ? "OUTCOME_UNKNOWN" : "DISK_RESERVE") << status;
  }

  void ExpectWritesDisabled(Site& site, const Deed& deed) {
    EXPECT_EQ(ReasonOf(site.engine().WriteHealth()), "WRITES_DISABLED");
    v1::ExecuteRequest request;
    request.set_request_id(Id(2'000'000));
    request.set_case_id(LongCaseId());
    request.mutable_command()->mutable_add_note()->set_body("refused");
    const auto refused = testing::Execute(site.engine(), request);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(ReasonOf(refused.status()), "WRITES_DISABLED");
    if (deed.act == Deed::kWait) return;
    EXPECT_EQ(ReasonOf(site.Perform(deed)), "WRITES_DISABLED") << "the retry before a restart";
  }

  // A deed with the failure in it, if it is its turn, and what people do about that.
  void PerformSafely(Site& site, const Deed& deed) {
    const bool failed_before = site.faulty().failed();
    absl::Status status = site.Perform(deed);
    const bool hit = site.faulty().failed() && !failed_before;
    if (!hit) {
      EXPECT_TRUE(status.ok()) << status;
      return;
    }
    hit_ = true;
    if (!status.ok() || GetParam().writes()) ExpectAnswer(deed, status);
    if (GetParam().latches()) {
      ExpectWritesDisabled(site, deed);
      site.ExpectReadable();
      site.Reopen();
    } else {
      EXPECT_TRUE(site.engine().WriteHealth().ok());
    }
    if (status.ok() && deed.act != Deed::kWait) return;
    status = site.Perform(deed);
    EXPECT_TRUE(status.ok()) << "tried again: " << status;
    if (deed.act == Deed::kCommand || deed.act == Deed::kTakeNext) {
      EXPECT_EQ(site.last_was_replayed(), GetParam().call == KvCall::kWriteAfter);
    }
  }

  void RunDay(int k) {
    Site site;
    hit_ = false;
    site.faulty().FailCall(GetParam().call, k, GetParam().code);
    const Day day = RecordedDay();
    for (size_t i = 0; i < day.deeds().size() && !HasFailure(); ++i) {
      SCOPED_TRACE(absl::StrCat("deed ", i, ": ", day.deeds()[i].request.ShortDebugString(), day.deeds()[i].text));
      PerformSafely(site, day.deeds()[i]);
    }
    if (!hit_) return;
    site.ExpectReadable();
    const auto audited = testing::AuditLog(site.house().log());
    ASSERT_TRUE(audited.ok()) << audited.status();
    std::vector<std::string> stories = audited->stories;
    // A server that starts in the middle of the day tells what fell due while there was none.
    std::erase_if(stories, [](const std::string& story) { return absl::StrContains(story, " TimerCatchUp/"); });
    EXPECT_EQ(stories, UndisturbedStories());
    EXPECT_TRUE(testing::AuditViews(site.engine()).ok()) << testing::AuditViews(site.engine());
    const uint64_t commits = site.house().log().Head().commits;
    site.Reopen();
    for (const Deed& deed : day.deeds()) {
      if (deed.act != Deed::kCommand && deed.act != Deed::kTakeNext) continue;
      EXPECT_TRUE(site.Perform(deed).ok());  // the same answer, or Note() complains
      EXPECT_TRUE(site.last_was_replayed());
    }
    EXPECT_EQ(site.house().log().Head().commits, commits);
  }

  bool hit_ = false;
};

TEST_P(FailureTest, EveryCallOfADayMayFail) {
  ASSERT_FALSE(UndisturbedStories().empty());
  int k = 1;
  for (; !HasFailure(); ++k) {
    SCOPED_TRACE(absl::StrCat(GetParam().name, " call ", k));
    RunDay(k);
    if (!hit_) break;
  }
  RecordProperty("calls", k - 1);
  EXPECT_GT(k, 1) << "the day has no such call";
}

INSTANTIATE_TEST_SUITE_P(
    Calls, FailureTest,
    ::testing::Values(Fault{"WriteLost", KvCall::kWriteBefore, absl::StatusCode::kUnavailable},
                      Fault{"WriteDone", KvCall::kWriteAfter, absl::StatusCode::kUnavailable},
                      Fault{"WriteDiskReserve", KvCall::kWriteBefore, absl::StatusCode::kResourceExhausted},
                      Fault{"Ingest", KvCall::kIngest, absl::StatusCode::kUnavailable},
                      Fault{"IngestDiskReserve", KvCall::kIngest, absl::StatusCode::kResourceExhausted},
                      Fault{"Get", KvCall::kGet, absl::StatusCode::kDataLoss},
                      Fault{"Scan", KvCall::kScan, absl::StatusCode::kDataLoss},
                      Fault{"Next", KvCall::kNext, absl::StatusCode::kDataLoss},
                      Fault{"Last", KvCall::kLast, absl::StatusCode::kDataLoss}),
    [](const ::testing::TestParamInfo<Fault>& info) { return info.param.name; });

}  // namespace
}  // namespace docket::engine
