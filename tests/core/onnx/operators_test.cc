// What each operator becomes, by hand-computed weights; and what is refused, by node name.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/onnx/onnx.h"
#include "tests/core/onnx/model_text.h"
#include "tests/core/onnx/random_artifact.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Artifact Read(const std::string& text) {
  absl::StatusOr<Artifact> artifact = ReadOnnx(ModelBytes(text));
  if (!artifact.ok()) {
    ADD_FAILURE() << artifact.status() << "\n" << text;
    return {};
  }
  return *std::move(artifact);
}

std::vector<float> Theta(const Artifact& artifact) {
  const VectorF& theta = artifact.network.parameters;
  return {theta.data(), theta.data() + theta.size()};
}

void ExpectRefused(const std::string& text, const std::string& message) {
  SCOPED_TRACE(text);
  const absl::Status status = ReadOnnx(ModelBytes(text)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(message));
}

TEST(OnnxOperators, GemmHasInputsByUnitsOrTransposedAndFactors) {
  const Artifact plain = Read(ModelText(NodeText("Gemm", "fc", {"x", "w", "b"}, "y")));
  EXPECT_THAT(Theta(plain), ElementsAre(1, 4, 2, 5, 3, 6, 7, 8, 9));

  const Artifact transposed =
      Read(ModelText(NodeText("Gemm", "fc", {"x", "v"}, "y", IntText("transB", 1))));
  EXPECT_THAT(Theta(transposed), ElementsAre(1, -1, 2, -2, 3, -3, 0, 0, 0));

  const Artifact scaled = Read(ModelText(NodeText("Gemm", "fc", {"x", "w", "b"}, "y",
                                                  "attribute { name: 'alpha' type: FLOAT f: 2 } "
                                                  "attribute { name: 'beta' type: FLOAT f: -1 }")));
  EXPECT_THAT(Theta(scaled), ElementsAre(2, 8, 4, 10, 6, 12, -7, -8, -9));
}

TEST(OnnxOperators, MatMulTakesTheAddBehindItAsBiasFromEitherSide) {
  for (const auto& inputs : {std::vector<std::string>{"z", "b"}, {"b", "z"}}) {
    const Artifact artifact = Read(ModelText(NodeText("MatMul", "fc", {"x", "w"}, "z") +
                                             NodeText("Add", "bias", inputs, "y")));
    EXPECT_THAT(Theta(artifact), ElementsAre(1, 4, 2, 5, 3, 6, 7, 8, 9));
  }
}

TEST(OnnxOperators, ABiasOfOneValueIsEveryUnits) {
  const Artifact artifact = Read(ModelText(NodeText("Gemm", "fc", {"x", "w", "two"}, "y")));
  EXPECT_THAT(Theta(artifact), ElementsAre(1, 4, 2, 5, 3, 6, 2, 2, 2));
}

TEST(OnnxOperators, ScalingFoldsInAnyOrder) {
  const std::string layer = NodeText("Gemm", "fc", {"s", "w"}, "y");
  const struct {
    std::string nodes;
    std::vector<float> offsets;
    std::vector<float> scales;
  } cases[] = {
      {NodeText("Sub", "a", {"x", "c"}, "s"), {0.5f, 0.25f}, {1, 1}},
      {NodeText("Add", "a", {"c", "x"}, "s"), {-0.5f, -0.25f}, {1, 1}},
      {NodeText("Mul", "a", {"c", "x"}, "s"), {0, 0}, {0.5f, 0.25f}},
      {NodeText("Div", "a", {"x", "c"}, "s"), {0, 0}, {2, 4}},
      {NodeText("Div", "a", {"x", "two"}, "t") + NodeText("Sub", "b2", {"t", "c"}, "s"),
       {1, 0.5f},
       {0.5f, 0.5f}},
      {NodeText("Sub", "a", {"x", "two"}, "t") + NodeText("Div", "b2", {"t", "c"}, "u") +
           NodeText("Add", "d", {"u", "two"}, "s"),
       {1, 1.5f},
       {2, 4}},
  };
  for (const auto& c : cases) {
    const Artifact artifact = Read(ModelText(c.nodes + layer));
    EXPECT_THAT(artifact.scaler.offsets(), ::testing::ElementsAreArray(c.offsets)) << c.nodes;
    EXPECT_THAT(artifact.scaler.scales(), ::testing::ElementsAreArray(c.scales)) << c.nodes;
  }
}

