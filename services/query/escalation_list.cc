#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/query/case_fold.h"
#include "services/query/deputyship.h"
#include "services/query/fact_filter.h"
#include "services/query/list_page.h"
#include "services/query/list_replay.h"
#include "services/query/list_scan.h"
#include "services/query/listed_case.h"
#include "services/query/lists.h"
#include "services/query/texts.h"
#include "store/view_table.h"
#include "workflow/base/time.h"
#include "workflow/projection/project.h"

namespace docket::query {
namespace {

using projection::EscalationRow;

struct EscalationQuestion {
  const Reader& reader;
  const v1::ListEscalationsRequest& request;
  absl::Time at;
  Place start;
  Deputyship deputyship;  // of the target asked about
};

// Acknowledged after its time, or not yet and the time has passed.
bool AckLate(const v1::Escalation& escalation, absl::Time at) {
  if (!escalation.has_ack_due_at()) return false;
  const absl::Time answered = escalation.has_acknowledged_at() ? FromProto(escalation.acknowledged_at()) : at;
  return answered > FromProto(escalation.ack_due_at());
}

// Targets who are away, and for whom the one asked about stands in.
std::vector<std::string> AwayTargets(const EscalationQuestion& question, const v1::Escalation& escalation) {
  std::vector<std::string> found;
  for (const std::string& target : escalation.targets()) {
    if (question.deputyship.Covers(target)) found.push_back(target);
  }
  return found;
}

// Those of an escalation of `case_id` whom the one asked about may stand in for. `state`: the case, where it is at
// hand.
absl::StatusOr<std::vector<std::string>> StoodInFor(const EscalationQuestion& question,
                                                    const v1::Escalation& escalation, const std::string& case_id,
                                                    const v1::Case* state) {
  std::vector<std::string> found = AwayTargets(question, escalation);
  if (found.empty()) return found;
  const Deputyship& deputyship = question.deputyship;
  DOCKET_ASSIGN_OR_RETURN(const bool may, state != nullptr ? absl::StatusOr<bool>(deputyship.MayActIn(*state))
                                                           : deputyship.MayActIn(question.reader, case_id));
  if (!may) found.clear();
  return found;
}

bool Matches(const EscalationQuestion& question, const v1::EscalationRowValue& value,
             const std::vector<std::string>& stood_in_for) {
  const v1::ListEscalationsRequest& request = question.request;
  const v1::Escalation& escalation = value.escalation();
  return DepartmentMatches(question.reader, request.department(), escalation.department()) &&
         (request.metric().empty() || request.metric() == value.metric()) &&
         EmptyOrHas(request.obligations(), value.obligation()) &&
         (request.target().empty() || EmptyOrHas(escalation.targets(), request.target()) || !stood_in_for.empty());
}

absl::StatusOr<v1::ListEscalationsReply::Item> MakeItem(const EscalationQuestion& question,
                                                        v1::EscalationRowValue value, const ListedCase& one,
                                                        const std::vector<std::string>& stood_in_for) {
  v1::ListEscalationsReply::Item item;
  DOCKET_ASSIGN_OR_RETURN(*item.mutable_case_(), Summarise(question.reader, one, question.at));
  *item.mutable_escalation() = std::move(*value.mutable_escalation());
  item.set_metric(value.metric());
  item.set_ack_late(AckLate(item.escalation(), question.at));
  for (const std::string& away : stood_in_for) item.add_stands_in_for(away);
  return item;
}

// Whether it tells of something that came after `at`.
bool Foretells(const v1::Escalation& escalation, absl::Time at) {
  const auto later = [&](bool has, const google::protobuf::Timestamp& when) { return has && FromProto(when) > at; };
  return later(escalation.has_acknowledged_at(), escalation.acknowledged_at()) ||
         later(escalation.has_lapsed_at(), escalation.lapsed_at()) ||
         later(escalation.has_ended_at(), escalation.ended_at());
}

// From the case as it was then.
absl::StatusOr<v1::EscalationRowValue> FoldedValue(const EscalationQuestion& question, const Place& place) {
  DOCKET_ASSIGN_OR_RETURN(const std::optional<v1::Case> then,
                          FoldCase(question.reader, place.case_id, {.valid_at = question.at}));
  if (then.has_value()) {
    for (EscalationRow& row : projection::RowsOf(*then).escalations) {
      if (row.escalation_no == place.item) return std::move(row.value);
    }
  }
  return absl::DataLossError(
      absl::StrCat("case ", place.case_id, " has no escalation ", place.item, ", but its row says so"));
}

// The row of now of an escalation that `scan` looks at, told as it was then. Mostly all that has changed since it was
// raised is that somebody acknowledged it; else the case is folded.
absl::StatusOr<v1::EscalationRowValue> ValueThen(const EscalationQuestion& question, const ListScan& scan) {
  if (scan.escalation() != nullptr) {
    const v1::EscalationRowValue& now = scan.escalation()->value;
    if (Foretells(now.escalation(), question.at)) return FoldedValue(question, scan.place());
    return now;
  }
  EscalationRow key;
  key.acknowledged = true;
  key.raised_at_us = scan.place().anchor_us;
  key.case_id = scan.place().case_id;
  key.escalation_no = scan.place().item;
  DOCKET_ASSIGN_OR_RETURN(std::optional<EscalationRow> row,
                          store::GetRow(*question.reader.view.snapshot, question.reader.view.views, key));
  if (!row.has_value() || row->value.escalation().state() != v1::Escalation::ACKNOWLEDGED) {
    return FoldedValue(question, scan.place());
  }
  v1::Escalation& escalation = *row->value.mutable_escalation();
  escalation.set_state(v1::Escalation::RAISED);
  escalation.clear_acknowledged_at();
  escalation.clear_acknowledged_by();
  if (Foretells(escalation, question.at)) return FoldedValue(question, scan.place());
  return std::move(row->value);
}

// One part of the list: those not acknowledged, or those that are. Sets `next` when the page ends in it.
absl::Status AddPart(const EscalationQuestion& question, uint8_t part, ScanBudget& budget,
                     v1::ListEscalationsReply* reply, PageTitles* titles, std::optional<Place>* next) {
  const uint32_t page_size = PageSize(question.request.page_size());
  const Place from = part == question.start.part ? question.start : Place{};
  ListScan scan(question.reader, {.list = v1::LISTED_ESCALATION, .group = part == 0 ? "" : projection::kAcknowledged},
                question.at, from);
  for (; scan.Valid(); scan.Next()) {
    if (reply->items_size() == page_size || !budget.Spend()) {
      *next = scan.place();
      (*next)->part = part;
      return absl::OkStatus();
    }
    if (!scan.stood()) continue;
    DOCKET_ASSIGN_OR_RETURN(v1::EscalationRowValue value, ValueThen(question, scan));
    DOCKET_ASSIGN_OR_RETURN(const std::vector<std::string> away,
                            StoodInFor(question, value.escalation(), scan.place().case_id, nullptr));
    if (!Matches(question, value, away)) continue;
    DOCKET_ASSIGN_OR_RETURN(const ListedCase one, MustFindListed(question.reader, scan.place().case_id, question.at));
    if (!FactsMatch(question.reader, question.request, one.facts)) continue;
    DOCKET_ASSIGN_OR_RETURN(*reply->add_items(), MakeItem(question, std::move(value), one, away));
    titles->Add(one);
  }
  return scan.status();
}

// The texts of all items.
absl::Status Reveal(const EscalationQuestion& question, const PageTitles& titles, v1::ListEscalationsReply* reply) {
  DOCKET_RETURN_IF_ERROR(RevealTexts(*question.reader.view.snapshot, reply));
  return titles.Reveal(question.reader, reply->mutable_items());
}

absl::Status FromIndex(const EscalationQuestion& question, v1::ListEscalationsReply* reply,
                       std::optional<Place>* next) {
  PageTitles titles;
  ScanBudget budget(*question.reader.clock);
  const uint8_t last = question.request.include_acknowledged() ? 1 : 0;
  for (uint8_t part = question.start.part; part <= last && !next->has_value(); ++part) {
    DOCKET_RETURN_IF_ERROR(AddPart(question, part, budget, reply, &titles, next));
  }
  return Reveal(question, titles, reply);
}

absl::Status ByReplay(const EscalationQuestion& question, absl::Time known_at, v1::ListEscalationsReply* reply,
                      std::optional<Place>* next) {
  struct Found {
    v1::EscalationRowValue value;
    v1::Case state;
    std::vector<std::string> stood_in_for;
  };
  FirstPlaces<Found> page(question.start, PageSize(question.request.page_size()));
  const auto visit = [&](const v1::Case& state, const v1::CaseListing&) -> absl::Status {
    for (const EscalationRow& row : projection::RowsOf(state).escalations) {
      if (row.acknowledged && !question.request.include_acknowledged()) continue;
      DOCKET_ASSIGN_OR_RETURN(std::vector<std::string> away,
                              StoodInFor(question, row.value.escalation(), row.case_id, &state));
      if (!Matches(question, row.value, away) || !FactsMatch(question.reader, question.request, FromState(state).facts))
        continue;
      page.Add({row.acknowledged ? uint8_t{1} : uint8_t{0}, row.raised_at_us, row.case_id, row.escalation_no},
               {row.value, state, std::move(away)});
    }
    return absl::OkStatus();
  };
  DOCKET_RETURN_IF_ERROR(ReplayCases(question.reader, {question.at, known_at}, visit));
  PageTitles titles;
  DOCKET_ASSIGN_OR_RETURN(*next, page.Visit([&](const Found& found) -> absl::Status {
    const ListedCase one = FromState(found.state);
    DOCKET_ASSIGN_OR_RETURN(*reply->add_items(), MakeItem(question, found.value, one, found.stood_in_for));
    titles.Add(one);
    return absl::OkStatus();
  }));
  return Reveal(question, titles, reply);
}

absl::Status CheckNames(const Reader& reader, const v1::ListEscalationsRequest& request) {
  FilterNames names = NamesOfFacts(reader, request);
  names.Add(policy::NameKind::kPrincipal, "target", request.target());
  names.Add(policy::NameKind::kMetric, "metric", request.metric());
  return names.Check();
}

}  // namespace

absl::StatusOr<v1::ListEscalationsReply> ListEscalations(const Reader& reader,
                                                         const v1::ListEscalationsRequest& request) {
  DOCKET_RETURN_IF_ERROR(CheckPosition(reader, request.min_position()));
  const std::string digest = QueryDigest(request, reader.viewer);
  DOCKET_ASSIGN_OR_RETURN(Cursor cursor, OpenCursor(request.page_token(), digest, FirstCursor(reader, request)));
  EscalationQuestion question{
      .reader = reader, .request = request, .at = cursor.valid_at, .start = {}, .deputyship = {}};
  if (!request.target().empty()) {
    DOCKET_ASSIGN_OR_RETURN(question.deputyship, Deputyship::Of(reader, request.target(), cursor));
  }
  if (!cursor.key.empty()) {
    DOCKET_ASSIGN_OR_RETURN(question.start, DecodePlace(cursor.key));
  }
  v1::ListEscalationsReply reply;
  std::optional<Place> next;
  DOCKET_RETURN_IF_ERROR(cursor.by_replay ? ByReplay(question, cursor.known_at, &reply, &next)
                                          : FromIndex(question, &reply, &next));
  if (reply.items().empty()) DOCKET_RETURN_IF_ERROR(CheckNames(reader, request));
  if (next.has_value()) {
    cursor.key = EncodePlace(*next);
    reply.set_next_page_token(EncodePageToken(digest, cursor));
  }
  DOCKET_RETURN_IF_ERROR(SayWhen(reader, cursor, &reply));
  return reply;
}

}  // namespace docket::query
