// The examples that a network is most wrong about, for a person to look at: mislabelled data, poor
// scans, classes that are hard to tell apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mlp {

struct WorstExample {
  int64_t row = 0;
  int32_t label = 0;
  int32_t prediction = 0;
  // The outputs of label and prediction, as Predict replies them; a NaN is 0.
  float label_probability = 0.0f;
  float predicted_probability = 0.0f;
};

// Keeps the `most` examples of lowest label_probability; of equal ones those of higher
// predicted_probability, then of lower row. O(log most) an example. Thread-compatible.
class WorstExamples {
 public:
  explicit WorstExamples(size_t most) : most_(most) {}

  void Add(const WorstExample& example);

  // The worst first. Empties this.
  std::vector<WorstExample> Take();

 private:
  const size_t most_;
  std::vector<WorstExample> heap_;  // the least bad of them on top
};

}  // namespace mlp
