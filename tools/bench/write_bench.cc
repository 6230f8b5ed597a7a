#include <algorithm>
#include <atomic>
#include <memory>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
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

// What each turn measured of one thing.
struct Series {
  std::vector<double> per_second, p50, p99, cpu;
  void Add(const Load& load) {
    per_second.push_back(load.per_second);
    p50.push_back(load.p50_us);
    p99.push_back(load.p99_us);
    cpu.push_back(load.cpu_us);
  }
};

std::vector<double> Ratios(const std::vector<double>& part, const std::vector<double>& whole) {
  std::vector<double> ratios;
  for (size_t i = 0; i < part.size(); ++i) ratios.push_back(part[i] / whole[i]);
  return ratios;
}

std::vector<double> Sums(std::vector<double> a, const std::vector<double>& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

struct Turns {
  Series fdatasync, echo, execute;
};

absl::StatusOr<Turns> RunTurns(const Options& options, Plant& plant, size_t outstanding, NoteMaker& notes) {
  v1::EchoMessage message;
  message.set_payload(notes().SerializeAsString());
  Turns turns;
  for (int turn = 0; turn < options.turns; ++turn) {
    if (outstanding == 1) {
      DOCKET_ASSIGN_OR_RETURN(const Load fdatasync, RunFdatasync(options));
      turns.fdatasync.Add(fdatasync);
    }
    const Load echo = RunUnary<v1::EchoMessage, v1::EchoMessage>(plant, outstanding, options.each, &Async::Echo,
                                                                 [&message] { return message; });
    const Load execute = RunUnary<v1::ExecuteRequest, v1::ExecuteReply>(plant, outstanding, options.each,
                                                                        &Async::Execute, [&notes] { return notes(); });
    if (echo.failures + execute.failures > 0) return absl::InternalError("calls were refused");
    turns.echo.Add(echo);
    turns.execute.Add(execute);
  }
  return turns;
}

void ReportOneClient(const Turns& turns, Report* report) {
  report->Add({.name = "fdatasync of a 400-byte append", .value = Median(turns.fdatasync.per_second), .unit = "1/s"});
  const auto add = [&](const std::string& name, const Series& series) {
    report->Add({.name = "p50 of " + name, .value = Median(series.p50), .unit = "us", .note = "one client"});
    report->Add({.name = "p99 of " + name, .value = Median(series.p99), .unit = "us", .note = "one client"});
  };
  add("fdatasync", turns.fdatasync);
  add("echo", turns.echo);
  add("Execute", turns.execute);
  report->Add({"p50 of Execute / (fdatasync + echo)", Median(Ratios(turns.execute.p50, Sums(turns.fdatasync.p50, turns.echo.p50))),
               "ratio", Wish::kAtMost, 1.5, "one client"});
  report->Add({"p99 of Execute / (fdatasync + echo)", Median(Ratios(turns.execute.p99, Sums(turns.fdatasync.p99, turns.echo.p99))),
               "ratio", Wish::kAtMost, 1.5, "one client"});
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
                        Report* report) {
  NoteMaker notes(case_ids);
  for (const size_t outstanding : {1, 8, 64}) {
    DOCKET_ASSIGN_OR_RETURN(const Turns turns, RunTurns(options, plant, outstanding, notes));
    if (outstanding == 1) ReportOneClient(turns, report);
    const std::string at = absl::StrCat(", ", outstanding, " outstanding");
    const auto cpu = [](const Series& series) {
      return absl::StrFormat("%.1f us of processor each, client included", Median(series.cpu));
    };
    report->Add({.name = "echo" + at, .value = Median(turns.echo.per_second), .unit = "calls/s", .note = cpu(turns.echo)});
    report->Add({.name = "Execute" + at, .value = Median(turns.execute.per_second), .unit = "commands/s",
                 .note = cpu(turns.execute)});
    report->Add({"Execute / echo" + at, Median(Ratios(turns.execute.per_second, turns.echo.per_second)), "ratio",
                 outstanding == 64 ? Wish::kAtLeast : Wish::kNone, 0.6, "same server, port and payload"});
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
  std::vector<double> cpu;
  for (int turn = 0; turn < options.turns; ++turn) {
    DOCKET_ASSIGN_OR_RETURN(const double raw_rate, rows.Write());
    const absl::Duration cpu_before = CpuTime();
    const Stopwatch watch;
    DOCKET_ASSIGN_OR_RETURN(const uint64_t commands, RunStream(plant, options.each, notes));
    streamed.push_back(static_cast<double>(commands) / absl::ToDoubleSeconds(watch.elapsed()));
    raw.push_back(raw_rate);
    cpu.push_back(absl::ToDoubleMicroseconds(CpuTime() - cpu_before) / static_cast<double>(commands));
    ratio.push_back(streamed.back() / raw_rate);
  }
  report->Add({.name = "RocksDB alone, the same rows", .value = Median(raw), .unit = "commands/s",
               .note = absl::StrCat(RawRows::kCommandsPerWrite, " commands per synced batch, ", rows.rows_per_command(),
                                    " rows each")});
  report->Add({.name = "ExecuteStream", .value = Median(streamed), .unit = "commands/s",
               .note = absl::StrFormat("64 commands per message, 4 messages under way, %.1f us of processor each",
                                       Median(cpu))});
  report->Add({"ExecuteStream / RocksDB alone", Median(ratio), "ratio", Wish::kAtLeast, 0.6, ""});
  return absl::OkStatus();
}

}  // namespace docket::bench
