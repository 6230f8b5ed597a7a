#ifndef DOCKET_WORKFLOW_PROJECTION_ROWS_H_
#define DOCKET_WORKFLOW_PROJECTION_ROWS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "docket/v1/view.pb.h"

// The typed rows of all views. Key parts go to a key writer chosen by the caller (store/ordered_key.h), so that this
// folder knows no store. Instants in keys are microseconds since the epoch. Keyspace numbers are never reused.
namespace docket::projection {

inline constexpr int64_t kNever = INT64_MAX;  // sorts last
inline constexpr char kAcknowledged[] = "A";  // group of LISTED_ESCALATION

template <class Message>
struct ValueOf {
  Message value;
  std::string Value() const { return value.SerializeAsString(); }
  bool SetValue(absl::string_view bytes) { return value.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())); }
};
struct NoValue {
  std::string Value() const { return {}; }
  bool SetValue(absl::string_view bytes) { return bytes.empty(); }
};

// Head of a case stream and list row, by case id (UUIDv7: order of filing).
struct CaseRow : ValueOf<v1::CaseRow> {
  static constexpr uint16_t kKeyspace = 1;
  static constexpr uint32_t kVersion = 1;
  std::string case_id;
  template <class W>
  void WriteKey(W& w) const {
    w.Text(case_id);
  }
  template <class R>
  bool ReadKey(R& r) {
    return r.Text(&case_id);
  }
};

// Case number to case id.
struct CaseNumberRow {
  static constexpr uint16_t kKeyspace = 2;
  static constexpr uint32_t kVersion = 1;
  std::string prefix;
  uint32_t year = 0;
  uint64_t counter = 0;
  std::string case_id;
  template <class W>
  void WriteKey(W& w) const {
    w.Text(prefix).U32(year).U64(counter);
  }
  template <class R>
  bool ReadKey(R& r) {
    return r.Text(&prefix) && r.U32(&year) && r.U64(&counter);
  }
  std::string Value() const { return case_id; }
  bool SetValue(absl::string_view bytes) {
    case_id = std::string(bytes);
    return true;
  }
};

// (source, external key) to case id.
struct ExternalRow {
  static constexpr uint16_t kKeyspace = 3;
  static constexpr uint32_t kVersion = 1;
  std::string source;
  std::string external_key;
  std::string case_id;
  template <class W>
  void WriteKey(W& w) const {
    w.Text(source).Text(external_key);
  }
  template <class R>
  bool ReadKey(R& r) {
    return r.Text(&source) && r.Text(&external_key);
  }
  std::string Value() const { return case_id; }
  bool SetValue(absl::string_view bytes) {
    case_id = std::string(bytes);
    return true;
  }
};

// Unstopped duties by the instant they are, or become, late: the due, the first due that passed if already breached,
// kNever for a pause without a known end.
struct DutyRow : ValueOf<v1::DutyRowValue> {
  static constexpr uint16_t kKeyspace = 4;
  static constexpr uint32_t kVersion = 1;
  int64_t late_from_us = kNever;
  std::string case_id;
  uint32_t clock_no = 0;
  template <class W>
  void WriteKey(W& w) const {
    w.I64(late_from_us).Text(case_id).U32(clock_no);
  }
  template <class R>
  bool ReadKey(R& r) {
    return r.I64(&late_from_us) && r.Text(&case_id) && r.U32(&clock_no);
  }
};

// A place in a queue, in the order of work (DOMAIN 7, R19).
struct QueuePlace {
  uint8_t band = 2;            // 0 safety, 1 something is owed to a regulator, 2 other; no band changes with time alone
  uint32_t inverse_level = 0;  // 255 - highest raised escalation level
  int64_t effective_due_us = kNever;
  uint32_t priority = 0;
  uint32_t inverse_tier = 0;  // 255 - tier weight
  int64_t received_at_us = 0;
  std::string case_id;

  template <class W>
  void WritePlace(W& w) const {
    w.U8(band)
        .U32(inverse_level)
        .I64(effective_due_us)
        .U32(priority)
        .U32(inverse_tier)
        .I64(received_at_us)
        .Text(case_id);
  }
  template <class R>
  bool ReadPlace(R& r) {
    return r.U8(&band) && r.U32(&inverse_level) && r.I64(&effective_due_us) && r.U32(&priority) &&
           r.U32(&inverse_tier) && r.I64(&received_at_us) && r.Text(&case_id);
  }
  friend bool operator==(const QueuePlace& a, const QueuePlace& b) = default;
};

// Cases standing in a queue, and those waiting that will stand there again at a known instant (value.stands_from_us),
// which readers leave out until then.
struct QueueRow : ValueOf<v1::QueueRowValue>, QueuePlace {
  static constexpr uint16_t kKeyspace = 5;
  static constexpr uint32_t kVersion = 2;
  std::string queue;
  template <class W>
  void WriteKey(W& w) const {
    w.Text(queue);
    WritePlace(w);
  }
  template <class R>
  bool ReadKey(R& r) {
    return r.Text(&queue) && ReadPlace(r);
  }
};

// The next instant at which time alone makes a case change; at most one per case.
struct WakeRow : NoValue {
  static constexpr uint16_t kKeyspace = 6;
  static constexpr uint32_t kVersion = 1;
  int64_t at_us = 0;
  std::string case_id;
  template <class W>
  void WriteKey(W& w) const {
    w.I64(at_us).Text(case_id);
  }
  template <class R>
  bool ReadKey(R& r) {
    return r.I64(&at_us) && r.Text(&case_id);
  }
};

