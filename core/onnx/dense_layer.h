// One fully connected layer of a graph that is read: where its weights are in the file, and how
// they get from there into Theta.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <absl/status/statusor.h>
#include <onnx/onnx_pb.h>

#include "core/nn/topology.h"
#include "core/onnx/constant_tensor.h"
#include "core/onnx/data_shape.h"
#include "core/onnx/onnx_node.h"

namespace mlp {

// Views of the file's tensors, which outlive it.
struct DenseLayer {
  OnnxNode node;
  FloatTensor weights;
  bool units_first = false;  // [units x inputs], as Theta has it, else [inputs x units]
  float weight_factor = 1.0f;
  std::optional<FloatTensor> bias = std::nullopt;  // [units] or one value; none: 0
  float bias_factor = 1.0f;
  LayerSpec spec = {};
};

// The layer of a Gemm or MatMul node whose first input is of `data`; `constants` are its further
// inputs, null where one is left out. INVALID_ARGUMENT naming the node: rows that are not flat,
// sizes that do not fit, a transposed first input, a bias that is not one for each unit.
absl::StatusOr<DenseLayer> ReadGemm(const OnnxNode& node, const DataShape& data,
                                    const std::vector<const onnx::TensorProto*>& constants);
absl::StatusOr<DenseLayer> ReadMatMul(const OnnxNode& node, const DataShape& data,
                                      const std::vector<const onnx::TensorProto*>& constants);

// Gives `layer`, which has none, the bias of an Add node. INVALID_ARGUMENT likewise.
absl::Status AddBias(const OnnxNode& node, const onnx::TensorProto& tensor, DenseLayer& layer);

// Writes W [units x inputs] row-major and b [units], both times their factors, to `weights` and
// `biases`. INVALID_ARGUMENT naming the layer's node: a product is not finite.
absl::Status CopyLayer(const DenseLayer& layer, int inputs, float* weights, float* biases);

}  // namespace mlp
