#include "tests/services/engine/writers.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "store/ordered_key.h"
#include "store/uuid.h"

namespace docket::testing {
namespace {

constexpr uint64_t kStepsPerCase = 16;

// Differs by kind, writer and number.
std::string IdOf(int64_t made_at_ms, uint8_t kind, uint32_t writer, uint64_t number) {
  const uint64_t packed = (uint64_t{writer} << 48) | number;
  return store::MakeUuidV7(
      made_at_ms, absl::StrCat(std::string(1, static_cast<char>(kind)), "w", store::KeyWriter().U64(packed).Take()));
}

void Fill(uint32_t writer, uint64_t step, v1::Command* command) {
  switch (step % kStepsPerCase) {
    case 0:
      command->mutable_file()->set_kind(writer % 2 == 0 ? v1::COMPLAINT : v1::REQUEST);
      command->mutable_file()->set_title(absl::StrCat("Case ", step, " of writer ", writer));
      return;
    case 1:
      command->mutable_accept();
      return;
    case 2:
      command->mutable_take();
      return;
    case 4:
      command->mutable_record_inbound()->set_body("Is there any news?");
      return;
    case 5:
      command->mutable_send_outbound()->set_kind(v1::ACKNOWLEDGEMENT);
      command->mutable_send_outbound()->set_body("We are at it.");
      return;
    case 6:
      command->mutable_hold()->set_waiting_on(v1::DEPARTMENT);
      command->mutable_hold()->set_reason_code("PARTS");
      return;
    case 8:
      command->mutable_resume();
      return;
    default:
      command->mutable_add_note()->set_body(absl::StrCat("Note ", step));
  }
}

}  // namespace

v1::ExecuteRequest RequestOf(int64_t made_at_ms, uint32_t writer, uint64_t step) {
  v1::ExecuteRequest request;
  request.set_request_id(IdOf(made_at_ms, 'r', writer, step));
  request.set_case_id(IdOf(made_at_ms, 'c', writer, step / kStepsPerCase));
  Fill(writer, step, request.mutable_command());
  return request;
}

Writers::Writers(engine::Engine* engine, int64_t made_at_ms, const std::vector<uint64_t>& first_steps,
                 OnAnswer on_answer)
    : engine_(engine), made_at_ms_(made_at_ms), on_answer_(std::move(on_answer)), at_work_(first_steps.size()) {
  for (uint32_t writer = 0; writer < first_steps.size(); ++writer) Send(writer, first_steps[writer]);
}

void Writers::Send(uint32_t writer, uint64_t step) {
  engine_->Submit(RequestOf(made_at_ms_, writer, step), engine::Caller{.principal_id = "grace.lind"},
                  engine::Lane::kInteractive, [this, writer, step](absl::StatusOr<v1::ExecuteReply> reply) {
                    if (on_answer_(writer, step, reply) && reply.ok()) return Send(writer, step + 1);
                    const std::lock_guard<std::mutex> lock(mutex_);
                    --at_work_;
                    ended_.notify_all();
                  });
}

void Writers::Wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  ended_.wait(lock, [this] { return at_work_ == 0; });
}

}  // namespace docket::testing
