#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/cli/commands.h"
#include "tools/cli/json_output.h"
#include "tools/cli/lists.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "workflow/base/time.h"

// `docket admin webhooks` and `docket admin dead-letters`: alerts on their way to other systems.
namespace docket::cli {
namespace {

struct DeadLetterInput {
  std::string webhook;
  ListLimit limit;
  std::vector<std::string> ids;
  bool all = false;
};

std::string StateOf(const GlobalOptions& options, const v1::Webhook& webhook) {
  if (!webhook.trouble().empty()) return absl::StrCat("STANDS STILL: ", webhook.trouble());
  std::string state = "delivers";
  if (webhook.has_failing_since()) {
    state = absl::StrCat("FAILING since ", FormatMoment(webhook.failing_since(), options.zone()), ": ",
                         webhook.last_error());
    if (webhook.has_next_attempt_at()) {
      absl::StrAppend(&state, "; next attempt ", FormatMoment(webhook.next_attempt_at(), options.zone()));
    }
  }
  if (webhook.held() > 0) {
    absl::StrAppend(&state, "; ", webhook.held(), " held, the first until ",
                    FormatMoment(webhook.held_until(), options.zone()));
  }
  return state;
}

int Webhooks(GlobalOptions& options) {
  const auto reply = options.client().ListWebhooks(v1::ListWebhooksRequest());
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (PrintJson(options, *reply, "webhooks")) return kExitOk;
  if (reply->webhooks().empty()) *options.out << "this server was started without webhooks (docketd --webhook)\n";
  Table table({{"WEBHOOK"},
               {"POSITION", Table::Align::kRight},
               {"LAG", Table::Align::kRight},
               {"PENDING", Table::Align::kRight},
               {"DELIVERED", Table::Align::kRight},
               {"DEAD", Table::Align::kRight},
               {"STATE"},
               {"URL"}});
  for (const v1::Webhook& one : reply->webhooks()) {
    table.AddRow({one.name(), absl::StrCat(one.position()), absl::StrCat(one.lag()), absl::StrCat(one.pending()),
                  absl::StrCat(one.delivered()), absl::StrCat(one.dead_letters()), StateOf(options, one), one.url()});
  }
  if (!reply->webhooks().empty()) table.Print(*options.out);
  return kExitOk;
}

int DeadLetters(GlobalOptions& options, const DeadLetterInput& input) {
  v1::ListDeadLettersRequest request;
  request.set_webhook(input.webhook);
  const auto reply = ReadPages<v1::ListDeadLettersRequest, v1::ListDeadLettersReply>(
      options, request, input.limit, "dead_letters",
      [](const v1::ListDeadLettersReply& page) { return page.dead_letters_size(); },
      [&](const v1::ListDeadLettersRequest& page) { return options.client().ListDeadLetters(page); });
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (options.format() == OutputFormat::kJsonl) return kExitOk;
  if (PrintJson(options, *reply, "dead_letters")) return kExitOk;
  *options.out << "Given up: " << CountPrefix(input.limit, reply->next_page_token())
               << CountText(reply->dead_letters_size(), "alert", "alerts") << "\n";
  Table table({{"WEBHOOK"},
               {"POSITION", Table::Align::kRight},
               {"CASE"},
               {"KIND"},
               {"ATTEMPTS", Table::Align::kRight},
               {"GIVEN UP"},
               {"LAST ERROR"}});
  for (const v1::DeadLetter& one : reply->dead_letters()) {
    table.AddRow({one.webhook(), absl::StrCat(one.position()), one.case_no(), v1::AlertKind_Name(one.kind()),
                  absl::StrCat(one.attempts()), FormatMoment(one.dead_at(), options.zone()), one.last_error()});
  }
  if (!reply->dead_letters().empty()) table.Print(*options.out);
  PrintMore(options, reply->next_page_token());
  return kExitOk;
}

int Replay(GlobalOptions& options, const DeadLetterInput& input) {
  if (input.all == !input.ids.empty())
    return ReportUsage(options, "which dead letters? want positions or ids, or --all");
  v1::ReplayDeadLettersRequest request;
  request.set_webhook(input.webhook);
  request.set_all(input.all);
  for (const std::string& id : input.ids) request.add_ids(id);
  const auto reply = options.client().ReplayDeadLetters(request);
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (PrintJson(options, *reply)) return kExitOk;
  *options.out << CountText(reply->replayed(), "alert", "alerts") << " on the way again\n";
  return kExitOk;
}

}  // namespace

void AddOutboxCommands(CLI::App& admin, GlobalOptions& options) {
  AddCommand(admin, "webhooks", "Who is sent alerts, and how far they have come", options,
             [&options] { return Webhooks(options); });
  const auto input = std::make_shared<DeadLetterInput>();
  CLI::App* letters = admin.add_subcommand("dead-letters", "Alerts that were given up");
  letters->require_subcommand(0, 1);
  letters->add_option("--webhook", input->webhook, "Only of this webhook");
  input->limit.AddTo(letters);
  letters->callback([&options, letters, input] {
    if (letters->get_subcommands().empty()) options.exit_code = DeadLetters(options, *input);
  });
  CLI::App* replay =
      AddCommand(*letters, "replay", "Send them again", options, [&options, input] { return Replay(options, *input); });
  replay->add_option("ID", input->ids, "Positions or ids, as listed");
  replay->add_flag("--all", input->all, "Every one of them");
  replay->footer("Example:\n  docket admin dead-letters replay --webhook ops --all");
}

}  // namespace docket::cli
