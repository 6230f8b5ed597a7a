#ifndef DOCKET_WORKFLOW_CASE_FACTS_H_
#define DOCKET_WORKFLOW_CASE_FACTS_H_

#include "docket/v1/case.pb.h"

// The facts that conditions may use of a case ("case.<field>"), derived from its state and nothing else. Pure.
namespace docket::workflow {

v1::CaseFacts BuildFacts(const v1::Case& state);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_FACTS_H_
