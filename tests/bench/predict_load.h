// Closed-loop load on PredictionService.Predict from one thread: a fixed number of calls is always
// outstanding.
#pragma once

#include <memory>
#include <string>

#include "mlp/v1/prediction.pb.h"

namespace mlp::bench {

struct LoadResult {
  double requests_per_second = 0.0;
  double p50_us = 0.0;
  double p99_us = 0.0;
  int64_t errors = 0;
};

// One connection to `address`, kept over several runs.
class PredictLoad {
 public:
  explicit PredictLoad(const std::string& address);
  ~PredictLoad();

  LoadResult Run(const v1::PredictRequest& request, int outstanding, double seconds);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mlp::bench
