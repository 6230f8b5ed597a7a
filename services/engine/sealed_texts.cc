#include "services/engine/sealed_texts.h"

#include <optional>
#include <vector>

#include "store/personal.h"
#include "store/requests.h"
#include "workflow/base/check.h"
#include "workflow/case/replay.h"

namespace docket::engine {

void ForEachSealedText(const google::protobuf::Message& message,
                       const std::function<void(const v1::SealedText&)>& visit) {
  if (message.GetDescriptor() == v1::SealedText::descriptor()) {
    visit(static_cast<const v1::SealedText&>(message));
    return;
  }
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  const auto* reflection = message.GetReflection();
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      ForEachSealedText(reflection->GetMessage(message, field), visit);
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      ForEachSealedText(reflection->GetRepeatedMessage(message, field, i), visit);
    }
  }
}

namespace {

// The reference to the first text (n = 0) that the commit sealed.
absl::StatusOr<std::optional<v1::SealedText>> FirstText(const v1::CommitRecord& record) {
  std::optional<v1::SealedText> first;
  for (const v1::Slice& slice : record.slices()) {
    for (const v1::RecordedEvent& recorded : slice.events()) {
      DOCKET_ASSIGN_OR_RETURN(const v1::Event event, workflow::DecodeEvent(recorded));
      ForEachSealedText(event, [&](const v1::SealedText& text) {
        if (text.commit() == record.commit() && text.n() == 0 && !first.has_value()) first = text;
      });
      if (first.has_value()) return first;
    }
  }
  return first;
}

}  // namespace

absl::StatusOr<bool> SameRequest(const v1::CommitRecord& record, const std::string& canonical,
                                 const store::KvSnapshot& snapshot, const store::KvBatch& staged) {
  DOCKET_ASSIGN_OR_RETURN(const std::optional<v1::SealedText> text, FirstText(record));
  std::string salt;
  if (text.has_value()) {
    const std::string key = store::PersonalKey(text->subject_id(), text->commit(), text->n());
    DOCKET_ASSIGN_OR_RETURN(std::optional<std::string> value, snapshot.Get(store::kPersonalFamily, key));
    for (const store::KvBatch::Entry& entry : staged.entries()) {
      if (entry.family == store::kPersonalFamily && entry.key == key) value = entry.value;
    }
    if (!value.has_value() || value->size() < 1 + store::kSaltBytes) return true;
    salt = value->substr(1, store::kSaltBytes);
  }
  return record.request_digest() == store::RequestDigest(salt, canonical);
}

}  // namespace docket::engine
