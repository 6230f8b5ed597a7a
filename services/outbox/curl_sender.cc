#include "services/outbox/curl_sender.h"

#include <deque>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "curl/curl.h"
#include "workflow/base/check.h"
#include "workflow/base/mutex.h"

namespace docket::outbox {
namespace {

constexpr int kPollMs = 60'000;  // the longest sleep; whatever happens ends it earlier

// One exchange. Everything curl reads stays here until it has ended.
struct Transfer {
  ~Transfer() {
    curl_slist_free_all(headers);
    if (handle != nullptr) curl_easy_cleanup(handle);
  }
  SendRequest request;
  absl::AnyInvocable<void(SendResult)> done;
  CURL* handle = nullptr;
  curl_slist* headers = nullptr;
  size_t received = 0;
};

// Throws the body away. Answering less than it got ends the transfer.
size_t Discard(char*, size_t size, size_t count, void* transfer) {
  size_t& received = static_cast<Transfer*>(transfer)->received;
  received += size * count;
  return received > kMaxResponseBytes ? 0 : size * count;
}

SendResult ResultOf(CURL* handle, CURLcode code) {
  SendResult result;
  long status = 0;  // NOLINT(google-runtime-int): curl's type
  curl_off_t retry_after = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &retry_after);
  // Cut off by us, with the status known.
  if (code == CURLE_OK || code == CURLE_WRITE_ERROR) result.http_status = static_cast<int>(status);
  result.retry_after = absl::Seconds(retry_after);
  if (result.http_status == 0) {
    result.error = curl_easy_strerror(code);
  } else if (result.http_status < 200 || result.http_status > 299) {
    result.error = absl::StrCat("HTTP ", result.http_status);
  }
  return result;
}

class CurlSender final : public Sender {
 public:
  explicit CurlSender(std::string user_agent) : user_agent_(std::move(user_agent)) {
    DOCKET_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    multi_ = curl_multi_init();
    DOCKET_CHECK(multi_ != nullptr);
    thread_ = std::thread([this] { Run(); });
  }

  ~CurlSender() override {
    {
      const MutexLock lock(&mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    for (const auto& [handle, transfer] : running_) curl_multi_remove_handle(multi_, handle);
    running_.clear();
    curl_multi_cleanup(multi_);
  }

  void Send(SendRequest request, absl::AnyInvocable<void(SendResult)> done) override {
    auto transfer = std::make_unique<Transfer>();
    transfer->request = std::move(request);
    transfer->done = std::move(done);
    {
      const MutexLock lock(&mutex_);
      waiting_.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi_);
  }

 private:
  void Run() {
    while (BeginWaiting()) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      FinishEnded();
      curl_multi_poll(multi_, nullptr, 0, kPollMs, nullptr);
    }
  }

  // False: stop.
  bool BeginWaiting() {
    std::deque<std::unique_ptr<Transfer>> waiting;
    {
      const MutexLock lock(&mutex_);
      if (stopping_) return false;
      waiting.swap(waiting_);
    }
    for (auto& transfer : waiting) Begin(std::move(transfer));
    return true;
  }

  void Begin(std::unique_ptr<Transfer> transfer) {
    CURL* handle = curl_easy_init();
    if (handle == nullptr) return transfer->done({.error = "no memory for a transfer"});
    transfer->handle = handle;
    SetUp(handle, transfer.get());
    curl_multi_add_handle(multi_, handle);
    running_[handle] = std::move(transfer);
  }

  void SetUp(CURL* handle, Transfer* transfer) {
    const SendRequest& request = transfer->request;
    for (const std::string& header : request.headers) {
      transfer->headers = curl_slist_append(transfer->headers, header.c_str());
    }
    transfer->headers = curl_slist_append(transfer->headers, "Expect:");  // no waiting for a go-ahead
    curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_POST, 1L);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, user_agent_.c_str());
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!request.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, request.ca_file.c_str());
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, absl::ToInt64Milliseconds(request.connect_timeout));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, absl::ToInt64Milliseconds(request.timeout));
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, Discard);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, transfer);
  }

  void FinishEnded() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* handle = message->easy_handle;
      const CURLcode code = message->data.result;  // gone with the handle
      const auto found = running_.find(handle);
      const std::unique_ptr<Transfer> transfer = std::move(found->second);
      running_.erase(found);
      const SendResult result = ResultOf(handle, code);
      curl_multi_remove_handle(multi_, handle);
      transfer->done(result);
    }
  }

  const std::string user_agent_;
  CURLM* multi_ = nullptr;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> running_;  // the thread's
  Mutex mutex_;
  std::deque<std::unique_ptr<Transfer>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Sender> MakeCurlSender(const std::string& user_agent) {
  return std::make_unique<CurlSender>(user_agent);
}

}  // namespace docket::outbox
