#include "client/pipelined_stream.h"

#include <chrono>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

namespace mlp {
namespace {

// What came back from the completion queue. At most one of each is under way.
enum class Step : intptr_t { kStart = 1, kRead, kWrite, kFinish };

void* Tag(Step step) { return reinterpret_cast<void*>(step); }

// Events handled before what they had sent is written.
constexpr int kMaxEventsInARow = 128;
// The epoch: gRPC takes anything before it for the infinite future.
constexpr std::chrono::system_clock::time_point kWithoutWaiting;

}  // namespace

// Who writes: `writing_` is held from the moment that something to write is taken until the queue
// says that it is written. Whoever takes it makes the write, outside the lock: a sender, or the
// stream's thread when a write has ended and more waits. At first the start of the call holds it.
// The queue is shut down only when nothing does.
class PipelinedStream::Impl {
 public:
  Impl(std::shared_ptr<grpc::Channel> channel, const char* method, StreamEvents events)
      : events_(std::move(events)),
        stub_(std::move(channel)),
        stream_(stub_.PrepareCall(&context_, method, &queue_)) {
    stream_->StartCall(Tag(Step::kStart));
    thread_ = std::thread([this] { Run(); });
  }

  ~Impl() {
    context_.TryCancel();
    thread_.join();
  }

  bool Send(const grpc::ByteBuffer& message) {
    std::optional<Piece> piece;
    {
      absl::MutexLock lock(&mutex_);
      if (broken_ || done_sending_) return false;
      waiting_.push_back(message);
      if (std::this_thread::get_id() != own_thread_) piece = TakeLocked();
    }
    if (piece) Write(*piece);
    return true;
  }

  void DoneSending() {
    {
      absl::MutexLock lock(&mutex_);
      done_sending_ = true;
    }
    WriteWaiting();
  }

  void Cancel() { context_.TryCancel(); }

 private:
  struct Piece {
    grpc::ByteBuffer message;
    bool end = false;  // instead of a message: there are no more
    bool more = false;
  };

  // What to write next, where nothing is being written; the caller must write it.
  std::optional<Piece> TakeLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || broken_) return std::nullopt;
    Piece piece;
    if (!waiting_.empty()) {
      piece.message.Swap(&waiting_.front());
      waiting_.pop_front();
      piece.more = !waiting_.empty() || done_sending_;
    } else if (done_sending_ && !end_written_) {
      piece.end = end_written_ = true;
    } else {
      return std::nullopt;
    }
    writing_ = true;
    return piece;
  }

  void Write(const Piece& piece) {
    if (piece.end) {
      stream_->WritesDone(Tag(Step::kWrite));
      return;
    }
    grpc::WriteOptions options;
    if (piece.more) options.set_buffer_hint();
    stream_->Write(piece.message, options, Tag(Step::kWrite));
  }

  void Written(bool ok) {
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
      if (!ok) broken_ = true;  // the reads fail too, and Finish says why
    }
    WriteWaiting();
  }

  void ReadOrFinish(bool ok) {
    if (ok) {
      stream_->Read(&message_, Tag(Step::kRead));
    } else {
      stream_->Finish(&status_, Tag(Step::kFinish));
    }
  }

  void End() {
    {
      absl::MutexLock lock(&mutex_);
      broken_ = true;
      waiting_.clear();
    }
    events_.on_end(status_);
  }

  void WriteWaiting() {
    std::optional<Piece> piece;
    {
      absl::MutexLock lock(&mutex_);
      piece = TakeLocked();
    }
    if (piece) Write(*piece);
  }

  bool Idle() {
    absl::MutexLock lock(&mutex_);
    return !writing_;
  }

  // The next event. While there are some, what on_message sends is left to wait; it is written
  // before the thread does. False at the end.
  bool Next(void** tag, bool* ok) {
    if (++events_in_a_row_ <= kMaxEventsInARow &&
        queue_.AsyncNext(tag, ok, kWithoutWaiting) == grpc::CompletionQueue::GOT_EVENT) {
      return true;
    }
    events_in_a_row_ = 0;
    WriteWaiting();
    return queue_.Next(tag, ok);
  }

  void Run() {
    {
      absl::MutexLock lock(&mutex_);
      own_thread_ = std::this_thread::get_id();
    }
    void* tag = nullptr;
    bool ok = false;
    bool finished = false;
    bool shut_down = false;
    while (Next(&tag, &ok)) {
      switch (static_cast<Step>(reinterpret_cast<intptr_t>(tag))) {
        case Step::kStart:
          ReadOrFinish(ok);
          Written(ok);
          break;
        case Step::kRead:
          if (ok) events_.on_message(message_);
          ReadOrFinish(ok);
          break;
        case Step::kWrite:
          Written(ok);
          break;
        case Step::kFinish:
          finished = true;
          End();
          break;
      }
      if (finished && !shut_down && Idle()) {
        queue_.Shutdown();
        shut_down = true;
      }
    }
  }

  const StreamEvents events_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  const std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  // Only the stream's thread uses these three.
  grpc::ByteBuffer message_;
  grpc::Status status_;
  int events_in_a_row_ = 0;
  absl::Mutex mutex_;
  std::thread::id own_thread_ ABSL_GUARDED_BY(mutex_);
  std::deque<grpc::ByteBuffer> waiting_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = true;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_sending_ ABSL_GUARDED_BY(mutex_) = false;
  bool end_written_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

PipelinedStream::PipelinedStream(std::shared_ptr<grpc::Channel> channel, const char* method,
                                 StreamEvents events)
    : impl_(std::make_unique<Impl>(std::move(channel), method, std::move(events))) {}
PipelinedStream::~PipelinedStream() = default;

bool PipelinedStream::Send(const grpc::ByteBuffer& message) { return impl_->Send(message); }
void PipelinedStream::DoneSending() { impl_->DoneSending(); }
void PipelinedStream::Cancel() { impl_->Cancel(); }

}  // namespace mlp
