// A model to ask, trained by the server itself on made-up data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mlp::bench {

// Leaves model `name`, and the dataset of the same name, in the server at `address`: `iterations`
// on 200 rows. Aborts the benchmark where that fails.
void TrainModel(const std::string& address, const std::string& name, const std::vector<int>& layers,
                int iterations = 1);

// A job that uses all cores from its construction until its end.
class LongTraining {
 public:
  // Uploads dataset `name` too. Aborts the benchmark where that fails.
  LongTraining(const std::string& address, const std::string& name);
  // Cancels it.
  ~LongTraining();
  LongTraining(const LongTraining&) = delete;
  LongTraining& operator=(const LongTraining&) = delete;

 private:
  const std::string address_;
  int64_t job_ = 0;
};

}  // namespace mlp::bench
