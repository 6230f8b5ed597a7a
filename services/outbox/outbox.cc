#include "services/outbox/outbox.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/outbox/cloud_event.h"
#include "services/outbox/mailbox.h"
#include "services/outbox/metrics.h"
#include "services/outbox/rows.h"
#include "services/query/page_token.h"
#include "spdlog/spdlog.h"
#include "workflow/base/check.h"
#include "workflow/base/mutex.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::outbox {
namespace {

// The longest sleep: what the clock does by itself, such as a step, is noticed after that.
constexpr absl::Duration kMaxSleep = absl::Seconds(1);
// Between attempts to write to a store that takes no writes.
constexpr absl::Duration kSaveRetry = absl::Seconds(1);

struct Completion {
  size_t mailbox;
  uint64_t position;
  SendResult result;
};
struct ReplayTask {
  v1::ReplayDeadLettersRequest request;
  Outbox::ReplayDone done;
};

// What other threads tell the outbox's. Shared with them, for a wake may be under way when the outbox ends.
struct Inbox {
  Mutex mutex;
  CondVar changed;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  bool log_moved ABSL_GUARDED_BY(mutex) = false;
  bool woken ABSL_GUARDED_BY(mutex) = false;
  std::deque<Completion> completions ABSL_GUARDED_BY(mutex);
  std::deque<ReplayTask> replays ABSL_GUARDED_BY(mutex);

  bool HasWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return stopping || woken || !completions.empty() || !replays.empty();
  }
};

absl::Status Stopping() { return Refuse(absl::StatusCode::kUnavailable, "STOPPING", "the server is stopping"); }

class OutboxImpl final : public Outbox {
 public:
  explicit OutboxImpl(OutboxOptions options)
      : engine_(options.engine),
        kv_(options.kv),
        clock_(options.engine->environment().clock),
        inbox_(std::make_shared<Inbox>()),
        registry_(options.metrics != nullptr ? options.metrics : std::make_shared<prometheus::Registry>()),
        sender_(std::move(options.sender)) {
    for (const WebhookOptions& webhook : options.webhooks) {
      metrics_.push_back(std::make_unique<WebhookMetrics>(registry_, webhook.name));
    }
  }

  absl::Status Start(const std::vector<WebhookOptions>& webhooks) {
    const std::vector<store::Family> families = kv_->Families();
    if (std::find(families.begin(), families.end(), store::kOutboxFamily) == families.end()) {
      DOCKET_RETURN_IF_ERROR(kv_->CreateFamily(store::kOutboxFamily));
    }
    for (const WebhookOptions& webhook : webhooks) {
      auto mailbox = Mailbox::Open(webhook, *engine_, *kv_, &batch_);
      if (!mailbox.ok()) {
        return absl::Status(mailbox.status().code(),
                            absl::StrCat("webhook ", webhook.name, ": ", mailbox.status().message()));
      }
      mailboxes_.push_back(*std::move(mailbox));
    }
    // Where a new webhook begins must not depend on when the server ends.
    // A full disk must not keep the server from starting; nor can the log move on then.
    if (!Save() && !absl::IsResourceExhausted(save_error_)) return save_error_;
    Publish();
    subscription_ = engine_->feed().Subscribe([inbox = inbox_] {
      const MutexLock lock(&inbox->mutex);
      if (inbox->log_moved) return;
      inbox->log_moved = true;
      inbox->changed.NotifyOne();
    });
    thread_ = std::thread([this] { Run(); });
    return absl::OkStatus();
  }

  ~OutboxImpl() override {
    if (!thread_.joinable()) return;
    {
      const MutexLock lock(&inbox_->mutex);
      inbox_->stopping = true;
      inbox_->changed.NotifyOne();
    }
    thread_.join();
    engine_->feed().Unsubscribe(subscription_);
  }

  v1::ListWebhooksReply ListWebhooks() const override {
    const uint64_t end = engine_->Read().position;
    const MutexLock lock(&status_mutex_);
    v1::ListWebhooksReply reply = status_;
    for (v1::Webhook& webhook : *reply.mutable_webhooks()) {
      webhook.set_lag(end > webhook.position() ? end - webhook.position() : 0);
    }
    return reply;
  }

  absl::StatusOr<v1::ListDeadLettersReply> ListDeadLetters(const query::Reader& reader,
                                                           const v1::ListDeadLettersRequest& request) const override;

