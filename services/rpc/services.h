#ifndef DOCKET_SERVICES_RPC_SERVICES_H_
#define DOCKET_SERVICES_RPC_SERVICES_H_

#include <memory>
#include <vector>

#include "grpcpp/impl/service_type.h"
#include "services/rpc/backend.h"

// The adapters, one file each: validate, identify, call, translate. No rule of the domain lives here.
namespace docket::rpc {

std::unique_ptr<grpc::Service> MakeCaseService(const Backend& backend);
std::unique_ptr<grpc::Service> MakeQueueService(const Backend& backend);
std::unique_ptr<grpc::Service> MakeAuditService(const Backend& backend);
std::unique_ptr<grpc::Service> MakePolicyService(const Backend& backend);
std::unique_ptr<grpc::Service> MakeAdminService(const Backend& backend);

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_SERVICES_H_
