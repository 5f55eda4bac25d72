// The fake server's PredictionService.
#pragma once

#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include "mlp/v1/prediction.grpc.pb.h"
#include "tests/client/call_script.h"
#include "tests/client/fake_mlpd.h"

namespace mlp {

// In the script the requests of a stream are calls of "StreamPredict/request": where one fails, it
// gets a PredictError; where one hangs, it and those after it are not answered. Thread-safe.
class FakePrediction final : public v1::PredictionService::Service {
 public:
  explicit FakePrediction(CallScript& script) : script_(script) {}

  // See FakeMlpd.
  void ScriptStream(const FakeMlpd::StreamScript& script);
  void Gather(int calls);
  int most_at_once() const;
  std::vector<int64_t> timeouts_us() const;

  grpc::Status Predict(grpc::ServerContext* context, const v1::PredictRequest* request,
                       v1::PredictResponse* response) override;
  grpc::Status StreamPredict(grpc::ServerContext* context,
                             grpc::ServerReaderWriter<v1::StreamPredictResponse,
                                                      v1::StreamPredictRequest>* stream) override;

 private:
  CallScript& script_;
  mutable absl::Mutex mutex_;
  FakeMlpd::StreamScript stream_ ABSL_GUARDED_BY(mutex_);
  std::vector<int64_t> timeouts_us_ ABSL_GUARDED_BY(mutex_);
  int gather_ ABSL_GUARDED_BY(mutex_) = 1;
  int gathered_ ABSL_GUARDED_BY(mutex_) = 0;
  int inside_ ABSL_GUARDED_BY(mutex_) = 0;
  int most_at_once_ ABSL_GUARDED_BY(mutex_) = 0;
  int generation_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace mlp
