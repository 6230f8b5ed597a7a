#ifndef DOCKET_TESTS_SERVICES_QUERY_QUERY_HOUSE_H_
#define DOCKET_TESTS_SERVICES_QUERY_QUERY_HOUSE_H_

#include <string>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "services/query/reader.h"
#include "tests/support/fake_clock.h"
#include "tests/support/house.h"

namespace docket::query {

using testing::At;
using testing::House;
using testing::Wednesday;

inline Reader ReaderOf(House& house, const std::string& principal = "grace.lind") {
  return OpenReader(house.engine(), Viewer{.principal_id = principal});
}

// The writer sleeps when time moves, so that it never reads the wall clock before and the monotonic clock after.
inline void AdvanceTo(House& house, absl::Time time) {
  house.Settle();
  house.AdvanceTo(time);
}

template <class Message>
Message Text(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// A message of a stream, which queries give serialised.
template <class Message>
Message Parsed(const std::string& bytes) {
  Message message;
  EXPECT_TRUE(message.ParseFromString(bytes));
  return message;
}

// Files and returns the case id; fails the test when refused.
inline std::string FileCase(House& house, const std::string& fields, const std::string& principal = "grace.lind") {
  const auto reply = house.File(fields, principal);
  EXPECT_TRUE(reply.ok()) << reply.status();
  return reply.ok() ? reply->case_id() : "";
}

inline void MustDo(House& house, const std::string& case_id, const std::string& command,
                   const std::string& principal = "grace.lind") {
  const auto reply = house.Do(case_id, command, principal);
  EXPECT_TRUE(reply.ok()) << command << ": " << reply.status();
}

inline constexpr char kComplaint[] = "kind: COMPLAINT title: 'Water off' impact: 2 urgency: 2";

}  // namespace docket::query

#endif  // DOCKET_TESTS_SERVICES_QUERY_QUERY_HOUSE_H_
