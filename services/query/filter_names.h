#ifndef DOCKET_SERVICES_QUERY_FILTER_NAMES_H_
#define DOCKET_SERVICES_QUERY_FILTER_NAMES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "services/query/reader.h"
#include "workflow/base/refusal.h"
#include "workflow/policy/policy_set.h"

// The names a question is filtered by. Nothing stands under a misspelt name, so without this check a monitor with a
// slip in its filter would be told for ever that nothing is late.
namespace docket::query {

class FilterNames {
 public:
  explicit FilterNames(const Reader& reader) : reader_(reader) {}

  // `name` "": no filter. `field` is the path in the request.
  void Add(policy::NameKind kind, const std::string& field, const std::string& name);
  // Also "-": unowned.
  void AddOwner(const std::string& field, const std::string& name);

  void AddTiers(const std::string& field, const google::protobuf::RepeatedPtrField<std::string>& tiers);

  // INVALID_ARGUMENT UNKNOWN_TIER naming those there are; UNKNOWN_DEPARTMENT, UNKNOWN_QUEUE, UNKNOWN_PRINCIPAL,
  // UNKNOWN_STATUS or UNKNOWN_METRIC (of the first unknown name), with the nearest. A name is known when any version
  // ever published has it, or a case carries it today: imports name queues and people that no directory had. A name
  // without a publication is looked for in the rows of all cases, so lists ask only when nothing matched. Otherwise as
  // EnterReplay; kCancelled: the caller has gone.
  absl::Status Check() const;

 private:
  struct Name {
    policy::NameKind kind;
    std::string field;
    std::string name;
  };
  // Takes out of `names` what some case carries.
  absl::Status LookInCases(std::vector<Name>* names) const;

  const Reader& reader_;
  std::vector<Name> unpublished_;
  std::vector<BadField> no_tiers_;
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_FILTER_NAMES_H_
