#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "core/nn/initialization.h"
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