TEST(OnnxOperators, ScalingOfImagesIsBroadcastByChannelRowOrColumn) {
  const std::string shape = "dim {} dim { dim_value: 2 } dim { dim_value: 1 } dim { dim_value: 2 }";
  const auto model = [&](const std::string& dims) {
    return "opset_import { version: 13 }" +
           GraphText("initializer { name: 'm' data_type: 1 " + dims +
                         " float_data: [10, 20] }"
                         "initializer { name: 'k' data_type: 1 dims: 2 dims: 4 "
                         "float_data: [1, 2, 3, 4, 5, 6, 7, 8] }" +
                         NodeText("Sub", "mean", {"x", "m"}, "s") +
                         NodeText("Flatten", "flat", {"s"}, "f") +
                         NodeText("Gemm", "fc", {"f", "k"}, "y", IntText("transB", 1)),
                     ValueText("input", "x", shape));
  };
  EXPECT_THAT(Read(model("dims: 2 dims: 1 dims: 1")).scaler.offsets(), ElementsAre(10, 10, 20, 20));
  EXPECT_THAT(Read(model("dims: 1 dims: 1 dims: 1 dims: 2")).scaler.offsets(),
              ElementsAre(10, 20, 10, 20));
  EXPECT_THAT(Read(model("dims: 2")).scaler.offsets(), ElementsAre(10, 20, 10, 20));
  ExpectRefused(model("dims: 2 dims: 1 dims: 1 dims: 1"),
                "node mean (Sub): expected a constant for the features of [N, 2, 1, 2], got one of "
                "[2, 1, 1, 1]");
  // Two channels lie in another order than in our images.
  EXPECT_FALSE(Read(model("dims: 2")).schema.image.has_value());
}

TEST(OnnxOperators, StepIsAComparisonAndACast) {
  const Artifact artifact = Read(ModelText(NodeText("Gemm", "fc", {"x", "w"}, "z") +
                                           NodeText("GreaterOrEqual", "ge", {"z", "two"}, "t") +
                                           NodeText("Cast", "cast", {"t"}, "y", IntText("to", 1))));
  EXPECT_EQ(artifact.network.topology.layers[0],
            (LayerSpec{.units = 3, .activation = Activation::kStep, .threshold = 2.0f}));
}

TEST(OnnxOperators, TheOutputDecidesTheCost) {
  const auto cost = [](const std::string& op) {
    return Read(ModelText(NodeText("Gemm", "fc", {"x", "w"}, "z") + NodeText(op, "a", {"z"}, "y")))
        .cost;
  };
  EXPECT_EQ(cost("Sigmoid"), CostKind::kSigmoidCrossEntropy);
  EXPECT_EQ(cost("Softmax"), CostKind::kSoftmaxCrossEntropy);
  EXPECT_EQ(cost("Identity"), CostKind::kSoftmaxCrossEntropy);
}

struct Refusal {
  std::string nodes;
  std::string message;
};

