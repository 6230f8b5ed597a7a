#include <deque>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tools/cli/commands.h"
#include "tools/cli/duty_list.h"
#include "tools/cli/escalation_view.h"
#include "tools/cli/event_lines.h"
#include "tools/cli/json_output.h"
#include "tools/cli/lists.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "tools/client/event_streams.h"
#include "workflow/base/check.h"
#include "workflow/base/mutex.h"
#include "workflow/base/time.h"

// `docket watch`: on a terminal a screen of what is late, due next and escalated, redrawn when something happens or the
// interval has passed; elsewhere the overdue header, then one line per event.
namespace docket::cli {
namespace {

constexpr uint32_t kRows = 10;
constexpr size_t kEvents = 8;
constexpr absl::Duration kShortestInterval = absl::Milliseconds(250);
constexpr char kClearScreen[] = "\x1b[H\x1b[2J";

struct WatchInput {
  std::string department;
  std::string within = "4h";
  std::string interval = "5s";
  uint64_t events = 0;
  bool once = false;
};

// What the subscription's thread tells the screen's.
struct Feed {
  Mutex mutex;
  CondVar changed;
  std::deque<std::string> lines ABSL_GUARDED_BY(mutex);
  bool dirty ABSL_GUARDED_BY(mutex) = false;
  bool ended ABSL_GUARDED_BY(mutex) = false;
  absl::Status status ABSL_GUARDED_BY(mutex);
};

absl::StatusOr<v1::ListDutiesReply> Duties(GlobalOptions& options, const WatchInput& input, v1::DutyPreset preset) {
  v1::ListDutiesRequest request;
  request.set_preset(preset);
  request.set_department(input.department);
  request.set_page_size(kRows);
  if (preset == v1::AT_RISK) {
    DOCKET_ASSIGN_OR_RETURN(const absl::Duration within, ParseSpan(input.within));
    *request.mutable_within() = ToProto(within);
  }
  return options.client().ListDuties(request);
}

struct Lists {
  v1::ListDutiesReply overdue, next;
  v1::ListEscalationsReply escalations;
};

absl::StatusOr<Lists> ReadLists(GlobalOptions& options, const WatchInput& input) {
  Lists lists;
  DOCKET_ASSIGN_OR_RETURN(lists.overdue, Duties(options, input, v1::OVERDUE));
  DOCKET_ASSIGN_OR_RETURN(lists.next, Duties(options, input, v1::AT_RISK));
  v1::ListEscalationsRequest request;
  request.set_department(input.department);
  request.set_page_size(kRows);
  DOCKET_ASSIGN_OR_RETURN(lists.escalations, options.client().ListEscalations(request));
  return lists;
}

void DrawLists(GlobalOptions& options, const WatchInput& input, const Lists& lists) {
  const auto& [overdue, next, escalations] = lists;
  *options.out << OverdueHeader(options, overdue) << "\n" << Footing(options, overdue) << "\n";
  PrintListWarnings(options, overdue);
  PrintDuties(options, overdue);
  *options.out << "\nDue within " << input.within
               << " of working time: " << AtLeastText(next.items_size(), next.next_page_token().empty()) << "\n";
  PrintDuties(options, next);
  *options.out << "\nEscalations not acknowledged: "
               << AtLeastText(escalations.items_size(), escalations.next_page_token().empty()) << "\n";
  PrintEscalationList(options, escalations);
}

int WatchOnce(GlobalOptions& options, const WatchInput& input) {
  const absl::StatusOr<Lists> lists = ReadLists(options, input);
  if (!lists.ok()) return ReportFailure(options, lists.status());
  if (options.format() == OutputFormat::kTable) {
    DrawLists(options, input, *lists);
  } else {
    *options.out << "{\"overdue\":" << ToFullJson(lists->overdue) << ",\"atRisk\":" << ToFullJson(lists->next)
                 << ",\"escalations\":" << ToFullJson(lists->escalations) << "}\n";
  }
  return kExitOk;
}

v1::SubscribeRequest FeedRequest(const WatchInput& input) {
  v1::SubscribeRequest request;
  request.mutable_filter()->set_department(input.department);
  request.mutable_filter()->add_stream_kinds(v1::STREAM_KIND_CASE);
  return request;
}

void Follow(GlobalOptions& options, const WatchInput& input, client::Cancellation& cancellation, Feed& feed) {
  const absl::Status status = client::Subscribe(
      options.client(), FeedRequest(input),
      [&](const v1::SubscribeReply& reply) {
        const MutexLock lock(&feed.mutex);
        for (const auto& event : reply.events()) {
          feed.lines.push_back(EventLine(options, event));
          if (feed.lines.size() > kEvents) feed.lines.pop_front();
        }
        feed.dirty |= !reply.events().empty();
        feed.changed.NotifyAll();
        return true;
      },
      &cancellation);
  const MutexLock lock(&feed.mutex);
  feed.ended = true;
  feed.status = status;
  feed.changed.NotifyAll();
}

absl::Status DrawScreen(GlobalOptions& options, const WatchInput& input, Feed& feed) {
  DOCKET_ASSIGN_OR_RETURN(const Lists lists, ReadLists(options, input));
  // Composed first and shown at once, so that the screen does not flicker.
  std::ostringstream screen;
  std::ostream* terminal = options.out;
  options.out = &screen;
  DrawLists(options, input, lists);
  options.out = terminal;
  const MutexLock lock(&feed.mutex);
  if (!feed.lines.empty()) screen << "\nLatest events\n";
  for (const std::string& line : feed.lines) screen << Shorten(line, 160) << "\n";
  *terminal << kClearScreen << screen.str() << "\n(Ctrl-C leaves)" << std::endl;
  return absl::OkStatus();
}

int WatchScreen(GlobalOptions& options, const WatchInput& input, absl::Duration interval) {
  options.client();  // made before the thread, which shares it
  Feed feed;
  client::Cancellation cancellation;
  std::thread follower([&] { Follow(options, input, cancellation, feed); });
  absl::Status status;
  while (true) {
    status = DrawScreen(options, input, feed);
    if (!status.ok()) break;
    const MutexLock lock(&feed.mutex);
    // A burst of events is one change of the screen, or the screen itself would load the server.
    feed.changed.WaitFor(&feed.mutex, kShortestInterval,
                         [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(feed.mutex) { return feed.ended; });
    feed.changed.WaitFor(&feed.mutex, interval,
                         [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(feed.mutex) { return feed.dirty || feed.ended; });
    feed.dirty = false;
    if (!feed.ended) continue;
    status = feed.status;
    break;
  }
  cancellation.Cancel();
  follower.join();
  return status.ok() ? kExitOk : ReportFailure(options, status);
}

int WatchLines(GlobalOptions& options, const WatchInput& input) {
  if (options.format() == OutputFormat::kTable) {
    const auto overdue = Duties(options, input, v1::OVERDUE);
    if (!overdue.ok()) return ReportFailure(options, overdue.status());
    *options.out << OverdueHeader(options, *overdue) << "; " << Footing(options, *overdue) << std::endl;
  }
  uint64_t seen = 0;
  const absl::Status status =
      client::Subscribe(options.client(), FeedRequest(input), [&](const v1::SubscribeReply& reply) {
        for (const auto& event : reply.events()) {
          const bool table = options.format() == OutputFormat::kTable;
          *options.out << (table ? EventLine(options, event) : ToJson(event)) << "\n";
          if (++seen == input.events) break;
        }
        options.out->flush();
        return options.out->good() && (input.events == 0 || seen < input.events);
      });
  return status.ok() ? kExitOk : ReportFailure(options, status);
}

int Watch(GlobalOptions& options, const WatchInput& input) {
  const auto interval = ParseSpan(input.interval);
  if (!interval.ok()) return ReportUsage(options, absl::StrCat("--interval: ", interval.status().message()));
  const auto within = ParseSpan(input.within);
  if (!within.ok()) return ReportUsage(options, absl::StrCat("--within: ", within.status().message()));
  if (input.once) return WatchOnce(options, input);
  if (options.format() == OutputFormat::kJson) {
    return ReportUsage(options, "watch has no end, so -o json would never be whole; use -o jsonl, or --once");
  }
  const bool screen = options.out_is_terminal && options.format() == OutputFormat::kTable && input.events == 0;
  return screen ? WatchScreen(options, input, *interval) : WatchLines(options, input);
}

}  // namespace

void AddWatchCommand(CLI::App& app, GlobalOptions& options) {
  const auto input = std::make_shared<WatchInput>();
  CLI::App* watch = AddCommand(app, "watch", "What is late, due next and escalated, live", options,
                               [&options, input] { return Watch(options, *input); });
  watch->add_option("--department", input->department, "Who answers, and the departments below it");
  watch->add_option("--within", input->within, "How soon counts as due next")->capture_default_str();
  watch->add_option("--interval", input->interval, "Redraw at least this often")->capture_default_str();
  watch->add_flag("--once", input->once, "Show it once and leave");
  watch->add_option("--events", input->events, "Leave after this many events");
  watch->footer("Example:\n  docket watch --department complaints");
}

}  // namespace docket::cli
