// The other side of the Predict benchmarks: the same service on the same asynchronous API, which
// parses the same request and answers a message of the same size without computing anything.
//   echo_server ADDRESSES_FILE FEATURES CLASSES
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <signal.h>

#include "mlp/v1/prediction.grpc.pb.h"

namespace {

using Service =
    mlp::v1::PredictionService::WithAsyncMethod_Predict<mlp::v1::PredictionService::Service>;

const std::string kClassName = "7";

struct Call {
  std::optional<grpc::ServerContext> context;
  std::optional<grpc::ServerAsyncResponseWriter<mlp::v1::PredictResponse>> writer;
  mlp::v1::PredictRequest request;
  mlp::v1::PredictResponse response;
  bool answering = false;

  void Arm(Service& service, grpc::ServerCompletionQueue& queue) {
    answering = false;
    request.Clear();
    response.Clear();
    writer.reset();
    context.emplace();
    writer.emplace(&*context);
    service.RequestPredict(&*context, &request, &*writer, &queue, &queue, this);
  }

  void Answer(int features, int classes) {
    answering = true;
    const int rows =
        (request.features_size() + static_cast<int>(request.pixels().size())) / features;
    response.set_version(1);
    for (int row = 0; row < rows; ++row) {
      response.add_labels(row % classes);
      response.add_class_names(kClassName);
    }
    response.mutable_outputs()->Resize(rows * classes, 0.5f);
    writer->Finish(response, grpc::Status::OK, this);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: echo_server ADDRESSES_FILE FEATURES CLASSES\n");
    return 2;
  }
  const int features = std::atoi(argv[2]);
  const int classes = std::atoi(argv[3]);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  Service service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(256 << 20);
  builder.RegisterService(&service);
  std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();

  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 64; ++i) {
    calls.push_back(std::make_unique<Call>());
    calls.back()->Arm(service, *queue);
  }
  std::thread([&] {
    void* tag = nullptr;
    bool ok = false;
    while (queue->Next(&tag, &ok)) {
      auto* call = static_cast<Call*>(tag);
      if (call->answering) {
        call->Arm(service, *queue);
      } else if (ok) {
        call->Answer(features, classes);
      }
    }
  }).detach();

  std::ofstream(argv[1]) << "grpc=127.0.0.1:" << port << "\n";
  int signal = 0;
  sigwait(&signals, &signal);
  std::_Exit(0);  // nothing here is worth an orderly end
}
