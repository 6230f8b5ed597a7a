// What lists show somebody who stands in for somebody else.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/query/lists.h"
#include "tests/services/query/query_house.h"
#include "workflow/base/time.h"

namespace docket::query {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using Found = std::pair<std::string, std::string>;  // case, for whom

class DeputiesTest : public ::testing::Test {
 protected:
  std::string Owned(const std::string& owner) {
    const std::string id = FileCase(house_, kComplaint);
    MustDo(house_, id, "take {}", owner);
    return id;
  }
  // From noon on `who` is away for two days.
  void Leave(const std::string& who, const std::string& deputy) {
    const absl::Time noon = Wednesday() + absl::Hours(3);
    ASSERT_TRUE(house_.Away(who, noon, noon + absl::Hours(48), deputy).ok());
  }
  std::vector<Found> Mine(const std::string& owner, v1::ListDutiesRequest request = {}) {
    request.set_preset(v1::MINE);
    request.set_by_case(true);
    std::vector<Found> found;
    for (;;) {
      const auto reply = ListDuties(ReaderOf(house_, owner), request);
      EXPECT_TRUE(reply.ok()) << reply.status();
      if (!reply.ok()) return found;
      for (const auto& item : reply->items()) found.emplace_back(item.case_().case_id(), item.stands_in_for());
      if (reply->next_page_token().empty()) return found;
      request.set_page_token(reply->next_page_token());
    }
  }
  std::vector<Found> Escalations(const std::string& target, v1::ListEscalationsRequest request = {}) {
    request.set_target(target);
    const auto reply = ListEscalations(ReaderOf(house_), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    std::vector<Found> found;
    if (!reply.ok()) return found;
    for (const auto& item : reply->items()) {
      found.emplace_back(item.case_().case_id(), absl::StrJoin(item.stands_in_for(), " "));
    }
    return found;
  }

  House house_;
};

TEST_F(DeputiesTest, MineHoldsTheDutiesOfWhomOneStandsInForNow) {
  const std::string own = Owned("grace.lind");
  const std::string other = Owned("luis.romero");
  Owned("sam.doyle");
  Leave("luis.romero", "grace.lind");
  EXPECT_THAT(Mine("grace.lind"), ElementsAre(Found(own, "")));
  AdvanceTo(house_, Wednesday() + absl::Hours(4));
  EXPECT_THAT(Mine("grace.lind"), UnorderedElementsAre(Found(own, ""), Found(other, "luis.romero")));
  EXPECT_THAT(Mine("luis.romero"), ElementsAre(Found(other, "")));  // and it stays theirs
  v1::ListDutiesRequest request;
  request.set_page_size(1);
  EXPECT_THAT(Mine("grace.lind", request), UnorderedElementsAre(Found(own, ""), Found(other, "luis.romero")));
  request.Clear();
  *request.mutable_valid_at() = ToProto(Wednesday() + absl::Hours(2));
  EXPECT_THAT(Mine("grace.lind", request), ElementsAre(Found(own, "")));
  *request.mutable_valid_at() = ToProto(Wednesday() + absl::Hours(4));
  *request.mutable_known_at() = ToProto(Wednesday() + absl::Hours(3));  // by replay
  EXPECT_THAT(Mine("grace.lind", request), UnorderedElementsAre(Found(own, ""), Found(other, "luis.romero")));
  AdvanceTo(house_, Wednesday() + absl::Hours(51));
  EXPECT_THAT(Mine("grace.lind"), ElementsAre(Found(own, "")));
}

TEST_F(DeputiesTest, EscalationsToWhomOneStandsInForAreOnesOwnMeanwhile) {
  const std::string id = FileCase(house_, kComplaint);
  MustDo(house_, id, "escalate { kind: HIERARCHICAL reason_code: 'X' justification: 'x' }");
  ASSERT_EQ(house_.Get(id)->escalations(0).targets(0), "helen.marsh");
  Leave("helen.marsh", "tomasz.zielinski");
  EXPECT_THAT(Escalations("tomasz.zielinski"), IsEmpty());
  AdvanceTo(house_, Wednesday() + absl::Hours(4));
  EXPECT_THAT(Escalations("tomasz.zielinski"), ElementsAre(Found(id, "helen.marsh")));
  EXPECT_THAT(Escalations("helen.marsh"), ElementsAre(Found(id, "")));
  EXPECT_THAT(Escalations("luis.romero"), IsEmpty());
  v1::ListEscalationsRequest request;
  *request.mutable_known_at() = ToProto(Wednesday() + absl::Hours(3));  // by replay
  EXPECT_THAT(Escalations("tomasz.zielinski", request), ElementsAre(Found(id, "helen.marsh")));
}

TEST_F(DeputiesTest, WhoIsInConflictStandsInForNobodyInThatCase) {
  const std::string free = Owned("luis.romero");
  const std::string barred = Owned("luis.romero");
  Leave("luis.romero", "grace.lind");
  MustDo(house_, barred, "declare_conflict { nature: 'RELATIVE' }");
  AdvanceTo(house_, Wednesday() + absl::Hours(4));
  EXPECT_THAT(Mine("grace.lind"), ElementsAre(Found(free, "luis.romero")));
  EXPECT_THAT(Mine("luis.romero"), UnorderedElementsAre(Found(free, ""), Found(barred, "")));
  MustDo(house_, barred, "clear_conflict { principal: 'grace.lind' reason_code: 'MISTAKEN' }", "luis.romero");
  AdvanceTo(house_, Wednesday() + absl::Hours(5));
  EXPECT_THAT(Mine("grace.lind"), UnorderedElementsAre(Found(free, "luis.romero"), Found(barred, "luis.romero")));
  v1::ListDutiesRequest request;
  *request.mutable_valid_at() = ToProto(Wednesday() + absl::Hours(3) + absl::Minutes(1));
  EXPECT_THAT(Mine("grace.lind", request), ElementsAre(Found(free, "luis.romero")));
  *request.mutable_known_at() = request.valid_at();  // by replay
  EXPECT_THAT(Mine("grace.lind", request), ElementsAre(Found(free, "luis.romero")));
}

TEST_F(DeputiesTest, WhoIsInConflictHearsNoEscalationForSomebodyElse) {
  const std::string id = FileCase(house_, kComplaint);
  MustDo(house_, id, "escalate { kind: HIERARCHICAL reason_code: 'X' justification: 'x' }");
  MustDo(house_, id, "declare_conflict { nature: 'RELATIVE' }", "tomasz.zielinski");
  Leave("helen.marsh", "tomasz.zielinski");
  AdvanceTo(house_, Wednesday() + absl::Hours(4));
  EXPECT_THAT(Escalations("tomasz.zielinski"), IsEmpty());
  EXPECT_THAT(Escalations("helen.marsh"), ElementsAre(Found(id, "")));
  v1::ListEscalationsRequest request;
  *request.mutable_valid_at() = ToProto(Wednesday() + absl::Hours(3) + absl::Minutes(1));
  *request.mutable_known_at() = request.valid_at();  // by replay
  EXPECT_THAT(Escalations("tomasz.zielinski", request), IsEmpty());
}

TEST_F(DeputiesTest, AsKnownThenGoesByTheAbsencesKnownThen) {
  const std::string other = Owned("luis.romero");
  const std::string escalated = FileCase(house_, kComplaint);
  MustDo(house_, escalated, "escalate { kind: HIERARCHICAL reason_code: 'X' justification: 'x' }");
  AdvanceTo(house_, Wednesday() + absl::Hours(1));
  Leave("luis.romero", "grace.lind");
  Leave("helen.marsh", "tomasz.zielinski");
  const auto before = ToProto(Wednesday() + absl::Minutes(30));
  v1::ListDutiesRequest request;
  *request.mutable_valid_at() = ToProto(Wednesday() + absl::Hours(4));
  EXPECT_THAT(Mine("grace.lind", request), ElementsAre(Found(other, "luis.romero")));
  *request.mutable_known_at() = before;
  EXPECT_THAT(Mine("grace.lind", request), IsEmpty());
  v1::ListEscalationsRequest escalations;
  *escalations.mutable_valid_at() = request.valid_at();
  EXPECT_THAT(Escalations("tomasz.zielinski", escalations), ElementsAre(Found(escalated, "helen.marsh")));
  *escalations.mutable_known_at() = before;
  EXPECT_THAT(Escalations("tomasz.zielinski", escalations), IsEmpty());
}

}  // namespace
}  // namespace docket::query
