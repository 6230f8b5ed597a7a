#ifndef DOCKET_TOOLS_CLI_LIST_FILTERS_H_
#define DOCKET_TOOLS_CLI_LIST_FILTERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "docket/v1/types.pb.h"
#include "tools/cli/command_form.h"
#include "workflow/base/check.h"

// The filters that the lists of duties, escalations and cases to control have in common.
namespace docket::cli {

inline void AddPriorityOption(CLI::App* command, std::vector<uint32_t>* priorities) {
  command->add_option("--priority", *priorities, "1 (highest) to 5; may be repeated")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        const bool good = text.size() == 1 && text[0] >= '1' && text[0] <= '5';
        return good ? std::string() : absl::StrCat(text, ", want 1 (highest) to 5");
      });
}

// Metrics are named in capitals: "first-response" is FIRST_RESPONSE.
inline std::string MetricName(absl::string_view text) {
  return absl::AsciiStrToUpper(absl::StrReplaceAll(text, {{"-", "_"}}));
}

struct CaseFilters {
  std::string department, owner, queue;
  std::vector<std::string> kinds, tiers;
  std::vector<uint32_t> priorities;

  // All but --department, which says something else in each list.
  void AddTo(CLI::App* command) {
    command->add_option("--queue", queue, "Only cases of this queue");
    AddInQueueTo(command);
  }
  // Those of cases whose queue is given.
  void AddInQueueTo(CLI::App* command) {
    command->add_option("--owner", owner, "Only cases of this handler; - for cases that nobody owns");
    command->add_option("--kind", kinds, "Case kind; may be repeated")->allow_extra_args(false);
    AddPriorityOption(command, &priorities);
    command->add_option("--tier", tiers, "Tier of the requester; may be repeated")->allow_extra_args(false);
  }

  template <class Request>
  absl::Status Apply(Request* request) const {
    for (const std::string& kind : kinds) {
      const auto value = ParseEnum(*v1::CaseKind_descriptor(), kind);
      if (!value.ok()) return absl::InvalidArgumentError(absl::StrCat("--kind: ", value.status().message()));
      request->add_kinds(static_cast<v1::CaseKind>(*value));
    }
    for (const uint32_t priority : priorities) request->add_priorities(priority);
    for (const std::string& tier : tiers) request->add_tiers(tier);
    request->set_department(department);
    request->set_owner(owner);
    request->set_queue(queue);
    return absl::OkStatus();
  }
};

// Of the duty that an entry is about.
struct MetricFilters {
  std::string metric;
  std::vector<std::string> obligations;

  void AddTo(CLI::App* command) {
    command->add_option("--metric", metric, "Only this metric");
    command->add_option("--owed-to", obligations, "CUSTOMER, INTERNAL, VENDOR or REGULATOR; may be repeated")
        ->allow_extra_args(false);
  }

  template <class Request>
  absl::Status Apply(Request* request) const {
    request->set_metric(MetricName(metric));
    for (const std::string& obligation : obligations) {
      const auto value = ParseEnum(*v1::Obligation_descriptor(), obligation);
      if (!value.ok()) return absl::InvalidArgumentError(absl::StrCat("--owed-to: ", value.status().message()));
      request->add_obligations(static_cast<v1::Obligation>(*value));
    }
    return absl::OkStatus();
  }
};

inline void AddWaitingOnOption(CLI::App* command, std::vector<std::string>* values) {
  command
      ->add_option("--waiting-on", *values,
                   "Only cases that wait for this: COMPLAINANT, DEPARTMENT, …; may be repeated")
      ->allow_extra_args(false);
}
template <class Request>
absl::Status AddWaitingOn(const std::vector<std::string>& values, Request* request) {
  for (const std::string& one : values) {
    const auto value = ParseEnum(*v1::WaitingOn_descriptor(), one);
    if (!value.ok()) return absl::InvalidArgumentError(absl::StrCat("--waiting-on: ", value.status().message()));
    request->add_waiting_on(static_cast<v1::WaitingOn>(*value));
  }
  return absl::OkStatus();
}

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_LIST_FILTERS_H_
