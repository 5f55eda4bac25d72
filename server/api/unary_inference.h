// One unary inference method on one poller's queue. Only included by .cc files.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "server/inference/batcher.h"
#include "server/inference/inference_message.h"
#include "server/rpc/poller.h"
#include "server/telemetry/metrics.h"

namespace mlp {

struct UnaryInferenceMethod {
  // The generated RequestMETHOD of a raw method.
  std::function<void(grpc::ServerContext*, grpc::ByteBuffer*,
                     grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>*, grpc::CompletionQueue*,
                     grpc::ServerCompletionQueue*, void*)>
      request_call;
  std::function<std::unique_ptr<InferenceMessage>()> make_message;
  RpcMetrics* metrics = nullptr;
};

// Its calls, each used again after it was answered. Polling thread only, but for the answers.
class UnaryInference {
 public:
  // All outlive it; the poller is stopped first.
  UnaryInference(UnaryInferenceMethod method, Poller& poller, Batcher& batcher);
  ~UnaryInference();

  // Begins to take calls. Call once.
  void Start();

 private:
  class Call;

  void Arm();
  void Release(Call& call);

  const UnaryInferenceMethod method_;
  Poller& poller_;
  Batcher& batcher_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::vector<Call*> free_;
};

}  // namespace mlp