TEST(OnnxOperators, RefusesByNodeNameWhatCannotBeRepresented) {
  const std::string layer = NodeText("Gemm", "fc", {"x", "w", "b"}, "z");
  const Refusal refusals[] = {
      {NodeText("Conv", "conv1", {"x", "w"}, "y"),
       "node conv1 (Conv): this operator is not supported"},
      {NodeText("Conv", "", {"x", "w"}, "y"), "node[0] (Conv): this operator is not supported"},
      {layer + NodeText("LogSoftmax", "log", {"z"}, "y"), "node log (LogSoftmax): this operator"},
      {layer + NodeText("Softmax", "s", {"z"}, "y", IntText("axis", 0)),
       "node s (Softmax): axis: expected 1 or -1, a row, got 0"},
      {NodeText("Gemm", "fc", {"x", "w"}, "y", IntText("transA", 1)), "node fc (Gemm): transA"},
      {NodeText("Gemm", "fc", {"w", "x"}, "y"),
       "node fc (Gemm): expected the weights as its second"},
      {NodeText("MatMul", "fc", {"w", "x"}, "y"),
       "node fc (MatMul): expected the weights as its second"},
      {NodeText("Gemm", "fc", {"x", "v"}, "y"),
       "node fc (Gemm): weights v: expected [2, units], got [3, 2]"},
      {NodeText("Gemm", "fc", {"x", "w", "c"}, "y"),
       "node fc (Gemm): bias c: expected [3], got [2]"},
      {NodeText("Gemm", "fc", {"x", "w"}, "y", IntText("broadcast", 1)),
       "node fc (Gemm): attribute broadcast is not supported"},
      {NodeText("Gemm", "fc", {"x", "w"}, "y", IntText("alpha", 1)),
       "node fc (Gemm): attribute alpha: expected the type FLOAT, got INT"},
      {NodeText("Gemm", "fc", {"x", "w", "b"}, "y",
                "attribute { name: 'alpha' type: FLOAT f: 3e38 }"),
       "node fc (Gemm): weights times 3e+38: expected finite"},
      {NodeText("Gemm", "fc", {"x", "lost"}, "y"),
       "node fc (Gemm): input lost: expected an initializer or the value of a node before it"},
      {layer + NodeText("Add", "again", {"z", "b"}, "y"),
       "node again (Add): the layer before it has"},
      {layer + NodeText("Mul", "m", {"z", "two"}, "y"),
       "node m (Mul): expected it before the first"},
      {layer + NodeText("Add", "skip", {"z", "z"}, "y"), "node skip (Add): expected the value of"},
      {layer + NodeText("Relu", "r", {"z"}, "h") + NodeText("Add", "skip", {"z", "h"}, "y"),
       "node skip (Add): input z: expected a chain without branches"},
      {NodeText("Relu", "r", {"x"}, "y"), "node r (Relu): expected a Gemm or MatMul before it"},
      {layer + NodeText("Relu", "r", {"z"}, "h") + NodeText("Tanh", "t", {"h"}, "y"),
       "node t (Tanh): expected a Gemm or MatMul before it"},
      {layer + NodeText("Softmax", "s", {"z"}, "h") + NodeText("Gemm", "fc2", {"h", "v"}, "y"),
       "node fc2 (Gemm): expected no layer behind a Softmax"},
      {layer + NodeText("GreaterOrEqual", "ge", {"z", "b"}, "y"),
       "node ge (GreaterOrEqual): expected one threshold, got [3]"},
      {layer + NodeText("GreaterOrEqual", "ge", {"z", "two"}, "y"), "expected a Cast to FLOAT"},
      {layer + NodeText("GreaterOrEqual", "ge", {"z", "two"}, "h") +
           NodeText("Gemm", "fc2", {"h", "v"}, "y"),
       "node fc2 (Gemm): expected a Cast to FLOAT before it"},
      {layer + NodeText("Cast", "to", {"z"}, "y", IntText("to", 11)),
       "node to (Cast): expected a Cast to FLOAT (1), got 11"},
      {NodeText("Sub", "s", {"c", "x"}, "y"),
       "node s (Sub): expected the constant as second input"},
      {NodeText("Sub", "s", {"x", "b"}, "y"),
       "node s (Sub): expected a constant for the features of [N, 2], got one of [3]"},
      {NodeText("Mul", "s", {"x", "zero"}, "y"),
       "node s (Mul): feature 0: expected a finite scale other than 0, got 0"},
      {NodeText("Div", "s", {"x", "zero"}, "y"),
       "node s (Div): feature 0: expected a finite scale"},
      {NodeText("Flatten", "f", {"x"}, "y", IntText("axis", 0)),
       "node f (Flatten): axis: expected 1"},
      {"initializer { name: 'shape' data_type: 7 dims: 2 int64_data: [2, -1] }" +
           NodeText("Reshape", "r", {"x", "shape"}, "y"),
       "node r (Reshape): expected a shape that flattens [N, 2], [-1, 2]"},
      {"initializer { name: 'on' data_type: 9 int32_data: 1 }" +
           NodeText("Dropout", "d", {"x", "two", "on"}, "y"),
       "node d (Dropout): training_mode: expected false, got true"},
      {NodeText("Gemm", "fc", {"x", "w"}, "y", "domain: 'com.other'"),
       "node fc (Gemm): operators of the domain com.other"},
      {NodeText("Gemm", "fc", {"x", "w"}, "h") + NodeText("Gemm", "fc2", {"h", "v"}, "i") +
           NodeText("Gemm", "fc3", {"i", "w"}, "y"),
       "node fc3 (Gemm): expected weights of its own"},
      {NodeText("Gemm", "fc", {"x", "w"}, "w"),
       "node fc (Gemm): graph: expected one value of each"},
      {NodeText("Gemm", "fc", {"x", "w"}, "h"), "output y: expected it to be what the last node"},
      {NodeText("Identity", "i", {"x"}, "y"), "graph: expected a Gemm or MatMul, got no layer"},
      {NodeText("Constant", "k", {}, "k") + NodeText("Gemm", "fc", {"x", "k"}, "y"),
       "node k (Constant): expected the attribute value"},
      {NodeText("Transpose", "t", {"w"}, "u") + NodeText("Gemm", "fc", {"x", "u"}, "y"),
       "node t (Transpose): expected the value of the node before it (x) as one input, got it as "
       "0"},
  };
  for (const Refusal& refusal : refusals) ExpectRefused(ModelText(refusal.nodes), refusal.message);
}

