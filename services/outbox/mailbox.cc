#include "services/outbox/mailbox.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/outbox/cloud_event.h"
#include "services/outbox/rows.h"
#include "services/outbox/signature.h"
#include "services/query/filter_names.h"
#include "spdlog/spdlog.h"
#include "store/record_format.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::outbox {
namespace {

v1::OutboxLetter LetterOf(const v1::Alert& alert) {
  v1::OutboxLetter letter;
  letter.set_position(alert.position());
  letter.set_commit(alert.commit());
  letter.set_case_id(alert.case_id());
  letter.set_case_no(alert.case_no());
  letter.set_kind(alert.kind());
  if (alert.has_notify_at()) letter.set_next_attempt_at_us(absl::ToUnixMicros(FromProto(alert.notify_at())));
  return letter;
}

absl::StatusOr<v1::CommitRecord> RecordOf(const engine::Engine& engine, uint64_t commit) {
  if (const engine::Feed::Record held = engine.feed().Get(commit)) return *held;
  DOCKET_ASSIGN_OR_RETURN(const std::string stored, engine.log().Read(commit));
  return store::DecodeRecord(stored);
}

// Deletes every row of `webhook`, which are about another log than this.
template <class Row>
absl::Status DeleteAll(const store::KvSnapshot& snapshot, const std::string& webhook, store::KvBatch* batch) {
  auto scan = ScanOf<Row>(snapshot, webhook);
  for (; scan.Valid(); scan.Next()) batch->Delete(store::kOutboxFamily, std::string(scan.key()));
  return scan.status();
}

}  // namespace

Mailbox::Mailbox(const WebhookOptions& options, const engine::Engine& engine, const store::KvStore& kv)
    : options_(options),
      engine_(engine),
      kv_(kv),
      log_id_(engine.log().Head().log_id),
      viewer_{.principal_id = engine::kSystemPrincipal},
      everything_(v1::AlertFilter(), viewer_),
      delivery_(options.policy) {
  status_.set_name(options.name);
  status_.set_url(ShownUrl(options.url));
  *status_.mutable_filter() = options.filter;
}

absl::StatusOr<std::unique_ptr<Mailbox>> Mailbox::Open(const WebhookOptions& options, const engine::Engine& engine,
                                                       const store::KvStore& kv, store::KvBatch* batch) {
  std::unique_ptr<Mailbox> mailbox(new Mailbox(options, engine, kv));
  DOCKET_RETURN_IF_ERROR(mailbox->Load(batch));
  v1::WatchAlertsRequest request;
  request.set_from_position(mailbox->position_ + 1);
  *request.mutable_filter() = options.filter;
  DOCKET_ASSIGN_OR_RETURN(query::AlertFollower follower, query::AlertFollower::Open(engine, request, mailbox->viewer_));
  mailbox->follower_ = std::make_unique<query::AlertFollower>(std::move(follower));
  return mailbox;
}

absl::Status Mailbox::Load(store::KvBatch* batch) {
  const auto snapshot = kv_.Snapshot();
  const uint64_t end = engine_.Read().position;
  DOCKET_ASSIGN_OR_RETURN(const auto row, store::GetRow(*snapshot, store::kOutboxFamily,
                                                        PositionRow{.webhook = options_.name, .value = {}}));
  if (row.has_value() && row->value.log_id() == log_id_ && row->value.position() <= end) {
    position_ = saved_position_ = row->value.position();
    for (auto scan = ScanOf<PendingRow>(*snapshot, options_.name);; scan.Next()) {
      DOCKET_RETURN_IF_ERROR(scan.status());
      if (!scan.Valid()) break;
      DOCKET_ASSIGN_OR_RETURN(PendingRow pending, scan.Get());
      delivery_.Add(std::move(pending.value));
    }
    for (auto scan = ScanOf<DeadRow>(*snapshot, options_.name);; scan.Next()) {
      DOCKET_RETURN_IF_ERROR(scan.status());
      if (!scan.Valid()) break;
      status_.set_dead_letters(status_.dead_letters() + 1);
    }
    return absl::OkStatus();
  }
  if (row.has_value()) {
    // The log was restored, or is another one. What it has told already must not be told again (DOMAIN R13).
    spdlog::warn("webhook {}: its letters are of another log, or of a longer one; it begins at the end", options_.name);
    DOCKET_RETURN_IF_ERROR(DeleteAll<PendingRow>(*snapshot, options_.name, batch));
    DOCKET_RETURN_IF_ERROR(DeleteAll<DeadRow>(*snapshot, options_.name, batch));
  }
  position_ = row.has_value() || options_.from_position == 0 ? end : options_.from_position - 1;
  saved_position_ = position_ + 1;  // differs, so that it is put down
  PutPosition(batch);
  return absl::OkStatus();
}

