#include "tests/support/golden_sample.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"

namespace docket::testing {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

constexpr char kFolder[] = "tests/golden";

// A file of sections, each under a line "--- name".
std::map<std::string, std::string> Sections(const std::string& path) {
  std::map<std::string, std::string> sections;
  std::ifstream file(path);
  std::string* current = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, "--- ")) {
      current = &sections[line.substr(4)];
    } else if (current != nullptr) {
      absl::StrAppend(current, line, "\n");
    }
  }
  return sections;
}

bool IsOurs(const Descriptor& type) { return absl::StartsWith(type.full_name(), "docket."); }

void AddSet(const Message& message, std::set<std::string>* fields) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection.ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    fields->insert(field->full_name());
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || !IsOurs(*field->message_type())) continue;
    if (!field->is_repeated()) {
      AddSet(reflection.GetMessage(message, field), fields);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      AddSet(reflection.GetRepeatedMessage(message, field, i), fields);
    }
  }
}

void AddAll(const Descriptor& type, std::set<std::string>* fields) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const bool is_new = fields->insert(field.full_name()).second;
    const bool message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (is_new && message && IsOurs(*field.message_type())) AddAll(*field.message_type(), fields);
  }
}

}  // namespace

std::string PathOfSample(absl::string_view name) { return absl::StrCat(kFolder, "/", name, ".txtpb"); }

std::vector<std::string> SamplePaths() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".txtpb") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

absl::StatusOr<GoldenSample> ReadGoldenSample(const std::string& path) {
  const std::map<std::string, std::string> sections = Sections(path);
  const auto text = [&](const char* name) {
    const auto found = sections.find(name);
    return found == sections.end() ? std::string() : found->second;
  };
  GoldenSample sample;
  sample.of_case = sections.count("after") > 0;
  if (text("event").empty() || !TextFormat::ParseFromString(text("event"), &sample.event) ||
      !absl::Base64Unescape(text("stored"), &sample.stored) ||
      !TextFormat::ParseFromString(text("before"), &sample.before) ||
      !TextFormat::ParseFromString(text("after"), &sample.after)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is no golden sample"));
  }
  return sample;
}

std::set<std::string> FieldsOf(const v1::Event& event) {
  std::set<std::string> fields;
  AddSet(event, &fields);
  return fields;
}

std::set<std::string> FieldsOfAllEvents() {
  std::set<std::string> fields;
  AddAll(*v1::Event::descriptor(), &fields);
  return fields;
}

}  // namespace docket::testing
