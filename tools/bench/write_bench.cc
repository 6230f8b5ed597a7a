#include <algorithm>
#include <atomic>
#include <memory>
#include <random>

#include "absl/strings/str_cat.h"
#include "tools/bench/bench.h"
#include "tools/bench/case_load.h"
#include "tools/bench/raw_rows.h"
#include "workflow/base/check.h"

namespace docket::bench {
namespace {

using Async = v1::CaseService::StubInterface::async_interface;

// One call at a time of a unary method, with what it needs kept between calls.
template <class Request, class Reply>
class Caller {
 public:
  using Method = void (Async::*)(grpc::ClientContext*, const Request*, Reply*, std::function<void(grpc::Status)>);
  Caller(Async* async, Method method, std::function<Request()> make)
      : async_(async), method_(method), make_(std::move(make)) {}

  void Start(std::function<void(bool)> done) {
    context_ = std::make_unique<grpc::ClientContext>();
    context_->AddMetadata("docket-principal", kPrincipal);
    request_ = make_();
    (async_->*method_)(context_.get(), &request_, &reply_,
                       [done = std::move(done)](const grpc::Status& status) { done(status.ok()); });
  }

 private:
  Async* const async_;
  const Method method_;
  const std::function<Request()> make_;
  std::unique_ptr<grpc::ClientContext> context_;
  Request request_;
  Reply reply_;
};

template <class Request, class Reply>
Load RunUnary(Plant& plant, size_t outstanding, absl::Duration duration,
              typename Caller<Request, Reply>::Method method, const std::function<Request()>& make) {
  const auto stub = v1::CaseService::NewStub(plant.channel());
  std::vector<CallOnce> makers;
  for (size_t i = 0; i < outstanding; ++i) {
    auto caller = std::make_shared<Caller<Request, Reply>>(stub->async(), method, make);
    makers.push_back([caller](std::function<void(bool)> done) { caller->Start(std::move(done)); });
  }
  return RunOutstanding(duration, makers);
}

// Notes on one case after the other.
class NoteMaker {
 public:
  explicit NoteMaker(const std::vector<std::string>& case_ids) : case_ids_(case_ids) {}
  v1::ExecuteRequest operator()() { return NoteOn(case_ids_[next_++ % case_ids_.size()]); }

