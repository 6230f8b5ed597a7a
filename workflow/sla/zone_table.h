#ifndef DOCKET_WORKFLOW_SLA_ZONE_TABLE_H_
#define DOCKET_WORKFLOW_SLA_ZONE_TABLE_H_

#include <cstdint>
#include <vector>

#include "docket/v1/policy.pb.h"

// Conversion between instants and local time by a table of offsets, instead of by the machine's time-zone data.
// Instants and local times are whole seconds since 1970-01-01 00:00 (UTC and local). Immutable, thread-safe.
namespace docket::sla {

class ZoneTable {
 public:
  ZoneTable() : entries_{{0, 0}} {}  // UTC
  // REQUIRES: at least one entry, ascending by at_s. The first offset also holds before its instant.
  explicit ZoneTable(const google::protobuf::RepeatedPtrField<v1::Calendar::Offset>& offsets);

  int32_t OffsetAt(int64_t instant_s) const;

  // A skipped local time gives the transition instant in both; a repeated one the first or the last instant.
  int64_t First(int64_t local_s) const { return FromLocal(local_s, /*last=*/false); }
  int64_t Last(int64_t local_s) const { return FromLocal(local_s, /*last=*/true); }

 private:
  struct Entry {
    int64_t at_s;
    int32_t offset_s;
  };
  size_t IndexAt(int64_t instant_s) const;
  int64_t FromLocal(int64_t local_s, bool last) const;

  std::vector<Entry> entries_;
};

// Half-open, whole seconds.
struct SecondSpan {
  int64_t start_s;
  int64_t end_s;
};

// The local windows of one day (days since 1970-01-01) as instants: ascending, merged, empty ones dropped.
std::vector<SecondSpan> ResolveWindows(const ZoneTable& zone, int64_t civil_day,
                                       const google::protobuf::RepeatedPtrField<v1::Calendar::LocalWindow>& windows);

// The windows in force on a day: those of its exception if it has one, else those of its weekday.
// REQUIRES: seven days in the week, exceptions ascending.
const google::protobuf::RepeatedPtrField<v1::Calendar::LocalWindow>& WindowsOfDay(const v1::Calendar& calendar,
                                                                                  int64_t civil_day);

// The exception of a day; null: none. REQUIRES: exceptions ascending.
const v1::Calendar::Exception* ExceptionOf(const v1::Calendar& calendar, int64_t civil_day);

// 0 is Monday.
int Weekday(int64_t civil_day);

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_ZONE_TABLE_H_
