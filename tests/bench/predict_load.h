// Closed-loop load on one unary method from one thread: a fixed number of calls is always
// outstanding. Requests are bytes and answers are not looked into, so that the client costs little.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace mlp::bench {

struct LoadFigures {
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

  // `method` as on the wire: "/mlp.v1.PredictionService/Predict"; `request` serialized.
  LoadFigures Run(const std::string& method, const std::string& request, int outstanding,
                  double seconds);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mlp::bench
