#ifndef DOCKET_SERVICES_ENGINE_COMMAND_SEALER_H_
#define DOCKET_SERVICES_ENGINE_COMMAND_SEALER_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "docket/v1/record.pb.h"
#include "services/engine/environment.h"
#include "store/kv.h"
#include "store/personal.h"
#include "workflow/case/draft.h"

namespace docket::engine {

// The personal texts of one command: their rows go into the group only if the command is accepted.
class CommandSealer : public workflow::Sealer {
 public:
  CommandSealer(const Randomness& random, uint64_t commit) : random_(random), commit_(commit) {}

  v1::SealedText Seal(absl::string_view subject_id, absl::string_view text) override {
    const std::string salt = random_(store::kSaltBytes);
    if (count_ == 0) first_salt_ = salt;
    return store::Seal(&rows_, subject_id, commit_, count_++, text, salt);
  }

  store::KvBatch TakeRows() { return std::exchange(rows_, {}); }
  const std::string& first_salt() const { return first_salt_; }  // "": the command has no personal text

 private:
  const Randomness& random_;
  const uint64_t commit_;
  uint32_t count_ = 0;
  std::string first_salt_;
  store::KvBatch rows_;
};

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_COMMAND_SEALER_H_
