#include "server/rpc/blocking_server.h"

#include <atomic>
#include <string>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/strings/str_cat.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include "core/base/clock.h"
#include "server/retry_delay.h"
#include "server/rpc/completion_tag.h"
#include "server/rpc/rpc_status.h"

namespace mlp {
namespace {

// Calls that may arrive before the queue is polled again without waiting for a new slot.
constexpr int kArmedCalls = 16;

// Where many calls wait for long, such as watches: time enough for some of them to end.
constexpr absl::Duration kBusyRetryDelay = absl::Seconds(1);

// One operation that a worker thread waits for.
class Operation final : public CompletionTag {
 public:
  // After the operation was started with this tag: whether it succeeded.
  bool Wait() {
    absl::MutexLock lock(&mutex_, absl::Condition(&ended_));
    ended_ = false;
    return ok_;
  }

  void Completed(bool ok) override {
    absl::MutexLock lock(&mutex_);
    ok_ = ok;
    ended_ = true;
  }

 private:
  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool ok_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

class BlockingServer::Impl {
 public:
  Impl(const MethodTable& methods, WorkerPool& workers, Poller& poller,
       grpc::ServerBuilder& builder)
      : methods_(methods), workers_(workers), poller_(poller) {
    builder.RegisterAsyncGenericService(&service_);
  }

  void Start() {
    for (int i = 0; i < kArmedCalls; ++i) new Call(*this);
  }

 private:
  // armed -> arrived -> first message read -> handled by a worker -> finished. Deletes itself when
  // its last tag has come back: that of its end, and the one that says whether it was cancelled.
  class Call final : public RpcCall {
   public:
    explicit Call(Impl& server) : server_(server) {
      context_.AsyncNotifyWhenDone(&done_tag_);
      server_.service_.RequestCall(&context_, &stream_, &server_.poller_.queue(),
                                   &server_.poller_.queue(), &arrived_tag_);
    }

    absl::StatusOr<bool> Read(google::protobuf::MessageLite& message) override {
      if (!first_read_) {
        stream_.Read(&buffer_, &operation_);
        has_message_ = operation_.Wait();
      }
      first_read_ = false;
      if (!has_message_) return false;
      bool parsed = false;
      {
        grpc::ProtoBufferReader in(&buffer_);
        parsed = message.ParseFromZeroCopyStream(&in);
      }
      buffer_.Clear();
      if (parsed) return true;
      const std::string name = message.GetTypeName();
      const bool vowel = absl::string_view("aeiou").find(name[0]) != absl::string_view::npos;
      return absl::InvalidArgumentError(
          absl::StrCat("request: not ", vowel ? "an " : "a ", name, " message"));
    }

    bool Write(const google::protobuf::MessageLite& message) override {
      stream_.Write(Serialize(message), &operation_);
      return operation_.Wait();
    }

    void WriteLast(const google::protobuf::MessageLite& message) override {
      last_ = Serialize(message);
      has_last_ = true;
    }

    bool Cancelled() const override { return cancelled_; }

   private:
    static grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message) {
      const grpc::Slice slice(message.SerializeAsString());
      return grpc::ByteBuffer(&slice, 1);
    }

    void Arrived(bool ok) {
      if (!ok) {  // the server shuts down and the call never came: nor does its done tag
        delete this;
        return;
      }
      if (!server_.poller_.closed()) new Call(server_);
      arrival_ = Clock::System().Elapsed();
      method_ = server_.methods_.Find(context_.method());
      if (method_ == nullptr) {
        Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "no such method"));
        return;
      }
      stream_.Read(&buffer_, &first_read_tag_);
    }

    void FirstRead(bool ok) {
      has_message_ = ok;
      if (server_.workers_.Run([this] { Handle(); })) return;
      End(WithRetryDelay(absl::ResourceExhaustedError("too many calls are in progress"),
                         kBusyRetryDelay));
    }

    void Handle() {
      End(CatchExceptions([this] { return method_->handler(*this); }));
    }

    void End(const absl::Status& status) {
      const grpc::Status concluded =
          ConcludeRpc(*method_->metrics, status, Clock::System().Elapsed() - arrival_);
      if (concluded.ok() && has_last_) {
        stream_.WriteAndFinish(last_, grpc::WriteOptions(), concluded, &finished_tag_);
      } else {
        Finish(concluded);
      }
    }

    void Finish(const grpc::Status& status) { stream_.Finish(status, &finished_tag_); }

    void Done(bool) {
      cancelled_ = context_.IsCancelled();
      TagCameBack();
    }

    void Finished(bool) { TagCameBack(); }

    // Both on the polling thread.
    void TagCameBack() {
      if (--tags_under_way_ == 0) delete this;
    }

    Impl& server_;
    grpc::GenericServerContext context_;
    grpc::GenericServerAsyncReaderWriter stream_{&context_};
    MemberTag<Call> arrived_tag_{*this, &Call::Arrived};
    MemberTag<Call> first_read_tag_{*this, &Call::FirstRead};
    MemberTag<Call> finished_tag_{*this, &Call::Finished};
    MemberTag<Call> done_tag_{*this, &Call::Done};
    Operation operation_;
    int tags_under_way_ = 2;
    absl::Duration arrival_;
    const RpcMethod* method_ = nullptr;
    grpc::ByteBuffer buffer_;
    bool first_read_ = true;
    bool has_message_ = false;
    grpc::ByteBuffer last_;
    bool has_last_ = false;
    std::atomic<bool> cancelled_ = false;
  };

  const MethodTable& methods_;
  WorkerPool& workers_;
  Poller& poller_;
  grpc::AsyncGenericService service_;
};

BlockingServer::BlockingServer(const MethodTable& methods, WorkerPool& workers, Poller& poller,
                               grpc::ServerBuilder& builder)
    : impl_(std::make_unique<Impl>(methods, workers, poller, builder)) {}
BlockingServer::~BlockingServer() = default;

void BlockingServer::Start() { impl_->Start(); }

}  // namespace mlp