  void Replay(v1::ReplayDeadLettersRequest request, ReplayDone done) override {
    const absl::Status bad = CheckReplay(request);
    if (!bad.ok()) return done(bad);
    absl::Status refused;
    {
      const MutexLock lock(&inbox_->mutex);
      if (inbox_->stopping) {
        refused = Stopping();
      } else if (inbox_->replays.size() >= kMaxWaitingReplays) {
        refused = Refuse(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                         absl::StrCat(kMaxWaitingReplays, " replays are waiting; try again later"));
      } else {
        inbox_->replays.push_back({std::move(request), std::move(done)});
        inbox_->changed.NotifyOne();
      }
    }
    if (!refused.ok()) done(refused);
  }

  void Wake() override {
    const MutexLock lock(&inbox_->mutex);
    inbox_->woken = true;
    inbox_->changed.NotifyOne();
  }

 private:
  bool Knows(const std::string& webhook) const {
    return std::any_of(mailboxes_.begin(), mailboxes_.end(),
                       [&](const auto& mailbox) { return mailbox->name() == webhook; });
  }
  absl::Status CheckWebhook(const std::string& webhook) const {
    if (webhook.empty() || Knows(webhook)) return absl::OkStatus();
    const auto name = [](std::string* out, const auto& mailbox) { out->append(mailbox->name()); };
    return RefuseFields(
        "UNKNOWN_WEBHOOK",
        {{"webhook", absl::StrCat("\"", webhook, "\", want one of ", absl::StrJoin(mailboxes_, ", ", name))}});
  }
  // The positions of `request`.
  absl::StatusOr<std::set<uint64_t>> PositionsOf(const v1::ReplayDeadLettersRequest& request) const {
    const std::string log_id = engine_->log().Head().log_id;
    std::set<uint64_t> positions;
    std::vector<BadField> bad;
    for (int i = 0; i < request.ids_size(); ++i) {
      const std::optional<uint64_t> position = ParseCloudEventId(request.ids(i), log_id);
      if (position.has_value()) {
        positions.insert(*position);
      } else {
        bad.push_back({absl::StrCat("ids[", i, "]"), absl::StrCat("\"", request.ids(i), "\" is no id of this log")});
      }
    }
    if (!bad.empty()) return RefuseFields("INVALID_FIELD", bad);
    return positions;
  }
  absl::Status CheckReplay(const v1::ReplayDeadLettersRequest& request) const {
    DOCKET_RETURN_IF_ERROR(CheckWebhook(request.webhook()));
    if (request.ids().empty() == !request.all()) {
      return RefuseFields("INVALID_FIELD", {{"ids", "want either ids or all"}});
    }
    return PositionsOf(request).status();
  }

  // --- the outbox's thread

  void Run() {
    while (true) {
      std::deque<Completion> completions;
      std::deque<ReplayTask> replays;
      {
        const MutexLock lock(&inbox_->mutex);
        if (inbox_->stopping) break;
        completions.swap(inbox_->completions);
        replays.swap(inbox_->replays);
        inbox_->woken = inbox_->log_moved = false;
      }
      const bool more = Round(std::move(completions), std::move(replays));
      Publish();
      if (!more) Rest();
    }
    End();
  }

  // True: there is more to read at once.
  bool Round(std::deque<Completion> completions, std::deque<ReplayTask> replays) {
    for (const Completion& completion : completions) Finish(completion);
    bool saved = Save();
    for (ReplayTask& task : replays) {
      const absl::StatusOr<v1::ReplayDeadLettersReply> reply = saved ? ReplayNow(task.request) : save_error_;
      saved = Save();
      task.done(saved || !reply.ok() ? reply : save_error_);
    }
    bool more = false;
    for (size_t i = 0; saved && i < mailboxes_.size(); ++i) more |= mailboxes_[i]->Read(clock_->Now(), &batch_);
    if (!saved || !Save()) return false;
    for (size_t i = 0; i < mailboxes_.size(); ++i) {
      mailboxes_[i]->Send(clock_->Now(), *sender_, [inbox = inbox_, i](uint64_t position, SendResult result) {
        const MutexLock lock(&inbox->mutex);
        inbox->completions.push_back({i, position, std::move(result)});
        inbox->changed.NotifyOne();
      });
    }
    return more;
  }

