#ifndef DOCKET_SERVICES_RPC_SERVICE_NAMES_H_
#define DOCKET_SERVICES_RPC_SERVICE_NAMES_H_

namespace docket::rpc {

// Every service this server offers; metrics and the validation test walk their descriptors.
inline constexpr const char* kServiceNames[] = {"docket.v1.CaseService", "docket.v1.QueueService",
                                                "docket.v1.AuditService", "docket.v1.PolicyService",
                                                "docket.v1.AdminService"};

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_SERVICE_NAMES_H_
