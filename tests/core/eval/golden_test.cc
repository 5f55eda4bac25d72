// Evaluations against scikit-learn: tests/golden/make_evaluation.py.
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/eval/evaluation.h"

namespace mlp {
namespace {

using Json = nlohmann::json;

constexpr double kTolerance = 1e-12;

class EvaluationGolden : public testing::TestWithParam<std::string> {
 protected:
  EvaluationGolden() {
    std::ifstream file(MLPD_SOURCE_DIR "/tests/golden/evaluation.json");
    const Json golden = Json::parse(file)[GetParam()];
    const auto values = golden["outputs"].get<std::vector<float>>();
    const auto labels = golden["labels"].get<std::vector<int32_t>>();
    const ConstMatrixMap<float> outputs(values.data(), static_cast<Eigen::Index>(labels.size()),
                                        golden["classes"].get<int>());
    expected_ = golden["expected"];
    evaluation_ = Evaluate(outputs, labels, 0.0, {.max_curve_points = 1000, .worst_examples = 7});
  }

  Json expected_;
  Evaluation evaluation_;
};

TEST_P(EvaluationGolden, OfAllClasses) {
  EXPECT_NEAR(evaluation_.accuracy, expected_["accuracy"], kTolerance);
  EXPECT_NEAR(evaluation_.log_loss, expected_["log_loss"], kTolerance);
  EXPECT_NEAR(evaluation_.macro_roc_auc.value(), expected_["macro_roc_auc"], kTolerance);
  EXPECT_EQ(evaluation_.confusion, expected_["confusion"].get<std::vector<int64_t>>());
  ASSERT_EQ(evaluation_.top_k.size(), expected_["top_k"].size());
  for (size_t i = 0; i < evaluation_.top_k.size(); ++i) {
    EXPECT_EQ(evaluation_.top_k[i].k, expected_["top_k"][i][0]);
    EXPECT_NEAR(evaluation_.top_k[i].accuracy, expected_["top_k"][i][1], kTolerance);
  }
  ASSERT_EQ(evaluation_.worst.size(), 7u);
  for (size_t i = 0; i < evaluation_.worst.size(); ++i) {
    EXPECT_EQ(evaluation_.worst[i].row, expected_["worst"][i]);
  }
}

TEST_P(EvaluationGolden, Calibration) {
  EXPECT_NEAR(evaluation_.expected_calibration_error, expected_["expected_calibration_error"],
              kTolerance);
  ASSERT_EQ(evaluation_.reliability.size(), expected_["reliability"].size());
  for (size_t b = 0; b < evaluation_.reliability.size(); ++b) {
    EXPECT_EQ(evaluation_.reliability[b].examples, expected_["reliability"][b][0]);
    EXPECT_NEAR(evaluation_.reliability[b].mean_confidence, expected_["reliability"][b][1],
                kTolerance);
    EXPECT_NEAR(evaluation_.reliability[b].accuracy, expected_["reliability"][b][2], kTolerance);
  }
}

TEST_P(EvaluationGolden, OfEachClass) {
  ASSERT_EQ(evaluation_.classes.size(), expected_["classes"].size());
  for (size_t k = 0; k < evaluation_.classes.size(); ++k) {
    SCOPED_TRACE(k);
    const ClassEvaluation& result = evaluation_.classes[k];
    const Json& expected = expected_["classes"][k];
    EXPECT_EQ(result.support, expected["support"]);
    EXPECT_NEAR(result.scores.precision, expected["precision"], kTolerance);
    EXPECT_NEAR(result.scores.recall, expected["recall"], kTolerance);
    EXPECT_NEAR(result.scores.f1, expected["f1"], kTolerance);
    EXPECT_NEAR(result.ranking.average_precision, expected["average_precision"], kTolerance);
    EXPECT_NEAR(result.ranking.best_f1, expected["best_f1"], kTolerance);
    ASSERT_EQ(result.ranking.roc_auc.has_value(), !expected["roc_auc"].is_null());
    if (!result.ranking.roc_auc) continue;
    EXPECT_NEAR(*result.ranking.roc_auc, expected["roc_auc"], kTolerance);
    EXPECT_EQ(result.ranking.best_f1_threshold, expected["best_f1_threshold"].get<float>());
  }
}

INSTANTIATE_TEST_SUITE_P(Outputs, EvaluationGolden, testing::Values("sigmoid", "softmax"));

using SigmoidGolden = EvaluationGolden;

TEST_P(SigmoidGolden, CurveAtEveryThreshold) {
  for (size_t k = 0; k < evaluation_.classes.size(); ++k) {
    SCOPED_TRACE(k);
    const std::vector<OperatingPoint>& curve = evaluation_.classes[k].ranking.curve;
    const Json& expected = expected_["classes"][k]["curve"];
    if (evaluation_.classes[k].support == 0) continue;
    ASSERT_EQ(curve.size(), expected.size());
    for (size_t i = 0; i < curve.size(); ++i) {
      EXPECT_EQ(curve[i].threshold, expected[i][0].get<float>());
      EXPECT_NEAR(curve[i].precision, expected[i][1], kTolerance);
      EXPECT_NEAR(curve[i].recall, expected[i][2], kTolerance);
      EXPECT_NEAR(curve[i].false_positive_rate, expected[i][3], kTolerance);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Outputs, SigmoidGolden, testing::Values("sigmoid"));

}  // namespace
}  // namespace mlp
