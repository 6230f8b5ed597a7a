#include "services/query/log_reader.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "services/engine/replies.h"
#include "store/record_format.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"

namespace docket::query {
namespace {

// Events of `record` in [from, through] that match everything but a department.
uint64_t CountMatching(const EventMatcher& matcher, const v1::CommitRecord& record, uint64_t from, uint64_t through) {
  uint64_t matching = 0;
  uint64_t position = record.first_position();
  for (const v1::Slice& slice : record.slices()) {
    const bool wanted = matcher.MatchesSlice(slice);
    for (const v1::RecordedEvent& event : slice.events()) {
      matching += wanted && position >= from && position <= through && matcher.MatchesEvent(event) ? 1 : 0;
      ++position;
    }
  }
  return matching;
}

}  // namespace

absl::StatusOr<uint64_t> CommitOfPosition(const Reader& reader, uint64_t position) {
  uint64_t low = 0;
  uint64_t high = reader.view.commits;
  while (high - low > 1) {
    const uint64_t middle = low + (high - low) / 2;
    DOCKET_ASSIGN_OR_RETURN(const std::string stored, reader.log->Read(middle));
    DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, store::DecodeRecord(stored));
    (record.first_position() <= position ? low : high) = middle;
  }
  return low;
}

absl::StatusOr<uint64_t> AppendMatchingEvents(const Reader& reader, const EventMatcher& matcher,
                                              const v1::CommitRecord& record, uint64_t from, uint64_t through,
                                              int field, EventWriter* writer, BatchLimit* limit, std::string* out) {
  uint64_t position = record.first_position();
  uint64_t scanned = from - 1;
  writer->BeginRecord(record);
  for (int s = 0; s < record.slices_size(); ++s) {
    const v1::Slice& slice = record.slices(s);
    const uint64_t slice_end = position + slice.events_size();
    bool wanted = slice_end > from && matcher.MatchesSlice(slice);
    if (wanted) {
      DOCKET_ASSIGN_OR_RETURN(wanted, matcher.MatchesDepartment(reader, record, slice));
    }
    for (int i = 0; i < slice.events_size(); ++i, ++position) {
      if (position < from) continue;
      if (position > through || limit->Full()) return scanned;
      scanned = position;
      if (!wanted || !matcher.MatchesEvent(slice.events(i))) continue;
      DOCKET_ASSIGN_OR_RETURN(const absl::string_view event, writer->Write(record, s, i, position));
      AppendBytes(field, event, out);
      limit->Add(event.size());
    }
  }
  return scanned;
}

absl::StatusOr<LogReader> LogReader::Open(const Reader& reader, const v1::ReadLogRequest& request) {
  DOCKET_ASSIGN_OR_RETURN(EventMatcher matcher, EventMatcher::Make(request.filter(), reader.viewer, /*live=*/false));
  LogReader log(std::move(matcher));
  log.raw_ = request.raw();
  log.next_position_ = std::max<uint64_t>(1, request.from_position());
  log.last_position_ = reader.view.position;
  if (request.limit() != 0) log.remaining_ = request.limit();
  if (log.next_position_ > log.last_position_ + 1) {
    return Refuse(absl::StatusCode::kOutOfRange, "POSITION_BEYOND_END",
                  absl::StrCat("from_position: ", request.from_position(), ", the last is ", log.last_position_),
                  {{"position", absl::StrCat(log.last_position_)}});
  }
  if (log.next_position_ <= log.last_position_) {
    DOCKET_ASSIGN_OR_RETURN(log.next_commit_, CommitOfPosition(reader, log.next_position_));
  }
  return log;
}

void LogReader::AppendRaw(const std::string& stored, BatchLimit* limit, std::string* out) {
  const uint64_t matching = CountMatching(matcher_, record_, next_position_, last_position_);
  if (matching > 0 && MaySee(matcher_.viewer(), record_)) {
    AppendBytes(v1::ReadLogReply::kRawRecordsFieldNumber, stored, out);
    limit->Add(stored.size(), matching);
    remaining_ -= std::min(remaining_, matching);
  }
  next_position_ = engine::LastPosition(record_) + 1;
}

absl::Status LogReader::AppendEvents(const Reader& reader, EventWriter* writer, BatchLimit* limit, std::string* out) {
  const uint64_t before = limit->events();
  DOCKET_ASSIGN_OR_RETURN(const uint64_t scanned,
                          AppendMatchingEvents(reader, matcher_, record_, next_position_, last_position_,
                                               v1::ReadLogReply::kEventsFieldNumber, writer, limit, out));
  remaining_ -= limit->events() - before;
  next_position_ = scanned + 1;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> LogReader::Next(const Reader& reader) {
  if (next_position_ > last_position_ || remaining_ == 0) return std::optional<std::string>();
  std::string reply;
  BatchLimit limit(remaining_);
  EventWriter writer(*reader.view.snapshot);
  const std::unique_ptr<store::LogCursor> cursor = reader.log->ReadFrom(next_commit_);
  while (next_position_ <= last_position_ && !limit.Full()) {
    DOCKET_ASSIGN_OR_RETURN(const std::optional<std::string> stored, cursor->Next());
    if (!stored.has_value()) {
      return absl::DataLossError(absl::StrCat("the log ends before position ", last_position_));
    }
    DOCKET_RETURN_IF_ERROR(ParseStored(*stored, &record_));
    limit.AddCommit();
    if (raw_) {
      AppendRaw(*stored, &limit, &reply);
    } else {
      DOCKET_RETURN_IF_ERROR(AppendEvents(reader, &writer, &limit, &reply));
    }
    if (next_position_ > engine::LastPosition(record_)) ++next_commit_;
  }
  AppendUint(v1::ReadLogReply::kScannedPositionFieldNumber, next_position_ - 1, &reply);
  return std::optional<std::string>(std::move(reply));
}

}  // namespace docket::query