void Mailbox::PutPosition(store::KvBatch* batch) {
  if (position_ == saved_position_) return;
  PositionRow row{.webhook = options_.name, .value = {}};
  row.value.set_log_id(log_id_);
  row.value.set_position(position_);
  Put(row, batch);
  saved_position_ = position_;
}

void Mailbox::AddLetter(const v1::Alert& alert, store::KvBatch* batch) {
  v1::OutboxLetter letter = LetterOf(alert);
  Put(PendingOf(options_.name, letter), batch);
  delivery_.Add(std::move(letter));
}

bool Mailbox::Read(absl::Time now, store::KvBatch* batch) {
  // A message holds up to that many alerts, and is taken whole.
  if (room() < 2 * query::BatchLimit::kMaxEvents) return false;
  auto reply = follower_->Next(engine_);
  if (!reply.ok()) {
    if (trouble_.ok()) spdlog::error("webhook {}: {}", options_.name, std::string(reply.status().message()));
    trouble_ = reply.status();
    return false;
  }
  trouble_ = absl::OkStatus();
  if (!reply->has_value()) return false;
  for (const v1::Alert& alert : (*reply)->alerts()) AddLetter(alert, batch);
  position_ = (*reply)->progress();
  if (!(*reply)->alerts().empty() || now - saved_at_ >= kPositionInterval) {
    PutPosition(batch);
    saved_at_ = now;
  }
  return position_ < engine_.Read().position;
}

absl::StatusOr<v1::Alert> Mailbox::AlertOf(const v1::OutboxLetter& letter) {
  DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, RecordOf(engine_, letter.commit()));
  const query::Reader reader = query::OpenReader(engine_, viewer_);
  DOCKET_ASSIGN_OR_RETURN(std::vector<v1::Alert> alerts,
                          builder_.Build(reader, everything_, record, letter.position()));
  if (alerts.empty() || alerts[0].position() != letter.position()) {
    return absl::DataLossError(absl::StrCat("there is no alert at position ", letter.position()));
  }
  return std::move(alerts[0]);
}

absl::StatusOr<std::string> Mailbox::PrecedingLost(const v1::OutboxLetter& letter) const {
  const std::string upper = store::RowKey(DeadOf(options_.name, letter));
  const std::string lower =
      store::KeyWriter().U16(DeadRow::kKeyspace).Text(options_.name).Text(letter.case_id()).Take();
  DOCKET_ASSIGN_OR_RETURN(const auto last, kv_.Snapshot()->Last(store::kOutboxFamily, lower, upper));
  if (!last.has_value()) return std::string();
  DOCKET_ASSIGN_OR_RETURN(const DeadRow dead, store::ParseRow<DeadRow>(last->first, last->second));
  return CloudEventId(log_id_, dead.position);
}

absl::StatusOr<SendRequest> Mailbox::RequestFor(const v1::OutboxLetter& letter, absl::Time now) {
  DOCKET_ASSIGN_OR_RETURN(const v1::Alert alert, AlertOf(letter));
  DOCKET_ASSIGN_OR_RETURN(const std::string lost, PrecedingLost(letter));
  SendRequest request;
  request.url = options_.url;
  request.body = CloudEventBody(log_id_, alert, lost);
  request.headers = {absl::StrCat("Content-Type: ", kContentType),
                     absl::StrCat(kSignatureHeader, ": ", Sign(options_.secret, now, request.body))};
  request.connect_timeout = options_.connect_timeout;
  request.timeout = options_.timeout;
  request.ca_file = options_.ca_file;
  return request;
}

