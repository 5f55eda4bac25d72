#include "core/data/examples.h"

#include <cstring>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

using ::testing::ElementsAre;

std::vector<float> Values(const Examples& examples) {
  return {examples.features.data(), examples.features.data() + examples.features.size()};
}

FeatureScaler Scaler() { return *FeatureScaler::Create({1, 2}, {2, 10}); }

TEST(GatherExamples, TakesRowsInTheGivenOrderScaled) {
  Dataset dataset;
  dataset.schema.features = 2;
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  dataset.features.resize(values.size() * sizeof(float));
  std::memcpy(dataset.features.data(), values.data(), dataset.features.size());
  dataset.labels = {7, 8, 9};

  const Examples examples = GatherExamples(dataset, {2, 0, 2}, Scaler());
  EXPECT_EQ(examples.rows(), 3);
  EXPECT_EQ(examples.features.cols(), 2);
  EXPECT_THAT(Values(examples), ElementsAre(8, 40, 0, 0, 8, 40));
  EXPECT_THAT(examples.labels, ElementsAre(9, 7, 9));
}

TEST(GatherExamples, TakesPixels) {
  Dataset dataset;
  dataset.schema.features = 2;
  dataset.schema.feature_type = FeatureType::kUint8;
  dataset.features = std::string("\x00\x02\xFF\xFE", 4);
  dataset.labels = {0, 1};

  const Examples examples = GatherExamples(dataset, {1, 0}, Scaler());
  EXPECT_THAT(Values(examples), ElementsAre(508, 2520, -2, 0));
  EXPECT_THAT(examples.labels, ElementsAre(1, 0));
}

TEST(GatherExamples, OfNoRowsIsEmpty) {
  Dataset dataset;
  dataset.schema.features = 2;
  const Examples examples = GatherExamples(dataset, {}, Scaler());
  EXPECT_EQ(examples.rows(), 0);
  EXPECT_EQ(examples.features.cols(), 2);
  EXPECT_TRUE(examples.labels.empty());
}

}  // namespace
}  // namespace mlp
