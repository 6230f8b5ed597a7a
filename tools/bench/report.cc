#include "tools/bench/report.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace docket::bench {
namespace {

// Three digits that count, no more.
std::string Rounded(double value) {
  if (value >= 1000) return absl::StrFormat("%.0f", value);
  if (value >= 10) return absl::StrFormat("%.1f", value);
  return absl::StrFormat("%.3g", value);
}

std::string TargetOf(const Figure& figure) {
  if (figure.wish == Wish::kNone) return "";
  return absl::StrCat(figure.wish == Wish::kAtLeast ? ">= " : "<= ", Rounded(figure.target));
}

std::string VerdictOf(const Figure& figure) {
  if (figure.wish == Wish::kNone) return "";
  return figure.met() ? "met" : "MISSED";
}

}  // namespace

void Report::Add(Figure figure) {
  // A line at once, for runs that take minutes.
  std::fprintf(stderr, "%s: %s %s\n", figure.name.c_str(), Rounded(figure.value).c_str(), figure.unit.c_str());
  figures_.push_back(std::move(figure));
}

void Report::AddRatio(const std::string& name, double part, double whole, Wish wish, double target,
                      const std::string& note) {
  Add({name, whole > 0 ? part / whole : 0, "ratio", wish, target, note});
}

std::string Report::Table() const {
  size_t width = 0;
  for (const Figure& figure : figures_) width = std::max(width, figure.name.size());
  std::string table;
  for (const Figure& figure : figures_) {
    absl::StrAppend(&table, absl::StrFormat("%-*s %10s %-10s %10s %-7s %s\n", static_cast<int>(width), figure.name,
                                            Rounded(figure.value), figure.unit, TargetOf(figure), VerdictOf(figure),
                                            figure.note));
  }
  return table;
}

std::string Report::Json() const {
  google::protobuf::ListValue list;
  for (const Figure& figure : figures_) {
    auto& fields = *list.add_values()->mutable_struct_value()->mutable_fields();
    fields["name"].set_string_value(figure.name);
    fields["value"].set_number_value(figure.value);
    fields["unit"].set_string_value(figure.unit);
    fields["note"].set_string_value(figure.note);
    if (figure.wish == Wish::kNone) continue;
    fields[figure.wish == Wish::kAtLeast ? "at_least" : "at_most"].set_number_value(figure.target);
    fields["met"].set_bool_value(figure.met());
  }
  google::protobuf::util::JsonPrintOptions pretty;
  pretty.add_whitespace = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(list, &json, pretty).ok()) return "[]\n";
  return json;
}

size_t Report::missed() const {
  return std::count_if(figures_.begin(), figures_.end(), [](const Figure& figure) { return !figure.met(); });
}

}  // namespace docket::bench