void Mailbox::Send(absl::Time now, Sender& sender, std::function<void(uint64_t position, SendResult)> done) {
  for (const v1::OutboxLetter& letter : delivery_.TakeDue(now)) {
    const uint64_t position = letter.position();
    absl::StatusOr<SendRequest> request = RequestFor(letter, now);
    if (!request.ok()) {
      done(position, {.error = std::string(request.status().message())});
      continue;
    }
    sender.Send(*std::move(request), [done, position](SendResult result) { done(position, std::move(result)); });
  }
}

Delivery::Verdict Mailbox::Finish(uint64_t position, const SendResult& result, absl::Time now, double chance,
                                  store::KvBatch* batch) {
  v1::OutboxLetter letter;
  const bool may_give_up = status_.dead_letters() < kMaxDeadLetters;
  const Delivery::Verdict verdict = delivery_.Finish(position, result, now, chance, may_give_up, &letter);
  if (verdict == Delivery::Verdict::kDelivered) {
    status_.set_delivered(status_.delivered() + 1);
    *status_.mutable_last_delivered_at() = ToProto(now);
    Delete(PendingOf(options_.name, letter), batch);
    return verdict;
  }
  status_.set_failed(status_.failed() + 1);
  status_.set_last_error(result.error);
  *status_.mutable_last_error_at() = ToProto(now);
  if (verdict == Delivery::Verdict::kRetry) {
    Put(PendingOf(options_.name, letter), batch);
    return verdict;
  }
  Delete(PendingOf(options_.name, letter), batch);
  Put(DeadOf(options_.name, letter), batch);
  status_.set_dead_letters(status_.dead_letters() + 1);
  spdlog::error("webhook {}: gave up {} after {} attempts: {}", options_.name, CloudEventId(log_id_, position),
                letter.attempts(), result.error);
  return verdict;
}

absl::StatusOr<uint64_t> Mailbox::Replay(absl::FunctionRef<bool(uint64_t position)> wanted, absl::Time now,
                                         store::KvBatch* batch) {
  const auto snapshot = kv_.Snapshot();
  uint64_t replayed = 0;
  for (auto scan = ScanOf<DeadRow>(*snapshot, options_.name);; scan.Next()) {
    DOCKET_RETURN_IF_ERROR(scan.status());
    if (!scan.Valid() || delivery_.Full()) break;
    DOCKET_ASSIGN_OR_RETURN(const DeadRow dead, scan.Get());
    if (!wanted(dead.position)) continue;
    v1::OutboxLetter letter = dead.value;
    letter.clear_attempts();
    letter.clear_first_attempt_at_us();
    letter.clear_dead_at_us();
    letter.set_next_attempt_at_us(absl::ToUnixMicros(now));
    Delete(dead, batch);
    Put(PendingOf(options_.name, letter), batch);
    if (!delivery_.Add(std::move(letter))) continue;
    ++replayed;
    status_.set_dead_letters(status_.dead_letters() - 1);
  }
  if (replayed > 0) delivery_.EndPause();
  return replayed;
}

v1::Webhook Mailbox::Describe() const {
  v1::Webhook webhook = status_;
  webhook.set_position(position_);
  webhook.set_pending(static_cast<uint32_t>(delivery_.pending()));
  webhook.set_in_flight(static_cast<uint32_t>(delivery_.in_flight()));
  if (delivery_.failing_since() != absl::InfiniteFuture()) {
    *webhook.mutable_failing_since() = ToProto(delivery_.failing_since());
  }
  if (delivery_.NextDue() != absl::InfiniteFuture() && delivery_.NextDue() != absl::InfinitePast()) {
    *webhook.mutable_next_attempt_at() = ToProto(delivery_.NextDue());
  }
  webhook.set_held(static_cast<uint32_t>(delivery_.held()));
  if (delivery_.held() > 0) *webhook.mutable_held_until() = ToProto(delivery_.held_until());
  if (!trouble_.ok()) webhook.set_trouble(std::string(trouble_.message()));
  return webhook;
}

}  // namespace docket::outbox
