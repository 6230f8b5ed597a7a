#include "tools/import/command_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "workflow/base/time.h"

namespace docket::import_tool {
namespace {

using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

std::string Fault(const CommandCheck& check, const std::string& text) {
  docket::v1::ExecuteRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
  const auto fault = check.Find(request);
  return fault.has_value() ? fault->reason : "";
}
std::string Fault(const std::string& text) { return Fault(CommandCheck(kNow), text); }

std::string Row(const std::string& fields) {
  return absl::StrCat("command { record_source_row { row { ", fields, " } } }");
}

TEST(CommandCheckTest, TextsAreAsTheirFieldsWantThem) {
  EXPECT_EQ(Fault(Row("queue: 'group-7' category: 'Noise - Street' updated_by_ref: 'u7'")), "");
  EXPECT_THAT(Fault(Row("queue: 'group 7'")), HasSubstr("record_source_row.row.queue: \"group 7\", want a code"));
  EXPECT_THAT(Fault(Row(absl::StrCat("owner: '", std::string(65, 'a'), "'"))), HasSubstr("65 bytes, want at most 64"));
  EXPECT_EQ(Fault(Row(absl::StrCat("owner: '", std::string(64, 'a'), "'"))), "");
  EXPECT_THAT(Fault(Row("category: ' x'")), HasSubstr("row.category: \" x\", want a label"));
  EXPECT_THAT(Fault(Row("updated_by_ref: 'a b'")), HasSubstr("want a reference"));
  EXPECT_THAT(Fault("command { file { kind: REQUEST title: 'x' external_ref { source: 'a b' key: '1' } } }"),
              HasSubstr("file.external_ref.source"));
  EXPECT_THAT(Fault("command { file { kind: REQUEST title: ' ' } }"), HasSubstr("file.title: blank, is required"));
  EXPECT_THAT(Fault("external_ref { source: 'a' key: ' 1' } command { end_history {} }"),
              HasSubstr("external_ref.key"));
}

TEST(CommandCheckTest, NothingHappensInTheFuture) {
  const auto received = [](absl::Time at) {
    return absl::StrCat("command { file { kind: REQUEST title: 'x' received_at { seconds: ", absl::ToUnixSeconds(at),
                        " } } }");
  };
  EXPECT_EQ(Fault(received(kNow)), "");
  EXPECT_THAT(Fault(received(kNow + absl::Seconds(1))),
              HasSubstr("received_at: 2023-11-14T22:13:21Z is in the future"));
  const auto occurred = [](absl::Time at) {
    return absl::StrCat("occurred_at { seconds: ", absl::ToUnixSeconds(at), " } ", Row(""));
  };
  // The two clocks may differ a little.
  EXPECT_EQ(Fault(occurred(kNow + absl::Minutes(2))), "");
  EXPECT_THAT(Fault(occurred(kNow + absl::Minutes(2) + absl::Seconds(1))), HasSubstr("occurred_at"));
  EXPECT_EQ(Fault(CommandCheck(), occurred(kNow + absl::Hours(99999))), "");
}

TEST(CommandCheckTest, AStatusIsOneOfTheChart) {
  docket::v1::Chart chart;
  chart.set_id("desk");
  chart.add_statuses()->set_id("NEW");
  const CommandCheck check(kNow, chart);
  EXPECT_EQ(Fault(check, Row("status: 'NEW'")), "");
  EXPECT_EQ(Fault(check, Row("status: 'OLD'")), "status: \"OLD\" is no status of workflow desk");
  EXPECT_EQ(Fault(check, "command { end_history {} }"), "");
  EXPECT_EQ(Fault(Row("status: 'OLD'")), "");
}

}  // namespace
}  // namespace docket::import_tool
