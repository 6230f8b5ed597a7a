#include "tests/workflow/sla/promises.h"

#include <rapidcheck.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace docket::sla::testing {
namespace {

std::string Minutes(absl::Duration span) { return absl::StrCat(absl::ToInt64Minutes(span), "m"); }

}  // namespace

Promises SomePromises() {
  Promises promises;
  TwinRule& rule = promises.resolution;
  rule.tighten = *rc::gen::element<std::string>("ALL", "SHARE", "TIME", "NONE");
  rule.loosen = *rc::gen::element<std::string>("ALL", "SHARE", "TIME", "NONE");
  rule.reopen = *rc::gen::element<std::string>("", "CONTINUE", "RESUME", "RESTART");
  rule.not_before_old_due = *rc::gen::inRange(0, 3) == 0;
  rule.not_after_old_due = !rule.not_before_old_due && *rc::gen::inRange(0, 3) == 0;
  return promises;
}

void Publish(const Promises& promises, Desk* desk) {
  const auto answered = On("outbound_sent", {Is("event.human", "true"), Is("event.public_message", "true")});
  v1::MetricRule first = Metric("FIRST_RESPONSE", On("case_received"), answered, Minutes(kFirst));
  v1::MetricRule next =
      Metric("NEXT_RESPONSE", On("inbound_received", {Is("event.from_requester", "true")}), answered, Minutes(kNext));
  v1::MetricRule resolution =
      Metric("RESOLUTION", On("case_received"), On("status_changed", {Is("case.category", "RESOLVED")}), "");
  for (const char* priority : {"1", "2", "3"}) {
    AddChoice(&resolution, Is("case.priority", priority), Minutes(OfPriority(static_cast<uint32_t>(*priority - '0'))));
  }
  AddChoice(&resolution, All({}), Minutes(OfPriority(4)));
  const TwinRule& rule = promises.resolution;
  resolution.set_pausable(true);
  resolution.set_reopens(true);
  resolution.set_reopen(rule.reopen);
  resolution.mutable_retarget()->set_tighten(rule.tighten);
  resolution.mutable_retarget()->set_loosen(rule.loosen);
  resolution.mutable_retarget()->set_not_before_old_due(rule.not_before_old_due);
  resolution.mutable_retarget()->set_not_after_old_due(rule.not_after_old_due);
  v1::MetricRule final = Metric("FINAL", On("case_received"), On("decision_issued"), "");
  AddChoice(&final, Is("case.severity", "1"), Minutes(OfSeverity(1)));
  AddChoice(&final, All({}), Minutes(OfSeverity(2)));
  final.set_pausable(true);  // to be ignored
  final.set_reopens(true);   // to be ignored
  v1::MetricRule review = Metric("REVIEW", On("case_received"), On("decision_issued"), Minutes(kReview));
  v1::MetricRule own = Metric("TIME_TO_OWN", On("case_queued", {Fact("case.owner", v1::Condition::EMPTY, {})}),
                              On("owner_assigned"), "");
  *own.add_start_also() = On("owner_released", {Fact("case.queue", v1::Condition::NOT_EMPTY, {})});
  *own.add_cancel() = On("case_queued");
  own.set_visit("case.queue");
  AddChoice(&own, Is("case.priority", "1"), Minutes(OwnOfPriority(1)));
  AddChoice(&own, All({}), Minutes(OwnOfPriority(4)));
  v1::MetricRule referral = Metric("REFERRAL", On("decision_issued"),
                                   On("inbound_received", {Is("event.from_requester", "true")}), Minutes(kReferral));
  referral.set_nature(v1::WINDOW);
  for (v1::MetricRule* one : {&first, &resolution, &final, &review}) one->set_start_at("received_at");
  for (v1::MetricRule* one : {&own, &referral}) one->set_start_at("occurred_at");
  next.set_start_at("oldest_unanswered");
  desk->Publish(Policy("standard", v1::CUSTOMER, 1, "place", {first, next, resolution}));
  desk->Publish(Policy("law", v1::REGULATOR, 1, "place", {final}));
  desk->Publish(Policy("house", v1::INTERNAL, 1, "place", {review, own, referral}));
}

}  // namespace docket::sla::testing
