#include "store/view_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/memory_kv.h"
#include "store/requests.h"
#include "store/uuid.h"

namespace docket::store {
namespace {

constexpr Family kView = ViewFamily(1);

class ViewTableTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(store_->CreateFamily(kView).ok()); }
  void Put(const std::string& key, const std::string& value) {
    KvBatch batch;
    batch.Put(kView, key, value);
    ASSERT_TRUE(store_->Write(batch, true).ok());
  }
  static RequestRow Row(int64_t ms, uint64_t commit) {
    RequestRow row;
    row.request_id = MakeUuidV7(ms, "0123456789");
    row.commit = commit;
    return row;
  }

  std::unique_ptr<KvStore> store_ = OpenMemoryKv();
};

TEST_F(ViewTableTest, ARowIsFoundByItsKey) {
  const RequestRow row = Row(5, 77);
  EXPECT_EQ(RowKey(row).substr(0, 2), std::string("\0\x08", 2));
  EXPECT_EQ(*GetRow(*store_->Snapshot(), kView, row), std::nullopt);
  Put(RowKey(row), row.Value());
  RequestRow asked;
  asked.request_id = row.request_id;
  const auto found = GetRow(*store_->Snapshot(), kView, asked);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->request_id, row.request_id);
  EXPECT_EQ((*found)->commit, 77u);
}

TEST_F(ViewTableTest, AScanSeesItsKeyspaceOnlyInKeyOrder) {
  for (int64_t ms : {300, 1, 20}) Put(RowKey(Row(ms, static_cast<uint64_t>(ms))), Row(ms, static_cast<uint64_t>(ms)).Value());
  Put(KeyWriter().U16(RequestRow::kKeyspace - 1).U64(UINT64_MAX).Take(), "before");
  Put(KeyWriter().U16(RequestRow::kKeyspace + 1).Take(), "behind");
  std::vector<uint64_t> commits;
  const auto snapshot = store_->Snapshot();
  RowScan<RequestRow> scan(*snapshot, kView);
  for (; scan.Valid(); scan.Next()) commits.push_back(scan.Get()->commit);
  EXPECT_TRUE(scan.status().ok());
  EXPECT_THAT(commits, ::testing::ElementsAre(1, 20, 300));
}

TEST_F(ViewTableTest, ARowThatDoesNotParseIsDataLoss) {
  const RequestRow row = Row(5, 77);
  for (const std::string& value : {row.Value() + "x", row.Value().substr(1), std::string()}) {
    EXPECT_EQ(ParseRow<RequestRow>(RowKey(row), value).status().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_EQ(ParseRow<RequestRow>(RowKey(row) + "x", row.Value()).status().code(), absl::StatusCode::kDataLoss);
  std::string other_keyspace = RowKey(row);
  other_keyspace[1] = 9;
  EXPECT_EQ(ParseRow<RequestRow>(other_keyspace, row.Value()).status().code(), absl::StatusCode::kDataLoss);
  Put(RowKey(row), "short");
  EXPECT_EQ(GetRow(*store_->Snapshot(), kView, row).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace docket::store
