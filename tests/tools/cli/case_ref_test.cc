#include "tools/cli/case_ref.h"

#include "gtest/gtest.h"

namespace docket::cli {
namespace {

TEST(CaseRef, ANumberAnIdAndAReferenceAreToldApart) {
  EXPECT_EQ(ParseCaseRef("CMP-2026-000017-K").case_no, "CMP-2026-000017-K");
  const CaseRef id = ParseCaseRef("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  EXPECT_EQ(id.case_id, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  EXPECT_EQ(id.case_no, "");
  const CaseRef external = ParseCaseRef("servicenow-incident:INC0000045:b");
  EXPECT_EQ(external.source, "servicenow-incident");
  EXPECT_EQ(external.key, "INC0000045:b");
  EXPECT_EQ(external.case_no, "");
}

TEST(CaseRef, RequestsNameTheCaseInOneWay) {
  v1::ExecuteRequest request;
  SetCase(ParseCaseRef("src:K1"), &request);
  EXPECT_EQ(request.external_ref().source(), "src");
  EXPECT_EQ(request.external_ref().key(), "K1");
  EXPECT_EQ(request.case_id() + request.case_no(), "");
  v1::ExecuteRequest by_number;
  SetCase(ParseCaseRef("CMP-1"), &by_number);
  EXPECT_FALSE(by_number.has_external_ref());
  EXPECT_EQ(by_number.case_no(), "CMP-1");
}

}  // namespace
}  // namespace docket::cli
