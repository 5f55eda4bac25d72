// Small ONNX models in protobuf's text format, for tests to write down what a file says.
#pragma once

#include <string>
#include <vector>

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

namespace mlp {

inline std::string ModelBytes(const std::string& text) {
  onnx::ModelProto model;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &model)) << text;
  return model.SerializeAsString();
}

// `shape` is the text of the dimensions, `type` the number of the element type: 1 is FLOAT.
inline std::string ValueText(const std::string& field, const std::string& name,
                             const std::string& shape, int type = 1) {
  return field + " { name: '" + name + "' type { tensor_type { elem_type: " + std::to_string(type) +
         " shape { " + shape + " } } } }\n";
}

inline constexpr const char* kTwoFeatures = "dim { dim_param: 'N' } dim { dim_value: 2 }";

// From x [N, 2] to y: initializers w [2, 3], b [3], v [3, 2] and others, and the nodes of `nodes`.
inline std::string GraphText(const std::string& nodes,
                             const std::string& input = ValueText("input", "x", kTwoFeatures)) {
  return "graph { " + input + ValueText("output", "y", "") + R"(
    initializer { name: 'w' data_type: 1 dims: 2 dims: 3 float_data: [1, 2, 3, 4, 5, 6] }
    initializer { name: 'b' data_type: 1 dims: 3 float_data: [7, 8, 9] }
    initializer { name: 'v' data_type: 1 dims: 3 dims: 2 float_data: [1, -1, 2, -2, 3, -3] }
    initializer { name: 'c' data_type: 1 dims: 2 float_data: [0.5, 0.25] }
    initializer { name: 'zero' data_type: 1 float_data: 0 }
    initializer { name: 'two' data_type: 1 float_data: 2 }
  )" + nodes +
         "}\n";
}

inline std::string ModelText(const std::string& nodes) {
  return "ir_version: 8 opset_import { version: 13 }\n" + GraphText(nodes);
}

// The text of a node. `rest` is more of its text, such as attributes.
inline std::string NodeText(const std::string& op, const std::string& name,
                            const std::vector<std::string>& inputs, const std::string& output,
                            const std::string& rest = "") {
  std::string text = "node { op_type: '" + op + "' name: '" + name + "' output: '" + output + "' ";
  for (const std::string& input : inputs) text += "input: '" + input + "' ";
  return text + rest + " }\n";
}

inline std::string IntText(const std::string& name, int value) {
  return "attribute { name: '" + name + "' type: INT i: " + std::to_string(value) + " } ";
}

}  // namespace mlp
