#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "core/data/examples.h"
#include "core/nn/forward_propagation.h"
#include "core/nn/initialization.h"
#include "core/nn/weighted_sums.h"
#include "core/train/row_blocks.h"
#include "core/train/trainer.h"
#include "tests/core/train/blobs.h"

namespace mlp {
namespace {

TEST(EvaluateRows, ByHand) {
  // One feature x, 0 or 1 in the dataset's bytes 0 and 255; logits (5 - 10 x, 10 x - 5). Right rows
  // cost 2 ln(1 + e^-5), wrong ones 10 more.
  const NetworkF network = {.topology = {.inputs = 1, .layers = {{.units = 2}}},
                            .parameters = (VectorF(4) << -10, 10, 5, -5).finished()};
  Dataset dataset;
  dataset.schema = {.features = 1,
                    .feature_type = FeatureType::kUint8,
                    .class_names = {"0", "1"},
                    .image = std::nullopt};
  dataset.features = std::string("\x00\xff\xff\x00\xff", 5);
  dataset.labels = {0, 1, 0, 0, 1};
  const absl::StatusOr<FeatureScaler> scaler = FeatureScaler::Create({0.0f}, {1.0f / 255.0f});
  ASSERT_TRUE(scaler.ok());
  ThreadPool pool({.threads = 2});

  const std::vector<int64_t> rows = {3, 2, 1, 0};  // all but the last, in another order
  const Evaluation evaluation =
      EvaluateRows(network, CostKind::kSigmoidCrossEntropy, *scaler, dataset, rows, pool);
  EXPECT_EQ(evaluation.examples, 4);
  EXPECT_EQ(evaluation.accuracy, 0.75);
  EXPECT_EQ(evaluation.confusion, (std::vector<int64_t>{2, 1, 0, 1}));
  EXPECT_NEAR(evaluation.cross_entropy, 2.0 * std::log1p(std::exp(-5.0)) + 10.0 / 4.0, 1e-6);
  ASSERT_EQ(evaluation.worst.size(), 4u);
  EXPECT_EQ(evaluation.worst[0].row, 2);  // of the dataset, not of `rows`
  EXPECT_EQ(evaluation.worst[0].label, 0);
  EXPECT_EQ(evaluation.worst[0].prediction, 1);
  EXPECT_NEAR(evaluation.worst[0].label_probability, 1.0 / (1.0 + std::exp(5.0)), 1e-7);
}

// A client compares the outputs that Predict gives it, a few rows at a time, with a threshold of
// the evaluation: it selects the very rows that the evaluation counted, thinned curve or not.
TEST(EvaluateRows, ThresholdsAreCutOffsOfPredict) {
  constexpr int kRows = 1000;
  const Dataset dataset = Blobs(kRows);
  TrainingConfig config = BlobConfig();
  const NetworkF network = {.topology = config.topology,
                            .parameters = InitialParameters(config.topology, {}, 3).cast<float>()};
  std::vector<int64_t> rows(kRows);
  std::iota(rows.begin(), rows.end(), 0);
  const FeatureScaler scaler = FeatureScaler::Fit(Scaling::kStandard, dataset, rows);
  ThreadPool pool({.threads = 2});
  const Evaluation evaluation =
      EvaluateRows(network, config.cost, scaler, dataset, rows, pool, {.max_curve_points = 40});

  const Examples examples = GatherExamples(dataset, rows, scaler);
  MatrixF outputs(kRows, 3);
  const ForwardPropagation predict(network.topology, network.parameters.data());
  PropagationScratch scratch;
  // Where sums depend on what is computed with them, the rows must come as the evaluation's.
  const RowBlocks blocks(network.topology, kRows);
  const int64_t step = WeightedSumsKeepTheirBits() ? 7 : blocks.rows(0);
  for (int64_t row = 0; row < kRows; row += step) {
    predict.Run(examples.features.row(row).data(), std::min<int64_t>(step, kRows - row),
                outputs.row(row).data(), scratch);
  }
  for (int k = 0; k < 3; ++k) {
    const ClassRanking& ranking = evaluation.classes[static_cast<size_t>(k)].ranking;
    ASSERT_GT(ranking.curve.size(), 10u);
    for (const OperatingPoint& point : ranking.curve) {
      const Eigen::Index selected = (outputs.col(k).array() >= point.threshold).count();
      Eigen::Index right = 0;
      for (int row = 0; row < kRows; ++row) {
        right +=
            outputs(row, k) >= point.threshold && examples.labels[static_cast<size_t>(row)] == k;
      }
      EXPECT_EQ(point.precision, static_cast<double>(right) / static_cast<double>(selected));
      EXPECT_EQ(point.recall,
                static_cast<double>(right) /
                    static_cast<double>(evaluation.classes[static_cast<size_t>(k)].support));
    }
  }
}

TEST(EvaluateRows, HasTheSameBitsWithAnyNumberOfThreads) {
  const Dataset dataset = Blobs(1000);
  const TrainingConfig config = BlobConfig();
  const NetworkF network = {.topology = config.topology,
                            .parameters = InitialParameters(config.topology, {}, 3).cast<float>()};
  std::vector<int64_t> rows(1000);
  std::iota(rows.begin(), rows.end(), 0);
  const FeatureScaler scaler = FeatureScaler::Fit(Scaling::kStandard, dataset, rows);
  ThreadPool one({});
  const Evaluation expected = EvaluateRows(network, config.cost, scaler, dataset, rows, one);
  for (const int threads : {2, 3, 7}) {
    ThreadPool pool({.threads = threads});
    const Evaluation actual = EvaluateRows(network, config.cost, scaler, dataset, rows, pool);
    EXPECT_EQ(actual.cross_entropy, expected.cross_entropy);
    EXPECT_EQ(actual.confusion, expected.confusion);
  }
}

}  // namespace
}  // namespace mlp
