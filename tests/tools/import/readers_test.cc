#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/tools/import/test_files.h"
#include "tools/import/byte_source.h"
#include "tools/import/record_reader.h"
#include "tools/import/utf8.h"
#include "workflow/base/field_rules.h"

namespace docket::import_tool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::string Drain(ByteSource& source) {
  std::string text;
  for (int byte = source.Get(); byte != ByteSource::kEnd; byte = source.Get()) text.push_back(static_cast<char>(byte));
  return text;
}

// Bytes that gzip cannot make small, so that a file has many compressed blocks.
std::string Noise(size_t bytes) {
  std::string text;
  uint32_t state = 1;
  while (text.size() < bytes) {
    state = state * 1664525 + 1013904223;
    text.push_back("0123456789abcdef\n"[(state >> 24) % 17]);
  }
  return text;
}

std::vector<std::string> Csv(const std::string& content, std::vector<std::string> wanted = {"a", "b"},
                             char delimiter = ',') {
  auto source = MustOpen(WriteFile(content));
  auto reader = OpenCsv(source.get(), std::move(wanted), delimiter);
  if (!reader.ok()) return {absl::StrCat("error: ", reader.status().message())};
  return AllRecords(**reader);
}

std::vector<std::string> Json(const std::string& content, std::vector<std::string> wanted = {"a", "b"}) {
  auto source = MustOpen(WriteFile(content));
  return AllRecords(*OpenJson(source.get(), std::move(wanted)));
}

