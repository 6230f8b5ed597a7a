#ifndef DOCKET_SERVICES_RPC_BACKEND_H_
#define DOCKET_SERVICES_RPC_BACKEND_H_

#include "services/engine/engine.h"
#include "services/outbox/outbox.h"
#include "services/query/reader.h"
#include "services/rpc/read_pool.h"
#include "services/rpc/rpc_metrics.h"

namespace docket::rpc {

class StreamRegistry;

// What the adapters stand on. All outlive the services.
struct Backend {
  engine::Engine* engine = nullptr;
  ReadPool* reads = nullptr;
  RpcMetrics* metrics = nullptr;
  query::ReplayGate* replays = nullptr;
  outbox::Outbox* outbox = nullptr;   // null: no webhooks
  StreamRegistry* streams = nullptr;  // streams without an end of their own, ended when the server stops
};

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_BACKEND_H_
