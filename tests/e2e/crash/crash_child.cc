#include "tests/e2e/crash/crash_child.h"

#include <cstdlib>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "store/record_format.h"
#include "store/rocks_kv.h"
#include "store/uuid.h"
#include "tests/services/engine/log_audit.h"
#include "tests/services/engine/writers.h"
#include "tests/support/house.h"
#include "tests/support/kill_rounds.h"
#include "workflow/base/check.h"

namespace docket::crash {
namespace {

constexpr char kChildMark[] = "--crash-child";

// Says OK first and writes when the next batch comes.
class LazyKv : public store::KvStore {
 public:
  explicit LazyKv(std::unique_ptr<store::KvStore> behind) : behind_(std::move(behind)) {}
  absl::Status Write(const store::KvBatch& batch, bool /*sync*/) override {
    const absl::Status written = behind_->Write(owed_, true);
    owed_ = batch;
    return written;
  }
  std::unique_ptr<store::KvSnapshot> Snapshot() const override { return behind_->Snapshot(); }
  absl::Status CreateFamily(store::Family family) override { return behind_->CreateFamily(family); }
  absl::Status DropFamily(store::Family family) override { return behind_->DropFamily(family); }
  std::vector<store::Family> Families() const override { return behind_->Families(); }
  absl::Status IngestSorted(store::Family family,
                            const std::vector<std::pair<std::string, std::string>>& entries) override {
    return behind_->IngestSorted(family, entries);
  }
  absl::Status WriteLatch() const override { return behind_->WriteLatch(); }

 private:
  std::unique_ptr<store::KvStore> behind_;
  store::KvBatch owed_;
};

absl::Status PublishPacks(engine::Engine& engine) {
  for (const std::string& name : testing::ShippedPacks()) {
    v1::PublishPoliciesRequest request;
    request.set_yaml(testing::ReadPack(name));
    const engine::Environment& environment = engine.environment();
    request.set_request_id(store::MakeUuidV7(absl::ToUnixMillis(environment.clock->Now()),
                                             environment.random(store::kUuidRandomBytes)));
    testing::Pending<v1::PublishPoliciesReply> pending;
    engine.SubmitPublish(request, engine::Caller{.principal_id = "mei.tan"}, pending.Completion());
    DOCKET_RETURN_IF_ERROR(pending.Wait().status());
  }
  return absl::OkStatus();
}

int Complain(const absl::Status& status) {
  std::fprintf(stderr, "child: %s\n", std::string(status.message()).c_str());
  return 3;
}

int Work(const ChildArguments& arguments, int pipe) {
  {
    const absl::StatusOr<Plant> plant = OpenPlant(arguments.folder, false);
    if (!plant.ok()) return Complain(plant.status());
    if (const absl::Status published = PublishPacks(*plant->engine); !published.ok()) return Complain(published);
  }
  const absl::StatusOr<Plant> plant = OpenPlant(arguments.folder, arguments.lazy);
  if (!plant.ok()) return Complain(plant.status());
  testing::Writers writers(plant->engine.get(), arguments.made_at_ms, arguments.first_steps,
                           [&](uint32_t writer, uint64_t step, const absl::StatusOr<v1::ExecuteReply>& reply) {
                             if (!reply.ok()) return Complain(reply.status()) == 0;
                             const Report report = ReportOf(writer, step, *reply);
                             return test::Report(pipe, &report, sizeof report);
                           });
  writers.Wait();  // for a refusal, or for ever
  return 4;
}

}  // namespace

Report ReportOf(uint32_t writer, uint64_t step, const v1::ExecuteReply& reply) {
  Report report;
  report.writer = writer;
  report.step = step;
  report.commit = reply.commit();
  report.revision = reply.revision();
  std::strncpy(report.case_no, reply.case_no().c_str(), sizeof report.case_no - 1);
  std::memcpy(report.answer, store::Sha256(testing::FirstAnswer(reply)).data(), sizeof report.answer);
  return report;
}

absl::StatusOr<Plant> OpenPlant(const std::string& folder, bool lazy) {
  Plant plant;
  store::RocksOptions options;
  options.path = absl::StrCat(folder, "/db");
  DOCKET_ASSIGN_OR_RETURN(plant.kv, store::OpenRocksKv(options));
  if (lazy) plant.kv = std::make_unique<LazyKv>(std::move(plant.kv));
  engine::EngineOptions engine_options;
  engine_options.environment = {engine::MakeSystemClock(), engine::MakeSystemRandomness()};
  DOCKET_ASSIGN_OR_RETURN(plant.log, store::OpenLocalLog(plant.kv.get(),
                                                         {.high_water_path = absl::StrCat(folder, "/high-water"),
                                                          .new_log_id = engine_options.environment.random(16)}));
  engine_options.kv = plant.kv.get();
  engine_options.log = plant.log.get();
  engine_options.cached_cases = 1000;
  DOCKET_ASSIGN_OR_RETURN(plant.engine, engine::Engine::Open(engine_options));
  return plant;
}

std::vector<std::string> ToArguments(const ChildArguments& arguments) {
  return {kChildMark, arguments.folder, absl::StrCat(arguments.made_at_ms), arguments.lazy ? "lazy" : "honest",
          absl::StrJoin(arguments.first_steps, ",")};
}

bool RunAsChild(int argc, char** argv, int* code) {
  if (argc != 7 || std::string(argv[1]) != kChildMark) return false;
  ChildArguments arguments;
  arguments.folder = argv[2];
  int pipe = -1;
  DOCKET_CHECK(absl::SimpleAtoi(argv[3], &arguments.made_at_ms) && absl::SimpleAtoi(argv[6], &pipe));
  arguments.lazy = std::string(argv[4]) == "lazy";
  for (const absl::string_view step : absl::StrSplit(argv[5], ',')) {
    arguments.first_steps.emplace_back();
    DOCKET_CHECK(absl::SimpleAtoi(step, &arguments.first_steps.back()));
  }
  *code = Work(arguments, pipe);
  return true;
}

}  // namespace docket::crash
