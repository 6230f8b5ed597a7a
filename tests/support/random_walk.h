#ifndef DOCKET_TESTS_SUPPORT_RANDOM_WALK_H_
#define DOCKET_TESTS_SUPPORT_RANDOM_WALK_H_

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/command.pb.h"
#include "tests/support/house.h"

// Plausible work in a House, chosen by a seed: cases filed and worked through every command, imports, retries, policies
// published, restarts, time passing. The same seed takes the same walk.
namespace docket::testing {

// In every personal text that a walk sends: found outside the personal family, it has leaked.
inline constexpr char kPersonalMark[] = "zq~personal~qz";

// Of the directory as shipped.
const std::vector<std::string>& People();
const std::vector<std::string>& Queues();

// What is chosen at random. Not thread-safe.
class Dice {
 public:
  explicit Dice(uint64_t seed) : generator_(seed) {}

  int Below(int n) { return static_cast<int>(generator_() % static_cast<uint64_t>(n)); }
  bool Chance(int percent) { return Below(100) < percent; }
  absl::Duration Span(absl::Duration least, absl::Duration most) {
    const int64_t width = absl::ToInt64Microseconds(most - least);
    return least + absl::Microseconds(static_cast<int64_t>(generator_() % static_cast<uint64_t>(width + 1)));
  }
  template <class T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(static_cast<int>(from.size()))];
  }

 private:
  std::mt19937_64 generator_;
};

class RandomWalk {
 public:
  struct Options {
    bool imports = true;
    bool restarts = true;
    bool publishing = true;
    bool more_promises = true;  // also what departments and a regulator are owed
    absl::Duration longest_advance = absl::Hours(24 * 21);
  };
  struct Counts {
    std::map<std::string, int> accepted;  // by command
    std::map<std::string, int> refused;   // by reason
    int unchanged = 0;
    int replayed = 0;
    int validated = 0;  // validate_only, accepted
  };

  // `house` outlives the walk.
  RandomWalk(House* house, uint64_t seed) : RandomWalk(house, seed, Options()) {}
  RandomWalk(House* house, uint64_t seed, Options options);

  // Lets a little time pass, then does one thing and waits until the writer sleeps again.
  void Step();

  // "seed 7" and one line per step: for failures.
  std::string Story() const;
  const Counts& counts() const { return counts_; }
  const std::vector<std::string>& case_ids() const { return case_ids_; }
  // What a retry or validate_only did although it must not; empty while all is well.
  const std::vector<std::string>& broken_promises() const { return broken_; }

 private:
  struct Import {
    uint64_t cursor = 1;
    absl::Time at;
  };

  void PassTime();
  void DoCommand();
  void ProposeAdvance();
  void AskAndHold();
  void EnterAnswerLate();
  void Extend();
  void AskToEscalate();
  void IssueDraft(const std::string& case_id);
  std::string SomeCase();
  void FileCase();
  void FileHistory();
  void GoOnImporting(const std::string& case_id, Import* import);
  void PublishPolicy();
  void Retry();
  void TakeNext();
  void Restart();

  v1::Command CommandFor(const v1::Case& state);
  std::string CommandNameFor(const v1::Case& state);
  void FillOwnership(const std::string& name, const v1::Case& state, v1::Command* command);
  void FillPeople(const std::string& name, const v1::Case& state, v1::Command* command);
  void FillIntake(const std::string& name, v1::Command* command);
  void FillTalk(const std::string& name, const v1::Case& state, v1::Command* command);
  void FillStatus(const std::string& name, const v1::Case& state, v1::Command* command);
  void FillClocks(const std::string& name, const v1::Case& state, v1::Command* command);
  void FillItems(const std::string& name, const v1::Case& state, v1::Command* command);
  void FillDecision(const std::string& name, const v1::Case& state, v1::Command* command);
  void FillRow(absl::Time at, v1::SourceRow* row);
  void ChooseApprover(v1::ExecuteRequest* request);
  void ChooseOccurredAt(v1::ExecuteRequest* request);

  std::string Personal();
  absl::Time Now() const { return house_->clock().Now(); }
  google::protobuf::Timestamp Soon();
  void Send(v1::ExecuteRequest request, const std::string& principal);
  void Note(absl::string_view line);

  House* const house_;
  const uint64_t seed_;
  const Options options_;
  Dice dice_;
  std::string stay_with_;  // the next step happens to this case at this very instant; "": time passes first
  int texts_ = 0;
  int published_ = 0;
  std::vector<std::string> case_ids_;
  std::map<std::string, Import> imports_;
  std::optional<std::pair<v1::ExecuteRequest, std::string>> last_accepted_;
  Counts counts_;
  std::vector<std::string> story_;
  std::vector<std::string> broken_;
};

// Runs `walk` once per seed: `count` seeds in a row, or DOCKET_WALKS of them, from a fixed one, so that a run can be
// repeated; DOCKET_SEED=n takes that one alone. `walk` reports through gtest.
void ForEachSeed(int count, absl::FunctionRef<void(uint64_t seed)> walk);

}  // namespace docket::testing

#endif  // DOCKET_TESTS_SUPPORT_RANDOM_WALK_H_
