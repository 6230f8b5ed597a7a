#ifndef DOCKET_TESTS_SERVICES_RPC_REQUEST_SAMPLES_H_
#define DOCKET_TESTS_SERVICES_RPC_REQUEST_SAMPLES_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/message.h"

namespace docket::rpc {

inline constexpr char kCaseId[] = "019a93c2-2c80-7abc-8def-0123456789ab";
inline constexpr char kRequestId[] = "019a93c2-2c80-7abc-9def-0123456789ab";

// A valid request per input message of every method, by full name; "": there is none, which fails the test.
std::string SampleOf(const std::string& message);

// A valid command per member of the oneof Command, by field name; "": there is none.
std::string CommandSampleOf(const std::string& field);

// The text form parsed. Fails the test when it does not parse.
std::unique_ptr<google::protobuf::Message> Parse(const std::string& message, const std::string& text);

// Input messages of all methods of all services, each once.
std::vector<const google::protobuf::Descriptor*> RequestTypes();

}  // namespace docket::rpc

#endif  // DOCKET_TESTS_SERVICES_RPC_REQUEST_SAMPLES_H_
