// Whether a network is as often right as it says: confidence against accuracy.
//
// Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", 2017: the examples
// are cut by confidence into M = 15 bins of equal width, bin b being (b/M, (b+1)/M] and the first
// one with 0; the expected calibration error is sum_b n_b/N |accuracy_b - mean confidence_b|. The
// confidence is the predicted class's output as Predict replies it, limited to [0, 1]; a NaN is 0.
#pragma once

#include <cstdint>
#include <vector>

namespace mlp {

struct ReliabilityBin {
  double lower = 0.0;  // exclusive, but for 0
  double upper = 0.0;  // inclusive
  int64_t examples = 0;
  double mean_confidence = 0.0;  // 0 without examples
  double accuracy = 0.0;         // 0 without examples
};

// Takes examples one by one. Thread-compatible.
class Calibration {
 public:
  static constexpr int kBins = 15;

  Calibration() : bins_(kBins) {}

  void Add(float confidence, bool correct);

  // The table, all kBins of it.
  std::vector<ReliabilityBin> Table() const;
  // 0 without examples.
  double ExpectedError() const;

 private:
  struct Bin {
    int64_t examples = 0;
    int64_t correct = 0;
    double confidence = 0.0;  // sum
  };
  std::vector<Bin> bins_;
};

}  // namespace mlp
