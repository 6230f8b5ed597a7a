#ifndef DOCKET_STORE_MEMORY_KV_H_
#define DOCKET_STORE_MEMORY_KV_H_

#include <memory>

#include "store/kv.h"

namespace docket::store {

// The twin of RocksKv for tests: rows in memory, every version kept as long as a snapshot can see it. Thread-safe in the
// way kv.h says. Never fails and never latches; "reopening" it is to keep the object and open a new log over it.
std::unique_ptr<KvStore> OpenMemoryKv();

}  // namespace docket::store

#endif  // DOCKET_STORE_MEMORY_KV_H_
