#include "server/api/stream_inference.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include "core/base/clock.h"
#include "server/end_of_call.h"
#include "server/rpc/completion_tag.h"
#include "server/rpc/rpc_status.h"

namespace mlp {
namespace {

// Streams that may begin before the queue is polled again.
constexpr int kArmedStreams = 4;
// Messages of one stream that are taken in before the first of them is answered and its answer
// sent; further ones wait in the transport, whose flow control then holds up the caller.
constexpr int kMaxOutstanding = 1024;
// The same for their bytes.
constexpr size_t kMaxOutstandingBytes = size_t{64} << 20;

}  // namespace

// armed -> arrived -> reads, while answers are written one after the other -> no more -> all
// answered -> finished. All tags come back on the polling thread, and the last one deletes it.
class StreamInference::Stream {
 public:
  explicit Stream(StreamInference& method) : method_(method) {
    context_.AsyncNotifyWhenDone(&done_tag_);
    grpc::ServerCompletionQueue& queue = method_.poller_.queue();
    method_.method_.request_call(&context_, &stream_, &queue, &queue, &arrived_tag_);
  }

  // Takes no further message. Polling thread.
  void Drain() {
    absl::MutexLock lock(&mutex_);
    if (end_.ok()) end_ = ServerStopping();
    no_more_ = true;
    FinishIfAnswered();
  }

  // Polling thread.
  void SendAnswers() {
    absl::MutexLock lock(&mutex_);
    if (!writing_) WriteNext();
  }

 private:
  // A message and its bytes, used again once its answer is on its way.
  struct Slot final : InferenceCaller {
    explicit Slot(Stream& owner) : stream(owner), message(owner.method_.method_.make_message()) {
      message->set_caller(*this);
    }
    absl::Status Waiting() const override {
      return stream.cancelled_.load(std::memory_order_relaxed) ? CallerGone() : absl::OkStatus();
    }
    void Answered(InferenceMessage&, const absl::Status& status) override {
      stream.Answered(*this, status);
    }

    Stream& stream;
    const std::unique_ptr<InferenceMessage> message;
    grpc::ByteBuffer bytes;
    size_t size = 0;
  };
  struct Answer {
    Slot* slot;
    absl::Status status;
  };

  void Arrived(bool ok) {
    if (!ok) {  // the server shuts down and the call never came: nor does its done tag
      delete this;
      return;
    }
    if (!method_.poller_.closed()) new Stream(method_);
    method_.streams_.insert(this);
    arrival_ = Clock::System().Elapsed();
    absl::MutexLock lock(&mutex_);
    ReadNext();
  }

  // --- Reading ---

  void ReadNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (incoming_ != nullptr || no_more_ || outstanding_ >= kMaxOutstanding ||
        outstanding_bytes_ >= kMaxOutstandingBytes ||
        (outstanding_ > 0 && method_.method_.memory->full())) {
      return;
    }
    if (free_.empty()) {
      slots_.push_back(std::make_unique<Slot>(*this));
      free_.push_back(slots_.back().get());
    }
    incoming_ = free_.back();
    free_.pop_back();
    stream_.Read(&incoming_->bytes, &read_tag_);
  }

  void Read(bool ok) {
    if (Slot* const slot = TakeIncoming(ok)) Submit(*slot);
    {
      absl::MutexLock lock(&mutex_);
      ReadNext();
      FinishIfAnswered();
    }
    DeleteIfOver();
  }

  // What was read; null where that is not to be answered.
  Slot* TakeIncoming(bool ok) {
    absl::MutexLock lock(&mutex_);
    Slot* const slot = std::exchange(incoming_, nullptr);
    if (!ok || no_more_) {
      no_more_ = true;
      free_.push_back(slot);
      return nullptr;
    }
    slot->size = slot->bytes.Length();
    ++outstanding_;
    outstanding_bytes_ += slot->size;
    method_.method_.memory->Add(static_cast<int64_t>(slot->size));
    return slot;
  }

  void Submit(Slot& slot) {
    absl::Status parsed;
    {
      grpc::ProtoBufferReader in(&slot.bytes);
      parsed = CatchExceptions([&] { return slot.message->Parse(in); });
    }
    if (parsed.ok()) {
      const absl::Status checked = CatchExceptions([&] { return slot.message->Check(); });
      if (!checked.ok()) {
        Answered(slot, checked);
        return;
      }
      const absl::Duration timeout = slot.message->timeout();
      slot.message->set_deadline(Clock::System().Elapsed() + timeout);
      method_.batcher_.Submit(*slot.message);
      return;
    }
    // Whose answer it would be cannot be known: the stream is of no use any more.
    absl::MutexLock lock(&mutex_);
    end_ = parsed;
    no_more_ = true;
    Free(slot);
  }

