#include <algorithm>

#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/policy/documents.h"

// The words a policy may use for commands, events and kinds come from the descriptors, so a new one needs no line here.
namespace docket::policy {
namespace {

std::vector<std::string>* MakeNames(const google::protobuf::OneofDescriptor& oneof) {
  auto* names = new std::vector<std::string>();
  for (int i = 0; i < oneof.field_count(); ++i) names->push_back(oneof.field(i)->name());
  return names;
}

const google::protobuf::Descriptor* Inside(const google::protobuf::OneofDescriptor& oneof, const std::string& name) {
  for (int i = 0; i < oneof.field_count(); ++i) {
    if (oneof.field(i)->name() == name) return oneof.field(i)->message_type();
  }
  return nullptr;
}

const google::protobuf::OneofDescriptor& Commands() { return *v1::Command::descriptor()->FindOneofByName("command"); }
const google::protobuf::OneofDescriptor& Events() { return *v1::Event::descriptor()->FindOneofByName("body"); }

}  // namespace

const std::vector<std::string>& CommandNames() {
  static const std::vector<std::string>* const names = MakeNames(Commands());
  return *names;
}

const std::vector<std::string>& EventNames() {
  static const std::vector<std::string>* const names = MakeNames(Events());
  return *names;
}

const google::protobuf::Descriptor* CommandDescriptor(const std::string& name) { return Inside(Commands(), name); }
const google::protobuf::Descriptor* EventDescriptor(const std::string& name) { return Inside(Events(), name); }

std::vector<v1::CaseKind> ReadKinds(MapReader& reader, Need need, Findings* findings) {
  std::vector<v1::CaseKind> kinds;
  for (const YamlNode& item : reader.List("kinds", v1::CaseKind_MAX, need)) {
    const auto kind = static_cast<v1::CaseKind>(ReadEnum(item, "kinds", *v1::CaseKind_descriptor(), findings));
    if (kind == v1::CASE_KIND_UNSPECIFIED) continue;
    if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) {
      findings->Add(item.line, "DUPLICATE_VALUE", "kinds: found " + item.text + " again, want it once");
      continue;
    }
    kinds.push_back(kind);
  }
  return kinds;
}

}  // namespace docket::policy