TEST(OnnxOperators, RefusesTensorsByNodeAndTensor) {
  const Refusal refusals[] = {
      {"data_type: 11 dims: 2 dims: 1 double_data: [1, 2]", "expected FLOAT values, got DOUBLE"},
      {"data_type: 10 dims: 2 dims: 1 raw_data: '1234'", "expected FLOAT values, got FLOAT16"},
      {"data_type: 99 dims: 2 dims: 1", "expected FLOAT values, got the unknown type 99"},
      {"data_type: 1 dims: 2 dims: 2 float_data: [1, 2]", "as the dimensions 2 x 2 say, got 2"},
      {"data_type: 1 dims: 1 dims: 1 float_data: [1, 2]", "expected 1 values, got 2"},
      {"data_type: 1 dims: 2 dims: -1 float_data: [1, 2]", "expected dimensions over 0, got -1"},
      {"data_type: 1 dims: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1] float_data: 1",
       "expected at most 16 dimensions, got 17"},
      {"data_type: 1 dims: 2 dims: 0", "expected dimensions over 0, got 0"},
      {"data_type: 1 dims: 4294967296 dims: 4294967296 float_data: [1, 2]", "say, got 2"},
      {"data_type: 1 dims: 9223372036854775807 dims: 3 float_data: 1", "say, got 1"},
      {"data_type: 1 dims: 2 dims: 1 raw_data: '1234567'", "expected a multiple of 4 bytes, got 7"},
      {"data_type: 1 dims: 2 dims: 1 float_data: [1, nan]", "value 1: expected a finite number"},
      {"data_type: 1 dims: 2 dims: 1 float_data: [-inf, 1]", "value 0: expected a finite number"},
      {"data_type: 1 dims: 2 dims: 1 float_data: [1, 2] raw_data: '12345678'", "values once"},
      {"data_type: 1 dims: 2 dims: 1 data_location: EXTERNAL", "expected its values in this file"},
      {"data_type: 1 dims: 2 dims: 1 external_data { key: 'location' value: '/etc/passwd' }",
       "expected its values in this file"},
  };
  for (const Refusal& refusal : refusals) {
    ExpectRefused(ModelText("initializer { name: 'bad' " + refusal.nodes + " }" +
                            NodeText("Gemm", "fc", {"x", "bad"}, "y")),
                  "node fc (Gemm): tensor bad: ");
    ExpectRefused(ModelText("initializer { name: 'bad' " + refusal.nodes + " }" +
                            NodeText("Gemm", "fc", {"x", "bad"}, "y")),
                  refusal.message);
  }
}

