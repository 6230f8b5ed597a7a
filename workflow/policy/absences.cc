#include "workflow/policy/absences.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::policy {
namespace {

absl::Time From(const v1::Absence& absence) { return FromProto(absence.from()); }
absl::Time Until(const v1::Absence& absence) { return FromProto(absence.until()); }

bool Before(const v1::Absence& a, const v1::Absence& b) {
  return std::make_tuple(absl::string_view(a.principal()), From(a)) <
         std::make_tuple(absl::string_view(b.principal()), From(b));
}

absl::Status Unfit(absl::string_view reason, std::string message) {
  return Refuse(absl::StatusCode::kFailedPrecondition, reason, message);
}

}  // namespace

void Absences::Record(const v1::Absence& absence) {
  auto it = std::lower_bound(absences_.begin(), absences_.end(), absence, Before);
  const bool replaces = it != absences_.end() && !Before(absence, *it);
  if (Until(absence) <= From(absence)) {
    if (replaces) absences_.erase(it);
  } else if (replaces) {
    *it = absence;
  } else {
    absences_.insert(it, absence);
  }
  if (absences_.size() <= kMaxAbsences) return;
  const auto over = std::min_element(absences_.begin(), absences_.end(),
                                     [](const auto& a, const auto& b) { return Until(a) < Until(b); });
  if (Until(*over) <= From(absence)) absences_.erase(over);
}

const v1::Absence* Absences::At(absl::string_view principal, absl::Time at) const {
  v1::Absence wanted;
  wanted.set_principal(std::string(principal));
  *wanted.mutable_from() = ToProto(at);
  const auto after = std::upper_bound(absences_.begin(), absences_.end(), wanted, Before);
  for (auto it = after; it != absences_.begin();) {
    --it;
    if (it->principal() != principal) break;
    if (at < Until(*it)) return &*it;
  }
  return nullptr;
}

std::string Absences::ActingFor(absl::string_view principal, absl::Time at) const {
  std::string who(principal);
  for (int step = 0; step <= kMaxDeputies; ++step) {
    const v1::Absence* away = At(who, at);
    if (away == nullptr) return who;
    who = away->deputy();
  }
  return "";
}

std::vector<std::string> Absences::StoodInForBy(absl::string_view deputy, absl::Time at) const {
  std::vector<std::string> away;
  for (const v1::Absence& absence : absences_) {
    const std::string& who = absence.principal();
    if (who == deputy || (!away.empty() && away.back() == who)) continue;
    if (at < From(absence) || at >= Until(absence) || ActingFor(who, at) != deputy) continue;
    away.push_back(who);
  }
  return away;
}

absl::Status Absences::Check(const v1::Absence& absence) const {
  if (Until(absence) <= From(absence)) {
    return RefuseFields("ABSENCE_EMPTY",
                        {{"absence.until", absl::StrCat(FormatUtc(Until(absence)), ", want an instant after ",
                                                        FormatUtc(From(absence)))}});
  }
  if (absence.deputy() == absence.principal()) {
    return Unfit("DEPUTY_IS_ABSENT_PERSON",
                 absl::StrCat("absence.deputy: ", absence.deputy(), " is the absent person, want another one"));
  }
  Absences with = *this;
  with.Record(absence);
  if (with.absences_.size() > kMaxAbsences) {
    return Unfit("TOO_MANY_ABSENCES", absl::StrCat("absences: ", absences_.size(), ", want at most ", kMaxAbsences));
  }
  // Who acts for whom changes only where an absence begins or ends. Others may count on the one who goes, so every
  // chain of that time is looked at.
  std::vector<const v1::Absence*> meanwhile;
  std::vector<absl::Time> instants = {From(absence)};
  const auto within = [&](absl::Time at) { return at >= From(absence) && at < Until(absence); };
  for (const v1::Absence& other : with.absences_) {
    if (From(other) >= Until(absence) || Until(other) <= From(absence)) continue;
    meanwhile.push_back(&other);
    if (within(From(other))) instants.push_back(From(other));
    if (within(Until(other))) instants.push_back(Until(other));
  }
  for (const absl::Time at : instants) {
    for (const v1::Absence* one : meanwhile) {
      const v1::Absence& other = *one;
      if (with.At(other.principal(), at) == nullptr || !with.ActingFor(other.principal(), at).empty()) continue;
      return Unfit("DEPUTY_CIRCLE", absl::StrCat("absence.deputy: ", absence.deputy(), ", but at ", FormatUtc(at),
                                                 " nobody is left to act for ", other.principal()));
    }
  }
  return absl::OkStatus();
}

}  // namespace docket::policy
