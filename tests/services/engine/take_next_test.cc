// Who gets which case of a queue: skills, capacity, conflicts of interest, leases; and what is said when there is none.
#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "store/view_table.h"
#include "tests/support/house.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/projection/rows.h"

namespace docket::engine {
namespace {

using testing::House;
using Answer = absl::StatusOr<v1::ExecuteReply>;

// Two queues of one department, and routing that asks for skills by what a case is about.
constexpr char kRouting[] = R"(
routing: by-skill
rules:
  - {when: {case.topic: [pipes]}, queue: work, skills: [PIPES]}
  - {when: {case.topic: [wires]}, queue: work, skills: [WIRES]}
  - {when: {case.topic: [both]}, queue: work, skills: [PIPES, WIRES]}
  - {queue: work}
)";

struct Person {
  std::string id;
  std::vector<std::string> skills = {};
  int capacity = 0;
};

std::string DirectoryOf(const std::vector<Person>& people) {
  std::string yaml = R"(directory: small
departments: [{id: works, name: Works}]
queues:
  - {id: work, name: Work, department: works}
  - {id: intake, name: Intake, department: works}
principals:
  - {id: mei.tan, department: works}
)";
  for (const Person& one : people) {
    absl::StrAppend(&yaml, "  - {id: ", one.id, ", department: works, skills: [", absl::StrJoin(one.skills, ", "),
                    "], capacity: ", one.capacity, "}\n");
  }
  return yaml;
}

std::map<std::string, std::string> DetailsOf(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo");
  EXPECT_TRUE(payload.has_value() && info.ParseFromString(std::string(*payload))) << status;
  return {info.metadata().begin(), info.metadata().end()};
}

class TakeNextTest : public ::testing::Test {
 protected:
  void Open(const std::vector<Person>& people) {
    house_ = std::make_unique<House>(House::Options{.publish_packs = false});
    for (const std::string& pack :
         {DirectoryOf(people), testing::ReadPack("calendar-london.yaml"), testing::ReadPack("calendar-always.yaml"),
          testing::ReadPack("priority-matrix.yaml"), testing::ReadPack("ticket-basic.yaml"), std::string(kRouting)}) {
      const absl::Status published = house_->Publish(pack);
      ASSERT_TRUE(published.ok()) << published;
    }
  }

  // Cases without clocks stand in the order of filing.
  std::string File(const std::string& topic = "") {
    house_->clock().Advance(absl::Seconds(1));
    const auto reply = house_->File(absl::StrCat("kind: REQUEST title: 'x' category: '", topic, "'"), "ann");
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->case_id() : "";
  }
  void Submit(const std::string& who, ExecuteDone done) {
    house_->engine().SubmitTakeNext("work", house_->NewRequestId(), {.principal_id = who}, std::move(done));
  }
  Answer Take(const std::string& who) {
    std::promise<Answer> answer;
    Submit(who, [&](Answer reply) { answer.set_value(std::move(reply)); });
    return answer.get_future().get();
  }
  std::string TakenBy(const std::string& who) {
    const Answer reply = Take(who);
    return reply.ok() ? reply->case_id() : ReasonOf(reply.status());
  }
  void Must(const std::string& case_id, const std::string& command, const std::string& who = "ann") {
    const auto reply = house_->Do(case_id, command, who);
    EXPECT_TRUE(reply.ok()) << command << ": " << reply.status();
  }

  std::unique_ptr<House> house_;
};

TEST_F(TakeNextTest, WorkThatWantsSkillsGoesToWhoeverHasThem) {
  Open({{.id = "ann"}, {.id = "bob", .skills = {"PIPES"}}, {.id = "cid", .skills = {"WIRES", "PIPES"}}});
  const std::string both = File("both");
  const std::string pipes = File("pipes");
  const std::string wires = File("wires");
  const std::string plain = File();
  EXPECT_EQ(TakenBy("ann"), plain);
  EXPECT_EQ(TakenBy("bob"), pipes);
  EXPECT_EQ(TakenBy("cid"), both);
  EXPECT_EQ(TakenBy("cid"), wires);
  EXPECT_EQ(TakenBy("cid"), "QUEUE_EMPTY");
}

