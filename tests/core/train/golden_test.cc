// Costs, gradients and predictions of a 400-25-10 network against tests/golden/make_golden.py.
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/nn/propagation.h"
#include "core/train/objective.h"

namespace mlp {
namespace {

using Json = nlohmann::json;

Json ReadGolden() {
  std::ifstream file(MLPD_SOURCE_DIR "/tests/golden/digits_network.json");
  return Json::parse(file);
}

// The formulas of the script.
Examples GoldenExamples(int rows) {
  Examples examples;
  examples.features.resize(rows, 400);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < 400; ++j) {
      examples.features(i, j) =
          static_cast<float>((i * 131 + j * 71 + (i * j) % 97) % 256) / 256.0f;
    }
    examples.labels.push_back((i * 7 + 3) % 10);
  }
  return examples;
}

Vector<double> GoldenParameters() {
  Vector<double> theta(10285);
  for (int p = 0; p < theta.size(); ++p) theta[p] = std::sin(p + 1.0) * (p < 10025 ? 0.1 : 0.5);
  return theta;
}

CostKind KindOf(const std::string& cost) {
  return cost == "sigmoid" ? CostKind::kSigmoidCrossEntropy : CostKind::kSoftmaxCrossEntropy;
}

Topology GoldenTopology(CostKind cost) {
  return {.inputs = 400,
          .layers = {{.units = 25}, {.units = 10, .activation = OutputActivation(cost)}}};
}

// `tolerance` is relative: of J to J, of gradient entries and sums to the gradient's norm.
template <typename Scalar>
void ExpectGoldenCostsAndGradients(double tolerance) {
  const Json golden = ReadGolden();
  const Examples examples = GoldenExamples(golden["rows"]);
  const Vector<double> theta = GoldenParameters();
  ThreadPool pool({.threads = 2});
  ASSERT_EQ(golden["cases"].size(), 4u);
  for (const Json& expected : golden["cases"]) {
    SCOPED_TRACE(expected["cost"].get<std::string>() + " " + expected["lambda"].dump());
    const CostKind cost = KindOf(expected["cost"]);
    Objective<Scalar> objective(GoldenTopology(cost), cost, expected["lambda"], examples, pool);
    Vector<double> gradient(theta.size());
    const double j = objective.Evaluate(theta.data(), gradient.data());
    EXPECT_NEAR(j / expected["J"].get<double>(), 1.0, tolerance);
    EXPECT_EQ(objective.Evaluate(theta.data(), nullptr), j);

    const double norm = expected["gradient_norm"];
    EXPECT_NEAR(gradient.norm() / norm, 1.0, tolerance);
    EXPECT_NEAR(gradient.sum(), expected["gradient_sum"], 10.0 * tolerance * norm);
    double weighted = 0.0;
    for (int p = 0; p < gradient.size(); ++p) weighted += gradient[p] * std::cos(p);
    EXPECT_NEAR(weighted, expected["gradient_weighted_sum"], 10.0 * tolerance * norm);
    ASSERT_EQ(expected["gradient"].size(), golden["entries"].size());
    for (size_t n = 0; n < golden["entries"].size(); ++n) {
      const int p = golden["entries"][n];
      EXPECT_NEAR(gradient[p], expected["gradient"][n], tolerance * norm) << p;
    }
  }
}

template <typename Scalar>
void ExpectGoldenPredictions(double tolerance) {
  const Json golden = ReadGolden();
  const int rows = golden["rows"];
  const Matrix<Scalar> inputs = GoldenExamples(rows).features.cast<Scalar>();
  const Vector<Scalar> theta = GoldenParameters().cast<Scalar>();
  for (const std::string cost : {"sigmoid", "softmax"}) {
    const std::vector<double> expected = golden["predictions"][cost];
    Propagation<Scalar> propagation(GoldenTopology(KindOf(cost)), rows);
    propagation.Forward(theta.data(), inputs.data(), rows);
    ASSERT_EQ(expected.size(), static_cast<size_t>(rows) * 10);
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(propagation.outputs().data()[i] / expected[i], 1.0, tolerance)
          << cost << " " << i;
    }
  }
}

TEST(Golden, CostsAndGradientsInDouble) { ExpectGoldenCostsAndGradients<double>(1e-12); }
TEST(Golden, CostsAndGradientsInFloat) { ExpectGoldenCostsAndGradients<float>(1e-5); }
TEST(Golden, PredictionsInDouble) { ExpectGoldenPredictions<double>(1e-12); }
TEST(Golden, PredictionsInFloat) { ExpectGoldenPredictions<float>(1e-5); }

}  // namespace
}  // namespace mlp
