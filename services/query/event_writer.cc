#include "services/query/event_writer.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/event.pb.h"
#include "google/protobuf/descriptor.h"
#include "services/engine/replies.h"
#include "services/query/texts.h"
#include "store/record_format.h"
#include "workflow/base/check.h"

namespace docket::query {
namespace {

using v1::Event;
using v1::HistoryEvent;

constexpr uint32_t kCopiedVersion = 1;    // later versions go through the decoder, which knows what they mean
constexpr size_t kStoredHeaderBytes = 5;  // crc, format

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

uint64_t Tag(int field, int wire_type) { return static_cast<uint64_t>(field) << 3 | wire_type; }

// google.protobuf.Timestamp of microseconds since the epoch.
void AppendTimestamp(int field, int64_t micros, std::string* out) {
  int64_t seconds = micros / 1'000'000;
  int64_t rest = micros % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --seconds;
  }
  const uint64_t nanos = static_cast<uint64_t>(rest * 1000);
  const uint64_t unsigned_seconds = static_cast<uint64_t>(seconds);
  AppendVarint(Tag(field, 2), out);
  AppendVarint(
      (unsigned_seconds == 0 ? 0 : 1 + VarintSize(unsigned_seconds)) + (nanos == 0 ? 0 : 1 + VarintSize(nanos)), out);
  AppendUint(1, unsigned_seconds, out);
  AppendUint(2, nanos, out);
}

struct CopiedType {
  const std::string* name = nullptr;  // null: unknown, or holds a text
};

// By type; types that can hold a personal text are left out, for the text must be filled in.
const std::vector<CopiedType>& CopiedTypes() {
  static const auto* types = [] {
    auto* table = new std::vector<CopiedType>;
    const auto* body = Event::descriptor()->FindOneofByName("body");
    DOCKET_CHECK(body != nullptr);
    for (int i = 0; i < body->field_count(); ++i) {
      const auto* field = body->field(i);
      if (MayHoldText(field->message_type())) continue;
      if (table->size() <= static_cast<size_t>(field->number())) table->resize(field->number() + 1);
      (*table)[field->number()].name = &field->message_type()->name();
    }
    return table;
  }();
  return *types;
}

}  // namespace

void AppendUint(int field, uint64_t value, std::string* out) {
  if (value == 0) return;
  AppendVarint(Tag(field, 0), out);
  AppendVarint(value, out);
}

void AppendBytes(int field, absl::string_view bytes, std::string* out) {
  AppendVarint(Tag(field, 2), out);
  AppendVarint(bytes.size(), out);
  out->append(bytes.data(), bytes.size());
}

void EventWriter::BeginRecord(const v1::CommitRecord& record) {
  shared_.clear();
  AppendUint(HistoryEvent::kCommitFieldNumber, record.commit(), &shared_);
  AppendTimestamp(HistoryEvent::kRecordedAtFieldNumber, record.recorded_at_us(), &shared_);
  AppendBytes(HistoryEvent::kActorFieldNumber, record.actor().SerializeAsString(), &shared_);
  if (!record.request_id().empty()) {
    AppendBytes(HistoryEvent::kRequestIdFieldNumber, record.request_id(), &shared_);
  }
}

void EventWriter::Copy(const v1::Slice& slice, int index, uint64_t position, absl::string_view type) {
  const v1::RecordedEvent& recorded = slice.events(index);
  AppendUint(HistoryEvent::kPositionFieldNumber, position, &out_);
  AppendUint(HistoryEvent::kRevisionFieldNumber, slice.first_revision() + index, &out_);
  AppendUint(HistoryEvent::kStreamKindFieldNumber, slice.kind(), &out_);
  if (!slice.stream_id().empty()) AppendBytes(HistoryEvent::kStreamIdFieldNumber, slice.stream_id(), &out_);
  AppendBytes(HistoryEvent::kTypeFieldNumber, type, &out_);
  out_ += shared_;
  event_.clear();
  AppendTimestamp(Event::kOccurredAtFieldNumber, recorded.occurred_at_us(), &event_);
  if (!recorded.rule().empty()) AppendBytes(Event::kRuleFieldNumber, recorded.rule(), &event_);
  AppendUint(Event::kVisibilityFieldNumber, recorded.visibility(), &event_);
  const uint64_t body_tag = Tag(static_cast<int>(recorded.type()), 2);
  const size_t payload = recorded.payload().size();
  AppendVarint(Tag(HistoryEvent::kEventFieldNumber, 2), &out_);
  AppendVarint(event_.size() + VarintSize(body_tag) + VarintSize(payload) + payload, &out_);
  out_ += event_;
  AppendBytes(static_cast<int>(recorded.type()), recorded.payload(), &out_);
}

absl::StatusOr<absl::string_view> EventWriter::Write(const v1::CommitRecord& record, int slice, int index,
                                                     uint64_t position) {
  const v1::RecordedEvent& recorded = record.slices(slice).events(index);
  const std::vector<CopiedType>& types = CopiedTypes();
  const std::string* name = recorded.type() < types.size() ? types[recorded.type()].name : nullptr;
  out_.clear();
  if (name != nullptr && recorded.version() == kCopiedVersion) {
    Copy(record.slices(slice), index, position, *name);
    return absl::string_view(out_);
  }
  DOCKET_ASSIGN_OR_RETURN(HistoryEvent view, engine::ToHistoryEvent(record, slice, index, position));
  DOCKET_RETURN_IF_ERROR(RevealTexts(snapshot_, view.mutable_event()));
  view.SerializeToString(&out_);
  return absl::string_view(out_);
}

absl::Status ParseStored(absl::string_view stored, v1::CommitRecord* record) {
  if (stored.size() < kStoredHeaderBytes ||
      static_cast<uint8_t>(stored[kStoredHeaderBytes - 1]) != store::kRecordFormat) {
    return absl::DataLossError("a stored record has an unknown format");
  }
  if (!record->ParseFromArray(stored.data() + kStoredHeaderBytes,
                              static_cast<int>(stored.size() - kStoredHeaderBytes))) {
    return absl::DataLossError("a stored record does not parse");
  }
  return absl::OkStatus();
}

}  // namespace docket::query
