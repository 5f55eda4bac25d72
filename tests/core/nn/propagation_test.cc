#include "core/nn/propagation.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/nn/initialization.h"

namespace mlp {
namespace {

const double kLn3 = std::log(3.0);

// 2-1-2, worked by hand. Theta: W_1 = (-ln 3, ln 3), b_1 = 0; W_2 = (4/3 ln 3, 0), b_2 = (0, -ln
// 3). At x = (1, 2): z_1 = ln 3, a = 3/4, z_2 = (ln 3, -ln 3).
Topology HandTopology(Activation output) {
  return {.inputs = 2, .layers = {{.units = 1}, {.units = 2, .activation = output}}};
}
const std::vector<double> kHandTheta = {-kLn3, kLn3, 0.0, 4.0 / 3.0 * kLn3, 0.0, 0.0, -kLn3};
const std::vector<double> kHandInputs = {1.0, 2.0, 1.0, 2.0};

void ExpectNear(const std::vector<double>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-15) << i;
}

TEST(Propagation, ForwardByHand) {
  Propagation<double> propagation(HandTopology(Activation::kSigmoid), 4);
  propagation.Forward(kHandTheta.data(), kHandInputs.data(), 1);
  ASSERT_EQ(propagation.logits().rows(), 1);
  ASSERT_EQ(propagation.logits().cols(), 2);
  EXPECT_NEAR(propagation.logits()(0, 0), kLn3, 1e-15);
  EXPECT_NEAR(propagation.logits()(0, 1), -kLn3, 1e-15);
  EXPECT_NEAR(propagation.outputs()(0, 0), 0.75, 1e-15);
  EXPECT_NEAR(propagation.outputs()(0, 1), 0.25, 1e-15);
}

TEST(Propagation, BackwardOfTheSigmoidCostByHand) {
  Propagation<double> propagation(HandTopology(Activation::kSigmoid), 2);
  std::vector<double> gradient(7, 99.0);
  const std::vector<int32_t> labels = {0, 1};

  // Label 0: h - y = (-1/4, 1/4); times a: dW_2; times W_2 and a (1 - a) = 3/16: -ln 3 / 16.
  propagation.Forward(kHandTheta.data(), kHandInputs.data(), 1);
  EXPECT_NEAR(propagation.Backward(kHandTheta.data(), kHandInputs.data(), {{labels.data(), 1}},
                                   CostKind::kSigmoidCrossEntropy, gradient.data()),
              2.0 * std::log(4.0 / 3.0), 1e-15);
  ExpectNear(gradient, {-kLn3 / 16, -kLn3 / 8, -kLn3 / 16, -3.0 / 16, 3.0 / 16, -0.25, 0.25});

  // The same row again with label 1, h - y = (3/4, -3/4): both are summed, not averaged.
  propagation.Forward(kHandTheta.data(), kHandInputs.data(), 2);
  EXPECT_NEAR(propagation.Backward(kHandTheta.data(), kHandInputs.data(), {labels},
                                   CostKind::kSigmoidCrossEntropy, gradient.data()),
              2.0 * std::log(16.0 / 3.0), 1e-15);
  ExpectNear(gradient, {kLn3 / 8, kLn3 / 4, kLn3 / 8, 3.0 / 8, -3.0 / 8, 0.5, -0.5});
}

TEST(Propagation, BackwardOfTheSoftmaxCostByHand) {
  // h = (9/10, 1/10), label 0: h - y = (-1/10, 1/10).
  Propagation<double> propagation(HandTopology(Activation::kSoftmax), 1);
  std::vector<double> gradient(7, 99.0);
  propagation.Forward(kHandTheta.data(), kHandInputs.data(), 1);
  const std::vector<int32_t> labels = {0};
  EXPECT_NEAR(propagation.Backward(kHandTheta.data(), kHandInputs.data(), {labels},
                                   CostKind::kSoftmaxCrossEntropy, gradient.data()),
              std::log(10.0 / 9.0), 1e-15);
  ExpectNear(gradient, {-kLn3 / 40, -kLn3 / 20, -kLn3 / 40, -3.0 / 40, 3.0 / 40, -0.1, 0.1});
}

// Step units compute logic, by hand. Inputs: the four pairs of bits.
std::vector<float> Logic(const Topology& topology, const std::vector<float>& theta) {
  const std::vector<float> inputs = {0, 0, 0, 1, 1, 0, 1, 1};
  Propagation<float> propagation(topology, 4);
  propagation.Forward(theta.data(), inputs.data(), 4);
  const auto outputs = propagation.outputs();
  return {outputs.data(), outputs.data() + outputs.size()};
}

LayerSpec Step(int units, float threshold) {
  return {.units = units, .activation = Activation::kStep, .threshold = threshold};
}

TEST(Propagation, StepNetworksComputeAndOrXor) {
  EXPECT_EQ(Logic({.inputs = 2, .layers = {Step(1, 1.5f)}}, {1, 1, 0}),
            (std::vector<float>{0, 0, 0, 1}));
  EXPECT_EQ(Logic({.inputs = 2, .layers = {Step(1, 0.5f)}}, {1, 1, 0}),
            (std::vector<float>{0, 1, 1, 1}));
  // Threshold 0 and the bias in its place.
  EXPECT_EQ(Logic({.inputs = 2, .layers = {Step(1, 0.0f)}}, {1, 1, -1.5f}),
            (std::vector<float>{0, 0, 0, 1}));
  // XOR = OR and not AND: hidden unit 1 is OR (bias -0.5), 2 is AND (bias -1.5).
  EXPECT_EQ(Logic({.inputs = 2, .layers = {Step(2, 0.0f), Step(1, 0.5f)}},
                  {1, 1, 1, 1, -0.5f, -1.5f, 1, -1, 0}),
            (std::vector<float>{0, 1, 1, 0}));
}

double NaiveActivation(Activation activation, double z) {
  switch (activation) {
    case Activation::kSigmoid:
      return 1.0 / (1.0 + std::exp(-z));
    case Activation::kTanh:
      return std::tanh(z);
    case Activation::kRelu:
      return z > 0.0 ? z : 0.0;
    default:
      return z;
  }
}

double NaiveDerivative(Activation activation, double z) {
  const double h = NaiveActivation(activation, z);
  switch (activation) {
    case Activation::kSigmoid:
      return h * (1.0 - h);
    case Activation::kTanh:
      return 1.0 - h * h;
    case Activation::kRelu:
      return z > 0.0 ? 1.0 : 0.0;
    default:
      return 1.0;
  }
}

struct NaiveResult {
  double cost = 0.0;
  std::vector<double> outputs;   // [rows x K]
  std::vector<double> gradient;  // [layout.size]
};

// Loops over rows, units and inputs, as the formulas are written: the reference for the fast code.
NaiveResult Naive(const Topology& topology, const std::vector<double>& theta,
                  const std::vector<double>& inputs, const std::vector<int32_t>& labels,
                  CostKind cost) {
  const ParameterLayout layout(topology);
  const size_t depth = layout.layers.size();
  NaiveResult result;
  result.gradient.assign(theta.size(), 0.0);
  for (size_t row = 0; row < labels.size(); ++row) {
    std::vector<std::vector<double>> z(depth);
    std::vector<std::vector<double>> a(depth + 1);
    const auto first = inputs.begin() + static_cast<long>(row) * topology.inputs;
    a[0].assign(first, first + topology.inputs);
    for (size_t l = 0; l < depth; ++l) {
      const ParameterLayout::Layer& layer = layout.layers[l];
      for (int j = 0; j < layer.outputs; ++j) {
        double sum = theta[layer.biases + j];
        for (int i = 0; i < layer.inputs; ++i) {
          sum += theta[layer.weights + j * layer.inputs + i] * a[l][i];
        }
        z[l].push_back(sum);
        a[l + 1].push_back(NaiveActivation(topology.layers[l].activation, sum));
      }
    }
    if (cost == CostKind::kSoftmaxCrossEntropy) {
      double sum = 0.0;
      for (const double value : z.back()) sum += std::exp(value);
      for (size_t k = 0; k < z.back().size(); ++k) a.back()[k] = std::exp(z.back()[k]) / sum;
    }
    std::vector<double> delta = a.back();
    for (size_t k = 0; k < delta.size(); ++k) {
      const bool is_label = static_cast<int32_t>(k) == labels[row];
      if (is_label) {
        result.cost -= std::log(a.back()[k]);
      } else if (cost == CostKind::kSigmoidCrossEntropy) {
        result.cost -= std::log(1.0 - a.back()[k]);
      }
      delta[k] -= is_label ? 1.0 : 0.0;
    }
    for (size_t l = depth; l-- > 0;) {
      const ParameterLayout::Layer& layer = layout.layers[l];
      std::vector<double> below(static_cast<size_t>(layer.inputs), 0.0);
      for (int j = 0; j < layer.outputs; ++j) {
        result.gradient[layer.biases + j] += delta[j];
        for (int i = 0; i < layer.inputs; ++i) {
          result.gradient[layer.weights + j * layer.inputs + i] += delta[j] * a[l][i];
          below[i] += delta[j] * theta[layer.weights + j * layer.inputs + i];
        }
      }
      if (l == 0) break;
      for (int i = 0; i < layer.inputs; ++i) {
        below[i] *= NaiveDerivative(topology.layers[l - 1].activation, z[l - 1][i]);
      }
      delta = below;
    }
    result.outputs.insert(result.outputs.end(), a.back().begin(), a.back().end());
  }
  return result;
}

template <typename Scalar>
void ExpectAgreesWithNaive(const Topology& topology, CostKind cost, double tolerance) {
  const int rows = 37;
  std::vector<double> inputs;
  for (int i = 0; i < rows * topology.inputs; ++i) {
    // Rounded to float, so that both scalars see the same numbers.
    inputs.push_back(static_cast<float>(std::sin(0.7 * i) + 0.1));
  }
  std::vector<int32_t> labels;
  for (int i = 0; i < rows; ++i) labels.push_back((i * 7) % topology.outputs());
  const Vector<double> start =
      InitialParameters(topology, {.kind = InitializationKind::kUniform, .epsilon = 0.5}, 11);
  const Vector<Scalar> theta = start.cast<float>().cast<Scalar>();
  const Vector<double> exact_theta = theta.template cast<double>();
  const NaiveResult naive =
      Naive(topology, {exact_theta.data(), exact_theta.data() + exact_theta.size()}, inputs, labels,
            cost);

  const std::vector<Scalar> scalar_inputs(inputs.begin(), inputs.end());
  Propagation<Scalar> propagation(topology, rows + 3);
  Vector<Scalar> gradient =
      Vector<Scalar>::Constant(theta.size(), std::numeric_limits<Scalar>::quiet_NaN());
  propagation.Forward(theta.data(), scalar_inputs.data(), rows);
  const double sum =
      propagation.Backward(theta.data(), scalar_inputs.data(), {labels}, cost, gradient.data());
  EXPECT_NEAR(sum / naive.cost, 1.0, tolerance);
  const auto outputs = propagation.outputs();
  for (int i = 0; i < outputs.size(); ++i) {
    EXPECT_NEAR(outputs.data()[i], naive.outputs[static_cast<size_t>(i)], tolerance);
  }
  double norm = 0.0;
  for (const double entry : naive.gradient) norm = std::hypot(norm, entry);
  for (int i = 0; i < gradient.size(); ++i) {
    EXPECT_NEAR(gradient[i], naive.gradient[static_cast<size_t>(i)], tolerance * norm) << i;
  }
}

TEST(Propagation, AgreesWithNaiveLoops) {
  for (const CostKind cost : {CostKind::kSigmoidCrossEntropy, CostKind::kSoftmaxCrossEntropy}) {
    for (const Activation activation :
         {Activation::kSigmoid, Activation::kTanh, Activation::kRelu, Activation::kIdentity}) {
      SCOPED_TRACE(std::string(ActivationName(activation)));
      const LayerSpec output = {.units = 5, .activation = OutputActivation(cost)};
      // A wide layer above a narrow one and the other way round.
      const Topology topology = {.inputs = 11,
                                 .layers = {{.units = 7, .activation = activation},
                                            {.units = 13, .activation = activation},
                                            {.units = 3, .activation = activation},
                                            output}};
      ExpectAgreesWithNaive<double>(topology, cost, 1e-13);
      ExpectAgreesWithNaive<float>(topology, cost, 2e-6);
      ExpectAgreesWithNaive<double>({.inputs = 11, .layers = {output}}, cost, 1e-13);
    }
  }
}

TEST(Propagation, RowsDoNotMix) {
  const Topology topology = HandTopology(Activation::kSigmoid);
  const std::vector<double> far = {1.0, 2.0, -30.0, 40.0, 1.0, 2.0};
  Propagation<double> propagation(topology, 3);
  propagation.Forward(kHandTheta.data(), far.data(), 3);
  EXPECT_NEAR(propagation.outputs()(0, 0), 0.75, 1e-15);
  EXPECT_NEAR(propagation.outputs()(2, 1), 0.25, 1e-15);
}

TEST(Propagation, ASmallerBlockAfterALargerOneLeavesNothingBehind) {
  Propagation<double> propagation(HandTopology(Activation::kSigmoid), 2);
  std::vector<double> gradient(7);
  const std::vector<int32_t> labels = {1, 1};
  propagation.Forward(kHandTheta.data(), kHandInputs.data(), 2);
  propagation.Backward(kHandTheta.data(), kHandInputs.data(), {labels},
                       CostKind::kSigmoidCrossEntropy, gradient.data());
  propagation.Forward(kHandTheta.data(), kHandInputs.data(), 1);
  const std::vector<int32_t> label = {0};
  propagation.Backward(kHandTheta.data(), kHandInputs.data(), {label},
                       CostKind::kSigmoidCrossEntropy, gradient.data());
  ExpectNear(gradient, {-kLn3 / 16, -kLn3 / 8, -kLn3 / 16, -3.0 / 16, 3.0 / 16, -0.25, 0.25});
}

TEST(Propagation, CountsItsMemoryAndTakesBackwardsOnlyWhenNeeded) {
  const Topology topology = {.inputs = 400, .layers = {{.units = 25}, {.units = 10}}};
  Propagation<float> propagation(topology, 100);
  // Activations and logits.
  EXPECT_EQ(propagation.bytes(), 4 * 100 * (25 + 10 + 10));
  propagation.PrepareBackward();
  EXPECT_EQ(propagation.bytes(), 4 * 100 * (25 + 10 + 10 + 2 * 25));
}

}  // namespace
}  // namespace mlp
