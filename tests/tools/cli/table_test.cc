#include "tools/cli/table.h"

#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace docket::cli {
namespace {

std::string Printed(const Table& table) {
  std::ostringstream out;
  table.Print(out);
  return out.str();
}

TEST(Table, ColumnsAlignAndLinesHaveNoSpacesAtTheirEnd) {
  Table table({{"CASE"}, {"PRI", Table::Align::kRight}, {"OWNER"}});
  table.AddRow({"CMP-1", "1", "alice"});
  table.AddRow({"CMP-100", "12", ""});
  EXPECT_EQ(Printed(table),
            "CASE     PRI  OWNER\n"
            "CMP-1      1  alice\n"
            "CMP-100   12\n");
}

TEST(Table, AColumnEmptyInEveryRowIsLeftOut) {
  Table table({{"CASE"}, {"QUEUE"}, {"OWNER"}});
  table.AddRow({"CMP-1", "", "alice"});
  EXPECT_EQ(Printed(table), "CASE   OWNER\nCMP-1  alice\n");
}

TEST(Table, NoRowsPrintNothing) { EXPECT_EQ(Printed(Table({{"CASE"}})), ""); }

TEST(Table, WideCharactersTakeTwoColumns) {
  Table table({{"TITLE"}, {"OWNER"}});
  table.AddRow({"投诉", "li"});
  table.AddRow({"Straße", "bo"});
  EXPECT_EQ(Printed(table), "TITLE   OWNER\n投诉    li\nStraße  bo\n");
}

TEST(Table, LongCellsAreCutWithAnEllipsis) {
  Table table({{"TITLE", Table::Align::kLeft, 6}});
  table.AddRow({"abcdefgh"});
  table.AddRow({"投诉投诉"});
  table.AddRow({"abcdef"});
  EXPECT_EQ(Printed(table), "TITLE\nabcde…\n投诉…\nabcdef\n");
}

TEST(Table, AnUncutColumnIsWrappedOnlyToFit) {
  Table table({{"REV", Table::Align::kRight}, {"WHAT", Table::Align::kLeft, Table::kUncut}, {"BY"}});
  const std::string what = "one=two three=four " + std::string(200, 'x');
  table.AddRow({"1", what, "alice"});
  table.AddRow({"2", "short", "bob"});
  EXPECT_THAT(Printed(table), testing::HasSubstr("  1  " + what + "  alice\n"));
  std::ostringstream fitted, narrow;
  table.Print(fitted, 112);
  EXPECT_EQ(fitted.str(), "REV  WHAT" + std::string(98, ' ') + "BY\n  1  one=two three=four" + std::string(84, ' ') +
                              "alice\n     " + std::string(100, 'x') + "\n     " + std::string(100, 'x') +
                              "\n  2  short" + std::string(95, ' ') + "  bob\n");
  table.Print(narrow, 10);
  EXPECT_THAT(narrow.str(), testing::HasSubstr("\n     " + std::string(20, 'x') + "\n"));
}

TEST(Table, ALineIsBrokenAtASpaceWhereThereIsOne) {
  absl::string_view text = "ab cd efghijkl 投诉投诉";
  std::vector<std::string> lines;
  while (!text.empty()) lines.push_back(TakeLine(&text, 5));
  EXPECT_THAT(lines, testing::ElementsAre("ab cd", "efghi", "jkl", "投诉", "投诉"));
}

TEST(Table, TextFromPeopleCannotMoveTheCursor) {
  EXPECT_EQ(OneLine("a\x1b[2Jb\nc\td\x7f"), "a?[2Jb c d?");
  EXPECT_EQ(OneLine("\xc2\x9b" "31m"), "?31m");      // a C1 control sequence introducer
  EXPECT_EQ(OneLine("x\xe2\x80\xaey"), "x?y");       // right-to-left override
  EXPECT_EQ(OneLine("\xff\xc0\x80 \xe4\xbd"), "??? ??");  // not UTF-8
  EXPECT_EQ(OneLine("投诉 é 😀"), "投诉 é 😀");
}

TEST(Table, BlocksKeepTheirLines) { EXPECT_EQ(Block("one\ntwo\x07", "  "), "  one\n  two?\n"); }

TEST(Table, WidthsFollowTheTerminal) {
  EXPECT_EQ(DisplayWidth(""), 0);
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("投诉"), 4);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
}

TEST(Table, FieldsAlignTheirValuesAndLeaveOutEmptyOnes) {
  std::ostringstream out;
  PrintFields({{"status", "OPEN"}, {"queue", ""}, {"next duty", "none"}}, out);
  EXPECT_EQ(out.str(), "status     OPEN\nnext duty  none\n");
}

}  // namespace
}  // namespace docket::cli
