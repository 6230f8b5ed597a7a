#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/bench/bench.h"
#include "tools/bench/case_load.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::bench {
namespace {

constexpr uint32_t kPage = 100;
constexpr char kOfThePast[] = " page of the past";

// The question behind each figure, of one plant.
struct Page {
  std::string name;
  std::function<absl::Status()> ask;
};

template <class Item>
absl::Status CheckSize(absl::string_view list, const google::protobuf::RepeatedPtrField<Item>& items) {
  if (items.size() == static_cast<int>(kPage)) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("a page of ", items.size(), " rows of the list ", list, ", want ", kPage));
}

absl::Status AddOverdue(Plant& plant, std::vector<Page>* pages) {
  v1::ListDutiesRequest overdue;
  overdue.set_preset(v1::OVERDUE);
  overdue.set_page_size(kPage);
  // Asked for a day in some weeks, when everything filed now will be late.
  *overdue.mutable_valid_at() = ToProto(plant.engine().environment().clock->Now() + absl::Hours(24 * 60));
  DOCKET_ASSIGN_OR_RETURN(const v1::ListDutiesReply first, plant.client().ListDuties(overdue));
  DOCKET_RETURN_IF_ERROR(CheckSize("overdue", first.items()));
  pages->push_back({"overdue page of 100", [&plant, overdue] { return plant.client().ListDuties(overdue).status(); }});
  overdue.set_page_token(first.next_page_token());
  DOCKET_ASSIGN_OR_RETURN(const v1::ListDutiesReply second, plant.client().ListDuties(overdue));
  DOCKET_RETURN_IF_ERROR(CheckSize("overdue", second.items()));
  pages->push_back(
      {"overdue page after the first", [&plant, overdue] { return plant.client().ListDuties(overdue).status(); }});
  return absl::OkStatus();
}

template <class Items>
std::vector<std::string> IdsOf(const Items& items) {
  std::vector<std::string> ids;
  for (const auto& item : items) ids.push_back(item.case_().case_id());
  return ids;
}

// What was done to the cases of `page` since leaves it as it was then.
template <class Items>
absl::Status CheckSame(const Items& page, const Items& then) {
  if (IdsOf(page) == IdsOf(then)) return absl::OkStatus();
  return absl::InternalError("the page of the past is not the one that was shown then");
}

// The queue of now and, after the cases of its first page have got another priority, the same as of before.
absl::Status AddQueue(Plant& plant, std::vector<Page>* pages) {
  v1::ListQueueRequest queue;
  queue.set_queue("intake");
  queue.set_page_size(kPage);
  const absl::Time before = plant.engine().environment().clock->Now();
  DOCKET_ASSIGN_OR_RETURN(const v1::ListQueueReply page, plant.client().ListQueue(queue));
  DOCKET_RETURN_IF_ERROR(CheckSize("intake", page.items()));
  v1::Command put_off;
  put_off.mutable_set_priority()->set_priority(4);
  put_off.mutable_set_priority()->set_override_reason("BENCH");
  DOCKET_RETURN_IF_ERROR(DoToEach(plant.engine(), IdsOf(page.items()), put_off));
  pages->push_back({"queue page of 100", [&plant, queue] { return plant.client().ListQueue(queue).status(); }});
  *queue.mutable_valid_at() = ToProto(before);
  DOCKET_ASSIGN_OR_RETURN(const v1::ListQueueReply then, plant.client().ListQueue(queue));
  DOCKET_RETURN_IF_ERROR(CheckSame(page.items(), then.items()));
  pages->push_back(
      {absl::StrCat("queue", kOfThePast), [&plant, queue] { return plant.client().ListQueue(queue).status(); }});
  return absl::OkStatus();
}