TEST(OnnxOperators, RefusesInputsOutputsAndVersions) {
  const std::string gemm = NodeText("Gemm", "fc", {"x", "w"}, "y");
  const auto with_input = [&](const std::string& input) {
    return "opset_import { version: 13 }" + GraphText(gemm, input);
  };
  const std::string second = ValueText("input", "x2", kTwoFeatures);
  const Refusal refusals[] = {
      {with_input(""), "graph: expected one input, got none"},
      {with_input(ValueText("input", "x", kTwoFeatures) + second),
       "expected one input, got x and x2"},
      {with_input(ValueText("input", "x", kTwoFeatures, 11)), "input x: expected FLOAT or UINT8"},
      {with_input(ValueText("input", "x", kTwoFeatures, 2)),
       "node fc (Gemm): expected FLOAT values, got UINT8: a Cast is missing"},
      {with_input(ValueText("input", "x", "dim { dim_value: 2 }")),
       "input x: expected a shape of 2"},
      {with_input(ValueText("input", "x", "dim {} dim { dim_param: 'D' }")),
       "input x: expected dimensions behind the first that are fixed"},
      {with_input(
           ValueText("input", "x", "dim {} dim { dim_value: 1048576 } dim { dim_value: 2 }")),
       "at most 1048576 features"},
      {with_input(ValueText("input", "x", "dim {} dim { dim_value: 1 } dim { dim_value: 2 }")),
       "node fc (Gemm): expected rows of one dimension, got [N, 1, 2]: a Flatten is missing"},
      {ModelText(gemm + ValueText("output", "y2", "")), "graph: expected one output, got 2"},
      {ModelText("initializer { name: 'u' data_type: 1 dims: 2 dims: 1 float_data: [1, 2] }" +
                 NodeText("Gemm", "fc", {"x", "u"}, "y")),
       "output y, a value for each class: class_names: expected 2 to 10000 names, got 1"},
      {ModelText("sparse_initializer {}" + gemm), "sparse initializers are not supported"},
      {GraphText(gemm), "opset_import: expected a version of ONNX's operators, got none"},
      {"opset_import { version: 6 }" + GraphText(gemm), "expected version 7 to 21"},
      {"opset_import { version: 22 }" + GraphText(gemm), "expected version 7 to 21"},
      {"functions { name: 'Gemm' }" + ModelText(gemm), "functions: expected ONNX's own Gemm"},
      {"opset_import { version: 13 }", "onnx: expected an ONNX model"},
  };
  for (const Refusal& refusal : refusals) ExpectRefused(refusal.nodes, refusal.message);
}

TEST(OnnxOperators, RefusesMetadataOfAnotherNetwork) {
  const std::string model = ModelText(NodeText("Gemm", "fc", {"x", "w"}, "y"));
  ExpectRefused(model + "metadata_props { key: 'mlpd.header' value: '{' }",
                "metadata mlpd.header: ");
  ExpectRefused(model + R"(metadata_props { key: 'mlpd.header' value:
      '{"topology": {"inputs": 2, "layers": [{"units": 3, "activation": "relu", "threshold": 0}]},'
      ' "cost": "sigmoid_cross_entropy", "schema": {"features": 2, "feature_type": "float32",'
      ' "class_names": ["a", "b", "c"]}}' })",
                "metadata mlpd.header: expected the graph's network, 2-3, got 2-3 or other");
  ExpectRefused(model + "metadata_props { key: 'mlpd.provenance' value: '7' }",
                "metadata mlpd.provenance: expected a JSON object");
  ExpectRefused(model +
                    "metadata_props { key: 'mlpd.provenance' value: '{}' }"
                    "metadata_props { key: 'mlpd.provenance' value: '{}' }",
                "metadata mlpd.provenance: expected one entry, got two");
  Read(model + "metadata_props { key: 'author' value: 'somebody' }");
}

}  // namespace
}  // namespace mlp
