#ifndef DOCKET_SERVICES_QUERY_DUTY_FILTER_H_
#define DOCKET_SERVICES_QUERY_DUTY_FILTER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/queue_service.pb.h"
#include "services/query/deputyship.h"
#include "services/query/list_scan.h"
#include "services/query/listed_case.h"
#include "services/query/reader.h"
#include "workflow/projection/rows.h"

// Which duties a ListDuties asks for, judged on rows alone; the same for rows of the index and rows made by replay.
namespace docket::query {

class DutyFilter {
 public:
  // The owner asked about: the caller, if MINE names nobody.
  static std::string OwnerAskedAbout(const Reader& reader, const v1::ListDutiesRequest& request);
  // `at` is the valid_at of the question; `deputyship` that of the owner asked about.
  DutyFilter(const Reader& reader, const v1::ListDutiesRequest& request, absl::Time at, Deputyship deputyship);

  // The part of the duty index that can match, by the instant late from.
  ListScan::Range Range() const;

  // By what the row tells. A row that does not match is not in the list, whatever its case is.
  bool Matches(const projection::DutyRow& row) const;
  // By its case too: for whom that waits, and since when. `one` is the case of the row.
  bool Matches(const projection::DutyRow& row, const ListedCase& one) const;
  // Something in `one` that waits for a second person.
  bool Matches(const v1::PendingApproval& approval, const ListedCase& one) const;
  // Whether the case must be looked at, because of what it alone tells.
  bool AsksForWait() const { return request_.waiting_on_size() > 0 || request_.has_waiting_longer_than(); }
  // Whether nothing is asked for that only the content of a row tells.
  bool TakesAll() const;
  const std::string& owner() const { return owner_; }
  // MINE: for whom the owner asked about stands in, so that their duties are meant too. A duty matches whatever
  // conflicts the deputy has: IsForbidden tells.
  const Deputyship& deputyship() const { return deputyship_; }
  // Whether a duty that matches does so only by deputyship, and the deputy must not act in its case.
  absl::StatusOr<bool> IsForbidden(const projection::DutyRow& row) const;
  bool IsForbidden(const projection::DutyRow& row, const v1::Case& state) const;

  // Late at `at`: the instant it became late has passed. At the due itself a duty is not late (stop <= due is met).
  bool IsLate(const projection::DutyRow& row) const { return row.late_from_us < at_us_; }
  // Paused at `at`; a pause with a known end is over after it, if nothing happens.
  bool IsPaused(const projection::DutyRow& row) const;
  // Between two instants, in working time of the clock's own calendar; nullopt: it counts civil time.
  std::optional<absl::Duration> WorkingTime(const projection::DutyRow& row, absl::Time from, absl::Time to) const;
  // Not late, but due within `within`, counted in the working time of the clock's own calendar unless `elapsed`.
  bool AtRisk(const projection::DutyRow& row) const;

 private:
  struct What {
    const v1::RowFacts& facts;
    const std::string& metric;
    v1::Obligation obligation;
    const std::string& answerable;
  };
  bool Matches(const What& what) const;
  bool WaitMatches(const ListedCase& one) const;
  bool IsWaiting(const projection::DutyRow& row, const ListedCase& one) const;
  // The latest instant at which a duty at risk can fall due, over all calendars ever published.
  absl::Time RiskHorizon() const;

  const Reader& reader_;
  const v1::ListDutiesRequest& request_;
  std::string owner_;
  Deputyship deputyship_;
  absl::Time at_;
  int64_t at_us_;
  absl::Duration within_;
};

// Says in `item` for whom and since when `one` waits at `at`, if it does.
void SetWait(const ListedCase& one, absl::Time at, v1::ListDutiesReply::Item* item);

// What an item of the list says of a duty of `one`, without the case.
v1::ListDutiesReply::Item DutyItem(const DutyFilter& filter, const projection::DutyRow& row, const ListedCase& one,
                                   absl::Time at);

// The totals of everything that matched.
class DutyCount {
 public:
  // `new_case`: no row of the same case was added before.
  void Add(const DutyFilter& filter, const projection::DutyRow& row, bool new_case);
  void Add(int64_t late_from_us, bool late, bool regulatory, bool new_case);
  v1::ListDutiesReply::Header Header(bool complete) const;

 private:
  uint32_t late_ = 0;
  uint32_t cases_ = 0;
  uint32_t regulatory_ = 0;
  int64_t oldest_us_ = projection::kNever;
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_DUTY_FILTER_H_
