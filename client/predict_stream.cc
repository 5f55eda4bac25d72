#include "client/predict_stream.h"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/strings/str_cat.h>
#include <absl/synchronization/mutex.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include "client/pipelined_stream.h"
#include "client/rpc_status.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr char kMethod[] = "/mlp.v1.PredictionService/StreamPredict";

PredictStream::Answer ToAnswer(v1::StreamPredictResponse& message) {
  PredictStream::Answer answer;
  answer.id = message.id();
  if (message.has_response()) {
    answer.response = std::move(*message.mutable_response());
    return answer;
  }
  const v1::PredictError& error = message.error();
  answer.response = absl::Status(static_cast<absl::StatusCode>(error.code()), error.message());
  // An error whose code says that there is none.
  if (error.code() == 0) answer.response = absl::InternalError("the answer has no result");
  answer.retry_delay = absl::Microseconds(error.retry_delay_us());
  return answer;
}

}  // namespace

class PredictStream::Impl {
 public:
  Impl(std::shared_ptr<grpc::Channel> channel, const PredictStreamOptions& options)
      : max_outstanding_(static_cast<size_t>(std::max(1, options.max_outstanding))),
        stream_(std::move(channel), kMethod,
                {.on_message = [this](grpc::ByteBuffer& message) { OnMessage(message); },
                 .on_end = [this](const grpc::Status& status) { OnEnd(status); }}) {}

  absl::StatusOr<bool> Send(int64_t id, const v1::PredictRequest& request, absl::Duration timeout,
                            bool wait) {
    v1::StreamPredictRequest message;
    message.set_id(id);
    *message.mutable_request() = request;
    if (timeout != absl::InfiniteDuration()) {
      message.set_timeout_us(absl::ToInt64Microseconds(absl::Ceil(timeout, absl::Microseconds(1))));
    }
    grpc::ByteBuffer bytes;
    bool own = false;
    const grpc::Status serialized =
        grpc::SerializationTraits<v1::StreamPredictRequest>::Serialize(message, &bytes, &own);
    if (!serialized.ok()) return FromGrpcStatus(serialized);
    {
      absl::MutexLock lock(&mutex_);
      if (wait) mutex_.Await(absl::Condition(this, &Impl::MaySendLocked));
      if (done_sending_) return absl::FailedPreconditionError("Send: called after DoneSending");
      if (ended_) return EndLocked();
      if (OutstandingLocked() >= max_outstanding_) return false;
      if (!unanswered_.insert(id).second) {
        return absl::InvalidArgumentError(
            absl::StrCat("id: expected one that is not outstanding, got ", id));
      }
    }
    // Where the stream has just ended, Receive says so and that this one was not answered.
    stream_.Send(bytes);
    return true;
  }

  void DoneSending() {
    {
      absl::MutexLock lock(&mutex_);
      done_sending_ = true;
    }
    stream_.DoneSending();
  }

  absl::StatusOr<std::optional<Answer>> Receive() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Impl::MayReceiveLocked));
    if (!answers_.empty()) {
      std::optional<Answer> answer(std::move(answers_.front()));
      answers_.pop_front();
      return answer;
    }
    if (unanswered_.empty() && done_sending_) return std::nullopt;
    return EndLocked();
  }

  std::vector<int64_t> Unanswered() const {
    absl::MutexLock lock(&mutex_);
    return {unanswered_.begin(), unanswered_.end()};
  }

  void Cancel() { stream_.Cancel(); }

 private:
  size_t OutstandingLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return unanswered_.size() + answers_.size();
  }
  bool MaySendLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return ended_ || done_sending_ || OutstandingLocked() < max_outstanding_;
  }
  bool MayReceiveLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return ended_ || !answers_.empty() || (done_sending_ && unanswered_.empty());
  }

  // How the stream ended, which is never OK here: something is not answered, or was to be sent.
  absl::Status EndLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const absl::Status end =
        end_.ok() ? absl::UnavailableError("the server ended the stream") : end_;
    if (unanswered_.empty()) return end;
    return absl::Status(end.code(), absl::StrCat(end.message(), " (", unanswered_.size(),
                                                 " of the requests not answered)"));
  }

  void OnMessage(grpc::ByteBuffer& bytes) {
    v1::StreamPredictResponse message;
    const bool parsed =
        grpc::SerializationTraits<v1::StreamPredictResponse>::Deserialize(&bytes, &message).ok();
    {
      absl::MutexLock lock(&mutex_);
      if (parsed && unanswered_.erase(message.id()) == 1) {
        answers_.push_back(ToAnswer(message));
        return;
      }
      if (broken_.ok()) {
        broken_ = absl::InternalError(
            parsed ? absl::StrCat("the server answered id ", message.id(), ", which was not sent")
                   : "the server's answer cannot be read");
      }
    }
    stream_.Cancel();
  }

  void OnEnd(const grpc::Status& status) {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    end_ = broken_.ok() ? FromGrpcStatus(status) : broken_;
  }

  const size_t max_outstanding_;
  mutable absl::Mutex mutex_;
  // Sent and not answered.
  std::set<int64_t> unanswered_ ABSL_GUARDED_BY(mutex_);
  // Answered and not received.
  std::deque<Answer> answers_ ABSL_GUARDED_BY(mutex_);
  bool done_sending_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
  // Why this side gave up.
  absl::Status broken_ ABSL_GUARDED_BY(mutex_);
  // Last: its thread uses the others until it is gone.
  PipelinedStream stream_;
};

PredictStream::PredictStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PredictStream::~PredictStream() = default;

absl::Status PredictStream::Send(int64_t id, const v1::PredictRequest& request,
                                 absl::Duration timeout) {
  return impl_->Send(id, request, timeout, /*wait=*/true).status();
}

absl::StatusOr<bool> PredictStream::TrySend(int64_t id, const v1::PredictRequest& request,
                                            absl::Duration timeout) {
  return impl_->Send(id, request, timeout, /*wait=*/false);
}

void PredictStream::DoneSending() { impl_->DoneSending(); }

absl::StatusOr<std::optional<PredictStream::Answer>> PredictStream::Receive() {
  return impl_->Receive();
}

std::vector<int64_t> PredictStream::Unanswered() const { return impl_->Unanswered(); }
void PredictStream::Cancel() { impl_->Cancel(); }

std::unique_ptr<PredictStream> OpenPredictStream(std::shared_ptr<grpc::Channel> channel,
                                                 const PredictStreamOptions& options) {
  return std::unique_ptr<PredictStream>(
      new PredictStream(std::make_unique<PredictStream::Impl>(std::move(channel), options)));
}

}  // namespace mlp
