// The arithmetic in front of the first layer of a graph that is read, folded into one offset and
// one scale a feature: a FeatureScaler.
#pragma once

#include <vector>

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "core/data/feature_scaler.h"
#include "core/onnx/constant_tensor.h"
#include "core/onnx/data_shape.h"

namespace mlp {

// Each feature is (x - offset) * scale, where x is the graph's input. Thread-compatible.
//
// Computed in double and rounded at the end: a single Sub and a single Mul keep their bits; other
// steps may round otherwise than a program that goes through them one by one in float.
class ScalingSteps {
 public:
  enum class Operation { kAdd, kSubtract, kMultiply, kDivide };

  // `values` [D].
  // INVALID_ARGUMENT: a feature is no longer finite, or does not depend on x any more; and more
  // than 8 steps, which bounds the time.
  absl::Status Apply(Operation operation, const std::vector<double>& values);

  // The identity where there were no steps.
  absl::StatusOr<FeatureScaler> Scaler(int features) const;

 private:
  std::vector<double> offsets_;  // [D], empty: all 0
  std::vector<double> scales_;   // [D], empty: all 1
  int steps_ = 0;
};

// A constant for each feature of `shape` in the order of the data: `tensor` broadcast by ONNX's
// (NumPy's) rules. INVALID_ARGUMENT where that is not possible or would change the data's shape.
absl::StatusOr<std::vector<double>> BroadcastToFeatures(const FloatTensor& tensor,
                                                        const DataShape& shape);

}  // namespace mlp