  // The log is not looked at again before kReadPace has passed; then not before it has moved, or something is due.
  void Rest() {
    absl::Time next = absl::InfiniteFuture();
    for (const auto& mailbox : mailboxes_) next = std::min(next, mailbox->NextDue());
    absl::Duration sleep = std::clamp(next - clock_->Now(), absl::ZeroDuration(), kMaxSleep);
    if (!save_error_.ok()) sleep = kSaveRetry;
    const MutexLock lock(&inbox_->mutex);
    const auto work = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(inbox_->mutex) { return inbox_->HasWork(); };
    if (inbox_->changed.WaitFor(&inbox_->mutex, std::min(sleep, kReadPace), work)) return;
    inbox_->changed.WaitFor(&inbox_->mutex, sleep - std::min(sleep, kReadPace),
                            [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(inbox_->mutex) {
                              return inbox_->HasWork() || (inbox_->log_moved && save_error_.ok());
                            });
  }

  void Finish(const Completion& completion) {
    const Delivery::Verdict verdict = mailboxes_[completion.mailbox]->Finish(completion.position, completion.result,
                                                                             clock_->Now(), Chance(), &batch_);
    WebhookMetrics& metrics = *metrics_[completion.mailbox];
    (verdict == Delivery::Verdict::kDelivered ? metrics.delivered : metrics.failed).Increment();
    if (verdict == Delivery::Verdict::kDead) metrics.dead.Increment();
  }

  double Chance() const {
    const std::string bytes = engine_->environment().random(sizeof(uint32_t));
    uint32_t number = 0;
    std::memcpy(&number, bytes.data(), sizeof(number));
    return number / 4294967296.0;
  }

  // Writes the batch. While it cannot be written nothing is read or sent: so neither the batch grows, nor is a letter
  // told before the dead one it must speak of.
  bool Save() {
    if (batch_.empty()) return true;
    const absl::Status status = kv_->Write(batch_, /*sync=*/true);
    if (status.ok()) {
      if (!save_error_.ok()) spdlog::info("the outbox can be written again");
      save_error_ = absl::OkStatus();
      batch_.Clear();
      return true;
    }
    if (save_error_.ok())
      spdlog::error("no webhook is served: the outbox cannot be written: {}", std::string(status.message()));
    save_error_ = status;
    return false;
  }

  absl::StatusOr<v1::ReplayDeadLettersReply> ReplayNow(const v1::ReplayDeadLettersRequest& request) {
    DOCKET_ASSIGN_OR_RETURN(const std::set<uint64_t> positions, PositionsOf(request));
    DOCKET_RETURN_IF_ERROR(FindAll(request, positions));
    v1::ReplayDeadLettersReply reply;
    const auto wanted = [&](uint64_t position) { return request.all() || positions.count(position) > 0; };
    for (const auto& mailbox : mailboxes_) {
      if (!request.webhook().empty() && mailbox->name() != request.webhook()) continue;
      DOCKET_ASSIGN_OR_RETURN(const uint64_t replayed, mailbox->Replay(wanted, clock_->Now(), &batch_));
      reply.set_replayed(reply.replayed() + replayed);
    }
    return reply;
  }

  // Every id names a dead letter, and there is room for all of them.
  absl::Status FindAll(const v1::ReplayDeadLettersRequest& request, std::set<uint64_t> positions) const {
    const auto snapshot = kv_->Snapshot();
    for (const auto& mailbox : mailboxes_) {
      if (!request.webhook().empty() && mailbox->name() != request.webhook()) continue;
      if (mailbox->room() < std::max<size_t>(1, request.ids_size())) {
        return Refuse(absl::StatusCode::kResourceExhausted, "OUTBOX_FULL",
                      absl::StrCat("webhook ", mailbox->name(), " has ", kMaxPending - mailbox->room(),
                                   " pending letters, want room for more below ", kMaxPending));
      }
      if (request.all()) continue;
      auto scan = ScanOf<DeadRow>(*snapshot, mailbox->name());
      for (; scan.Valid(); scan.Next()) {
        DOCKET_ASSIGN_OR_RETURN(const DeadRow dead, scan.Get());
        positions.erase(dead.position);
      }
      DOCKET_RETURN_IF_ERROR(scan.status());
    }
    if (request.all() || positions.empty()) return absl::OkStatus();
    return Refuse(absl::StatusCode::kNotFound, "DEAD_LETTER_NOT_FOUND",
                  absl::StrCat("ids: no dead letter at ", absl::StrJoin(positions, ", ")));
  }

  void Publish() {
    v1::ListWebhooksReply status;
    const uint64_t end = engine_->Read().position;
    for (size_t i = 0; i < mailboxes_.size(); ++i) {
      v1::Webhook* webhook = status.add_webhooks();
      *webhook = mailboxes_[i]->Describe();
      if (!save_error_.ok()) webhook->set_trouble("the outbox cannot be written");
      metrics_[i]->pending.Set(webhook->pending());
      metrics_[i]->lag.Set(end > webhook->position() ? static_cast<double>(end - webhook->position()) : 0);
      metrics_[i]->failing.Set(webhook->has_failing_since() ? 1 : 0);
    }
    const MutexLock lock(&status_mutex_);
    status_ = std::move(status);
  }

  void End() {
    for (const auto& mailbox : mailboxes_) mailbox->PutPosition(&batch_);
    Save();
    std::deque<ReplayTask> replays;
    {
      const MutexLock lock(&inbox_->mutex);
      replays.swap(inbox_->replays);
    }
    for (ReplayTask& task : replays) task.done(Stopping());
  }

  engine::Engine* const engine_;
  store::KvStore* const kv_;
  const std::shared_ptr<engine::Clock> clock_;
  const std::shared_ptr<Inbox> inbox_;
  const std::shared_ptr<prometheus::Registry> registry_;  // owns what metrics_ refers to
  std::vector<std::unique_ptr<WebhookMetrics>> metrics_;
  std::vector<std::unique_ptr<Mailbox>> mailboxes_;  // the list itself never changes after Start
  store::KvBatch batch_;
  absl::Status save_error_;
  uint64_t subscription_ = 0;
  mutable Mutex status_mutex_;
  v1::ListWebhooksReply status_ ABSL_GUARDED_BY(status_mutex_);
  std::unique_ptr<Sender> sender_;
  std::thread thread_;
};

absl::StatusOr<v1::ListDeadLettersReply> OutboxImpl::ListDeadLetters(const query::Reader& reader,
                                                                     const v1::ListDeadLettersRequest& request) const {
  DOCKET_RETURN_IF_ERROR(CheckWebhook(request.webhook()));
  const std::string digest = query::QueryDigest(request, reader.viewer);
  query::Cursor cursor{.key = "", .valid_at = reader.now, .known_at = reader.now};
  if (!request.page_token().empty()) {
    DOCKET_ASSIGN_OR_RETURN(cursor, query::DecodePageToken(request.page_token(), digest));
  }
  store::KeyWriter prefix;
  prefix.U16(DeadRow::kKeyspace);
  if (!request.webhook().empty()) prefix.Text(request.webhook());
  const std::string lower = prefix.str();
  const auto snapshot = kv_->Snapshot();
  store::RowScan<DeadRow> scan(*snapshot, store::kOutboxFamily,
                               cursor.key.empty() ? lower : std::max(lower, cursor.key + '\0'),
                               store::PrefixEnd(lower));
  v1::ListDeadLettersReply reply;
  const std::string log_id = engine_->log().Head().log_id;
  for (; scan.Valid(); scan.Next()) {
    if (reply.dead_letters_size() == static_cast<int>(query::PageSize(request.page_size()))) {
      reply.set_next_page_token(query::EncodePageToken(digest, cursor));
      return reply;
    }
    DOCKET_ASSIGN_OR_RETURN(const DeadRow dead, scan.Get());
    v1::DeadLetter* letter = reply.add_dead_letters();
    letter->set_webhook(dead.webhook);
    letter->set_id(CloudEventId(log_id, dead.position));
    letter->set_position(dead.position);
    letter->set_commit(dead.value.commit());
    letter->set_case_id(dead.case_id);
    letter->set_case_no(dead.value.case_no());
    letter->set_kind(dead.value.kind());
    letter->set_attempts(dead.value.attempts());
    *letter->mutable_first_attempt_at() = ToProto(absl::FromUnixMicros(dead.value.first_attempt_at_us()));
    *letter->mutable_dead_at() = ToProto(absl::FromUnixMicros(dead.value.dead_at_us()));
    letter->set_last_error(dead.value.last_error());
    cursor.key = std::string(scan.key());
  }
  DOCKET_RETURN_IF_ERROR(scan.status());
  return reply;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Outbox>> Outbox::Open(OutboxOptions options) {
  const std::vector<WebhookOptions> webhooks = options.webhooks;
  auto outbox = std::make_unique<OutboxImpl>(std::move(options));
  DOCKET_RETURN_IF_ERROR(outbox->Start(webhooks));
  return std::unique_ptr<Outbox>(std::move(outbox));
}

}  // namespace docket::outbox