TEST(ByteSourceTest, PlainAndGzippedFilesGiveTheSameBytesAndLines) {
  const std::string text = Noise(3 * ByteSource::kBufferBytes + 17);
  auto plain = MustOpen(WriteFile(text));
  auto zipped = MustOpen(WriteGzip(text));
  EXPECT_EQ(Drain(*plain), text);
  EXPECT_EQ(Drain(*zipped), text);
  EXPECT_EQ(plain->line(), zipped->line());
  EXPECT_EQ(plain->line(), 1 + static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n')));
  EXPECT_TRUE(plain->status().ok() && zipped->status().ok());
  EXPECT_EQ(zipped->Progress(), 1.0);
}

TEST(ByteSourceTest, AByteOrderMarkIsSkippedOnlyAtTheBeginning) {
  EXPECT_EQ(Drain(*MustOpen(WriteFile("\xEF\xBB\xBF" "a\xEF\xBB\xBF"))), "a\xEF\xBB\xBF");
  EXPECT_EQ(Drain(*MustOpen(WriteFile("\xEF\xBB\xBF"))), "");
  EXPECT_EQ(Drain(*MustOpen(WriteFile(""))), "");
}

TEST(ByteSourceTest, ATruncatedGzipFileIsDataLoss) {
  std::string bytes = ReadBytes(WriteGzip(Noise(1 << 20)));
  bytes.resize(bytes.size() / 2);
  auto source = MustOpen(WriteFile(bytes));
  EXPECT_FALSE(Drain(*source).empty());
  EXPECT_EQ(source->status().code(), absl::StatusCode::kDataLoss);
}

TEST(ByteSourceTest, AFlippedBitInAGzipFileIsDataLoss) {
  std::string bytes = ReadBytes(WriteGzip(Noise(1 << 20)));
  bytes[bytes.size() / 2] ^= 0x10;
  auto source = MustOpen(WriteFile(bytes));
  Drain(*source);
  EXPECT_EQ(source->status().code(), absl::StatusCode::kDataLoss);
}

TEST(ByteSourceTest, GzipFilesOneBehindTheOtherAreOneAndZerosArePadding) {
  const std::string bytes = absl::StrCat(ReadBytes(WriteGzip("a\n")), ReadBytes(WriteGzip("b\n")));
  EXPECT_EQ(Drain(*MustOpen(WriteFile(bytes))), "a\nb\n");
  auto padded = MustOpen(WriteFile(bytes + std::string(1000, '\0')));
  EXPECT_EQ(Drain(*padded), "a\nb\n");
  EXPECT_TRUE(padded->status().ok());
}

TEST(ByteSourceTest, WhatStandsBehindGzipDataIsDataLoss) {
  for (const char* behind : {"garbage", "x", "\x1F"}) {
    auto source = MustOpen(WriteFile(absl::StrCat(ReadBytes(WriteGzip("a\n")), behind)));
    EXPECT_EQ(Drain(*source), "a\n");
    EXPECT_EQ(source->status(),
              absl::DataLossError("behind the gzip data stands something that is none, after line 2"));
  }
}

TEST(ByteSourceTest, Utf16IsNamed) {
  using std::string_literals::operator""s;
  for (const std::string& bytes : {"\xFF\xFE"
                                   "a\0"s,
                                   "\xFE\xFF\0a"s, "a\0,\0"s, "\0a\0,"s}) {
    auto source = MustOpen(WriteFile(bytes));
    EXPECT_EQ(Drain(*source), "");
    EXPECT_EQ(source->status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(source->status().message()), HasSubstr("looks like UTF-16, want UTF-8"));
  }
}

TEST(ByteSourceTest, AMissingFileAndAFolderAreRefused) {
  EXPECT_EQ(ByteSource::Open("/nonexistent/file").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ByteSource::Open(testing::TempDir()).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(CsvTest, QuotesDelimitersAndLineBreaksInsideQuotes) {
  EXPECT_THAT(Csv("a,b\n1,2\n\"x,y\",\"say \"\"hi\"\"\"\n\"two\nlines\",\r\n3,4"),
              ElementsAre("2: 1|2", "3: x,y|say \"hi\"", "4: two\nlines|", "6: 3|4"));
}

TEST(CsvTest, CrLfEndsALineAndALoneCarriageReturnDoesNot) {
  EXPECT_THAT(Csv("a,b\r\n1,x\ry\r\n\r\n\"2\",3\r\n"), ElementsAre("2: 1|x\ry", "4: 2|3"));
}

TEST(CsvTest, OnlyWantedColumnsInTheOrderAskedFor) {
  EXPECT_THAT(Csv("c,b,a\n1,2,3\n", {"a", "c", "missing"}), ElementsAre("2: 3|1|"));
}

TEST(CsvTest, AnotherDelimiter) { EXPECT_THAT(Csv("a;b\n1,5;2\n", {"a", "b"}, ';'), ElementsAre("2: 1,5|2")); }

TEST(CsvTest, AMalformedRowIsNamedAndReadingGoesOn) {
  EXPECT_THAT(Csv("a,b\n1\n1,2,3\n\"x\"y,2\nx\"y,2\n5,6\n"),
              ElementsAre("2! 1 fields, want 2 as in the header", "3! 3 fields, want 2 as in the header",
                          "4! text behind a closing quote", "5! a quote inside a field that does not begin with one",
                          "6: 5|6"));
}

TEST(CsvTest, AFileEndingInsideQuotesIsMalformed) {
  EXPECT_THAT(Csv("a,b\n1,\"2\n3"), ElementsAre("2! the file ends inside quotes"));
}

TEST(CsvTest, ARecordBeyondTheLimitIsMalformedAndAtTheLimitIsNot) {
  const std::string most(kMaxRecordBytes - 1, 'x');
  EXPECT_THAT(Csv(absl::StrCat("a,b\n", most, ",y\n")), ElementsAre(absl::StrCat("2: ", most, "|y")));
  EXPECT_THAT(Csv(absl::StrCat("a,b\n", most, ",yz\n1,2\n")),
              ElementsAre(absl::StrCat("2! longer than ", kMaxRecordBytes, " bytes"), "3: 1|2"));
}

TEST(CsvTest, NoHeaderAndAWantedColumnTwiceAreRefused) {
  EXPECT_THAT(Csv(""), ElementsAre("error: line 1: no header"));
  EXPECT_THAT(Csv("a,b,a\n"), ElementsAre("error: line 1: column \"a\" twice"));
  EXPECT_THAT(Csv("a,b,c,c\n1,2,3,4\n"), ElementsAre("2: 1|2"));
}

TEST(CsvTest, MissingColumnsAreTold) {
  auto source = MustOpen(WriteFile("a,c\n"));
  auto reader = OpenCsv(source.get(), {"a", "b"}, ',');
  ASSERT_TRUE(reader.ok());
  EXPECT_THAT((*reader)->missing(), ElementsAre("b"));
  EXPECT_THAT((*reader)->header(), ElementsAre("a", "c"));
}

TEST(CsvTest, ARowCutShortByATruncatedGzipFileIsNotServed) {
  std::string content = "a,b\n";
  for (int i = 0; i < 200000; ++i) absl::StrAppend(&content, i, ",", i * 7919, "\n");
  std::string bytes = ReadBytes(WriteGzip(content));
  bytes.resize(bytes.size() * 2 / 3);
  auto source = MustOpen(WriteFile(bytes));
  auto reader = OpenCsv(source.get(), {"a", "b"}, ',');
  ASSERT_TRUE(reader.ok());
  const std::vector<std::string> records = AllRecords(**reader);
  ASSERT_GT(records.size(), 1000);
  EXPECT_THAT(records.back(), HasSubstr("error: "));
  for (size_t i = 0; i + 1 < records.size(); ++i) {
    ASSERT_EQ(records[i], absl::StrCat(i + 2, ": ", i, "|", i * 7919));
  }
}

TEST(JsonTest, AnArrayAndJsonLinesGiveTheSameRecords) {
  EXPECT_THAT(Json("[{\"a\": \"x\", \"b\": 1.50},\n {\"b\": true}]\n"), ElementsAre("1: x|1.50", "2: |true"));
  EXPECT_THAT(Json("{\"a\": \"x\", \"b\": 1.50}\n{\"b\": true}\n"), ElementsAre("1: x|1.50", "2: |true"));
  EXPECT_THAT(Json("[]"), SizeIs(0));
  EXPECT_THAT(Json("[]"), SizeIs(0));
  for (const char* nothing : {"", " \n"}) {
    EXPECT_THAT(Json(nothing), ElementsAre("error: the file is empty, want an array or objects one after another"));
  }
}

TEST(JsonTest, EscapesNestedObjectsArraysAndNull) {
  EXPECT_THAT(Json(R"({"a": "\"\\\/\n\u00e9\ud83d\ude00", "b": null})"), ElementsAre("1: \"\\/\n\u00e9\U0001F600|"));
  EXPECT_THAT(Json(R"({"o": {"a": {"z": "deep"}}, "b": [1, {"c": "]"}]})", {"o.a.z", "b"}),
              ElementsAre("1: deep|[1, {\"c\": \"]\"}]"));
}

