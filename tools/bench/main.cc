// docket_bench: how fast Docket is on this machine, beside what the machine could do. README.md says what is measured.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/bench/bench.h"
#include "tools/bench/case_load.h"
#include "workflow/base/check.h"

namespace docket::bench {
namespace {

constexpr size_t kLongCaseEvents = 5000;

// Memory of this process in MiB, "VmRSS" or "VmHWM".
double MemoryMib(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    absl::string_view rest(line);
    double kib = 0;
    if (!absl::ConsumePrefix(&rest, field + ":")) continue;
    rest = absl::StripSuffix(rest, " kB");
    if (absl::SimpleAtod(rest, &kib)) return kib / 1024;
  }
  return 0;
}

void ReportMemory(size_t cases, Report* report) {
  report->Add({"memory after filing", MemoryMib("VmRSS"), "MiB", cases >= 1'000'000 ? Wish::kAtMost : Wish::kNone, 512,
               absl::StrCat("resident, client and benchmark included; ", cases, " cases")});
}

// A server of its own in the folder `name` of the run.
absl::StatusOr<std::unique_ptr<Plant>> OpenPlant(const Options& options, const std::string& name) {
  const std::string data = absl::StrCat(options.folder, "/", name);
  std::filesystem::create_directories(data);
  return Plant::Open(data, options.packs);
}

// Only what a wave of dues does to commands.
absl::Status RunDueAtOnce(const Options& options, size_t clocks, Report* report) {
  DOCKET_ASSIGN_OR_RETURN(const std::unique_ptr<Plant> plant, OpenPlant(options, "data"));
  return BenchDueAtOnce(*plant, clocks, report);
}

// The lists of the plant with many cases beside those of one with few, both started anew: a server just after a million
// filings still has most of them in memory.
absl::Status RunPages(const Options& options, std::unique_ptr<Plant>* many, Report* report) {
  many->reset();
  DOCKET_ASSIGN_OR_RETURN(std::unique_ptr<Plant> few, OpenPlant(options, "few"));
  DOCKET_RETURN_IF_ERROR(FileCases(few->engine(), kFewCases, Place::kListed).status());
  few.reset();
  DOCKET_ASSIGN_OR_RETURN(few, OpenPlant(options, "few"));
  DOCKET_ASSIGN_OR_RETURN(*many, OpenPlant(options, "data"));
  return BenchPages(options, *few, **many, report);
}

absl::Status RunOnlyPages(const Options& options, Report* report) {
  DOCKET_ASSIGN_OR_RETURN(std::unique_ptr<Plant> plant, OpenPlant(options, "data"));
  DOCKET_RETURN_IF_ERROR(FileCases(plant->engine(), options.cases, Place::kListed).status());
  return RunPages(options, &plant, report);
}

absl::Status Run(const Options& options, Report* report) {
  DOCKET_ASSIGN_OR_RETURN(std::unique_ptr<Plant> plant, OpenPlant(options, "data"));
  DOCKET_ASSIGN_OR_RETURN(const std::vector<std::string> case_ids,
                          FileCases(plant->engine(), kFewCases, Place::kWrittenTo));
  DOCKET_RETURN_IF_ERROR(BenchUnary(options, *plant, case_ids, report));
  DOCKET_RETURN_IF_ERROR(BenchExecuteStream(options, *plant, case_ids, report));

  const Stopwatch filing;
  const size_t more = options.cases - kFewCases;
  DOCKET_RETURN_IF_ERROR(FileCases(plant->engine(), more, Place::kListed).status());
  report->Add({.name = "filing in the bulk lane",
               .value = static_cast<double>(more) / absl::ToDoubleSeconds(filing.elapsed()),
               .unit = "cases/s",
               .note = "in the process, four events each"});
  ReportMemory(options.cases, report);
  DOCKET_RETURN_IF_ERROR(RunPages(options, &plant, report));

  DOCKET_ASSIGN_OR_RETURN(const std::vector<std::string> long_case, FileCases(plant->engine(), 1, Place::kWrittenTo));
  DOCKET_RETURN_IF_ERROR(AddNotes(plant->engine(), long_case[0], kLongCaseEvents));
  DOCKET_RETURN_IF_ERROR(BenchStreams(options, *plant, long_case[0], report));
  DOCKET_RETURN_IF_ERROR(BenchFold(*plant, report));
  DOCKET_RETURN_IF_ERROR(BenchRebuild(*plant, report));

  const uint64_t events = plant->engine().Read().position;
  DOCKET_ASSIGN_OR_RETURN(const uint64_t record_bytes, RecordBytes(plant->log()));
  plant.reset();
  DOCKET_ASSIGN_OR_RETURN(plant, OpenPlant(options, "data"));
  report->Add({"start-up", absl::ToDoubleMilliseconds(plant->opening()), "ms", Wish::kAtMost, 2000,
               absl::StrCat(events, " events; the target is of 10,000,000")});
  plant.reset();
  return BenchDiskUse(options, record_bytes, report);
}

}  // namespace
}  // namespace docket::bench

int main(int argc, char** argv) {
  docket::bench::Options options;
  std::string data = "/var/tmp";
  std::string output = "table";
  double seconds = 1;
  size_t due_at_once = 0;
  bool only_pages = false;
  CLI::App app{"Measures Docket beside what the machine can do, and says which targets are met."};
  app.add_option("--data", data, "folder on the disk to measure; the run makes and removes its own inside it")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--packs", options.packs, "folder of the shipped policy packs")->capture_default_str();
  app.add_option("--cases", options.cases, "open cases; the targets are of 1000000")
      ->check(CLI::Range(size_t{2000}, size_t{100'000'000}))
      ->capture_default_str();
  app.add_option("--seconds", seconds, "length of one turn")->capture_default_str();
  app.add_option("--turns", options.turns, "turns of each comparison")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--due-at-once", due_at_once,
                 "measure only this: so many clocks fall due at one instant while 16 clients work")
      ->check(CLI::Range(1, 10'000'000));
  app.add_flag("--only-pages", only_pages, "measure only the lists, with 1000 and with --cases open cases")
      ->excludes("--due-at-once");
  app.add_option("-o,--output", output, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  options.each = absl::Seconds(seconds);

  std::string folder = data + "/docket_bench_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    std::fprintf(stderr, "docket_bench: cannot make a folder in %s\n", data.c_str());
    return 2;
  }
  options.folder = folder;
  docket::bench::Report report;
  const absl::Status status = due_at_once > 0 ? docket::bench::RunDueAtOnce(options, due_at_once, &report)
                              : only_pages    ? docket::bench::RunOnlyPages(options, &report)
                                              : docket::bench::Run(options, &report);
  std::filesystem::remove_all(folder);
  std::fputs((output == "json" ? report.Json() : report.Table()).c_str(), stdout);
  if (status.ok()) return 0;
  std::fprintf(stderr, "docket_bench: %s\n", std::string(status.message()).c_str());
  return 2;
}
