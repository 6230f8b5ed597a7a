#include "workflow/policy/policy_set.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/policy/directory_index.h"
#include "workflow/policy/nearest.h"
#include "workflow/policy/policy_versions.h"
#include "workflow/policy/rota.h"

namespace docket::policy {
namespace {

template <class Map>
std::vector<std::string> KeysOf(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

std::vector<std::string> ListOf(const std::set<std::string, std::less<>>& names) {
  return {names.begin(), names.end()};
}

template <class Repeated>
bool Lists(const Repeated& kinds, v1::CaseKind kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

void SetCompiled(const v1::Chart& value, v1::CompiledPolicy* compiled) { *compiled->mutable_chart() = value; }
void SetCompiled(const v1::SlaPolicy& value, v1::CompiledPolicy* compiled) { *compiled->mutable_sla() = value; }
void SetCompiled(const v1::Ladder& value, v1::CompiledPolicy* compiled) { *compiled->mutable_ladder() = value; }
void SetCompiled(const v1::PriorityMatrix& value, v1::CompiledPolicy* compiled) { *compiled->mutable_matrix() = value; }
void SetCompiled(const v1::Routing& value, v1::CompiledPolicy* compiled) { *compiled->mutable_routing() = value; }
void SetCompiled(const sla::WorkingCalendar& value, v1::CompiledPolicy* compiled) {
  *compiled->mutable_calendar() = value.compiled();
}

template <class T>
PolicySet::Listed ToListed(v1::PolicyKind kind, const Published<T>& published) {
  return {.kind = kind,
          .pin = published.pin,
          .effective_from = published.effective_from,
          .published_at = published.published_at,
          .published_by = published.published_by,
          .yaml = {},
          .digest = published.digest,
          .compiled = {}};
}

template <class T>
void ListNewest(v1::PolicyKind kind, const ById<T>& policies, std::vector<PolicySet::Listed>* out) {
  for (const auto& [id, versions] : policies) out->push_back(ToListed(kind, *versions->back()));
}

template <class T>
absl::StatusOr<PolicySet::Listed> GetOne(v1::PolicyKind kind, const ById<T>& policies, absl::string_view id,
                                         uint32_t version) {
  const auto versions = FindOrNull(policies, id);
  if (versions == nullptr) {
    return Refuse(
        absl::StatusCode::kNotFound, "POLICY_NOT_FOUND",
        absl::StrCat("id: no ", v1::PolicyKind_Name(kind), " \"", id, "\"", NearestHint(id, KeysOf(policies))));
  }
  for (const auto& published : *versions) {
    if (version != 0 ? published->pin.version() == version : published == versions->back()) {
      PolicySet::Listed listed = ToListed(kind, *published);
      listed.yaml = published->yaml;
      SetCompiled(*published->value, &listed.compiled);
      return listed;
    }
  }
  return Refuse(
      absl::StatusCode::kNotFound, "POLICY_NOT_FOUND",
      absl::StrCat("version: ", id, " has no version ", version, ", the newest is ", versions->back()->pin.version()));
}

}  // namespace

using RolloutsById = std::map<std::string, Rollout, std::less<>>;

// Each member is replaced as a whole; a set made by With shares all but one of them.
struct PolicySet::Data {
  std::shared_ptr<const ById<v1::Chart>> charts = std::make_shared<ById<v1::Chart>>();
  std::shared_ptr<const ById<v1::SlaPolicy>> slas = std::make_shared<ById<v1::SlaPolicy>>();
  std::shared_ptr<const ById<sla::WorkingCalendar>> calendars = std::make_shared<ById<sla::WorkingCalendar>>();
  std::shared_ptr<const ById<v1::Ladder>> ladders = std::make_shared<ById<v1::Ladder>>();
  std::shared_ptr<const ById<v1::PriorityMatrix>> matrices = std::make_shared<ById<v1::PriorityMatrix>>();
  std::shared_ptr<const ById<v1::Routing>> routings = std::make_shared<ById<v1::Routing>>();
  std::shared_ptr<const IndexedDirectory> directory = std::make_shared<IndexedDirectory>(v1::Directory(), 0);
  std::shared_ptr<const DirectoryNames> names = std::make_shared<DirectoryNames>();
  std::shared_ptr<const RolloutsById> rollouts = std::make_shared<RolloutsById>();
  std::shared_ptr<const Absences> absences = std::make_shared<Absences>();

  absl::Status Publish(const Publication& publication);
  absl::Status RollOut(const v1::Event& event);
};

absl::Status PolicySet::Data::Publish(const Publication& publication) {
  const v1::PolicyPublished& event = *publication.event;
  const v1::CompiledPolicy& compiled = event.compiled();
  const auto is = [&](v1::PolicyKind kind, bool has) { return event.kind() == kind && has; };
  if (is(v1::WORKFLOW, compiled.has_chart())) {
    DOCKET_ASSIGN_OR_RETURN(charts, Add(*charts, publication, Identified(compiled.chart(), event)));
  } else if (is(v1::SLA, compiled.has_sla())) {
    DOCKET_ASSIGN_OR_RETURN(slas, Add(*slas, publication, Identified(compiled.sla(), event)));
  } else if (is(v1::LADDER, compiled.has_ladder())) {
    DOCKET_ASSIGN_OR_RETURN(ladders, Add(*ladders, publication, Identified(compiled.ladder(), event)));
  } else if (is(v1::PRIORITY_MATRIX, compiled.has_matrix())) {
    DOCKET_ASSIGN_OR_RETURN(matrices, Add(*matrices, publication, Identified(compiled.matrix(), event)));
  } else if (is(v1::ROUTING, compiled.has_routing())) {
    DOCKET_ASSIGN_OR_RETURN(routings, Add(*routings, publication, Identified(compiled.routing(), event)));
  } else if (is(v1::CALENDAR, compiled.has_calendar())) {
    auto calendar = sla::WorkingCalendar::FromCompiled(*Identified(compiled.calendar(), event));
    if (!calendar.ok()) return DataLoss(absl::StrCat("calendar ", event.id(), ": ", calendar.status().message()));
    DOCKET_ASSIGN_OR_RETURN(calendars, Add(*calendars, publication, *std::move(calendar)));
  } else {
    return DataLoss(absl::StrCat("policy ", event.id(), ": kind ", v1::PolicyKind_Name(event.kind()),
                                 " without its compiled form"));
  }
  return absl::OkStatus();
}

PolicySet::PolicySet() : data_(std::make_shared<Data>()) {}
PolicySet::~PolicySet() = default;
PolicySet::PolicySet(const PolicySet&) = default;

absl::Status PolicySet::Data::RollOut(const v1::Event& event) {
  auto changed = std::make_shared<RolloutsById>(*rollouts);
  if (event.has_policy_rollout_planned()) {
    const v1::PolicyRolloutPlanned& plan = event.policy_rollout_planned();
    if (!changed->emplace(plan.rollout_id(), Rollout{.plan = plan}).second) {
      return DataLoss(absl::StrCat("rollout ", plan.rollout_id(), " planned twice"));
    }
  } else {
    const std::string& id = event.has_policy_rollout_approved() ? event.policy_rollout_approved().rollout_id()
                                                                : event.policy_rollout_applied().rollout_id();
    const auto found = changed->find(id);
    if (found == changed->end()) return DataLoss(absl::StrCat("rollout ", id, " was not planned"));
    if (event.has_policy_rollout_approved()) {
      found->second.approver = event.policy_rollout_approved().approver();
    } else {
      found->second.applied = event.policy_rollout_applied();
    }
  }
  rollouts = std::move(changed);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const PolicySet>> PolicySet::With(const v1::Event& event, uint64_t position,
                                                                 absl::Time recorded_at,
                                                                 absl::string_view principal) const {
  auto result = std::make_shared<PolicySet>(*this);
  if (event.has_policy_published()) {
    auto data = std::make_shared<Data>(*data_);
    DOCKET_RETURN_IF_ERROR(data->Publish({.event = &event.policy_published(),
                                          .position = position,
                                          .recorded_at = recorded_at,
                                          .principal = std::string(principal)}));
    result->data_ = std::move(data);
  } else if (event.has_directory_published()) {
    const v1::DirectoryPublished& published = event.directory_published();
    if (published.version() <= directory_version()) {
      return DataLoss(
          absl::StrCat("directory: version ", published.version(), ", want one above ", directory_version()));
    }
    auto data = std::make_shared<Data>(*data_);
    data->directory = std::make_shared<IndexedDirectory>(published.directory(), published.version());
    auto names = std::make_shared<DirectoryNames>(*data_->names);
    names->Add(published.directory());
    data->names = std::move(names);
    result->data_ = std::move(data);
  } else if (event.has_absence_recorded()) {
    auto data = std::make_shared<Data>(*data_);
    auto absences = std::make_shared<Absences>(*data_->absences);
    absences->Record(event.absence_recorded().absence());
    data->absences = std::move(absences);
    result->data_ = std::move(data);
  } else if (event.has_policy_rollout_planned() || event.has_policy_rollout_approved() ||
             event.has_policy_rollout_applied()) {
    auto data = std::make_shared<Data>(*data_);
    DOCKET_RETURN_IF_ERROR(data->RollOut(event));
    result->data_ = std::move(data);
  }
  return result;
}

const Published<v1::Chart>* PolicySet::ChartFor(v1::CaseKind kind, absl::Time at) const {
  return NewestWhere(*data_->charts, at,
                     [&](const v1::Chart& chart) { return !chart.by_name_only() && Lists(chart.kinds(), kind); });
}

const Published<v1::Chart>* PolicySet::ChartNamed(absl::string_view id, absl::Time at) const {
  return NamedAt(*data_->charts, id, at);
}

const v1::Chart* PolicySet::Chart(const v1::PolicyPin& pin) const {
  const auto* published = Pinned(*data_->charts, pin);
  return published == nullptr ? nullptr : published->value.get();
}

const v1::SlaPolicy* PolicySet::Sla(const v1::PolicyPin& pin) const {
  const auto* published = Pinned(*data_->slas, pin);
  return published == nullptr ? nullptr : published->value.get();
}

const v1::Ladder* PolicySet::LadderAt(const v1::PolicyPin& pin) const {
  const auto* published = Pinned(*data_->ladders, pin);
  return published == nullptr ? nullptr : published->value.get();
}

std::shared_ptr<const sla::WorkingCalendar> PolicySet::Calendar(const v1::PolicyPin& pin) const {
  const auto* published = Pinned(*data_->calendars, pin);
  return published == nullptr ? nullptr : published->value;
}

const Published<sla::WorkingCalendar>* PolicySet::CalendarNamed(absl::string_view id, absl::Time at) const {
  return NamedAt(*data_->calendars, id, at);
}

const Published<v1::PriorityMatrix>* PolicySet::MatrixFor(v1::CaseKind kind, absl::Time at) const {
  const auto* listed =
      NewestWhere(*data_->matrices, at, [&](const v1::PriorityMatrix& matrix) { return Lists(matrix.kinds(), kind); });
  if (listed != nullptr) return listed;
  return NewestWhere(*data_->matrices, at, [](const v1::PriorityMatrix& matrix) { return matrix.kinds().empty(); });
}

std::vector<const Published<v1::SlaPolicy>*> PolicySet::SlaPolicies(absl::Time at) const {
  std::vector<const Published<v1::SlaPolicy>*> result;
  for (const auto& [id, versions] : *data_->slas) {
    if (const auto* published = EffectiveAt(*versions, at)) result.push_back(published);
  }
  // By id already, so a stable sort leaves ties in that order.
  std::stable_sort(result.begin(), result.end(), [](const auto* a, const auto* b) {
    return std::make_tuple(a->value->obligation(), a->value->order()) <
           std::make_tuple(b->value->obligation(), b->value->order());
  });
  return result;
}

std::vector<const Published<v1::Ladder>*> PolicySet::Ladders(absl::Time at) const {
  std::vector<const Published<v1::Ladder>*> result;
  for (const auto& [id, versions] : *data_->ladders) {
    if (const auto* published = EffectiveAt(*versions, at)) result.push_back(published);
  }
  return result;
}

std::vector<const Published<v1::Routing>*> PolicySet::Routings(absl::Time at) const {
  std::vector<const Published<v1::Routing>*> result;
  for (const auto& [id, versions] : *data_->routings) {
    if (const auto* published = EffectiveAt(*versions, at)) result.push_back(published);
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const auto* a, const auto* b) { return a->value->order() < b->value->order(); });
  return result;
}

std::vector<PolicySet::Listed> PolicySet::List(v1::PolicyKind kind) const {
  std::vector<Listed> result;
  const auto wants = [&](v1::PolicyKind candidate) { return kind == v1::POLICY_KIND_UNSPECIFIED || kind == candidate; };
  if (wants(v1::WORKFLOW)) ListNewest(v1::WORKFLOW, *data_->charts, &result);
  if (wants(v1::SLA)) ListNewest(v1::SLA, *data_->slas, &result);
  if (wants(v1::CALENDAR)) ListNewest(v1::CALENDAR, *data_->calendars, &result);
  if (wants(v1::LADDER)) ListNewest(v1::LADDER, *data_->ladders, &result);
  if (wants(v1::PRIORITY_MATRIX)) ListNewest(v1::PRIORITY_MATRIX, *data_->matrices, &result);
  if (wants(v1::ROUTING)) ListNewest(v1::ROUTING, *data_->routings, &result);
  return result;
}

absl::StatusOr<PolicySet::Listed> PolicySet::Get(v1::PolicyKind kind, absl::string_view id, uint32_t version) const {
  switch (kind) {
    case v1::WORKFLOW:
      return GetOne(kind, *data_->charts, id, version);
    case v1::SLA:
      return GetOne(kind, *data_->slas, id, version);
    case v1::CALENDAR:
      return GetOne(kind, *data_->calendars, id, version);
    case v1::LADDER:
      return GetOne(kind, *data_->ladders, id, version);
    case v1::PRIORITY_MATRIX:
      return GetOne(kind, *data_->matrices, id, version);
    case v1::ROUTING:
      return GetOne(kind, *data_->routings, id, version);
    default:
      return Refuse(absl::StatusCode::kInvalidArgument, "POLICY_KIND_MISSING",
                    absl::StrCat("kind: ", static_cast<int>(kind), ", want the kind of a policy"));
  }
}

bool PolicySet::WasPublished(v1::PolicyKind kind, absl::string_view id, absl::string_view digest) const {
  absl::StatusOr<Listed> version = Get(kind, id, 0);
  while (version.ok() && version->digest != digest && version->pin.version() > 1) {
    version = Get(kind, id, version->pin.version() - 1);
  }
  return version.ok() && version->digest == digest;
}

const v1::PolicyRolloutPlanned* PolicySet::ApprovedRollout(absl::string_view id) const {
  const auto found = data_->rollouts->find(id);
  if (found == data_->rollouts->end() || found->second.approver.empty()) return nullptr;
  return &found->second.plan;
}

std::vector<const Rollout*> PolicySet::Rollouts() const {
  std::vector<const Rollout*> result;
  for (const auto& [id, rollout] : *data_->rollouts) result.push_back(&rollout);
  return result;
}

const v1::Directory& PolicySet::directory() const { return data_->directory->directory; }
uint32_t PolicySet::directory_version() const { return data_->directory->version; }

const v1::Department* PolicySet::Department(absl::string_view id) const {
  return FindOrNull(data_->directory->departments, id);
}
const v1::Queue* PolicySet::Queue(absl::string_view id) const { return FindOrNull(data_->directory->queues, id); }
const v1::Principal* PolicySet::Principal(absl::string_view id) const {
  return FindOrNull(data_->directory->principals, id);
}

const v1::Rota* PolicySet::Rota(absl::string_view id) const { return FindOrNull(data_->directory->rotas, id); }

std::vector<std::string> PolicySet::OnDuty(absl::string_view id, absl::Time at) const {
  const v1::Rota* rota = Rota(id);
  if (rota == nullptr) return {};
  const auto* calendar = rota->calendar().empty() ? nullptr : CalendarNamed(rota->calendar(), at);
  return policy::OnDuty(
      *rota, calendar != nullptr ? calendar->value->ToCivil(at) : absl::ToCivilSecond(at, absl::UTCTimeZone()));
}

const Absences& PolicySet::absences() const { return *data_->absences; }

bool PolicySet::IsWithin(absl::string_view department, absl::string_view ancestor) const {
  const v1::Department* at = Department(department);
  // The bound ends the walk should an old log hold a cycle of parents; publishing refuses one.
  for (size_t steps = 0; at != nullptr && steps <= data_->directory->departments.size(); ++steps) {
    if (at->id() == ancestor) return true;
    at = Department(at->parent());
  }
  return false;
}

std::set<std::string, std::less<>> PolicySet::StatusesEver() const {
  std::set<std::string, std::less<>> result;
  for (const auto& [id, versions] : *data_->charts) {
    for (const auto& chart : *versions) {
      for (const auto& status : chart->value->statuses()) result.insert(status.id());
    }
  }
  return result;
}

std::set<std::string, std::less<>> PolicySet::MetricsEver() const {
  std::set<std::string, std::less<>> result;
  for (const auto& [id, versions] : *data_->slas) {
    for (const auto& policy : *versions) {
      for (const auto& rule : policy->value->metrics()) result.insert(rule.metric());
    }
  }
  return result;
}

bool PolicySet::EverHad(NameKind kind, absl::string_view name) const {
  switch (kind) {
    case NameKind::kDepartment:
      return data_->names->departments.count(name) > 0;
    case NameKind::kQueue:
      return data_->names->queues.count(name) > 0;
    case NameKind::kPrincipal:
      return data_->names->principals.count(name) > 0;
    case NameKind::kStatus:
      return StatusesEver().count(name) > 0;
    case NameKind::kMetric:
      return MetricsEver().count(name) > 0;
  }
  return false;
}

std::string PolicySet::DescribeUnknown(NameKind kind, absl::string_view name) const {
  const auto describe = [&](absl::string_view where, const std::string& nearest) {
    return absl::StrCat("\"", name, "\" is ", where,
                        nearest.empty() ? "" : absl::StrCat(", nearest is \"", nearest, "\""));
  };
  switch (kind) {
    case NameKind::kDepartment:
      return describe("not in the directory", Nearest(name, KeysOf(data_->directory->departments)));
    case NameKind::kQueue:
      return describe("not in the directory", Nearest(name, KeysOf(data_->directory->queues)));
    case NameKind::kPrincipal:
      return describe("not in the directory", Nearest(name, KeysOf(data_->directory->principals)));
    case NameKind::kStatus:
      return describe("no status of a published workflow", Nearest(name, ListOf(StatusesEver())));
    case NameKind::kMetric:
      return describe("no metric of a published SLA policy", Nearest(name, ListOf(MetricsEver())));
  }
  return "";
}

}  // namespace docket::policy
