// The process ends at each step between a command's decision and its answer. Before the append nothing remains of it;
// after it everything does, and the retry gets the first answer. Built only where failpoints are compiled in.
#include "workflow/base/failpoint.h"

#include <unistd.h>

#include <filesystem>
#include <string>

#include "gtest/gtest.h"
#include "store/rocks_kv.h"
#include "tests/support/house.h"

namespace docket::engine {
namespace {

using testing::House;

constexpr int kEnded = 7;

struct Step {
  const char* name;
  bool durable;  // what the command did is on disk when the process ends here
};

class FailpointTest : public ::testing::TestWithParam<Step> {
 protected:
  // The same name in the process that the death test starts anew.
  FailpointTest() : folder_(::testing::TempDir() + "docket_failpoint_" + GetParam().name) {
    std::filesystem::remove_all(folder_);
  }
  ~FailpointTest() override { std::filesystem::remove_all(folder_); }

  House Open() const {
    auto kv = store::OpenRocksKv({.path = folder_});
    EXPECT_TRUE(kv.ok()) << kv.status();
    House::Options options;
    options.kv = *std::move(kv);
    options.publish_packs = !std::filesystem::exists(folder_ + "/published");
    return House(std::move(options));
  }

  static v1::ExecuteRequest Request() {
    v1::ExecuteRequest request;
    request.set_request_id("01a1ede2-6680-7000-8000-0000000000f1");  // made on 2026-11-18
    request.mutable_command()->mutable_file()->set_kind(v1::COMPLAINT);
    request.mutable_command()->mutable_file()->set_title("Meter read wrongly");
    return request;
  }

  const std::string folder_;
};

TEST_P(FailpointTest, EndingThereLosesNothingAcknowledgedAndDoublesNothing) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";  // threads do not survive a fork
  EXPECT_EXIT(
      {
        House house = Open();
        SetFailpoint(GetParam().name, [] { _exit(kEnded); });
        (void)house.Do(Request());
      },
      ::testing::ExitedWithCode(kEnded), "");
  std::filesystem::create_directories(folder_);
  std::filesystem::create_directory(folder_ + "/published");
  House house = Open();
  const uint64_t commits = house.log().Head().commits;
  const auto retried = house.Do(Request());
  ASSERT_TRUE(retried.ok()) << retried.status();
  EXPECT_EQ(retried->replayed(), GetParam().durable);
  EXPECT_EQ(house.log().Head().commits, commits + (GetParam().durable ? 0 : 1));
  EXPECT_EQ(retried->case_no().substr(0, 15), "CMP-2026-000001");
}

INSTANTIATE_TEST_SUITE_P(Steps, FailpointTest,
                         ::testing::Values(Step{"engine.before_append", false}, Step{"engine.after_append", true},
                                           Step{"engine.before_answer", true}),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           for (char& c : name) c = c == '.' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace docket::engine
