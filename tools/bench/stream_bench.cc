#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "docket/v1/audit_service.grpc.pb.h"
#include "tools/bench/bench.h"
#include "workflow/base/check.h"

namespace docket::bench {
namespace {

constexpr size_t kHeldMessages = 2000;

// Streams messages it holds: what streaming costs without a log behind it.
class FromMemory final : public v1::AuditService::Service {
 public:
  std::vector<v1::ReadLogReply> log;
  std::vector<v1::ReadHistoryReply> history;

  grpc::Status ReadLog(grpc::ServerContext*, const v1::ReadLogRequest*,
                       grpc::ServerWriter<v1::ReadLogReply>* writer) override {
    for (const v1::ReadLogReply& reply : log) writer->Write(reply);
    return grpc::Status::OK;
  }
  grpc::Status ReadHistory(grpc::ServerContext*, const v1::ReadHistoryRequest*,
                           grpc::ServerWriter<v1::ReadHistoryReply>* writer) override {
    for (const v1::ReadHistoryReply& reply : history) writer->Write(reply);
    return grpc::Status::OK;
  }
};

int EventsIn(const v1::ReadLogReply& reply) { return reply.events_size() + reply.raw_records_size(); }
int EventsIn(const v1::ReadHistoryReply& reply) { return reply.entries_size(); }

// Events per second of reading a stream to its end, again and again for `duration`. `keep` may be null.
template <class Reply, class Open>
absl::StatusOr<double> Drain(absl::Duration duration, const Open& open, std::vector<Reply>* keep = nullptr) {
  const Stopwatch watch;
  uint64_t events = 0;
  do {
    grpc::ClientContext context;
    context.AddMetadata("docket-principal", kPrincipal);
    const auto stream = open(&context);
    Reply reply;
    while (stream->Read(&reply)) {
      events += EventsIn(reply);
      if (keep != nullptr && keep->size() < kHeldMessages) keep->push_back(reply);
    }
    const grpc::Status status = stream->Finish();
    if (!status.ok()) return absl::InternalError(status.error_message());
    keep = nullptr;
  } while (watch.elapsed() < duration);
  return static_cast<double>(events) / absl::ToDoubleSeconds(watch.elapsed());
}

// The two in turns.
template <class Reply, class Open, class OpenMemory>
absl::Status Compare(const Options& options, const std::string& name, const Open& open, const OpenMemory& open_memory,
                     Report* report) {
  std::vector<double> real;
  std::vector<double> memory;
  std::vector<double> ratio;
  for (int turn = 0; turn < options.turns; ++turn) {
    DOCKET_ASSIGN_OR_RETURN(const double memory_rate, Drain<Reply>(options.each, open_memory));
    DOCKET_ASSIGN_OR_RETURN(const double real_rate, Drain<Reply>(options.each, open));
    memory.push_back(memory_rate);
    real.push_back(real_rate);
    ratio.push_back(real_rate / memory_rate);
  }
  report->Add({.name = name + " messages from memory", .value = Median(memory), .unit = "events/s"});
  report->Add({.name = name, .value = Median(real), .unit = "events/s"});
  report->Add({name + " / from memory", Median(ratio), "ratio", Wish::kAtLeast, 0.6, ""});
  return absl::OkStatus();
}

}  // namespace

absl::Status BenchStreams(const Options& options, Plant& plant, const std::string& long_case, Report* report) {
  const auto stub = v1::AuditService::NewStub(plant.channel());
  v1::ReadLogRequest read_log;
  read_log.set_limit(200'000);
  v1::ReadHistoryRequest read_history;
  read_history.set_case_id(long_case);
  const auto open_log = [&](grpc::ClientContext* context) { return stub->ReadLog(context, read_log); };
  const auto open_history = [&](grpc::ClientContext* context) { return stub->ReadHistory(context, read_history); };

  FromMemory memory;
  DOCKET_RETURN_IF_ERROR(Drain(absl::ZeroDuration(), open_log, &memory.log).status());
  DOCKET_RETURN_IF_ERROR(Drain(absl::ZeroDuration(), open_history, &memory.history).status());
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&memory);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return absl::UnavailableError("cannot serve from memory");
  const auto memory_stub = v1::AuditService::NewStub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));

  DOCKET_RETURN_IF_ERROR(Compare<v1::ReadLogReply>(
      options, "ReadLog", open_log,
      [&](grpc::ClientContext* context) { return memory_stub->ReadLog(context, read_log); }, report));
  DOCKET_RETURN_IF_ERROR(Compare<v1::ReadHistoryReply>(
      options, "ReadHistory", open_history,
      [&](grpc::ClientContext* context) { return memory_stub->ReadHistory(context, read_history); }, report));
  server->Shutdown();
  return absl::OkStatus();
}

}  // namespace docket::bench
