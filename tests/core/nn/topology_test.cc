#include "core/nn/topology.h"

#include <cmath>

#include <gtest/gtest.h>

#include "core/nn/network.h"

namespace mlp {
namespace {

Topology Digits() { return {.inputs = 400, .layers = {{.units = 25}, {.units = 10}}}; }

TEST(Topology, CountsWeightsAndBiasesOfTheDigitNetwork) {
  EXPECT_EQ(ParameterCount(Digits()), 401 * 25 + 26 * 10);
  EXPECT_EQ(ParameterCount(Digits()), 10285);
}

TEST(Topology, IsNamedByItsLayers) { EXPECT_EQ(TopologyName(Digits()), "400-25-10"); }

TEST(Topology, ActivationNamesRoundTrip) {
  for (const Activation activation :
       {Activation::kStep, Activation::kSigmoid, Activation::kTanh, Activation::kRelu,
        Activation::kIdentity, Activation::kSoftmax}) {
    Activation parsed = Activation::kStep;
    ASSERT_TRUE(ParseActivation(ActivationName(activation), &parsed));
    EXPECT_EQ(parsed, activation);
  }
  EXPECT_EQ(ActivationName(Activation::kRelu), "relu");
  Activation parsed = Activation::kTanh;
  EXPECT_FALSE(ParseActivation("Sigmoid", &parsed));
  EXPECT_FALSE(ParseActivation("", &parsed));
  EXPECT_EQ(parsed, Activation::kTanh);
}

TEST(Topology, AcceptsWhatIsInRange) {
  EXPECT_TRUE(ValidateTopology(Digits()).ok());
  EXPECT_TRUE(ValidateTopology({.inputs = 1, .layers = {{.units = 1}}}).ok());
  // (2^14 - 1 + 1) * 2^14 = 2^28: the most there may be.
  EXPECT_TRUE(ValidateTopology({.inputs = (1 << 14) - 1, .layers = {{.units = 1 << 14}}}).ok());
  Topology softmax = Digits();
  softmax.layers.back().activation = Activation::kSoftmax;
  EXPECT_TRUE(ValidateTopology(softmax).ok());
}

TEST(Topology, RefusesUnitsOutOfRangeNamingTheLayer) {
  Topology topology = Digits();
  topology.layers[1].units = 0;
  absl::Status status = ValidateTopology(topology);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "layers[2]: expected 1 to 1048576 units, got 0");

  topology = Digits();
  topology.inputs = -3;
  EXPECT_EQ(ValidateTopology(topology).message(), "layers[0]: expected 1 to 1048576 units, got -3");

  topology = Digits();
  topology.layers[0].units = kMaxUnits + 1;
  EXPECT_EQ(ValidateTopology(topology).message(),
            "layers[1]: expected 1 to 1048576 units, got 1048577");
}

TEST(Topology, RefusesNoLayersAndTooMany) {
  EXPECT_EQ(ValidateTopology({.inputs = 4, .layers = {}}).code(),
            absl::StatusCode::kInvalidArgument);
  Topology deep = {.inputs = 4, .layers = std::vector<LayerSpec>(kMaxLayers, {.units = 2})};
  EXPECT_TRUE(ValidateTopology(deep).ok());
  deep.layers.push_back({.units = 2});
  EXPECT_EQ(ValidateTopology(deep).code(), absl::StatusCode::kInvalidArgument);
}

TEST(Topology, RefusesSoftmaxInAHiddenLayer) {
  Topology topology = Digits();
  topology.layers[0].activation = Activation::kSoftmax;
  const absl::Status status = ValidateTopology(topology);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("layers[1]"), absl::string_view::npos);
}

TEST(Topology, RefusesAThresholdThatIsNotFinite) {
  for (const float threshold : {std::nanf(""), HUGE_VALF}) {
    Topology topology = Digits();
    topology.layers[0] = {.units = 25, .activation = Activation::kStep, .threshold = threshold};
    EXPECT_EQ(ValidateTopology(topology).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(Topology, RefusesABillionWeightsAsTooLarge) {
  const Topology topology = {.inputs = 1000, .layers = {{.units = 1000000}, {.units = 10}}};
  EXPECT_EQ(ParameterCount(topology), 1001LL * 1000000 + 1000001LL * 10);
  const absl::Status status = ValidateTopology(topology);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "layers: expected at most 268435456 weights, got 1011000010");
}

TEST(Topology, TheLargestSizesDoNotOverflowTheCount) {
  const Topology topology = {.inputs = kMaxUnits,
                             .layers = std::vector<LayerSpec>(kMaxLayers, {.units = kMaxUnits})};
  EXPECT_GT(ParameterCount(topology), kMaxParameters);
  EXPECT_EQ(ValidateTopology(topology).code(), absl::StatusCode::kResourceExhausted);
}

TEST(ParameterLayout, PutsEachLayersWeightsBeforeItsBiases) {
  const ParameterLayout layout(Digits());
  ASSERT_EQ(layout.layers.size(), 2u);
  EXPECT_EQ(layout.layers[0].inputs, 400);
  EXPECT_EQ(layout.layers[0].outputs, 25);
  EXPECT_EQ(layout.layers[0].weights, 0);
  EXPECT_EQ(layout.layers[0].biases, 10000);
  EXPECT_EQ(layout.layers[1].inputs, 25);
  EXPECT_EQ(layout.layers[1].outputs, 10);
  EXPECT_EQ(layout.layers[1].weights, 10025);
  EXPECT_EQ(layout.layers[1].biases, 10275);
  EXPECT_EQ(layout.size, 10285);
}

}  // namespace
}  // namespace mlp
