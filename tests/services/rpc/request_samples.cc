#include "tests/services/rpc/request_samples.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "docket/v1/admin_service.pb.h"
#include "docket/v1/audit_service.pb.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/policy_service.pb.h"
#include "docket/v1/queue_service.pb.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "services/rpc/service_names.h"

namespace docket::rpc {
namespace {

const std::map<std::string, std::string>& Samples() {
  static const auto* samples = new std::map<std::string, std::string>{
      {"docket.v1.ExecuteRequest", "case_id: 'CASE' request_id: 'REQUEST' command { add_note { body: 'called' } }"},
      {"docket.v1.ExecuteStreamRequest",
       "requests { case_id: 'CASE' request_id: 'REQUEST' command { add_note { body: 'called' } } }"},
      {"docket.v1.ListAllowedCommandsRequest", "case_id: 'CASE'"},
      {"docket.v1.GetCaseRequest", "case_id: 'CASE'"},
      {"docket.v1.ListCasesRequest", "filter { kinds: COMPLAINT categories: OPEN statuses: 'ASSESSMENT' }"},
      {"docket.v1.TakeLeaseRequest", "case_id: 'CASE' span { seconds: 60 }"},
      {"docket.v1.ReleaseLeaseRequest", "case_id: 'CASE'"},
      {"docket.v1.EchoMessage", "payload: 'x'"},
      {"docket.v1.ListQueueRequest", "queue: 'intake'"},
      {"docket.v1.TakeNextRequest", "queue: 'intake' request_id: 'REQUEST'"},
      {"docket.v1.ListDutiesRequest", "preset: OVERDUE kinds: COMPLAINT obligations: CUSTOMER within { seconds: 1 }"},
      {"docket.v1.ListControlRequest", "list: UNOWNED kinds: COMPLAINT waiting_on: LEGAL"},
      {"docket.v1.ListEscalationsRequest", "department: 'complaints'"},
      {"docket.v1.GetClocksRequest", "case_id: 'CASE'"},
      {"docket.v1.ExplainDueRequest", "case_id: 'CASE' metric: 'RESOLUTION'"},
      {"docket.v1.WatchAlertsRequest", "filter { department: 'complaints' metrics: 'RESOLUTION' kinds: BREACH }"},
      {"docket.v1.ReadHistoryRequest", "case_id: 'CASE'"},
      {"docket.v1.ReadLogRequest", "from_position: 1 filter { case_ids: 'CASE' types: 'OwnerAssigned' }"},
      {"docket.v1.SubscribeRequest", "filter { stream_kinds: STREAM_KIND_CASE }"},
      {"docket.v1.PublishPoliciesRequest", "yaml: 'calendar: x' request_id: 'REQUEST'"},
      {"docket.v1.ValidatePoliciesRequest", "yaml: 'calendar: x'"},
      {"docket.v1.GetPolicyRequest", "kind: CALENDAR id: 'london'"},
      {"docket.v1.ListPoliciesRequest", "kind: SLA"},
      {"docket.v1.GetDirectoryRequest", " "},
      {"docket.v1.ReassignCasesRequest", "from: 'grace.lind' to: 'luis.romero' request_id: 'REQUEST'"},
      {"docket.v1.RecordAbsenceRequest",
       "principal: 'helen.marsh' until { seconds: 1795000000 } deputy: 'amara.osei' request_id: 'REQUEST'"},
      {"docket.v1.EndAbsenceRequest", "principal: 'helen.marsh' request_id: 'REQUEST'"},
      {"docket.v1.ComputeDueRequest",
       "calendar_id: 'london' start { seconds: 1 } target: '8h' "
       "pauses { start { seconds: 2 } end { seconds: 3 } }"},
      {"docket.v1.PlanRolloutRequest", "kind: CALENDAR id: 'london' version: 2 cause: 'TZDATA'"},
      {"docket.v1.ApproveRolloutRequest", "rollout_id: 'calendar.london.2'"},
      {"docket.v1.ListRolloutsRequest", " "},
      {"docket.v1.GetStatsRequest", "with_digests: true"},
      {"docket.v1.RebuildViewsRequest", "keep_old: true"},
      {"docket.v1.AcceptClockRequest", " "},
      {"docket.v1.ListWebhooksRequest", " "},
      {"docket.v1.ListDeadLettersRequest", "webhook: 'ops'"},
      {"docket.v1.ReplayDeadLettersRequest", "webhook: 'ops' ids: 'a/1'"},
  };
  return *samples;
}

const std::map<std::string, std::string>& CommandSamples() {
  static const auto* samples = new std::map<std::string, std::string>{
      {"file",
       "kind: COMPLAINT title: 'Water off' channel { medium: VOICE carrier: 'phone' } "
       "external_ref { source: 's' key: 'k' } row { file: 'f.csv' line: 1 } matters: 'one'"},
      {"accept", "criteria { criterion: 'IN_SCOPE' met: true }"},
      {"decline", "reason_code: 'DUPLICATE' explanation: 'told before'"},
      {"triage", "severity: 1 impact: 2 urgency: 3"},
      {"set_priority", "priority: 2 override_reason: 'VIP'"},
      {"classify", "category: 'BILLING'"},
      {"queue", "queue: 'billing'"},
      {"assign", "owner: 'sam.doyle'"},
      {"take", " "},
      {"release", " "},
      {"transfer", "to_queue: 'billing' handoff_note: 'see above'"},
      {"accept_transfer", " "},
      {"refuse_transfer", "reason_code: 'NOT_OURS'"},
      {"hold", "waiting_on: LEGAL reason_code: 'ADVICE' until { seconds: 5 }"},
      {"resume", " "},
      {"record_inbound", "body: 'hello' channel { medium: TEXT carrier: 'mail' }"},
      {"send_outbound", "kind: RESPONSE body: 'hello' parts: 'REASONS' answers: 3"},
      {"add_note", "body: 'called'"},
      {"mark_no_reply_needed", "inbound_revision: 3"},
      {"resolve", "resolution_code: 'FIXED'"},
      {"draft_decision", "kind: FINAL text: 'we find' findings { matter_no: 1 finding: UPHELD } remedies: 'REFUND'"},
      {"issue_decision", "parts: 'REASONS'"},
      {"resolve_on_the_spot", "remedy: 'REFUND' accepted_how: 'SPOKEN'"},
      {"close", "basis: 'ACCEPTED'"},
      {"reopen", "reason: NEW_FACTS"},
      {"void", "reason_code: 'TEST' approver: 'helen.marsh'"},
      {"escalate", "kind: FUNCTIONAL reason_code: 'SKILL' justification: 'needs an engineer'"},
      {"acknowledge_escalation", " "},
      {"approve_escalation", " "},
      {"decline_escalation", "reason_code: 'NOT_NEEDED'"},
      {"close_escalation", "reason_code: 'SOLVED' justification: 'answered by phone'"},
      {"declare_conflict", "nature: 'KINSHIP'"},
      {"clear_conflict", "principal: 'grace.lind' reason_code: 'MISTAKE'"},
      {"add_watcher", " "},
      {"remove_watcher", " "},
      {"record_source_row", "row { file: 'f.csv' line: 2 cursor: 2 }"},
      {"end_history", "observed_until { seconds: 9 }"},
      {"advance", " "},
      {"correct_received_at", "received_at { seconds: 5 } reason_code: 'MISREAD'"},
      {"report_delivery", "outbound_revision: 7 outcome: BOUNCED"},
      {"extend_clock", "metric: 'FINAL_RESPONSE' ground: 'EXCEPTIONAL'"},
      {"exempt_clock", "clock_no: 2 cause: 'FORCE_MAJEURE'"},
      {"judge_late_entry", "clock_no: 2 confirmed: true"},
      {"set_due", "metric: 'RESOLUTION' due_at { seconds: 9 } reason_code: 'AGREED'"},
      {"ask_item", "kind: WORK department: 'legal' principal: 'jonas.weber' what: 'ADVICE' text: 'may we?'"},
      {"accept_item", "item_no: 4"},
      {"return_item", "item_no: 4 reason_code: 'FILE_MISSING' text: 'which file?'"},
      {"complete_item", "item_no: 4 result: 'we may'"},
      {"refuse_item", "item_no: 4 reason_code: 'NOT_OURS' text: 'ask IT'"},
      {"cancel_item", "item_no: 4 reason_code: 'SETTLED'"},
      {"roll_out", "rollout_id: 'calendar.london.2'"},
      {"route", " "},
  };
  return *samples;
}

std::string Find(const std::map<std::string, std::string>& samples, const std::string& name) {
  const auto found = samples.find(name);
  if (found == samples.end()) return "";
  return absl::StrReplaceAll(
      found->second, {{"'CASE'", absl::StrCat("'", kCaseId, "'")}, {"'REQUEST'", absl::StrCat("'", kRequestId, "'")}});
}

}  // namespace

std::string SampleOf(const std::string& message) { return Find(Samples(), message); }
std::string CommandSampleOf(const std::string& field) { return Find(CommandSamples(), field); }

std::unique_ptr<google::protobuf::Message> Parse(const std::string& message, const std::string& text) {
  const auto* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(message);
  if (type == nullptr) {
    ADD_FAILURE() << "no message " << message;
    return nullptr;
  }
  std::unique_ptr<google::protobuf::Message> parsed(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, parsed.get())) << message << ": " << text;
  return parsed;
}

std::vector<const google::protobuf::Descriptor*> RequestTypes() {
  // One message of each file, so that the linker keeps the descriptors of all services.
  EXPECT_NE(v1::GetStatsRequest::descriptor(), nullptr);
  EXPECT_NE(v1::ReadLogRequest::descriptor(), nullptr);
  EXPECT_NE(v1::ExecuteRequest::descriptor(), nullptr);
  EXPECT_NE(v1::GetPolicyRequest::descriptor(), nullptr);
  EXPECT_NE(v1::ListQueueRequest::descriptor(), nullptr);
  std::vector<const google::protobuf::Descriptor*> types;
  std::set<std::string> seen;
  for (const char* name : kServiceNames) {
    const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    if (service == nullptr) {
      ADD_FAILURE() << "no service " << name;
      continue;
    }
    for (int i = 0; i < service->method_count(); ++i) {
      const auto* type = service->method(i)->input_type();
      if (seen.insert(type->full_name()).second) types.push_back(type);
    }
  }
  return types;
}

}  // namespace docket::rpc
