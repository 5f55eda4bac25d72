// The other side of the Predict benchmarks: the same methods on the same asynchronous API, which
// parse the same requests and answer messages of the same size without computing anything.
//   echo_server ADDRESSES_FILE FEATURES CLASSES [--keep-freed-memory]
// With --keep-freed-memory it treats memory as mlpd does, which large messages profit from.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <malloc.h>
#include <signal.h>

#include "inference/grpc_service.grpc.pb.h"
#include "mlp/v1/prediction.grpc.pb.h"

namespace {

using Prediction =
    mlp::v1::PredictionService::WithAsyncMethod_Predict<mlp::v1::PredictionService::Service>;
// Without the synchronous methods, whose threads would read the socket too.
class Infer final : public inference::GRPCInferenceService::AsyncService {};

const std::string kClassName = "7";

class Call {
 public:
  virtual ~Call() = default;
  virtual void Completed(bool ok) = 0;
};

// One call of `Service`'s method; armed again after each answer.
template <typename Service, typename Request, typename Response>
class EchoCall final : public Call {
 public:
  using Arm = void (*)(Service&, grpc::ServerContext*, Request*,
                       grpc::ServerAsyncResponseWriter<Response>*, grpc::ServerCompletionQueue*,
                       void*);
  using Fill = void (*)(const Request&, Response&);

  EchoCall(Service& service, grpc::ServerCompletionQueue& queue, Arm arm, Fill fill)
      : service_(service), queue_(queue), arm_(arm), fill_(fill) {
    Begin();
  }

  void Completed(bool ok) override {
    if (answering_) {
      Begin();
    } else if (ok) {
      answering_ = true;
      fill_(request_, response_);
      writer_->Finish(response_, grpc::Status::OK, static_cast<Call*>(this));
    }
  }

 private:
  void Begin() {
    answering_ = false;
    request_.Clear();
    response_.Clear();
    writer_.reset();
    context_.emplace();
    writer_.emplace(&*context_);
    arm_(service_, &*context_, &request_, &*writer_, &queue_, static_cast<Call*>(this));
  }

  Service& service_;
  grpc::ServerCompletionQueue& queue_;
  const Arm arm_;
  const Fill fill_;
  std::optional<grpc::ServerContext> context_;
  std::optional<grpc::ServerAsyncResponseWriter<Response>> writer_;
  Request request_;
  Response response_;
  bool answering_ = false;
};

int features = 0;
int classes = 0;

void FillPrediction(const mlp::v1::PredictRequest& request, mlp::v1::PredictResponse& response) {
  const int rows = (request.features_size() + static_cast<int>(request.pixels().size())) / features;
  response.set_version(1);
  for (int row = 0; row < rows; ++row) {
    response.add_labels(row % classes);
    response.add_class_names(kClassName);
  }
  response.mutable_outputs()->Resize(rows * classes, 0.5f);
}

void AddTensor(const char* name, const char* datatype, int64_t rows, int64_t columns, size_t bytes,
               inference::ModelInferResponse& response) {
  auto& tensor = *response.add_outputs();
  tensor.set_name(name);
  tensor.set_datatype(datatype);
  tensor.add_shape(rows);
  if (columns > 0) tensor.add_shape(columns);
  response.add_raw_output_contents()->resize(bytes);
}

void FillInference(const inference::ModelInferRequest& request,
                   inference::ModelInferResponse& response) {
  const auto rows =
      static_cast<int64_t>(request.raw_input_contents(0).size() / sizeof(float)) / features;
  response.set_model_name(request.model_name());
  response.set_model_version("1");
  const auto count = static_cast<size_t>(rows);
  AddTensor("output", "FP32", rows, classes, count * static_cast<size_t>(classes) * sizeof(float),
            response);
  AddTensor("label", "INT64", rows, 0, count * sizeof(int64_t), response);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr,
                 "usage: echo_server ADDRESSES_FILE FEATURES CLASSES [--keep-freed-memory]\n");
    return 2;
  }
  features = std::atoi(argv[2]);
  classes = std::atoi(argv[3]);
  if (argc > 4 && std::strcmp(argv[4], "--keep-freed-memory") == 0) {
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    mallopt(M_MMAP_THRESHOLD, 16 << 20);
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  Prediction prediction;
  Infer infer;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(256 << 20);
  builder.RegisterService(&prediction);
  builder.RegisterService(&infer);
  std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();

  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 64; ++i) {
    calls.push_back(
        std::make_unique<EchoCall<Prediction, mlp::v1::PredictRequest, mlp::v1::PredictResponse>>(
            prediction, *queue,
            [](Prediction& service, auto* context, auto* request, auto* writer, auto* to,
               void* tag) { service.RequestPredict(context, request, writer, to, to, tag); },
            FillPrediction));
    calls.push_back(std::make_unique<
                    EchoCall<Infer, inference::ModelInferRequest, inference::ModelInferResponse>>(
        infer, *queue,
        [](Infer& service, auto* context, auto* request, auto* writer, auto* to, void* tag) {
          service.RequestModelInfer(context, request, writer, to, to, tag);
        },
        FillInference));
  }
  std::thread([&] {
    void* tag = nullptr;
    bool ok = false;
    while (queue->Next(&tag, &ok)) static_cast<Call*>(tag)->Completed(ok);
  }).detach();

  std::ofstream(argv[1]) << "grpc=127.0.0.1:" << port << "\n";
  int signal = 0;
  sigwait(&signals, &signal);
  std::_Exit(0);  // nothing here is worth an orderly end
}