  // --- Answers, from whatever thread computed them; written one at a time ---

  void Answered(Slot& slot, const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    answers_.push_back({&slot, status});
    if (writing_) return;
    if (!method_.poller_.OnPollingThread()) {
      WriteNext();
    } else if (answers_.size() == 1) {
      // Others of its batch follow: they leave together.
      method_.answered_.push_back(this);
    }
  }

  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (!answers_.empty() && !writing_) {
      const Answer answer = std::move(answers_.front());
      answers_.pop_front();
      if (!cancelled_) Write(answer);
      Free(*answer.slot);
    }
    FinishIfAnswered();
  }

  void Write(const Answer& answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const absl::Status made = CatchExceptions([&] {
      response_.clear();
      answer.slot->message->AppendResponse(
          VisibleStatus(method_.method_.metrics->name(), answer.status), response_);
      return absl::OkStatus();
    });
    if (!made.ok()) {  // an answer is missing: the stream must not go on as if it had been given
      end_ = made;
      no_more_ = true;
      return;
    }
    const grpc::Slice slice(response_);
    grpc::WriteOptions options;
    // More follows at once: one packet for several answers.
    if (!answers_.empty()) options.set_buffer_hint();
    writing_ = true;
    stream_.Write(grpc::ByteBuffer(&slice, 1), options, &written_tag_);
  }

  void Written(bool) {
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
      WriteNext();
      ReadNext();
    }
    DeleteIfOver();
  }

  void Free(Slot& slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    --outstanding_;
    outstanding_bytes_ -= slot.size;
    method_.method_.memory->Add(-static_cast<int64_t>(slot.size));
    slot.message->Clear();
    slot.bytes.Clear();
    free_.push_back(&slot);
  }

  // --- The end ---

  void FinishIfAnswered() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!no_more_ || outstanding_ > 0 || writing_ || finishing_) return;
    finishing_ = true;
    const absl::Status status = cancelled_ ? CallerGone() : end_;
    stream_.Finish(
        ConcludeRpc(*method_.method_.metrics, status, Clock::System().Elapsed() - arrival_),
        &finished_tag_);
  }

  void Finished(bool) {
    finished_ = true;
    DeleteIfOver();
  }

  void Done(bool) {
    {
      absl::MutexLock lock(&mutex_);
      if (context_.IsCancelled()) cancelled_ = no_more_ = true;
      FinishIfAnswered();
    }
    done_ = true;
    DeleteIfOver();
  }

  // Polling thread. Nothing is outstanding once it is finished.
  void DeleteIfOver() {
    {
      absl::MutexLock lock(&mutex_);
      if (!finished_ || !done_ || incoming_ != nullptr) return;
    }
    method_.streams_.erase(this);
    std::erase(method_.answered_, this);
    delete this;
  }

  StreamInference& method_;
  MemberTag<Stream> arrived_tag_{*this, &Stream::Arrived};
  MemberTag<Stream> read_tag_{*this, &Stream::Read};
  MemberTag<Stream> written_tag_{*this, &Stream::Written};
  MemberTag<Stream> finished_tag_{*this, &Stream::Finished};
  MemberTag<Stream> done_tag_{*this, &Stream::Done};
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer> stream_{&context_};
  absl::Duration arrival_;
  bool finished_ = false;  // polling thread only, as done_
  bool done_ = false;
  std::atomic<bool> cancelled_ = false;

  absl::Mutex mutex_;
  std::vector<std::unique_ptr<Slot>> slots_ ABSL_GUARDED_BY(mutex_);
  std::vector<Slot*> free_ ABSL_GUARDED_BY(mutex_);
  Slot* incoming_ ABSL_GUARDED_BY(mutex_) = nullptr;  // being read
  int outstanding_ ABSL_GUARDED_BY(mutex_) = 0;       // read, and not answered yet
  size_t outstanding_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Answer> answers_ ABSL_GUARDED_BY(mutex_);
  std::string response_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool no_more_ ABSL_GUARDED_BY(mutex_) = false;  // messages to come
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
};

StreamInference::StreamInference(StreamInferenceMethod method, Poller& poller, Batcher& batcher)
    : method_(std::move(method)), poller_(poller), batcher_(batcher) {}
StreamInference::~StreamInference() = default;

void StreamInference::Start() {
  for (int i = 0; i < kArmedStreams; ++i) new Stream(*this);
}

void StreamInference::Drain() {
  for (Stream* const stream : streams_) stream->Drain();
}

void StreamInference::SendAnswers() {
  for (Stream* const stream : answered_) stream->SendAnswers();
  answered_.clear();
}

}  // namespace mlp