// Escalations, unacknowledged first, oldest first.
struct EscalationRow : ValueOf<v1::EscalationRowValue> {
  static constexpr uint16_t kKeyspace = 7;
  static constexpr uint32_t kVersion = 2;
  bool acknowledged = false;
  int64_t raised_at_us = 0;
  std::string case_id;
  uint32_t escalation_no = 0;
  template <class W>
  void WriteKey(W& w) const {
    w.U8(acknowledged ? 1 : 0).I64(raised_at_us).Text(case_id).U32(escalation_no);
  }
  template <class R>
  bool ReadKey(R& r) {
    uint8_t flag = 0;
    if (!r.U8(&flag) || !r.I64(&raised_at_us) || !r.Text(&case_id) || !r.U32(&escalation_no)) return false;
    acknowledged = flag != 0;
    return true;
  }
};

// State kept to fold less when loading; a cache, not counted in digests.
struct SnapshotRow : ValueOf<v1::SnapshotRowValue> {
  static constexpr uint16_t kKeyspace = 9;
  static constexpr uint32_t kVersion = 1;
  std::string case_id;
  template <class W>
  void WriteKey(W& w) const {
    w.Text(case_id);
  }
  template <class R>
  bool ReadKey(R& r) {
    return r.Text(&case_id);
  }
};

// Commits of streams other than cases (policies, directory, system), in order, so that opening need not scan the log.
struct ConfigRow : NoValue {
  static constexpr uint16_t kKeyspace = 10;
  static constexpr uint32_t kVersion = 1;
  uint64_t commit = 0;
  template <class W>
  void WriteKey(W& w) const {
    w.U64(commit);
  }
  template <class R>
  bool ReadKey(R& r) {
    return r.U64(&commit);
  }
};

// How a case stood in the lists from `since_us` until the next such row of the case, or its case row, begins. The
// newest first.
struct CasePeriodRow : ValueOf<v1::CasePeriodRowValue> {
  static constexpr uint16_t kKeyspace = 11;
  static constexpr uint32_t kVersion = 1;
  std::string case_id;
  int64_t since_us = 0;
  template <class W>
  void WriteKey(W& w) const {
    w.Text(case_id).I64(~since_us);
  }
  template <class R>
  bool ReadKey(R& r) {
    int64_t inverse = 0;
    if (!r.Text(&case_id) || !r.I64(&inverse)) return false;
    since_us = ~inverse;
    return true;
  }
};

// Entries that stand in the lists of cases: owned, unowned, without a clock, waiting, to wake up, to be approved.
struct EntryRow : ValueOf<v1::ListedRowValue> {
  static constexpr uint16_t kKeyspace = 12;
  static constexpr uint32_t kVersion = 1;
  v1::ListKind list = v1::LIST_KIND_UNSPECIFIED;
  std::string group;
  int64_t anchor_us = 0;
  std::string case_id;
  uint32_t item = 0;
  template <class W>
  void WriteKey(W& w) const {
    w.U8(static_cast<uint8_t>(list)).Text(group).I64(anchor_us).Text(case_id).U32(item);
  }
  template <class R>
  bool ReadKey(R& r) {
    uint8_t kind = 0;
    if (!r.U8(&kind) || !r.Text(&group) || !r.I64(&anchor_us) || !r.Text(&case_id) || !r.U32(&item)) return false;
    list = static_cast<v1::ListKind>(kind);
    return true;
  }
};

// Entries that stood in any list, duties and escalations too, [from_us, value.to_us), by how long they stood there
// behind their anchor (LengthClass).
struct PastEntryRow : ValueOf<v1::ListedRowValue> {
  static constexpr uint16_t kKeyspace = 13;
  static constexpr uint32_t kVersion = 1;
  v1::ListKind list = v1::LIST_KIND_UNSPECIFIED;
  std::string group;
  uint8_t length_class = 0;
  int64_t anchor_us = 0;
  std::string case_id;
  uint32_t item = 0;
  int64_t from_us = 0;
  template <class W>
  void WriteKey(W& w) const {
    w.U8(static_cast<uint8_t>(list)).Text(group).U8(length_class).I64(anchor_us).Text(case_id).U32(item).I64(from_us);
  }
  template <class R>
  bool ReadKey(R& r) {
    uint8_t kind = 0;
    if (!r.U8(&kind) || !r.Text(&group) || !r.U8(&length_class) || !r.I64(&anchor_us) || !r.Text(&case_id) ||
        !r.U32(&item) || !r.I64(&from_us)) {
      return false;
    }
    list = static_cast<v1::ListKind>(kind);
    return true;
  }
};

// Places where cases stood in a queue, [from_us, value.to_us), in the order of work. They lie in classes of how long
// that was (LengthClass) and, within a class, in stretches of time as long as its longest: who stood there at an
// instant lies in at most two stretches of each class, and is a good part of what lies there.
struct PastQueueRow : ValueOf<v1::PastQueueRowValue>, QueuePlace {
  static constexpr uint16_t kKeyspace = 14;
  static constexpr uint32_t kVersion = 1;
  std::string queue;
  uint8_t length_class = 1;
  int64_t stretch = 0;  // StretchOf(length_class, from_us)
  int64_t from_us = 0;
  template <class W>
  void WriteKey(W& w) const {
    w.Text(queue).U8(length_class).I64(stretch);
    WritePlace(w);
    w.I64(from_us);
  }
  template <class R>
  bool ReadKey(R& r) {
    return r.Text(&queue) && r.U8(&length_class) && r.I64(&stretch) && ReadPlace(r) && r.I64(&from_us);
  }
};

}  // namespace docket::projection

#endif  // DOCKET_WORKFLOW_PROJECTION_ROWS_H_