// The list of now and, after somebody has taken the cases of its first page, the same as of before.
absl::Status AddUnowned(Plant& plant, std::vector<Page>* pages) {
  v1::ListControlRequest unowned;
  unowned.set_list(v1::UNOWNED);
  unowned.set_page_size(kPage);
  const absl::Time before = plant.engine().environment().clock->Now();
  DOCKET_ASSIGN_OR_RETURN(const v1::ListControlReply page, plant.client().ListControl(unowned));
  DOCKET_RETURN_IF_ERROR(CheckSize("unowned", page.items()));
  v1::Command take;
  take.mutable_take();
  DOCKET_RETURN_IF_ERROR(DoToEach(plant.engine(), IdsOf(page.items()), take));
  pages->push_back({"unowned page of 100", [&plant, unowned] { return plant.client().ListControl(unowned).status(); }});
  *unowned.mutable_valid_at() = ToProto(before);
  DOCKET_ASSIGN_OR_RETURN(const v1::ListControlReply then, plant.client().ListControl(unowned));
  DOCKET_RETURN_IF_ERROR(CheckSame(page.items(), then.items()));
  pages->push_back({absl::StrCat("unowned", kOfThePast),
                    [&plant, unowned] { return plant.client().ListControl(unowned).status(); }});
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Page>> PagesOf(Plant& plant) {
  std::vector<Page> pages;
  DOCKET_RETURN_IF_ERROR(AddOverdue(plant, &pages));
  DOCKET_RETURN_IF_ERROR(AddQueue(plant, &pages));
  DOCKET_RETURN_IF_ERROR(AddUnowned(plant, &pages));
  return pages;
}

// Turns of two questions.
struct Compared {
  std::vector<double> part_us, whole_us, part_cpu_us, whole_cpu_us, ratio;
};
absl::StatusOr<Compared> Compare(const Options& options, const Page& part, const Page& whole) {
  Compared compared;
  absl::Status failed;
  const auto run = [&](const Page& page) {
    return RunSerially(options.each, [&] {
      failed.Update(page.ask());
      return failed.ok();
    });
  };
  for (int turn = 0; turn < options.turns; ++turn) {
    const Load one = run(whole);
    const Load other = run(part);
    DOCKET_RETURN_IF_ERROR(failed);
    compared.whole_us.push_back(one.p50_us);
    compared.whole_cpu_us.push_back(one.cpu_us);
    compared.part_us.push_back(other.p50_us);
    compared.part_cpu_us.push_back(other.cpu_us);
    compared.ratio.push_back(other.p50_us / one.p50_us);
  }
  return compared;
}

}  // namespace

absl::Status BenchPages(const Options& options, Plant& few, Plant& many, Report* report) {
  DOCKET_ASSIGN_OR_RETURN(const std::vector<Page> few_pages, PagesOf(few));
  DOCKET_ASSIGN_OR_RETURN(const std::vector<Page> many_pages, PagesOf(many));
  for (size_t i = 0; i < few_pages.size(); ++i) {
    const std::string& name = few_pages[i].name;
    DOCKET_ASSIGN_OR_RETURN(const Compared turns, Compare(options, many_pages[i], few_pages[i]));
    const auto cpu = [](const std::vector<double>& us) { return absl::StrFormat("%.0f us of processor", Median(us)); };
    report->Add({.name = absl::StrCat(name, ", ", kFewCases, " open cases"),
                 .value = Median(turns.whole_us),
                 .unit = "us",
                 .note = cpu(turns.whole_cpu_us)});
    report->Add({.name = absl::StrCat(name, ", ", options.cases, " open cases"),
                 .value = Median(turns.part_us),
                 .unit = "us",
                 .note = cpu(turns.part_cpu_us)});
    report->Add({name + ", many / few", Median(turns.ratio), "ratio", Wish::kAtMost, 1.3,
                 options.cases < 1'000'000 ? "the target is of 1,000,000 open cases (--cases)" : ""});
  }
  for (size_t i = 1; i < many_pages.size(); ++i) {
    if (!absl::EndsWith(many_pages[i].name, kOfThePast)) continue;  // it follows that of now
    DOCKET_ASSIGN_OR_RETURN(const Compared past, Compare(options, many_pages[i], many_pages[i - 1]));
    report->Add({many_pages[i].name + " / now", Median(past.ratio), "ratio", Wish::kAtMost, 2, ""});
  }
  return absl::OkStatus();
}

}  // namespace docket::bench
