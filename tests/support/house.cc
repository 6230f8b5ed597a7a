#include "tests/support/house.h"

#include <fstream>
#include <optional>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "google/protobuf/text_format.h"
#include "services/engine/case_loader.h"
#include "store/memory_kv.h"
#include "store/uuid.h"
#include "workflow/base/check.h"
#include "workflow/base/mutex.h"
#include "workflow/base/time.h"

namespace docket::testing {
namespace {

// Blocks until the writer answers.
template <class Reply>
class Answer {
 public:
  void Set(absl::StatusOr<Reply> reply) {
    const MutexLock lock(&mutex_);
    reply_ = std::move(reply);
    set_.NotifyOne();
  }
  absl::StatusOr<Reply> Wait() {
    const MutexLock lock(&mutex_);
    while (!reply_.has_value()) set_.Wait(&mutex_);
    return *std::move(reply_);
  }

 private:
  Mutex mutex_;
  CondVar set_;
  std::optional<absl::StatusOr<Reply>> reply_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Time At(absl::string_view rfc3339) {
  absl::Time time;
  std::string error;
  const bool parsed = absl::ParseTime(absl::RFC3339_full, rfc3339, &time, &error);
  DOCKET_CHECK(parsed);
  return time;
}

absl::Time Wednesday() { return At("2026-11-18T09:00:00Z"); }

engine::Randomness SeededRandomness(uint64_t seed) {
  struct State {
    explicit State(uint64_t seed) : generator(seed) {}
    Mutex mutex;
    std::mt19937_64 generator ABSL_GUARDED_BY(mutex);
  };
  auto state = std::make_shared<State>(seed);
  return [state](size_t n) {
    const MutexLock lock(&state->mutex);
    std::string bytes(n, '\0');
    for (char& byte : bytes) byte = static_cast<char>(state->generator());
    return bytes;
  };
}

std::string ReadPack(absl::string_view name) {
  std::ifstream file(absl::StrCat("workflow/policy/packs/", name));
  DOCKET_CHECK(file.good());
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::vector<std::string> ShippedPacks() {
  return {"directory-sample.yaml", "calendar-always.yaml", "calendar-london.yaml",
          "priority-matrix.yaml",  "sla-standard.yaml",    "complaint-iso10002.yaml",
          "ticket-basic.yaml",     "ladder-standard.yaml", "servicenow-incident.yaml"};
}

House::House() : House(Options()) {}

House::House(Options options)
    : options_(std::move(options)),
      kv_(options_.kv != nullptr ? std::move(options_.kv) : store::OpenMemoryKv()),
      clock_(std::make_shared<FakeClock>(options_.start)),
      random_(SeededRandomness(options_.seed)) {
  Open();
  if (!options_.publish_packs) return;
  for (const std::string& name : ShippedPacks()) {
    const absl::Status status = Publish(ReadPack(name));
    if (!status.ok()) std::fprintf(stderr, "%s: %s\n", name.c_str(), std::string(status.message()).c_str());
    DOCKET_CHECK(status.ok());
  }
}

House::~House() = default;

void House::Open() {
  auto log = store::OpenLocalLog(kv_.get(), {.high_water_path = options_.high_water_path, .new_log_id = random_(16)});
  DOCKET_CHECK(log.ok());
  log_ = *std::move(log);
  engine::EngineOptions engine_options;
  engine_options.kv = kv_.get();
  engine_options.log = log_.get();
  engine_options.environment = {clock_, random_};
  engine_options.cached_cases = options_.cached_cases;
  engine_options.run_timers = options_.run_timers;
  auto engine = engine::Engine::Open(engine_options);
  if (!engine.ok()) std::fprintf(stderr, "%s\n", std::string(engine.status().message()).c_str());
  DOCKET_CHECK(engine.ok());
  engine_ = *std::move(engine);
}

void House::Reopen() {
  engine_.reset();
  log_.reset();
  Open();
}

std::string House::NewRequestId() { return store::MakeUuidV7(absl::ToUnixMillis(clock_->Now()), random_(10)); }

absl::StatusOr<v1::ExecuteReply> House::Do(v1::ExecuteRequest request, absl::string_view principal) {
  if (request.request_id().empty()) request.set_request_id(NewRequestId());
  auto answer = std::make_shared<Answer<v1::ExecuteReply>>();
  engine_->Submit(std::move(request), engine::Caller{.principal_id = std::string(principal)},
                  engine::Lane::kInteractive,
                  [answer](absl::StatusOr<v1::ExecuteReply> reply) { answer->Set(std::move(reply)); });
  return answer->Wait();
}

absl::StatusOr<v1::ExecuteReply> House::Do(absl::string_view case_id, absl::string_view command,
                                           absl::string_view principal) {
  v1::ExecuteRequest request;
  request.set_case_id(std::string(case_id));
  const bool parsed = google::protobuf::TextFormat::ParseFromString(std::string(command), request.mutable_command());
  DOCKET_CHECK(parsed);
  return Do(std::move(request), principal);
}

absl::StatusOr<v1::ExecuteReply> House::File(absl::string_view file_fields, absl::string_view principal) {
  return Do("", absl::StrCat("file { ", file_fields, " }"), principal);
}

absl::Status House::Publish(absl::string_view yaml) {
  v1::PublishPoliciesRequest request;
  request.set_yaml(std::string(yaml));
  request.set_request_id(NewRequestId());
  return Publish(std::move(request)).status();
}

absl::StatusOr<v1::PublishPoliciesReply> House::Publish(v1::PublishPoliciesRequest request,
                                                        absl::string_view principal) {
  auto answer = std::make_shared<Answer<v1::PublishPoliciesReply>>();
  engine_->SubmitPublish(std::move(request), engine::Caller{.principal_id = std::string(principal)},
                         [answer](absl::StatusOr<v1::PublishPoliciesReply> reply) { answer->Set(std::move(reply)); });
  return answer->Wait();
}

absl::StatusOr<v1::AbsenceReply> House::Do(engine::AbsenceChange change, absl::string_view principal) {
  auto answer = std::make_shared<Answer<v1::AbsenceReply>>();
  engine_->SubmitAbsence(std::move(change), engine::Caller{.principal_id = std::string(principal)},
                         [answer](absl::StatusOr<v1::AbsenceReply> reply) { answer->Set(std::move(reply)); });
  return answer->Wait();
}

absl::Status House::Away(absl::string_view who, absl::Time from, absl::Time until, absl::string_view deputy) {
  engine::AbsenceChange change;
  change.absence.set_principal(std::string(who));
  *change.absence.mutable_from() = ToProto(from);
  *change.absence.mutable_until() = ToProto(until);
  change.absence.set_deputy(std::string(deputy));
  change.request_id = NewRequestId();
  return Do(std::move(change)).status();
}

absl::StatusOr<v1::Case> House::Get(absl::string_view case_id) {
  const engine::ReadView view = engine_->Read();
  const engine::CaseLoader loader(*view.snapshot, view.views, engine_->log());
  DOCKET_ASSIGN_OR_RETURN(std::optional<v1::Case> state, loader.Load(case_id));
  if (!state.has_value()) return absl::NotFoundError("no such case");
  return *std::move(state);
}

void House::Settle() { clock_->UntilAsleep(); }

void House::AdvanceTo(absl::Time time) {
  clock_->AdvanceTo(time);
  Settle();
}

}  // namespace docket::testing