TEST_F(TakeNextTest, SaysWhyNothingIsForWhoeverAsks) {
  Open({{.id = "ann"}, {.id = "bob", .skills = {"PIPES", "WIRES"}}, {.id = "cid"}});
  EXPECT_EQ(Take("ann").status().code(), absl::StatusCode::kNotFound);
  File("pipes");
  File("both");
  const std::string known = File();
  const std::string leased = File();
  Must(known, "declare_conflict { nature: 'KINSHIP' }", "ann");
  ASSERT_TRUE(house_->engine().TakeLease(leased, {.principal_id = "cid"}, absl::ZeroDuration()).ok());
  const absl::Status refused = Take("ann").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), "NOTHING_FOR_YOU");
  EXPECT_EQ(refused.message(),
            "queue work: 4 without an owner, none of them for ann: 2 want skills they lack (PIPES WIRES), 1 with a "
            "conflict of interest, 1 leased by somebody else");
  const std::map<std::string, std::string> expected = {
      {"queue", "work"},         {"principal", "ann"}, {"unowned", "4"}, {"lacking_skills", "2"},
      {"skills", "PIPES WIRES"}, {"conflicts", "1"},   {"leased", "1"},  {"others", "0"}};
  EXPECT_EQ(DetailsOf(refused), expected);
  EXPECT_EQ(TakenBy("cid"), known);
  EXPECT_EQ(TakenBy("cid"), leased) << "their own lease";
  const absl::Status unknown = Take("nobody.known").status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(unknown), "UNKNOWN_PRINCIPAL");
}

TEST_F(TakeNextTest, ACaseRoutedAgainWantsOtherSkills) {
  Open({{.id = "ann"}});
  const std::string one = File("pipes");
  EXPECT_EQ(TakenBy("ann"), "NOTHING_FOR_YOU");
  Must(one, "queue { queue: 'intake' }");
  EXPECT_EQ(TakenBy("ann"), "QUEUE_EMPTY");
  Must(one, "queue { queue: 'work' }");
  EXPECT_EQ(TakenBy("ann"), one) << "whoever puts it there by hand asks for no skill";
}

TEST_F(TakeNextTest, WhoHasTheirHandsFullGetsNoMoreUntilSomethingWaitsOrIsDone) {
  Open({{.id = "ann"}, {.id = "bob", .capacity = 2}});
  for (int i = 0; i < 8; ++i) File();
  const std::string first = TakenBy("bob");
  const std::string second = TakenBy("bob");
  const absl::Status full = Take("bob").status();
  EXPECT_EQ(full.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(full), "CAPACITY_REACHED");
  EXPECT_EQ(full.message(), "bob has 2 cases in hand, capacity 2");
  const std::map<std::string, std::string> expected = {{"principal", "bob"}, {"in_hand", "2"}, {"capacity", "2"}};
  EXPECT_EQ(DetailsOf(full), expected);

  // What waits takes up nobody, until the wait is over, recorded or not.
  const absl::Time until = house_->clock().Now() + absl::Hours(1);
  Must(first, "accept {}", "bob");
  Must(first,
       absl::StrCat("hold { waiting_on: DEPARTMENT reason_code: 'X' until { seconds: ", absl::ToUnixSeconds(until),
                    " } }"),
       "bob");
  const std::string third = TakenBy("bob");
  EXPECT_EQ(TakenBy("bob"), "CAPACITY_REACHED");
  Must(second, "release {}", "bob");
  house_->Settle();
  house_->clock().AdvanceTo(until);
  EXPECT_EQ(TakenBy("bob"), "CAPACITY_REACHED") << first << " is back";
  house_->Settle();

  // Neither what is resolved nor what is closed is in hand.
  Must(third, "accept {}", "bob");
  Must(third, "resolve { resolution_code: 'FIXED' }", "bob");
  const std::string fourth = TakenBy("bob");
  EXPECT_EQ(fourth, second) << "released, it stands first again";
  EXPECT_EQ(TakenBy("bob"), "CAPACITY_REACHED");

  // By hand somebody decides.
  Must(File(), "take {}", "bob");
  Must(File(), "assign { owner: 'bob' }", "ann");
  EXPECT_EQ(DetailsOf(Take("bob").status()).at("in_hand"), "4");
  EXPECT_TRUE(Take("ann").ok()) << "no limit";
}

// What the group does before counts, though nothing of it is on disk.
TEST_F(TakeNextTest, WithinOneGroupTheFirstOnesCount) {
  Open({{.id = "ann"}, {.id = "bob", .capacity = 2}});
  std::vector<std::string> filed;
  for (int i = 0; i < 6; ++i) filed.push_back(File());
  const std::string other = File();
  std::promise<void> release;
  std::promise<void> held;
  v1::ExecuteRequest note;
  note.set_case_id(other);
  note.set_request_id(house_->NewRequestId());
  note.mutable_command()->mutable_add_note()->set_body("x");
  house_->engine().Submit(note, {.principal_id = "ann"}, Lane::kInteractive,
                          [&held, wait = release.get_future().share()](Answer) {
                            held.set_value();
                            wait.wait();
                          });
  held.get_future().wait();
  std::vector<std::string> answers;  // written by the writer only
  std::promise<void> all;
  const auto answer = [&](Answer reply) {
    answers.push_back(reply.ok() ? reply->case_id() : ReasonOf(reply.status()));
    if (answers.size() == 6) all.set_value();
  };
  const uint64_t commits = house_->log().Head().commits;
  for (int i = 0; i < 3; ++i) Submit("bob", answer);
  v1::ExecuteRequest hand_back;
  hand_back.set_case_id(filed[0]);
  hand_back.set_request_id(house_->NewRequestId());
  hand_back.mutable_command()->mutable_release();
  house_->engine().Submit(hand_back, {.principal_id = "bob"}, Lane::kInteractive, answer);
  for (int i = 0; i < 2; ++i) Submit("bob", answer);
  release.set_value();
  all.get_future().wait();
  EXPECT_EQ(answers,
            (std::vector<std::string>{filed[0], filed[1], "CAPACITY_REACHED", filed[0], filed[0], "CAPACITY_REACHED"}));
  EXPECT_EQ(house_->log().Head().commits, commits + 4);
}