TEST(JsonTest, LargeNumbersStayAsWritten) {
  EXPECT_THAT(Json(R"({"a": 9007199254740993, "b": -1e-7})"), ElementsAre("1: 9007199254740993|-1e-7"));
}

TEST(JsonTest, ABrokenLineOfJsonLinesIsOneMalformedRecord) {
  EXPECT_THAT(Json("{\"a\": 1}\n{\"a\": }\n{\"a\": 3}\n"),
              ElementsAre("1: 1|", "2! \"\" is no JSON value", "3: 3|"));
}

TEST(JsonTest, ABrokenElementEndsAnArray) {
  EXPECT_THAT(Json("[{\"a\": 1},\n{\"a\" 2},{\"a\": 3}]"), ElementsAre("1: 1|", "error: line 2: found '2', want ':'"));
}

TEST(JsonTest, WhatIsNoListOfObjectsIsRefused) {
  EXPECT_THAT(Json("[1]"), ElementsAre("error: line 1: want an object"));
  EXPECT_THAT(Json("[{\"a\":1}"), ElementsAre("1: 1|", "error: line 1: want a comma or the end of the array"));
  EXPECT_THAT(Json("[{\"a\":1},]"), ElementsAre("1: 1|", "error: line 1: want an object behind the comma"));
  EXPECT_THAT(Json("[{\"a\":1}] x"), ElementsAre("1: 1|", "error: line 1: text behind the end of the array"));
  EXPECT_THAT(Json("[{\"a\":1}"), SizeIs(2));
  EXPECT_THAT(Json("[{\"a\": \"\\ud800\"}]"), ElementsAre("error: line 1: half of a surrogate pair"));
}

TEST(JsonTest, NestingBeyondTheLimitIsRefused) {
  const std::string deep = absl::StrCat("{\"b\":", std::string(40, '['), std::string(40, ']'), "}");
  EXPECT_THAT(Json(deep), ElementsAre("1! nested deeper than 32"));
}

TEST(Utf8Test, WellFormedTextIsToldFromTheRest) {
  for (const char* good : {"", "abc", "\u00e9", "\u4e2d\u6587", "\U0001F600"}) EXPECT_TRUE(IsUtf8(good)) << good;
  for (const char* bad : {"\xE9", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a\xE4\xB8"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
}

TEST(Utf8Test, APrefixCutsNoCharacter) {
  const std::string text = "a\u4e2db";
  EXPECT_EQ(Utf8Prefix(text, 5), 5);
  EXPECT_EQ(Utf8Prefix(text, 4), 4);
  EXPECT_EQ(Utf8Prefix(text, 3), 1);
  EXPECT_EQ(Utf8Prefix(text, 2), 1);
  EXPECT_EQ(Utf8Prefix(text, 0), 0);
}

TEST(Utf8Test, CodePointsAreReadOneByOne) {
  const std::string text = "a\u00e9\u4e2d\U0001F600";
  size_t at = 0;
  for (const uint32_t code : {0x61u, 0xE9u, 0x4E2Du, 0x1F600u}) EXPECT_EQ(NextCodePoint(text, &at), code);
  EXPECT_EQ(at, text.size());
}

}  // namespace
}  // namespace docket::import_tool
