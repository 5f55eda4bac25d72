#include "core/train/batch_feed.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/train/blobs.h"

namespace mlp {
namespace {

// All training rows of `dataset`, whose first feature (or pixel) is the row's number.
TrainingData NumberedRows(const Dataset& dataset) {
  TrainingData data = {.dataset = dataset,
                       .split = {},
                       .scaler = FeatureScaler::Identity(dataset.schema.features),
                       .weights = {}};
  data.split.training.resize(static_cast<size_t>(dataset.rows()));
  std::iota(data.split.training.begin(), data.split.training.end(), 0);
  return data;
}

Dataset NumberedBlobs(int rows) {
  Dataset dataset = Blobs(rows);
  for (int64_t row = 0; row < rows; ++row) SetFeature(dataset, row, 0, static_cast<float>(row));
  return dataset;
}

TrainingConfig FeedConfig(int batch_size) {
  TrainingConfig config = BlobConfig();
  config.optimizer.batch_size = batch_size;
  return config;
}

// The rows of the next `batches` batches, checked against the dataset.
std::vector<int> TakeRows(BatchFeed& feed, const TrainingData& data, int64_t batches) {
  std::vector<int> rows;
  for (int64_t b = 0; b < batches; ++b) {
    const MiniBatch batch = feed.Next();
    EXPECT_TRUE(batch.weights.empty());
    for (size_t i = 0; i < batch.labels.size(); ++i) {
      const float* inputs = batch.inputs + 4 * i;
      rows.push_back(static_cast<int>(inputs[0]));
      const Examples expected = GatherExamples(data.dataset, {rows.back()}, data.scaler);
      EXPECT_TRUE(std::equal(inputs, inputs + 4, expected.features.data()));
      EXPECT_EQ(batch.labels[i], expected.labels[0]);
    }
  }
  return rows;
}

TEST(BatchFeed, GivesEveryRowOnceAnEpochInAnotherOrder) {
  const Dataset dataset = NumberedBlobs(103);
  const TrainingData data = NumberedRows(dataset);
  ThreadPool pool({.threads = 2});
  BatchFeed feed(FeedConfig(10), data, pool);
  ASSERT_EQ(feed.batches_per_epoch(), 11);
  std::vector<std::vector<int>> epochs;
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    feed.Seek(epoch, 0);
    epochs.push_back(TakeRows(feed, data, 11));
    EXPECT_EQ(epochs.back().size(), 103u);
    EXPECT_EQ(std::set<int>(epochs.back().begin(), epochs.back().end()).size(), 103u);
    EXPECT_FALSE(std::is_sorted(epochs.back().begin(), epochs.back().end()));
  }
  EXPECT_NE(epochs[0], epochs[1]);
  EXPECT_NE(epochs[1], epochs[2]);
}

TEST(BatchFeed, GivesTheSameAfterASeekAndInAnyPool) {
  const Dataset dataset = NumberedBlobs(103);
  const TrainingData data = NumberedRows(dataset);
  ThreadPool two({.threads = 2});
  ThreadPool seven({.threads = 7});
  BatchFeed feed(FeedConfig(10), data, two);
  feed.Seek(4, 0);
  std::vector<int> expected = TakeRows(feed, data, 11);
  expected.erase(expected.begin(), expected.begin() + 70);
  feed.Seek(1, 3);
  feed.Next();
  feed.Seek(4, 7);
  EXPECT_EQ(TakeRows(feed, data, 4), expected);
  BatchFeed other(FeedConfig(10), data, seven);
  other.Seek(4, 7);
  EXPECT_EQ(TakeRows(other, data, 4), expected);
}

TEST(BatchFeed, OfOneBatchThatIsLargerThanTheRows) {
  const Dataset dataset = NumberedBlobs(21);
  const TrainingData data = NumberedRows(dataset);
  ThreadPool pool({});
  BatchFeed feed(FeedConfig(1000), data, pool);
  EXPECT_EQ(feed.batches_per_epoch(), 1);
  feed.Seek(0, 0);
  EXPECT_EQ(feed.Next().labels.size(), 21u);
}

// Rows so wide that only some batches are made at a time.
TEST(BatchFeed, GoesOnBeyondTheBatchesThatAreMadeAhead) {
  constexpr int kFeatures = 40'000;
  Dataset dataset;
  dataset.schema = {.features = kFeatures,
                    .feature_type = FeatureType::kUint8,
                    .class_names = {"a", "b"},
                    .image = std::nullopt};
  for (int row = 0; row < 90; ++row) {
    dataset.features.append(kFeatures, static_cast<char>(row));
    dataset.labels.push_back(row % 2);
  }
  const TrainingData data = NumberedRows(dataset);
  ThreadPool pool({.threads = 2});
  BatchFeed feed(FeedConfig(8), data, pool);
  feed.Seek(0, 0);
  std::set<int> rows;
  for (int b = 0; b < 12; ++b) {
    const MiniBatch batch = feed.Next();
    for (size_t i = 0; i < batch.labels.size(); ++i) {
      const float* inputs = batch.inputs + kFeatures * i;
      EXPECT_EQ(inputs[0], inputs[kFeatures - 1]);
      EXPECT_EQ(batch.labels[i], static_cast<int>(inputs[0]) % 2);
      rows.insert(static_cast<int>(inputs[0]));
    }
  }
  EXPECT_EQ(rows.size(), 90u);
}

TEST(BatchFeed, GivesEachExampleItsWeight) {
  const Dataset dataset = NumberedBlobs(30);
  TrainingData data = NumberedRows(dataset);
  for (int i = 0; i < 30; ++i) data.weights.push_back(0.5f * static_cast<float>(i));
  ThreadPool pool({});
  BatchFeed feed(FeedConfig(8), data, pool);
  feed.Seek(0, 0);
  for (int b = 0; b < 4; ++b) {
    const MiniBatch batch = feed.Next();
    ASSERT_EQ(batch.weights.size(), batch.labels.size());
    for (size_t i = 0; i < batch.labels.size(); ++i) {
      EXPECT_EQ(batch.weights[i],
                0.5f * batch.inputs[dataset.schema.features * static_cast<int>(i)]);
    }
  }
}

TEST(BatchFeed, DistortsImagesAnewInEveryEpochAndScalesThem) {
  const Dataset dataset = BlobImages(50);
  TrainingData data = NumberedRows(dataset);
  data.scaler = FeatureScaler::Fit(Scaling::kStandard, dataset, data.split.training);
  TrainingConfig config = BusyImageConfig(OptimizerKind::kSgd);
  config.optimizer.batch_size = 50;
  ThreadPool pool({.threads = 2});
  BatchFeed feed(config, data, pool);
  const auto epoch = [&](int64_t number) {
    feed.Seek(number, 0);
    const MiniBatch batch = feed.Next();
    return std::vector<float>(batch.inputs, batch.inputs + 50 * 25);
  };
  const std::vector<float> first = epoch(0);
  EXPECT_EQ(epoch(0), first);
  // Other images than those of the next epoch in any order, and than those without distortion.
  std::vector<float> sorted = first;
  std::vector<float> next = epoch(1);
  std::sort(sorted.begin(), sorted.end());
  std::sort(next.begin(), next.end());
  EXPECT_NE(sorted, next);
  config.augmentation = {};
  BatchFeed plain(config, data, pool);
  plain.Seek(0, 0);
  const MiniBatch batch = plain.Next();
  EXPECT_FALSE(std::equal(first.begin(), first.end(), batch.inputs));
  // Standardized: values around 0, and not pixels.
  const double sum = std::accumulate(first.begin(), first.end(), 0.0);
  EXPECT_LT(std::abs(sum / static_cast<double>(first.size())), 0.5);
}

}  // namespace
}  // namespace mlp
