#include <thread>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "client/load/call_transport.h"

namespace mlp {
namespace {

// Requests were serialized once and answers stay unread: the client's own work is little beside the
// server's.
class UnaryTransport final : public CallTransport {
 public:
  explicit UnaryTransport(TransportOptions options)
      : options_(std::move(options)),
        stub_(options_.channel),
        calls_(static_cast<size_t>(options_.slots)) {
    for (const std::string& request : *options_.requests) {
      const grpc::Slice slice(request.data(), request.size(), grpc::Slice::STATIC_SLICE);
      requests_.emplace_back(&slice, 1);
    }
    thread_ = std::thread([this] { Run(); });
  }

  ~UnaryTransport() override {
    Cancel();
    queue_.Shutdown();
    thread_.join();
  }

  bool Start(int slot, size_t request) override {
    Call& call = calls_[static_cast<size_t>(slot)];
    auto context = std::make_shared<grpc::ClientContext>();
    if (options_.deadline != absl::InfiniteDuration()) {
      context->set_deadline(absl::ToChronoTime(absl::Now() + options_.deadline));
    }
    {
      absl::MutexLock lock(&mutex_);
      if (cancelled_) return false;
      call.context = context;
    }
    call.response.Clear();
    call.reader = stub_.PrepareUnaryCall(context.get(), kMethod, requests_[request], &queue_);
    call.reader->StartCall();
    call.reader->Finish(&call.response, &call.status, &call);
    return true;
  }

  void Cancel() override {
    std::vector<std::shared_ptr<grpc::ClientContext>> contexts;
    {
      absl::MutexLock lock(&mutex_);
      cancelled_ = true;
      for (const Call& call : calls_) {
        if (call.context) contexts.push_back(call.context);
      }
    }
    for (const auto& context : contexts) context->TryCancel();
  }

 private:
  struct Call {
    // Guarded by mutex_; the rest is whoever's the slot is.
    std::shared_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer response;
    grpc::Status status;
  };

  void Run() {
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
      auto* call = static_cast<Call*>(tag);
      call->reader.reset();  // before its context goes
      options_.on_answer({.slot = static_cast<int>(call - calls_.data()),
                          .code = static_cast<absl::StatusCode>(call->status.error_code()),
                          .bytes = static_cast<int64_t>(call->response.Length())});
    }
  }

  static constexpr char kMethod[] = "/mlp.v1.PredictionService/Predict";

  const TransportOptions options_;
  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  std::vector<grpc::ByteBuffer> requests_;
  std::vector<Call> calls_;
  absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<CallTransport> MakeUnaryTransport(TransportOptions options) {
  return std::make_unique<UnaryTransport>(std::move(options));
}

}  // namespace mlp
