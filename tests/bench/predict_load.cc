#include "tests/bench/predict_load.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "mlp/v1/prediction.grpc.pb.h"

namespace mlp::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

double Quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0.0;
  const auto index = static_cast<size_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index),
                   values.end());
  return values[index];
}

}  // namespace

struct PredictLoad::State {
  std::unique_ptr<v1::PredictionService::Stub> stub;

  struct Call {
    std::optional<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<v1::PredictResponse>> reader;
    v1::PredictResponse response;
    grpc::Status status;
    SteadyClock::time_point start;

    void Start(v1::PredictionService::Stub& to, const v1::PredictRequest& request,
               grpc::CompletionQueue& queue) {
      reader.reset();
      context.emplace();
      start = SteadyClock::now();
      reader = to.AsyncPredict(&*context, request, &queue);
      reader->Finish(&response, &status, this);
    }
  };
};

PredictLoad::PredictLoad(const std::string& address) : state_(std::make_unique<State>()) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(256 << 20);
  state_->stub = v1::PredictionService::NewStub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
}

PredictLoad::~PredictLoad() = default;

LoadResult PredictLoad::Run(const v1::PredictRequest& request, int outstanding, double seconds) {
  grpc::CompletionQueue queue;
  std::vector<State::Call> calls(static_cast<size_t>(outstanding));
  const auto begin = SteadyClock::now();
  const auto end = begin + std::chrono::duration_cast<SteadyClock::duration>(
                               std::chrono::duration<double>(seconds));
  for (State::Call& call : calls) call.Start(*state_->stub, request, queue);

  LoadResult result;
  std::vector<double> latencies_us;
  int pending = outstanding;
  void* tag = nullptr;
  bool ok = false;
  while (pending > 0 && queue.Next(&tag, &ok)) {
    auto* call = static_cast<State::Call*>(tag);
    const auto now = SteadyClock::now();
    latencies_us.push_back(std::chrono::duration<double, std::micro>(now - call->start).count());
    if (!call->status.ok()) ++result.errors;
    if (now < end) {
      call->Start(*state_->stub, request, queue);
    } else {
      --pending;
    }
  }
  const double elapsed = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  result.requests_per_second = static_cast<double>(latencies_us.size()) / elapsed;
  result.p50_us = Quantile(latencies_us, 0.50);
  result.p99_us = Quantile(latencies_us, 0.99);
  return result;
}

}  // namespace mlp::bench