 private:
  const std::vector<std::string>& case_ids_;
  std::atomic<size_t> next_ = 0;
};

struct Turns {
  std::vector<double> echo, echo_p50, echo_p99, execute, execute_p50, execute_p99, ratio;
  uint64_t failures = 0;
};

Turns RunTurns(const Options& options, Plant& plant, size_t outstanding, NoteMaker& notes) {
  v1::EchoMessage message;
  message.set_payload(notes().SerializeAsString());
  Turns turns;
  for (int turn = 0; turn < options.turns; ++turn) {
    const Load echo = RunUnary<v1::EchoMessage, v1::EchoMessage>(plant, outstanding, options.each, &Async::Echo,
                                                                 [&message] { return message; });
    const Load execute = RunUnary<v1::ExecuteRequest, v1::ExecuteReply>(plant, outstanding, options.each,
                                                                        &Async::Execute, [&notes] { return notes(); });
    turns.echo.push_back(echo.per_second);
    turns.echo_p50.push_back(echo.p50_us);
    turns.echo_p99.push_back(echo.p99_us);
    turns.execute.push_back(execute.per_second);
    turns.execute_p50.push_back(execute.p50_us);
    turns.execute_p99.push_back(execute.p99_us);
    turns.ratio.push_back(execute.per_second / echo.per_second);
    turns.failures += echo.failures + execute.failures;
  }
  return turns;
}

// Pairs of (messages under way, one client thread): a stream whose next message leaves when an answer came.
absl::StatusOr<uint64_t> RunStream(Plant& plant, absl::Duration duration, NoteMaker& notes) {
  constexpr int kInFlight = 4;
  constexpr int kPerMessage = 64;
  grpc::ClientContext context;
  context.AddMetadata("docket-principal", kPrincipal);
  const auto stub = v1::CaseService::NewStub(plant.channel());
  const auto stream = stub->ExecuteStream(&context);
  const auto send = [&] {
    v1::ExecuteStreamRequest message;
    message.set_brief(true);
    for (int i = 0; i < kPerMessage; ++i) *message.add_requests() = notes();
    return stream->Write(message);
  };
  const Stopwatch watch;
  uint64_t commands = 0;
  int under_way = 0;
  while (under_way < kInFlight && send()) ++under_way;
  v1::ExecuteStreamReply reply;
  while (under_way > 0 && stream->Read(&reply)) {
    --under_way;
    for (const auto& result : reply.results()) {
      if (result.has_status()) return absl::InternalError(absl::StrCat("refused: ", result.status().message()));
      ++commands;
    }
    if (watch.elapsed() < duration && send()) ++under_way;
  }
  stream->WritesDone();
  const grpc::Status status = stream->Finish();
  if (!status.ok()) return absl::InternalError(status.error_message());
  return commands;
}

}  // namespace

absl::Status BenchUnary(const Options& options, Plant& plant, const std::vector<std::string>& case_ids,
                        const Load& fdatasync, Report* report) {
  NoteMaker notes(case_ids);
  for (const size_t outstanding : {1, 8, 64}) {
    const Turns turns = RunTurns(options, plant, outstanding, notes);
    if (turns.failures > 0) return absl::InternalError(absl::StrCat(turns.failures, " calls failed"));
    const std::string at = absl::StrCat(", ", outstanding, " outstanding");
    report->Add({.name = "echo" + at, .value = Median(turns.echo), .unit = "calls/s"});
    report->Add({.name = "Execute" + at, .value = Median(turns.execute), .unit = "commands/s", .note = "durable"});
    const bool counts = outstanding == 64;
    report->Add({"Execute / echo" + at, Median(turns.ratio), "ratio", counts ? Wish::kAtLeast : Wish::kNone, 0.6,
                 "same server, port and payload"});
    if (outstanding != 1) continue;
    const double p50 = Median(turns.execute_p50);
    const double p99 = Median(turns.execute_p99);
    const double echo_p50 = Median(turns.echo_p50);
    const double echo_p99 = Median(turns.echo_p99);
    report->Add({.name = "p50 of echo, one client", .value = echo_p50, .unit = "us"});
    report->Add({.name = "p99 of echo, one client", .value = echo_p99, .unit = "us"});
    report->Add({.name = "p50 of Execute, one client", .value = p50, .unit = "us"});
    report->Add({.name = "p99 of Execute, one client", .value = p99, .unit = "us"});
    report->AddRatio("p50 / (fdatasync + echo)", p50, fdatasync.p50_us + echo_p50, Wish::kAtMost, 1.5, "one client");
    report->AddRatio("p99 / (fdatasync + echo)", p99, fdatasync.p99_us + echo_p99, Wish::kAtMost, 1.5, "one client");
  }
  return absl::OkStatus();
}

absl::Status BenchExecuteStream(const Options& options, Plant& plant, const std::vector<std::string>& case_ids,
                                Report* report) {
  NoteMaker notes(case_ids);
  DOCKET_ASSIGN_OR_RETURN(RawRows rows, RawRows::Record(options));
  std::vector<double> streamed;
  std::vector<double> raw;
  std::vector<double> ratio;
  for (int turn = 0; turn < options.turns; ++turn) {
    DOCKET_ASSIGN_OR_RETURN(const double raw_rate, rows.Write());
    const Stopwatch watch;
    DOCKET_ASSIGN_OR_RETURN(const uint64_t commands, RunStream(plant, options.each, notes));
    streamed.push_back(static_cast<double>(commands) / absl::ToDoubleSeconds(watch.elapsed()));
    raw.push_back(raw_rate);
    ratio.push_back(streamed.back() / raw_rate);
  }
  report->Add({.name = "RocksDB alone, the same rows", .value = Median(raw), .unit = "commands/s",
               .note = absl::StrCat(RawRows::kCommandsPerWrite, " commands per synced batch, ", rows.rows_per_command(),
                                    " rows each")});
  report->Add({.name = "ExecuteStream", .value = Median(streamed), .unit = "commands/s",
               .note = "64 commands per message, 4 messages under way"});
  report->Add({"ExecuteStream / RocksDB alone", Median(ratio), "ratio", Wish::kAtLeast, 0.6, ""});
  return absl::OkStatus();
}

}  // namespace docket::bench
