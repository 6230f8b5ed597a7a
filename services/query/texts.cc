#include "services/query/texts.h"

#include <set>
#include <unordered_map>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "store/personal.h"
#include "workflow/base/check.h"
#include "workflow/base/mutex.h"

namespace docket::query {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Fields = std::vector<const FieldDescriptor*>;

bool LeadsToText(const Descriptor* type, std::set<const Descriptor*>& seen) {
  if (type == v1::SealedText::descriptor()) return true;
  if (!seen.insert(type).second) return false;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && LeadsToText(field->message_type(), seen)) return true;
  }
  return false;
}

// The fields of a type behind which a SealedText can lie. The table only grows, to the number of message types.
const Fields& FieldsWithTexts(const Descriptor* type) {
  struct Table {
    Mutex mutex;
    std::unordered_map<const Descriptor*, Fields> fields ABSL_GUARDED_BY(mutex);
  };
  static auto* table = new Table;
  thread_local std::unordered_map<const Descriptor*, const Fields*> known;  // spares the lock on the hot path
  if (const auto it = known.find(type); it != known.end()) return *it->second;
  const MutexLock lock(&table->mutex);
  auto [it, added] = table->fields.try_emplace(type);
  if (added) {
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      std::set<const Descriptor*> seen;
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && LeadsToText(field->message_type(), seen)) {
        it->second.push_back(field);
      }
    }
  }
  known.emplace(type, &it->second);
  return it->second;
}

}  // namespace

bool MayHoldText(const Descriptor* type) {
  std::set<const Descriptor*> seen;
  return LeadsToText(type, seen);
}

absl::Status ForEachSealedText(Message* message, absl::FunctionRef<absl::Status(v1::SealedText*)> visit) {
  if (message->GetDescriptor() == v1::SealedText::descriptor()) return visit(static_cast<v1::SealedText*>(message));
  const google::protobuf::Reflection* reflection = message->GetReflection();
  for (const FieldDescriptor* field : FieldsWithTexts(message->GetDescriptor())) {
    if (field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
        DOCKET_RETURN_IF_ERROR(ForEachSealedText(reflection->MutableRepeatedMessage(message, field, i), visit));
      }
    } else if (reflection->HasField(*message, field)) {
      DOCKET_RETURN_IF_ERROR(ForEachSealedText(reflection->MutableMessage(message, field), visit));
    }
  }
  return absl::OkStatus();
}

absl::Status RevealTexts(const store::KvSnapshot& snapshot, Message* message) {
  std::vector<v1::SealedText*> references;
  DOCKET_RETURN_IF_ERROR(ForEachSealedText(message, [&](v1::SealedText* reference) {
    if (!reference->subject_id().empty()) references.push_back(reference);
    return absl::OkStatus();
  }));
  if (references.empty()) return absl::OkStatus();
  DOCKET_ASSIGN_OR_RETURN(auto opened, store::OpenMany(snapshot, {references.begin(), references.end()}));
  for (size_t i = 0; i < references.size(); ++i) {
    if (opened[i].has_value()) {
      references[i]->set_text(std::move(opened[i]->text));
    } else {
      references[i]->set_erased(true);
    }
  }
  return absl::OkStatus();
}

}  // namespace docket::query
