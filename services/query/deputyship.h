#ifndef DOCKET_SERVICES_QUERY_DEPUTYSHIP_H_
#define DOCKET_SERVICES_QUERY_DEPUTYSHIP_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "services/query/page_token.h"
#include "services/query/reader.h"

// Whom somebody stands in for, and in which cases: a deputy who is in conflict with a case does not act in it, whoever
// is away (DOMAIN R12).
namespace docket::query {

class Deputyship {
 public:
  Deputyship() = default;  // stands in for nobody
  // `deputy` at the instant of `cursor`, by the absences that were known at its known_at.
  static absl::StatusOr<Deputyship> Of(const Reader& reader, const std::string& deputy, const Cursor& cursor);

  // Who is away and stood in for.
  const std::vector<std::string>& away() const { return away_; }
  bool Covers(const std::string& who) const;

  // Whether the deputy may act in the case: as it is at the instant, or in `state`.
  absl::StatusOr<bool> MayActIn(const Reader& reader, const std::string& case_id) const;
  bool MayActIn(const v1::Case& state) const;

 private:
  std::string deputy_;
  absl::Time at_;
  std::vector<std::string> away_;
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_DEPUTYSHIP_H_
