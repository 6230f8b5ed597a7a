#include "workflow/policy/condition.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/base/refusal.h"
#include "workflow/policy/nearest.h"

namespace docket::policy {
namespace {

using ::testing::HasSubstr;

v1::Condition Parse(const std::string& text) {
  v1::Condition condition;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &condition)) << text;
  return condition;
}

v1::Condition Compare(const std::string& fact, v1::Condition::Operator op,
                      const std::vector<std::string>& values = {}) {
  v1::Condition condition;
  condition.mutable_comparison()->set_fact(fact);
  condition.mutable_comparison()->set_op(op);
  for (const std::string& value : values) condition.mutable_comparison()->add_values(value);
  return condition;
}

v1::CaseFacts SomeCase() {
  v1::CaseFacts facts;
  facts.set_kind(v1::COMPLAINT);
  facts.set_status("OPEN");
  facts.set_category(v1::OPEN);
  facts.set_priority(2);
  facts.set_safety(true);
  facts.set_tier("VIP");
  return facts;
}

struct Row {
  const char* name;
  v1::Condition condition;
  bool expected;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class Comparison : public ::testing::TestWithParam<Row> {};

// Facts: SomeCase, a hold on LEGAL without an end, a status change into closed/DECLINED that pauses RESOLUTION.
TEST_P(Comparison, Evaluates) {
  const v1::CaseFacts case_facts = SomeCase();
  v1::HoldCase hold;
  hold.set_waiting_on(v1::LEGAL);
  hold.set_reason_code("COUNSEL");
  v1::StatusChanged changed;
  changed.mutable_entered()->set_category(v1::CLOSED);
  changed.mutable_entered()->set_closure_code("DECLINED");
  changed.mutable_entered()->add_pauses("RESOLUTION");
  const Facts facts{.case_facts = &case_facts, .command = &hold, .event = &changed};
  const FactCatalogue catalogue{.case_facts = v1::CaseFacts::descriptor(),
                                .command = v1::HoldCase::descriptor(),
                                .event = v1::StatusChanged::descriptor()};
  EXPECT_TRUE(CheckCondition(GetParam().condition, catalogue).ok()) << CheckCondition(GetParam().condition, catalogue);
  EXPECT_EQ(Evaluate(GetParam().condition, facts), GetParam().expected) << DescribeCondition(GetParam().condition);
}

using C = v1::Condition;
INSTANTIATE_TEST_SUITE_P(
    Table, Comparison,
    ::testing::Values(Row{"unset is true", C(), true}, Row{"number eq", Compare("case.priority", C::EQ, {"2"}), true},
                      Row{"number eq no", Compare("case.priority", C::EQ, {"3"}), false},
                      Row{"number ne", Compare("case.priority", C::NE, {"3"}), true},
                      Row{"number ne no", Compare("case.priority", C::NE, {"2"}), false},
                      Row{"lt at", Compare("case.priority", C::LT, {"2"}), false},
                      Row{"lt above", Compare("case.priority", C::LT, {"3"}), true},
                      Row{"le at", Compare("case.priority", C::LE, {"2"}), true},
                      Row{"le below", Compare("case.priority", C::LE, {"1"}), false},
                      Row{"gt at", Compare("case.priority", C::GT, {"2"}), false},
                      Row{"gt below", Compare("case.priority", C::GT, {"1"}), true},
                      Row{"ge at", Compare("case.priority", C::GE, {"2"}), true},
                      Row{"ge above", Compare("case.priority", C::GE, {"3"}), false},
                      Row{"negative", Compare("case.priority", C::GT, {"-1"}), true},
                      Row{"number in", Compare("case.priority", C::IN, {"1", "2"}), true},
                      Row{"number not in", Compare("case.priority", C::IN, {"1", "3"}), false},
                      Row{"number not empty", Compare("case.priority", C::NOT_EMPTY), true},
                      Row{"zero is empty", Compare("case.severity", C::EMPTY), true},
                      Row{"enum", Compare("case.kind", C::EQ, {"COMPLAINT"}), true},
                      Row{"enum other", Compare("case.kind", C::EQ, {"REQUEST"}), false},
                      Row{"enum in", Compare("case.kind", C::IN, {"REQUEST", "COMPLAINT"}), true},
                      Row{"unspecified is empty", Compare("case.medium", C::EMPTY), true},
                      Row{"enum not empty", Compare("case.category", C::NOT_EMPTY), true},
                      Row{"bool", Compare("case.safety", C::EQ, {"true"}), true},
                      Row{"bool false", Compare("case.safety", C::EQ, {"false"}), false},
                      Row{"bool default", Compare("case.legal", C::EQ, {"false"}), true},
                      Row{"false is empty", Compare("case.legal", C::EMPTY), true},
                      Row{"string", Compare("case.tier", C::EQ, {"VIP"}), true},
                      Row{"string case matters", Compare("case.tier", C::EQ, {"vip"}), false},
                      Row{"string empty", Compare("case.owner", C::EMPTY), true},
                      Row{"string eq empty", Compare("case.owner", C::EQ, {""}), true},
                      Row{"command enum", Compare("command.waiting_on", C::EQ, {"LEGAL"}), true},
                      Row{"message unset", Compare("command.until", C::EMPTY), true},
                      Row{"message not set", Compare("command.until", C::NOT_EMPTY), false},
                      Row{"nested enum", Compare("event.entered.category", C::IN, {"RESOLVED", "CLOSED"}), true},
                      Row{"nested string", Compare("event.entered.closure_code", C::NE, {"VOIDED"}), true},
                      Row{"nested message set", Compare("event.entered", C::NOT_EMPTY), true},
                      Row{"nested in an unset message", Compare("event.wait.reason_code", C::EMPTY), true},
                      Row{"nested in an unset message eq", Compare("event.wait.on", C::EQ, {"LEGAL"}), false},
                      Row{"list contains", Compare("event.entered.pauses", C::EQ, {"RESOLUTION"}), true},
                      Row{"list does not contain", Compare("event.entered.pauses", C::EQ, {"FIRST_RESPONSE"}), false},
                      Row{"list lacks", Compare("event.entered.pauses", C::NE, {"FIRST_RESPONSE"}), true},
                      Row{"list contains any", Compare("event.entered.pauses", C::IN, {"X", "RESOLUTION"}), true},
                      Row{"list not empty", Compare("event.entered.pauses", C::NOT_EMPTY), true},
                      Row{"list empty", Compare("event.entered.pauses", C::EMPTY), false},
                      Row{"all of none", Parse("all {}"), true}, Row{"any of none", Parse("any {}"), false},
                      Row{"all",
                          Parse("all { of { comparison { fact: 'case.priority' op: LE values: '2' } }"
                                "      of { comparison { fact: 'case.safety' op: EQ values: 'true' } } }"),
                          true},
                      Row{"all but one",
                          Parse("all { of { comparison { fact: 'case.priority' op: LE values: '2' } }"
                                "      of { comparison { fact: 'case.legal' op: EQ values: 'true' } } }"),
                          false},
                      Row{"any",
                          Parse("any { of { comparison { fact: 'case.priority' op: EQ values: '5' } }"
                                "      of { comparison { fact: 'case.safety' op: EQ values: 'true' } } }"),
                          true},
                      Row{"not", Parse("not { comparison { fact: 'case.safety' op: EQ values: 'true' } }"), false},
                      Row{"not not", Parse("not { not { comparison { fact: 'case.safety' op: EQ values: 'true' } } }"),
                          true}),
    [](const auto& info) { return std::to_string(info.index); });

// With no command at hand (what might be allowed), its facts read as if it were empty.
TEST(Condition, AbsentFactsCompareAsTheirDefaults) {
  const auto evaluate = [](const C& condition) { return Evaluate(condition, Facts{}); };
  EXPECT_TRUE(evaluate(Compare("command.internal", C::EQ, {"false"})));
  EXPECT_FALSE(evaluate(Compare("command.internal", C::EQ, {"true"})));
  EXPECT_TRUE(evaluate(Compare("command.internal", C::NE, {"true"})));
  EXPECT_TRUE(evaluate(Compare("command.waiting_on", C::EQ, {"WAITING_ON_UNSPECIFIED"})));
  EXPECT_FALSE(evaluate(Compare("command.waiting_on", C::IN, {"LEGAL", "SCHEDULE"})));
  EXPECT_TRUE(evaluate(Compare("command.until", C::EMPTY)));
  EXPECT_FALSE(evaluate(Compare("command.until", C::NOT_EMPTY)));
  EXPECT_TRUE(evaluate(Compare("case.priority", C::LT, {"1"})));
  EXPECT_FALSE(evaluate(Compare("case.priority", C::GE, {"1"})));
}

struct Refused {
  const char* name;
  v1::Condition condition;
  const char* reason;
  const char* message;
};
void PrintTo(const Refused& row, std::ostream* out) { *out << row.name; }

class CheckedCondition : public ::testing::TestWithParam<Refused> {};

TEST_P(CheckedCondition, IsRefusedWithItsReason) {
  const FactCatalogue catalogue{
      .case_facts = v1::CaseFacts::descriptor(), .command = v1::SendOutbound::descriptor(), .event = nullptr};
  const absl::Status status = CheckCondition(GetParam().condition, catalogue);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), GetParam().reason);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, CheckedCondition,
    ::testing::Values(
        Refused{"misspelt", Compare("case.prority", C::EQ, {"1"}), "UNKNOWN_FACT", "nearest: case.priority"},
        Refused{"misspelt in command", Compare("command.intrnal", C::EQ, {"true"}), "UNKNOWN_FACT",
                "nearest: command.internal"},
        Refused{"namespace not allowed", Compare("event.human", C::EQ, {"true"}), "UNKNOWN_FACT",
                "no namespace \"event\""},
        Refused{"no namespace", Compare("priority", C::EQ, {"1"}), "UNKNOWN_FACT", "nearest: case.priority"},
        Refused{"empty", Compare("", C::EQ, {"1"}), "UNKNOWN_FACT", "want case.<field>"},
        Refused{"reaches into a value", Compare("case.priority.x", C::EQ, {"1"}), "UNKNOWN_FACT", "no single message"},
        Refused{"reaches into a list", Compare("command.parts.x", C::EQ, {"1"}), "UNKNOWN_FACT", "no single message"},
        Refused{"nested misspelt", Compare("command.channel.carier", C::EQ, {"phone"}), "UNKNOWN_FACT",
                "nearest: command.channel.carrier"},
        Refused{"too long a path", Compare("case.a.b.c.d.e.f.g", C::EQ, {"1"}), "UNKNOWN_FACT", "is not a path"},
        Refused{"order of text", Compare("case.tier", C::LT, {"VIP"}), "BAD_OPERATOR", "LT does not fit"},
        Refused{"order of names", Compare("case.kind", C::GE, {"REQUEST"}), "BAD_OPERATOR", "GE does not fit"},
        Refused{"order of a list", Compare("command.answers", C::LT, {"3"}), "BAD_OPERATOR", "a list"},
        Refused{"value of a message", Compare("command.channel", C::EQ, {"x"}), "BAD_OPERATOR",
                "want EMPTY or NOT_EMPTY"},
        Refused{"words of a person", Compare("command.body", C::EQ, {"x"}), "BAD_OPERATOR", "personal text"},
        Refused{"no operator", Compare("case.priority", C::OPERATOR_UNSPECIFIED, {"1"}), "BAD_OPERATOR", ""},
        Refused{"no value", Compare("case.priority", C::EQ), "BAD_VALUE", "want one"},
        Refused{"two values", Compare("case.priority", C::EQ, {"1", "2"}), "BAD_VALUE", "want one"},
        Refused{"in nothing", Compare("case.priority", C::IN), "BAD_VALUE", "want 1..64"},
        Refused{"empty with a value", Compare("case.priority", C::EMPTY, {"1"}), "BAD_VALUE", "takes no value"},
        Refused{"no number", Compare("case.priority", C::EQ, {"high"}), "BAD_VALUE", "want an integer"},
        Refused{"no bool", Compare("case.safety", C::EQ, {"yes"}), "BAD_VALUE", "want true or false"},
        Refused{"unknown name", Compare("case.kind", C::IN, {"REQUEST", "COMPLAIN"}), "BAD_VALUE",
                "nearest: COMPLAINT"},
        Refused{"hole in a list", Parse("all { of {} }"), "EMPTY_CONDITION", "without content"},
        Refused{"not of nothing", Parse("not {}"), "EMPTY_CONDITION", "without content"},
        Refused{"deep inside", Parse("not { any { of { comparison { fact: 'case.x' op: EMPTY } } } }"), "UNKNOWN_FACT",
                "case.x"}),
    [](const auto& info) { return std::to_string(info.index); });

