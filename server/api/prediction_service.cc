#include "server/api/prediction_service.h"

#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <absl/time/time.h>
#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include "core/base/clock.h"
#include "mlp/v1/prediction.grpc.pb.h"
#include "server/api/rpc.h"
#include "server/inference/predictor.h"

namespace mlp {
namespace {

using AsyncService = v1::PredictionService::WithAsyncMethod_Predict<v1::PredictionService::Service>;

// Calls that may arrive at one queue before it is polled again without waiting for a new slot.
constexpr int kArmedCalls = 64;

// One call: armed -> arrived -> answered -> armed again. Its messages are used again, so that their
// memory is too.
class PredictCall {
 public:
  PredictCall(AsyncService& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue) {}

  // Waits for the next call. Comes back from the queue with this object as its tag.
  void Arm() {
    answering_ = false;
    request_.Clear();
    response_.Clear();
    writer_.reset();
    context_.emplace();
    writer_.emplace(&*context_);
    service_.RequestPredict(&*context_, &request_, &*writer_, &queue_, &queue_, this);
  }

  // True where the queue brought the end of an answer, false where it brought a call.
  bool answering() const { return answering_; }

  void Arrived() { arrival_ = Clock::System().Elapsed(); }
  bool Expired() const { return context_->deadline() <= std::chrono::system_clock::now(); }

  PredictTask Task() { return {.request = &request_, .response = &response_, .status = {}}; }

  void Answer(const absl::Status& status, RpcMetrics& metrics) {
    answering_ = true;
    const grpc::Status concluded =
        ConcludeRpc(metrics, status, Clock::System().Elapsed() - arrival_);
    if (concluded.ok()) {
      writer_->Finish(response_, concluded, this);
    } else {
      writer_->FinishWithError(concluded, this);
    }
  }

  int64_t values() const {
    return request_.features_size() + static_cast<int64_t>(request_.pixels().size());
  }

 private:
  AsyncService& service_;
  grpc::ServerCompletionQueue& queue_;
  std::optional<grpc::ServerContext> context_;
  std::optional<grpc::ServerAsyncResponseWriter<v1::PredictResponse>> writer_;
  v1::PredictRequest request_;
  v1::PredictResponse response_;
  absl::Duration arrival_;
  bool answering_ = false;
};

// One completion queue, its calls and the thread that polls it.
class Poller {
 public:
  Poller(AsyncService& service, std::unique_ptr<grpc::ServerCompletionQueue> queue,
         ResidentModels& models, Metrics& metrics, RpcMetrics& rpc_metrics,
         int64_t max_batch_values)
      : queue_(std::move(queue)),
        predictor_(models, metrics),
        rpc_metrics_(rpc_metrics),
        max_batch_values_(max_batch_values) {
    for (int i = 0; i < kArmedCalls; ++i) {
      calls_.push_back(std::make_unique<PredictCall>(service, *queue_));
    }
  }

  void Start() {
    for (const auto& call : calls_) call->Arm();
    thread_ = std::thread([this] { Poll(); });
  }

  void Stop() {
    if (!thread_.joinable()) {  // never started
      queue_->Shutdown();
      return;
    }
    // The polling thread closes the queue itself, so that it never starts an operation on a closed
    // one.
    stop_.Set(queue_.get(), std::chrono::system_clock::time_point(), nullptr);
    thread_.join();
  }

 private:
  void Poll() {
    // The epoch: gRPC takes anything before it for the infinite future.
    constexpr std::chrono::system_clock::time_point kWithoutWaiting;
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) {
      Handle(static_cast<PredictCall*>(tag), ok);
      while (batch_values_ < max_batch_values_ &&
             queue_->AsyncNext(&tag, &ok, kWithoutWaiting) == grpc::CompletionQueue::GOT_EVENT) {
        Handle(static_cast<PredictCall*>(tag), ok);
      }
      RunBatch();
    }
  }

  void Handle(PredictCall* call, bool ok) {
    if (call == nullptr) {
      closed_ = true;
      queue_->Shutdown();
    } else if (call->answering()) {
      if (!closed_) call->Arm();
    } else if (ok) {  // otherwise the server shuts down and the call never came
      call->Arrived();
      if (call->Expired()) {
        Answer(call,
               absl::DeadlineExceededError("the deadline passed before the request was computed"));
        return;
      }
      batch_.push_back(call);
      batch_values_ += call->values();
    }
  }

  void Answer(PredictCall* call, const absl::Status& status) {
    if (!closed_) call->Answer(status, rpc_metrics_);
  }

  void RunBatch() {
    if (batch_.empty()) return;
    tasks_.clear();
    for (PredictCall* call : batch_) tasks_.push_back(call->Task());
    const absl::Status ran = CatchExceptions([this] {
      predictor_.Run(absl::MakeSpan(tasks_));
      return absl::OkStatus();
    });
    if (!ran.ok()) {  // thrown half-way: none of the answers can be trusted to be whole
      for (PredictTask& task : tasks_) task.status = ran;
    }
    for (size_t i = 0; i < batch_.size(); ++i) Answer(batch_[i], tasks_[i].status);
    batch_.clear();
    batch_values_ = 0;
  }

  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  Predictor predictor_;
  RpcMetrics& rpc_metrics_;
  const int64_t max_batch_values_;
  std::vector<std::unique_ptr<PredictCall>> calls_;
  std::vector<PredictCall*> batch_;
  int64_t batch_values_ = 0;
  std::vector<PredictTask> tasks_;
  bool closed_ = false;
  grpc::Alarm stop_;
  std::thread thread_;
};

class PredictionServerImpl final : public PredictionServer {
 public:
  PredictionServerImpl(const PredictionServiceOptions& options, ResidentModels& models,
                       Metrics& metrics, grpc::ServerBuilder& builder) {
    RpcMetrics& rpc_metrics = metrics.Rpc("mlp.v1.PredictionService", "Predict");
    builder.RegisterService(&service_);
    for (int i = 0; i < options.polling_threads; ++i) {
      pollers_.push_back(std::make_unique<Poller>(service_, builder.AddCompletionQueue(), models,
                                                  metrics, rpc_metrics, options.max_batch_values));
    }
  }

  void Start() override {
    for (const auto& poller : pollers_) poller->Start();
  }

  void Stop() override {
    for (const auto& poller : pollers_) poller->Stop();
  }

 private:
  AsyncService service_;
  std::vector<std::unique_ptr<Poller>> pollers_;
};

}  // namespace

std::unique_ptr<PredictionServer> PredictionServer::Create(const PredictionServiceOptions& options,
                                                           ResidentModels& models, Metrics& metrics,
                                                           grpc::ServerBuilder& builder) {
  return std::make_unique<PredictionServerImpl>(options, models, metrics, builder);
}

}  // namespace mlp
