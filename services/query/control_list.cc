#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/query/fact_filter.h"
#include "services/query/list_page.h"
#include "services/query/list_replay.h"
#include "services/query/list_scan.h"
#include "services/query/listed_case.h"
#include "services/query/lists.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"

namespace docket::query {
namespace {

struct ControlQuestion {
  const Reader& reader;
  const v1::ListControlRequest& request;
  absl::Time at;
  Place start;
};

v1::ListKind KindOf(v1::ControlList list) {
  switch (list) {
    case v1::UNOWNED:
      return v1::LISTED_UNOWNED;
    case v1::NO_CLOCK:
      return v1::LISTED_NO_CLOCK;
    default:
      return v1::LISTED_WAKE_UP;
  }
}

bool Matches(const ControlQuestion& question, const ListedCase& one) {
  const v1::ListControlRequest& request = question.request;
  const bool waits = WaitsAt(one, question.at);
  if (request.list() == v1::WAKE_UP && !waits) return false;
  if (request.waiting_on_size() > 0 && (!waits || !EmptyOrHas(request.waiting_on(), one.shown.wait().on()))) {
    return false;
  }
  return FactsMatch(question.reader, request, one.facts) &&
         DepartmentMatches(question.reader, request.department(), one.facts.department());
}

absl::StatusOr<v1::ListControlReply::Item> MakeItem(const ControlQuestion& question, const ListedCase& one,
                                                    int64_t anchor_us) {
  v1::ListControlReply::Item item;
  DOCKET_ASSIGN_OR_RETURN(*item.mutable_case_(), Summarise(question.reader, one, question.at));
  item.set_escalation_level(one.shown.escalation_level());
  if (question.request.list() != v1::WAKE_UP) *item.mutable_since() = ToProto(absl::FromUnixMicros(anchor_us));
  if (!WaitsAt(one, question.at)) return item;
  const v1::WaitFacts& wait = one.shown.wait();
  if (question.request.list() == v1::WAKE_UP) {
    *item.mutable_since() = ToProto(absl::FromUnixMicros(wait.since_us()));
  }
  item.set_waiting_on(wait.on());
  item.set_waiting_reason(wait.reason_code());
  if (wait.until_us() != 0) {
    *item.mutable_waiting_until() = ToProto(absl::FromUnixMicros(wait.until_us()));
    item.set_until_passed(wait.until_us() <= absl::ToUnixMicros(question.at));
  }
  return item;
}

// Items of the list, with the titles of their cases.
class ControlPage {
 public:
  ControlPage(const ControlQuestion& question, v1::ListControlReply* reply)
      : question_(question), size_(PageSize(question.request.page_size())), reply_(reply) {}
  size_t room() const { return size_ - static_cast<size_t>(reply_->items_size()); }
  absl::Status Add(const ListedCase& one, int64_t anchor_us) {
    DOCKET_ASSIGN_OR_RETURN(*reply_->add_items(), MakeItem(question_, one, anchor_us));
    titles_.Add(one);
    return absl::OkStatus();
  }
  absl::Status Finish() { return titles_.Reveal(question_.reader, reply_->mutable_items()); }

 private:
  const ControlQuestion& question_;
  const size_t size_;
  v1::ListControlReply* reply_;
  PageTitles titles_;
};

// Looks at as many rows together as the page has room for.
absl::Status FromIndex(const ControlQuestion& question, v1::ListControlReply* reply, std::optional<Place>* next) {
  ControlPage page(question, reply);
  ScanBudget budget(*question.reader.clock);
  ListScan scan(question.reader, {.list = KindOf(question.request.list()), .group = ""}, question.at, question.start);
  bool spent = false;
  while (scan.Valid() && page.room() > 0 && !spent) {
    std::vector<std::string> ids;
    std::vector<int64_t> anchors;
    for (; scan.Valid() && ids.size() < page.room(); scan.Next()) {
      spent = !budget.Spend();
      if (spent) break;
      if (!scan.stood()) continue;
      ids.push_back(scan.place().case_id);
      anchors.push_back(scan.place().anchor_us);
    }
    DOCKET_ASSIGN_OR_RETURN(const std::vector<ListedCase> cases, MustFindAllListed(question.reader, ids, question.at));
    for (size_t i = 0; i < cases.size(); ++i) {
      if (Matches(question, cases[i])) DOCKET_RETURN_IF_ERROR(page.Add(cases[i], anchors[i]));
    }
  }
  if (scan.Valid()) *next = scan.place();
  DOCKET_RETURN_IF_ERROR(scan.status());
  return page.Finish();
}

absl::Status ByReplay(const ControlQuestion& question, absl::Time known_at, v1::ListControlReply* reply,
                      std::optional<Place>* next) {
  FirstPlaces<std::pair<int64_t, v1::Case>> found(question.start, PageSize(question.request.page_size()));
  const auto visit = [&](const v1::Case& state, const v1::CaseListing& listing) {
    for (const v1::ListEntry& entry : listing.entries()) {
      if (entry.list() != KindOf(question.request.list()) || !Matches(question, FromState(state))) continue;
      found.Add({0, entry.anchor_us(), state.case_id(), 0}, {entry.anchor_us(), state});
    }
    return absl::OkStatus();
  };
  DOCKET_RETURN_IF_ERROR(ReplayCases(question.reader, {question.at, known_at}, visit));
  ControlPage page(question, reply);
  DOCKET_ASSIGN_OR_RETURN(*next, found.Visit([&](const std::pair<int64_t, v1::Case>& one) -> absl::Status {
    DOCKET_ASSIGN_OR_RETURN(const v1::Case then,
                            workflow::StateAt(one.second, *question.reader.view.policies, question.at));
    return page.Add(FromState(then), one.first);
  }));
  return page.Finish();
}

}  // namespace

absl::StatusOr<v1::ListControlReply> ListControl(const Reader& reader, const v1::ListControlRequest& request) {
  DOCKET_RETURN_IF_ERROR(CheckPosition(reader, request.min_position()));
  const std::string digest = QueryDigest(request, reader.viewer);
  DOCKET_ASSIGN_OR_RETURN(Cursor cursor, OpenCursor(request.page_token(), digest, FirstCursor(reader, request)));
  ControlQuestion question{.reader = reader, .request = request, .at = cursor.valid_at, .start = {}};
  if (!cursor.key.empty()) {
    DOCKET_ASSIGN_OR_RETURN(question.start, DecodePlace(cursor.key));
  }
  v1::ListControlReply reply;
  std::optional<Place> next;
  DOCKET_RETURN_IF_ERROR(cursor.by_replay ? ByReplay(question, cursor.known_at, &reply, &next)
                                          : FromIndex(question, &reply, &next));
  if (reply.items().empty()) DOCKET_RETURN_IF_ERROR(NamesOfFacts(reader, request).Check());
  if (next.has_value()) {
    cursor.key = EncodePlace(*next);
    reply.set_next_page_token(EncodePageToken(digest, cursor));
  }
  DOCKET_RETURN_IF_ERROR(SayWhen(reader, cursor, &reply));
  reply.set_clock_suspect(reader.clock_suspect);
  return reply;
}

}  // namespace docket::query
