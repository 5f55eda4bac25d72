// A graph as a chain of nodes from its one input to its one output: who takes whose value. What the
// nodes mean, DenseChain knows; the model around the graph is onnx_import's.
#pragma once

#include <absl/status/statusor.h>
#include <onnx/onnx_pb.h>

#include "core/onnx/data_shape.h"
#include "core/onnx/dense_chain.h"

namespace mlp {

struct GraphNetwork {
  DataShape input;
  DenseChain chain;
};

// Views of `graph`, which outlives it. INVALID_ARGUMENT naming the node, the input or the output:
// several inputs or outputs, a branch, a value that is taken before it is there or never is, two
// values of one name, and whatever DenseChain cannot represent.
absl::StatusOr<GraphNetwork> ReadGraph(const onnx::GraphProto& graph);

}  // namespace mlp
