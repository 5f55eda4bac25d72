#include "server/api/unary_inference.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <utility>

#include <grpcpp/support/async_unary_call.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include "core/base/clock.h"
#include "server/api/call_deadline.h"
#include "server/end_of_call.h"
#include "server/rpc/completion_tag.h"
#include "server/rpc/rpc_status.h"

namespace mlp {
namespace {

// Calls that may arrive before the queue is polled again without waiting for a new slot.
constexpr int kArmedCalls = 64;
// Calls that are kept for use again; a burst's others go.
constexpr size_t kKeptCalls = 1024;
constexpr size_t kKeptResponseBytes = 65536;

}  // namespace

// armed -> arrived -> with the batcher -> answered -> armed again, once both of its last tags have
// come back: that of its answer, and the one that says whether it was cancelled.
class UnaryInference::Call final : public InferenceCaller {
 public:
  explicit Call(UnaryInference& method) : method_(method), message_(method.method_.make_message()) {
    message_->set_caller(*this);
  }

  // Where the method keeps it.
  size_t index() const { return index_; }
  void set_index(size_t index) { index_ = index; }

  // Waits for the next call.
  void Arm() {
    cancelled_.store(false, std::memory_order_relaxed);
    tags_under_way_ = 2;
    writer_.reset();
    context_.emplace();
    writer_.emplace(&*context_);
    context_->AsyncNotifyWhenDone(&done_tag_);
    grpc::ServerCompletionQueue& queue = method_.poller_.queue();
    method_.method_.request_call(&*context_, &buffer_, &*writer_, &queue, &queue, &arrived_tag_);
  }

  absl::Status Waiting() const override {
    if (!cancelled_.load(std::memory_order_relaxed)) return absl::OkStatus();
    return CallerGone();
  }

  void Answered(InferenceMessage&, const absl::Status& status) override {
    const absl::Status made = !status.ok() ? status : CatchExceptions([this] {
      response_.clear();
      message_->AppendResponse(absl::OkStatus(), response_);
      return absl::OkStatus();
    });
    const grpc::Status concluded =
        ConcludeRpc(*method_.method_.metrics, made, Clock::System().Elapsed() - arrival_);
    if (!concluded.ok()) {
      writer_->FinishWithError(concluded, &answered_tag_);
      return;
    }
    const grpc::Slice slice(response_);
    const grpc::ByteBuffer bytes(&slice, 1);
    writer_->Finish(bytes, concluded, &answered_tag_);
  }

 private:
  void Arrived(bool ok) {
    if (!ok) return;  // the server shuts down and the call never came
    method_.Arm();
    arrival_ = Clock::System().Elapsed();
    absl::Status read;
    {
      grpc::ProtoBufferReader in(&buffer_);
      read = CatchExceptions([&] {
        const absl::Status parsed = message_->Parse(in);
        return parsed.ok() ? message_->Check() : parsed;
      });
    }
    if (!read.ok()) {
      Answered(*message_, read);
      return;
    }
    message_->set_deadline(
        std::min(CallDeadline(*context_, arrival_), arrival_ + message_->timeout()));
    method_.batcher_.Submit(*message_);
  }

  void AnswerSent(bool) { TagCameBack(); }

  void Done(bool) {
    if (context_->IsCancelled()) cancelled_.store(true, std::memory_order_relaxed);
    TagCameBack();
  }

  // Both on the polling thread.
  void TagCameBack() {
    if (--tags_under_way_ > 0) return;
    message_->Clear();
    buffer_.Clear();
    if (response_.capacity() > kKeptResponseBytes) response_ = std::string();
    method_.Release(*this);
  }

  UnaryInference& method_;
  size_t index_ = 0;
  MemberTag<Call> arrived_tag_{*this, &Call::Arrived};
  MemberTag<Call> answered_tag_{*this, &Call::AnswerSent};
  MemberTag<Call> done_tag_{*this, &Call::Done};
  std::optional<grpc::ServerContext> context_;
  std::optional<grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>> writer_;
  grpc::ByteBuffer buffer_;
  const std::unique_ptr<InferenceMessage> message_;
  std::string response_;
  absl::Duration arrival_;
  std::atomic<bool> cancelled_ = false;
  int tags_under_way_ = 0;
};

UnaryInference::UnaryInference(UnaryInferenceMethod method, Poller& poller, Batcher& batcher)
    : method_(std::move(method)), poller_(poller), batcher_(batcher) {}
UnaryInference::~UnaryInference() = default;

void UnaryInference::Start() {
  for (int i = 0; i < kArmedCalls; ++i) Arm();
}

void UnaryInference::Arm() {
  if (poller_.closed()) return;
  if (free_.empty()) {
    calls_.push_back(std::make_unique<Call>(*this));
    calls_.back()->set_index(calls_.size() - 1);
    free_.push_back(calls_.back().get());
  }
  Call* const call = free_.back();
  free_.pop_back();
  call->Arm();
}

void UnaryInference::Release(Call& call) {
  if (free_.size() < kKeptCalls) {
    free_.push_back(&call);
    return;
  }
  const size_t index = call.index();
  std::swap(calls_[index], calls_.back());
  calls_[index]->set_index(index);
  calls_.pop_back();
}

}  // namespace mlp
