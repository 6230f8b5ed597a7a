#ifndef DOCKET_WORKFLOW_POLICY_POLICY_VERSIONS_H_
#define DOCKET_WORKFLOW_POLICY_POLICY_VERSIONS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/policy.pb.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/policy/policy_set.h"

// The versions of the policies of one kind, as a PolicySet keeps them. Immutable once shared.
namespace docket::policy {

// Versions of one policy, ascending. Shared between the sets in which they are the same.
template <class T>
using Versions = std::vector<std::shared_ptr<const Published<T>>>;
template <class T>
using ById = std::map<std::string, std::shared_ptr<const Versions<T>>, std::less<>>;

template <class Map>
auto FindOrNull(const Map& map, absl::string_view id) -> typename Map::mapped_type {
  const auto it = map.find(std::string(id));
  return it == map.end() ? nullptr : it->second;
}

// The greatest version already effective; null: none.
template <class T>
const Published<T>* EffectiveAt(const Versions<T>& versions, absl::Time at) {
  for (auto it = versions.rbegin(); it != versions.rend(); ++it) {
    if ((*it)->effective_from <= at) return it->get();
  }
  return nullptr;
}

template <class T>
const Published<T>* Pinned(const ById<T>& policies, const v1::PolicyPin& pin) {
  const auto versions = FindOrNull(policies, pin.id());
  if (versions == nullptr) return nullptr;
  for (const auto& published : *versions) {
    // A position of 0 is a pin made by hand; any other must be that of the publication.
    if (published->pin.version() == pin.version() &&
        (pin.position() == 0 || pin.position() == published->pin.position())) {
      return published.get();
    }
  }
  return nullptr;
}

template <class T>
const Published<T>* NamedAt(const ById<T>& policies, absl::string_view id, absl::Time at) {
  const auto versions = FindOrNull(policies, id);
  return versions == nullptr ? nullptr : EffectiveAt(*versions, at);
}

inline absl::Status DataLoss(const std::string& message) {
  return Refuse(absl::StatusCode::kDataLoss, "POLICY_DAMAGED", message);
}

// What is the same for every kind of policy in one publication.
struct Publication {
  const v1::PolicyPublished* event = nullptr;
  uint64_t position = 0;
  absl::Time recorded_at;
  std::string principal;
};

// `policies` with one more version.
template <class T>
absl::StatusOr<std::shared_ptr<const ById<T>>> Add(const ById<T>& policies, const Publication& publication,
                                                   std::shared_ptr<const T> value) {
  const v1::PolicyPublished& event = *publication.event;
  const auto existing = FindOrNull(policies, event.id());
  if (event.version() == 0 || (existing != nullptr && existing->back()->pin.version() >= event.version())) {
    return DataLoss(absl::StrCat("policy ", event.id(), ": version ", event.version(), ", want one above ",
                                 existing == nullptr ? 0 : existing->back()->pin.version()));
  }
  auto published = std::make_shared<Published<T>>();
  published->pin.set_id(event.id());
  published->pin.set_version(event.version());
  published->pin.set_position(publication.position);
  published->effective_from = event.has_effective_from() ? FromProto(event.effective_from()) : publication.recorded_at;
  published->published_at = publication.recorded_at;
  published->published_by = publication.principal;
  published->yaml = event.yaml();
  published->digest = event.digest();
  published->value = std::move(value);
  auto versions = existing == nullptr ? std::make_shared<Versions<T>>() : std::make_shared<Versions<T>>(*existing);
  versions->push_back(std::move(published));
  auto result = std::make_shared<ById<T>>(policies);
  (*result)[event.id()] = std::move(versions);
  return result;
}

// The compiled message with the identity it was published under.
template <class T>
std::shared_ptr<const T> Identified(const T& compiled, const v1::PolicyPublished& event) {
  auto value = std::make_shared<T>(compiled);
  value->set_id(event.id());
  value->set_version(event.version());
  return value;
}

// The effective version with the newest position among those that satisfy `wanted`.
template <class T, class Predicate>
const Published<T>* NewestWhere(const ById<T>& policies, absl::Time at, Predicate wanted) {
  const Published<T>* newest = nullptr;
  for (const auto& [id, versions] : policies) {
    const Published<T>* published = EffectiveAt(*versions, at);
    if (published == nullptr || !wanted(*published->value)) continue;
    if (newest == nullptr || published->pin.position() > newest->pin.position()) newest = published;
  }
  return newest;
}

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_POLICY_VERSIONS_H_
