// The meaning of a graph that is read, node by node: scaling, then dense layers. It is given a
// chain (onnx_import.cc sees to that) and becomes a network.
#pragma once

#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <onnx/onnx_pb.h>

#include "core/data/feature_scaler.h"
#include "core/nn/network.h"
#include "core/onnx/data_shape.h"
#include "core/onnx/dense_layer.h"
#include "core/onnx/onnx_node.h"
#include "core/onnx/scaling_steps.h"

namespace mlp {

// A node in its chain.
struct ChainLink {
  OnnxNode node;
  // Which of its inputs the node before it puts out, and the others in their order: constants, or
  // null where one is left out.
  int data_input = 0;
  std::vector<const onnx::TensorProto*> constants = {};
};

// What the last node put out decides what the next may be:
//
//                 Gemm, MatMul             Sigmoid, Tanh, Relu, Softmax
//   kFeatures -----------------> kSums ---------------------------------> kValues
//    ^  | Add Sub Mul Div        ^ |  |  GreaterOrEqual              Cast   ^  |
//    +--+ Cast Scaler            | |  +------------------> kComparison -----+  |
//                                +-+ Gemm, MatMul (identity), Add (bias)       |
//                                +---------------------------------------------+ Gemm, MatMul
//
// Identity, Dropout, and Flatten and Reshape that only flatten, change nothing of it.
// Views of the file's tensors, which outlive it. Thread-compatible.
class DenseChain {
 public:
  explicit DenseChain(DataShape input) : data_(std::move(input)), features_(data_.features()) {}

  // INVALID_ARGUMENT naming the node where it cannot be represented.
  absl::Status Append(const ChainLink& link);

  // After the last node. INVALID_ARGUMENT: there was no layer, a comparison is open, or the network
  // is not a valid one; RESOURCE_EXHAUSTED: it has too many weights.
  absl::StatusOr<NetworkF> Network() const;
  absl::StatusOr<FeatureScaler> Scaler() const;

 private:
  enum class State { kFeatures, kSums, kComparison, kValues };

  absl::Status AppendScaling(const ChainLink& link, ScalingSteps::Operation operation);
  absl::Status AppendScaler(const ChainLink& link);
  absl::Status AppendAdd(const ChainLink& link);
  absl::Status AppendLayer(const ChainLink& link, absl::StatusOr<DenseLayer> layer);
  absl::Status AppendActivation(const ChainLink& link, Activation activation);
  absl::Status AppendSoftmax(const ChainLink& link);
  absl::Status AppendComparison(const ChainLink& link);
  absl::Status AppendCast(const ChainLink& link);
  absl::Status AppendFlatten(const ChainLink& link);
  absl::Status AppendReshape(const ChainLink& link);
  absl::Status AppendDropout(const ChainLink& link);

  DataShape data_;  // of what the last node put out
  const int64_t features_;
  State state_ = State::kFeatures;
  ScalingSteps scaling_;
  std::vector<DenseLayer> layers_;
};

}  // namespace mlp
