#include <memory>
#include <ostream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tools/cli/commands.h"
#include "tools/cli/json_output.h"
#include "tools/cli/moments.h"
#include "tools/cli/progress.h"
#include "tools/cli/table.h"
#include "tools/client/event_streams.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

void PrintViews(GlobalOptions& options, const google::protobuf::RepeatedPtrField<v1::ViewDigest>& views) {
  Table table({{"VIEW"},
               {"VERSION", Table::Align::kRight},
               {"ROWS", Table::Align::kRight},
               {"DIGEST", Table::Align::kLeft, 64}});
  for (const v1::ViewDigest& view : views) {
    table.AddRow(
        {view.view(), absl::StrCat(view.version()), absl::StrCat(view.rows()), absl::BytesToHexString(view.digest())});
  }
  table.Print(*options.out);
}

std::string WritingText(const v1::GetStatsReply& reply) {
  if (!reply.write_disabled() && reply.disk_reserve_reached()) return "REFUSED: the disk is full up to its reserve";
  return reply.write_disabled() ? absl::StrCat("DISABLED: ", reply.write_disabled_reason()) : "enabled";
}

std::string ClockText(const v1::GetStatsReply& reply) {
  return reply.clock_suspect() ? "IN DOUBT: timers stand still until `docket admin clock accept`" : "trusted";
}

std::string DiskText(const v1::GetStatsReply& reply) {
  return absl::StrCat(reply.free_disk_bytes(), " bytes",
                      reply.disk_reserve_reached() ? ", RESERVE REACHED: writes are refused" : "");
}

int Stats(GlobalOptions& options, bool digests) {
  v1::GetStatsRequest request;
  request.set_with_digests(digests);
  const auto reply = options.client().GetStats(request);
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (PrintJson(options, *reply)) return kExitOk;
  PrintFields({{"version", reply->version()},
               {"log id", absl::BytesToHexString(reply->log_id())},
               {"commits", absl::StrCat(reply->commits())},
               {"last position", absl::StrCat(reply->last_position())},
               {"cases", absl::StrCat(reply->cases())},
               {"server time", FormatMoment(reply->now(), options.zone())},
               {"writing", WritingText(*reply)},
               {"clock", ClockText(*reply)},
               {"next wake-up", FormatMoment(reply->next_wake_at(), options.zone())},
               {"wake-ups", absl::StrCat(reply->wakeups())},
               {"queue depth", absl::StrCat(reply->queue_depth())},
               {"cached cases", absl::StrCat(reply->cached_cases())},
               {"free disk", DiskText(*reply)},
               {"view generation", absl::StrCat(reply->view_generation())}},
              *options.out);
  if (!reply->views().empty()) *options.out << "\n";
  PrintViews(options, reply->views());
  return kExitOk;
}

int Rebuild(GlobalOptions& options, bool keep_old) {
  v1::RebuildViewsRequest request;
  request.set_keep_old(keep_old);
  Progress progress(*options.err, options.err_is_terminal, "rebuilding views, commits");
  v1::RebuildViewsReply last;
  const absl::Status status = client::RebuildViews(options.client(), request, [&](const v1::RebuildViewsReply& reply) {
    progress.Update(reply.commits_done(), reply.commits_total());
    last = reply;
    return true;
  });
  progress.Finish();
  if (!status.ok()) return ReportFailure(options, status);
  if (!last.done()) return ReportUsage(options, "the server ended the rebuild without a result");
  if (!PrintJson(options, last)) {
    *options.out << "rebuilt from " << last.commits_done() << " commits: "
                 << (last.digests_equal() ? "every view equals the live one\n" : "VIEWS DIFFER from the live ones\n");
    if (!last.digests_equal()) {
      *options.out << "\nbefore\n";
      PrintViews(options, last.before());
      *options.out << "\nafter\n";
    }
    PrintViews(options, last.after());
    *options.out << (keep_old ? "live generation kept: " : "live generation now: ") << last.generation() << "\n";
  }
  return last.digests_equal() ? kExitOk : kExitNotVerified;
}

int AcceptClock(GlobalOptions& options) {
  const auto reply = options.client().AcceptClock(v1::AcceptClockRequest());
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (PrintJson(options, *reply)) return kExitOk;
  *options.out << "clock accepted, " << FormatSpan(FromProto(reply->deviation()))
               << " from where it was expected; timers run\n";
  return kExitOk;
}

int PrintDirectory(GlobalOptions& options) {
  const auto reply = options.client().GetDirectory(v1::GetDirectoryRequest());
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (PrintJson(options, *reply)) return kExitOk;
  std::ostream& out = *options.out;
  const v1::Directory& directory = reply->directory();
  Table departments({{"DEPARTMENT"}, {"NAME"}, {"PARENT"}, {"LEAD"}});
  for (const auto& one : directory.departments()) departments.AddRow({one.id(), one.name(), one.parent(), one.lead()});
  departments.Print(out);
  if (!departments.empty()) out << "\n";
  Table queues({{"QUEUE"}, {"NAME"}, {"DEPARTMENT"}, {"LEAD"}});
  for (const auto& one : directory.queues()) queues.AddRow({one.id(), one.name(), one.department(), one.lead()});
  queues.Print(out);
  if (!queues.empty()) out << "\n";
  Table principals({{"PRINCIPAL"}, {"NAME"}, {"DEPARTMENT"}, {"MANAGER"}, {"ROLES"}});
  for (const auto& one : directory.principals()) {
    std::string roles;
    for (const std::string& role : one.roles()) absl::StrAppend(&roles, roles.empty() ? "" : ", ", role);
    const std::string name = one.name().erased() ? "[erased]" : one.name().text();
    principals.AddRow({one.id(), name, one.department(), one.manager(), roles});
  }
  principals.Print(out);
  out << "directory version " << reply->version() << "\n";
  return kExitOk;
}

}  // namespace

void AddAdminCommands(CLI::App& app, GlobalOptions& options) {
  CLI::App* admin = app.add_subcommand("admin", "Operate the server");
  admin->require_subcommand(1, 1);
  const auto digests = std::make_shared<bool>(false);
  CLI::App* stats = AddCommand(*admin, "stats", "Size, health and clock", options,
                               [&options, digests] { return Stats(options, *digests); });
  stats->add_flag("--digests", *digests, "With a digest of every view; reads them all");
  const auto keep_old = std::make_shared<bool>(false);
  CLI::App* rebuild = AddCommand(*admin, "rebuild", "Rebuild all views from the log and compare", options,
                                 [&options, keep_old] { return Rebuild(options, *keep_old); });
  rebuild->add_flag("--keep-old", *keep_old, "Only compare; keep the live views");
  rebuild->footer("Exit code 4 when a rebuilt view differs from the live one.");
  CLI::App* clock = admin->add_subcommand("clock", "The server's clock");
  clock->require_subcommand(1, 1);
  AddCommand(*clock, "accept", "Accept the clock as it is now; timers run again", options,
             [&options] { return AcceptClock(options); });
  AddOutboxCommands(*admin, options);
}

void AddDirectoryCommand(CLI::App& app, GlobalOptions& options) {
  AddCommand(app, "directory", "Departments, queues and people", options,
             [&options] { return PrintDirectory(options); });
}

}  // namespace docket::cli