// Closed cases do not pile up where the owner's work is listed.
TEST_F(TakeNextTest, TheOwnersListHoldsWhatIsUnfinished) {
  Open({{.id = "ann"}, {.id = "bob", .capacity = 1}});
  const auto owned = [&] {
    const ReadView view = house_->engine().Read();
    std::vector<std::string> ids;
    for (store::RowScan<projection::EntryRow> rows(*view.snapshot, view.views); rows.Valid(); rows.Next()) {
      const auto row = rows.Get();
      if (row.ok() && row->list == v1::LISTED_OWNED) ids.push_back(absl::StrCat(row->group, " ", row->case_id));
    }
    return ids;
  };
  for (int i = 0; i < 3; ++i) {
    const std::string filed = File();
    EXPECT_EQ(TakenBy("bob"), filed);
    EXPECT_EQ(owned(), std::vector<std::string>{absl::StrCat("bob ", filed)});
    Must(filed, "accept {}", "bob");
    Must(filed, "resolve { resolution_code: 'FIXED' }", "bob");
    EXPECT_EQ(owned().size(), 1u);
    Must(filed, "close { basis: 'ACCEPTED' }", "bob");
    EXPECT_TRUE(owned().empty());
  }
}

// Sixteen people with different skills and capacities ask at once, again and again, until there is nothing for them.
TEST_F(TakeNextTest, UnderContentionEachCaseIsTakenOnceByOneWhoMayAndNobodyGetsTooMany) {
  static const auto& topics = *new std::vector<std::string>{"", "pipes", "wires", "both"};
  const std::map<std::string, std::set<std::string>> wanted = {
      {"", {}}, {"pipes", {"PIPES"}}, {"wires", {"WIRES"}}, {"both", {"PIPES", "WIRES"}}};
  std::vector<Person> people = {{.id = "ann"}};
  for (int i = 0; i < 16; ++i) {
    Person one{.id = absl::StrCat("p", i), .capacity = 1 + i % 5};
    if (i % 2 == 1) one.skills.push_back("PIPES");
    if (i % 4 >= 2) one.skills.push_back("WIRES");
    people.push_back(one);
  }
  Open(people);
  std::map<std::string, std::string> topic_of;
  for (int i = 0; i < 48; ++i) topic_of[File(topics[i % topics.size()])] = topics[i % topics.size()];

  std::vector<std::vector<std::string>> taken(people.size());
  std::vector<std::string> last(people.size());
  std::atomic<int> ready = 0;
  std::vector<std::thread> takers;
  for (size_t i = 1; i < people.size(); ++i) {
    takers.emplace_back([&, i] {
      for (++ready; ready < 16;) std::this_thread::yield();
      for (;;) {
        const Answer reply = Take(people[i].id);
        if (!reply.ok()) {
          last[i] = ReasonOf(reply.status());
          return;
        }
        taken[i].push_back(reply->case_id());
      }
    });
  }
  for (std::thread& taker : takers) taker.join();

  std::set<std::string> all;
  for (size_t i = 1; i < people.size(); ++i) {
    const Person& person = people[i];
    const std::set<std::string> skills(person.skills.begin(), person.skills.end());
    EXPECT_LE(taken[i].size(), static_cast<size_t>(person.capacity)) << person.id;
    EXPECT_EQ(last[i] == "CAPACITY_REACHED", taken[i].size() == static_cast<size_t>(person.capacity)) << person.id;
    for (const std::string& id : taken[i]) {
      EXPECT_TRUE(all.insert(id).second) << id << " was taken twice";
      const std::set<std::string>& want = wanted.at(topic_of.at(id));
      EXPECT_TRUE(std::includes(skills.begin(), skills.end(), want.begin(), want.end())) << person.id;
      EXPECT_EQ(house_->Get(id)->owner(), person.id);
    }
    if (last[i] == "CAPACITY_REACHED") continue;
    for (const auto& [id, topic] : topic_of) {
      const std::set<std::string>& want = wanted.at(topic);
      const bool could = std::includes(skills.begin(), skills.end(), want.begin(), want.end());
      EXPECT_FALSE(could && house_->Get(id)->owner().empty()) << person.id << " was refused, and " << id << " is left";
    }
  }
  EXPECT_GT(all.size(), 20u);
}

}  // namespace
}  // namespace docket::engine
