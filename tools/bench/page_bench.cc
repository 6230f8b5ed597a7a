#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/bench/bench.h"
#include "tools/bench/case_load.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::bench {
namespace {

constexpr absl::Duration kPerList = absl::Seconds(1);
constexpr uint32_t kPage = 100;

absl::StatusOr<Load> RunPages(const std::function<absl::Status()>& call) {
  absl::Status failed;
  const Load load = RunSerially(kPerList, [&] {
    absl::Status status = call();
    if (!status.ok()) failed = std::move(status);
    return failed.ok();
  });
  if (!failed.ok()) return failed;
  return load;
}

// The list of now, then, when somebody has taken the cases of its first page, the same as of before.
absl::Status MeasureUnowned(Plant& plant, PageTimes* times) {
  v1::ListControlRequest unowned;
  unowned.set_list(v1::UNOWNED);
  unowned.set_page_size(kPage);
  const absl::Time before = plant.engine().environment().clock->Now();
  DOCKET_ASSIGN_OR_RETURN(const v1::ListControlReply page, plant.client().ListControl(unowned));
  if (page.items_size() != static_cast<int>(kPage)) {
    return absl::InternalError(absl::StrCat("a page of ", page.items_size(), " unowned cases, want ", kPage));
  }
  DOCKET_ASSIGN_OR_RETURN(times->unowned, RunPages([&] { return plant.client().ListControl(unowned).status(); }));
  std::vector<std::string> ids;
  for (const auto& item : page.items()) ids.push_back(item.case_().case_id());
  DOCKET_RETURN_IF_ERROR(TakeCases(plant.engine(), ids));
  *unowned.mutable_valid_at() = ToProto(before);
  DOCKET_ASSIGN_OR_RETURN(const v1::ListControlReply then, plant.client().ListControl(unowned));
  for (int i = 0; i < page.items_size(); ++i) {
    if (i >= then.items_size() || then.items(i).case_().case_id() != ids[i]) {
      return absl::InternalError("the page of the past is not the one that was shown then");
    }
  }
  DOCKET_ASSIGN_OR_RETURN(times->unowned_past,
                          RunPages([&] { return plant.client().ListControl(unowned).status(); }));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PageTimes> MeasurePages(Plant& plant) {
  PageTimes times;
  v1::ListDutiesRequest overdue;
  overdue.set_preset(v1::OVERDUE);
  overdue.set_page_size(kPage);
  // Asked for a day in some weeks, when everything filed now will be late.
  *overdue.mutable_valid_at() = ToProto(plant.engine().environment().clock->Now() + absl::Hours(24 * 60));
  DOCKET_ASSIGN_OR_RETURN(const v1::ListDutiesReply first, plant.client().ListDuties(overdue));
  if (first.items_size() != static_cast<int>(kPage) || first.next_page_token().empty()) {
    return absl::InternalError(absl::StrCat("a page of ", first.items_size(), " duties, want ", kPage));
  }
  DOCKET_ASSIGN_OR_RETURN(times.overdue, RunPages([&] { return plant.client().ListDuties(overdue).status(); }));
  overdue.set_page_token(first.next_page_token());
  DOCKET_ASSIGN_OR_RETURN(times.overdue_next, RunPages([&] { return plant.client().ListDuties(overdue).status(); }));
  v1::ListQueueRequest queue;
  queue.set_queue("intake");
  queue.set_page_size(kPage);
  DOCKET_ASSIGN_OR_RETURN(const v1::ListQueueReply page, plant.client().ListQueue(queue));
  if (page.items_size() != static_cast<int>(kPage)) {
    return absl::InternalError(absl::StrCat("a page of ", page.items_size(), " queued cases, want ", kPage));
  }
  DOCKET_ASSIGN_OR_RETURN(times.queue, RunPages([&] { return plant.client().ListQueue(queue).status(); }));
  DOCKET_RETURN_IF_ERROR(MeasureUnowned(plant, &times));
  return times;
}

void ReportPages(const PageTimes& few, const PageTimes& many, size_t cases, Report* report) {
  const auto add = [&](const std::string& name, const Load& few_load, const Load& many_load) {
    const auto cpu = [](const Load& load) { return absl::StrFormat("%.0f us of processor", load.cpu_us); };
    report->Add({.name = name + ", 1000 open cases", .value = few_load.p50_us, .unit = "us", .note = cpu(few_load)});
    report->Add({.name = absl::StrCat(name, ", ", cases, " open cases"), .value = many_load.p50_us, .unit = "us",
                 .note = cpu(many_load)});
    report->AddRatio(name + ", many / few", many_load.p50_us, few_load.p50_us, Wish::kAtMost, 1.3,
                     cases < 1'000'000 ? "the target is of 1,000,000 open cases (--cases)" : "");
  };
  add("overdue page of 100", few.overdue, many.overdue);
  add("overdue page after the first", few.overdue_next, many.overdue_next);
  add("queue page of 100", few.queue, many.queue);
  add("unowned page of 100", few.unowned, many.unowned);
  add("unowned page of the past", few.unowned_past, many.unowned_past);
  report->AddRatio("unowned page, past / now", many.unowned_past.p50_us, many.unowned.p50_us, Wish::kAtMost, 2, "");
}

}  // namespace docket::bench
