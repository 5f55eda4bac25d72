#include "server/api/inference_server.h"

#include <atomic>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "inference/grpc_service.grpc.pb.h"
#include "mlp/v1/prediction.grpc.pb.h"
#include "server/api/stream_inference.h"
#include "server/api/unary_inference.h"
#include "server/inference/predict_message.h"
#include "server/oip/oip_message.h"

namespace mlp {
namespace {

using Prediction = v1::PredictionService::WithRawMethod_Predict<
    v1::PredictionService::WithRawMethod_StreamPredict<v1::PredictionService::Service>>;

using Oip = inference::GRPCInferenceService;

// Of the Open Inference Protocol the inference itself; its other methods, marked as generic, are
// BlockingServer's.
template <typename Service>
using Infer = Oip::WithRawMethod_ModelInfer<Oip::WithRawMethod_ModelStreamInfer<Service>>;
template <typename Service>
using About = Oip::WithGenericMethod_ServerLive<Oip::WithGenericMethod_ServerReady<
    Oip::WithGenericMethod_ModelReady<Oip::WithGenericMethod_ServerMetadata<
        Oip::WithGenericMethod_ModelMetadata<Oip::WithGenericMethod_ModelConfig<
            Oip::WithGenericMethod_ModelStatistics<Service>>>>>>>;
template <typename Service>
using Repository =
    Oip::WithGenericMethod_RepositoryIndex<Oip::WithGenericMethod_RepositoryModelLoad<
        Oip::WithGenericMethod_RepositoryModelUnload<Service>>>;
template <typename Service>
using NotThere = Oip::WithGenericMethod_SystemSharedMemoryStatus<
    Oip::WithGenericMethod_SystemSharedMemoryRegister<
        Oip::WithGenericMethod_SystemSharedMemoryUnregister<
            Oip::WithGenericMethod_CudaSharedMemoryStatus<
                Oip::WithGenericMethod_CudaSharedMemoryRegister<
                    Oip::WithGenericMethod_CudaSharedMemoryUnregister<
                        Oip::WithGenericMethod_TraceSetting<
                            Oip::WithGenericMethod_LogSettings<Service>>>>>>>>;
using OpenInference = Infer<About<Repository<NotThere<Oip::Service>>>>;

constexpr char kPrediction[] = "mlp.v1.PredictionService";
constexpr char kOpenInference[] = "inference.GRPCInferenceService";

template <typename Message>
std::unique_ptr<InferenceMessage> Make() {
  return std::make_unique<Message>();
}

// What one poller has of the services.
struct Lane {
  Lane(Poller& its_poller, Batcher& its_batcher) : poller(its_poller), batcher(its_batcher) {}

  void AddUnary(UnaryInferenceMethod method) {
    unary.push_back(std::make_unique<UnaryInference>(std::move(method), poller, batcher));
  }
  void AddStream(StreamInferenceMethod method) {
    streams.push_back(std::make_unique<StreamInference>(std::move(method), poller, batcher));
  }

  Poller& poller;
  Batcher& batcher;
  Batcher::Worker worker;
  std::vector<std::unique_ptr<UnaryInference>> unary;
  std::vector<std::unique_ptr<StreamInference>> streams;
  bool drained = false;
};

class InferenceServerImpl final : public InferenceServer {
 public:
  InferenceServerImpl(const std::vector<std::unique_ptr<Poller>>& pollers, Batcher& batcher,
                      Metrics& metrics, int64_t max_stream_bytes, grpc::ServerBuilder& builder)
      : stream_memory_(max_stream_bytes) {
    builder.RegisterService(&prediction_);
    builder.RegisterService(&oip_);
    for (const auto& poller : pollers) {
      Lane& lane = *lanes_.emplace_back(std::make_unique<Lane>(*poller, batcher));
      lane.AddUnary({.request_call = [this](auto... to) { prediction_.RequestPredict(to...); },
                     .make_message = Make<PredictMessage>,
                     .metrics = &metrics.Rpc(kPrediction, "Predict")});
      lane.AddUnary({.request_call = [this](auto... to) { oip_.RequestModelInfer(to...); },
                     .make_message = Make<OipMessage>,
                     .metrics = &metrics.Rpc(kOpenInference, "ModelInfer")});
      lane.AddStream(
          {.request_call = [this](auto... to) { prediction_.RequestStreamPredict(to...); },
           .make_message = Make<StreamPredictMessage>,
           .metrics = &metrics.Rpc(kPrediction, "StreamPredict"),
           .memory = &stream_memory_});
      lane.AddStream({.request_call = [this](auto... to) { oip_.RequestModelStreamInfer(to...); },
                      .make_message = Make<OipStreamMessage>,
                      .metrics = &metrics.Rpc(kOpenInference, "ModelStreamInfer"),
                      .memory = &stream_memory_});
    }
  }

  void Start() override {
    for (const auto& owned : lanes_) {
      Lane& lane = *owned;
      for (const auto& method : lane.unary) method->Start();
      for (const auto& method : lane.streams) method->Start();
      lane.poller.Start([this, &lane] { return Run(lane); });
    }
  }

  void Drain() override {
    draining_ = true;
    for (const auto& lane : lanes_) lane->poller.Wake();
  }

 private:
  absl::Duration Run(Lane& lane) {
    if (draining_ && !std::exchange(lane.drained, true)) {
      for (const auto& method : lane.streams) method->Drain();
    }
    const absl::Duration wait = lane.batcher.RunReady(lane.worker);
    for (const auto& method : lane.streams) method->SendAnswers();
    return wait;
  }

  Prediction prediction_;
  OpenInference oip_;
  StreamMemory stream_memory_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<bool> draining_ = false;
};

}  // namespace

std::unique_ptr<InferenceServer> InferenceServer::Create(
    const std::vector<std::unique_ptr<Poller>>& pollers, Batcher& batcher, Metrics& metrics,
    int64_t max_stream_bytes, grpc::ServerBuilder& builder) {
  return std::make_unique<InferenceServerImpl>(pollers, batcher, metrics, max_stream_bytes,
                                               builder);
}

}  // namespace mlp
