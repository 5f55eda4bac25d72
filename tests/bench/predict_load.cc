#include "tests/bench/predict_load.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

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
  std::unique_ptr<grpc::GenericStub> stub;

  struct Call {
    std::optional<grpc::ClientContext> context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer response;
    grpc::Status status;
    SteadyClock::time_point start;

    void Start(grpc::GenericStub& to, const std::string& method, const grpc::ByteBuffer& request,
               grpc::CompletionQueue& queue) {
      reader.reset();
      context.emplace();
      start = SteadyClock::now();
      reader = to.PrepareUnaryCall(&*context, method, request, &queue);
      reader->StartCall();
      reader->Finish(&response, &status, this);
    }
  };
};

PredictLoad::PredictLoad(const std::string& address) : state_(std::make_unique<State>()) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(256 << 20);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  state_->stub = std::make_unique<grpc::GenericStub>(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
}

PredictLoad::~PredictLoad() = default;

LoadFigures PredictLoad::Run(const std::string& method, const std::string& request, int outstanding,
                             double seconds) {
  const grpc::Slice slice(request);
  const grpc::ByteBuffer bytes(&slice, 1);
  grpc::CompletionQueue queue;
  std::vector<State::Call> calls(static_cast<size_t>(outstanding));
  const auto begin = SteadyClock::now();
  const auto end = begin + std::chrono::duration_cast<SteadyClock::duration>(
                               std::chrono::duration<double>(seconds));
  for (State::Call& call : calls) call.Start(*state_->stub, method, bytes, queue);

  LoadFigures result;
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
      call->Start(*state_->stub, method, bytes, queue);
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