TEST(Condition, AsksOnlyWhetherPersonalTextIsThere) {
  const FactCatalogue catalogue{.case_facts = nullptr, .command = v1::SendOutbound::descriptor(), .event = nullptr};
  EXPECT_TRUE(CheckCondition(Compare("command.body", C::NOT_EMPTY), catalogue).ok());
}

TEST(Condition, SixteenLevelsAreEnough) {
  const FactCatalogue catalogue{.case_facts = v1::CaseFacts::descriptor(), .command = nullptr, .event = nullptr};
  v1::Condition condition = Compare("case.priority", C::EQ, {"1"});
  for (int level = 2; level <= 16; ++level) {
    v1::Condition outer;
    *outer.mutable_not_() = condition;
    condition = outer;
  }
  EXPECT_TRUE(CheckCondition(condition, catalogue).ok());
  v1::Condition deeper;
  *deeper.mutable_not_() = condition;
  EXPECT_EQ(ReasonOf(CheckCondition(deeper, catalogue)), "CONDITION_TOO_DEEP");
}

TEST(Condition, IsDescribedInWords) {
  EXPECT_EQ(DescribeCondition(C()), "always");
  EXPECT_EQ(DescribeCondition(Parse("any {}")), "never");
  EXPECT_EQ(DescribeCondition(Parse("all { of { comparison { fact: 'case.priority' op: LE values: '2' } }"
                                    "      of { comparison { fact: 'case.safety' op: EQ values: 'true' } } }")),
            "case.priority <= 2 and case.safety = true");
  EXPECT_EQ(
      DescribeCondition(Parse("any { of { all { of { comparison { fact: 'case.a' op: EMPTY } }"
                              "                 of { comparison { fact: 'case.b' op: NOT_EMPTY } } } }"
                              "      of { not { comparison { fact: 'case.c' op: IN values: 'X' values: 'Y' } } } }")),
      "(case.a is empty and case.b is not empty) or not (case.c in (X, Y))");
  EXPECT_EQ(DescribeCondition(Compare("case.tier", C::NE, {""})), "case.tier != \"\"");
}

TEST(Nearest, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("abc", ""), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
  EXPECT_EQ(EditDistance("priority", "prioirty"), 1) << "a swap is one slip of the fingers";
  EXPECT_EQ(Nearest("hld", {"void", "hold", "held"}), "hold");
  EXPECT_EQ(Nearest("x", {}), "");
  EXPECT_EQ(Nearest("nope", {"it", "legal", "intake"}), "") << "what is not half right is a guess";
  EXPECT_EQ(Nearest("ops", {"shops"}), "shops");
  EXPECT_EQ(NearestHint("nope", {"it"}), "");
  EXPECT_EQ(NearestHint("hld", {"hold"}), "; nearest: hold");
}

}  // namespace
}  // namespace docket::policy
