#ifndef DOCKET_TOOLS_BENCH_REPORT_H_
#define DOCKET_TOOLS_BENCH_REPORT_H_

#include <string>
#include <vector>

namespace docket::bench {

// What a figure has to reach; kNone: it is only told.
enum class Wish { kNone, kAtLeast, kAtMost };

struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
  Wish wish = Wish::kNone;
  double target = 0;
  std::string note;  // what it was measured against, or with how much

  bool met() const {
    return wish == Wish::kNone || (wish == Wish::kAtLeast ? value >= target : value <= target);
  }
};

// Collects figures and prints them, those that miss their target too.
class Report {
 public:
  void Add(Figure figure);
  // `part` of `whole` as a ratio with its target.
  void AddRatio(const std::string& name, double part, double whole, Wish wish, double target, const std::string& note);

  std::string Table() const;
  std::string Json() const;
  size_t missed() const;

 private:
  std::vector<Figure> figures_;
};

}  // namespace docket::bench

#endif  // DOCKET_TOOLS_BENCH_REPORT_H_
