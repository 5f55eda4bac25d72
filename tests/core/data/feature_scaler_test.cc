#include "core/data/feature_scaler.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::FloatEq;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Dataset FloatDataset(int features, const std::vector<float>& values) {
  Dataset dataset;
  dataset.schema.features = features;
  dataset.features.resize(values.size() * sizeof(float));
  std::memcpy(dataset.features.data(), values.data(), dataset.features.size());
  dataset.labels.assign(values.size() / static_cast<size_t>(features), 0);
  return dataset;
}

Dataset PixelDataset(int features, const std::vector<uint8_t>& values) {
  Dataset dataset;
  dataset.schema.features = features;
  dataset.schema.feature_type = FeatureType::kUint8;
  dataset.features.assign(values.begin(), values.end());
  dataset.labels.assign(values.size() / static_cast<size_t>(features), 0);
  return dataset;
}

// The three-by-two table of most tests, and a fourth row that is never among the fitted ones.
Dataset Table() {
  return FloatDataset(2, {1, 10,  //
                          2, 10,  //
                          6, 10,  //
                          -900, 900});
}
constexpr int64_t kFitted[] = {0, 1, 2};

std::vector<float> Scaled(const FeatureScaler& scaler, const std::vector<float>& in) {
  std::vector<float> out(in.size());
  scaler.Apply(in, out.data());
  return out;
}

TEST(FeatureScaler, IdentityLeavesValuesAlone) {
  const FeatureScaler scaler = FeatureScaler::Identity(3);
  EXPECT_EQ(scaler.features(), 3);
  EXPECT_THAT(Scaled(scaler, {-1.5f, 0.0f, 3e38f}), ElementsAre(-1.5f, 0.0f, 3e38f));
}

TEST(FeatureScaler, NoneIsIdentity) {
  const FeatureScaler scaler = FeatureScaler::Fit(Scaling::kNone, Table(), kFitted);
  EXPECT_THAT(scaler.offsets(), ElementsAre(0, 0));
  EXPECT_THAT(scaler.scales(), ElementsAre(1, 1));
}

// Lowest 1, highest 10 of all fitted values.
TEST(FeatureScaler, RangeTakesOneMinimumAndMaximum) {
  const FeatureScaler scaler = FeatureScaler::Fit(Scaling::kRange, Table(), kFitted);
  EXPECT_THAT(scaler.offsets(), ElementsAre(1, 1));
  EXPECT_THAT(scaler.scales(), Each(FloatEq(1.0f / 9.0f)));
  EXPECT_THAT(Scaled(scaler, {1, 10, 2, 10}),
              ElementsAre(0.0f, FloatEq(1.0f), FloatEq(1.0f / 9.0f), FloatEq(1.0f)));
}

// Feature 0 from 1 to 6; feature 1 is 10 throughout.
TEST(FeatureScaler, MinMaxTakesEachFeatureAlone) {
  const FeatureScaler scaler = FeatureScaler::Fit(Scaling::kMinMax, Table(), kFitted);
  EXPECT_THAT(scaler.offsets(), ElementsAre(1, 10));
  EXPECT_THAT(scaler.scales(), ElementsAre(FloatEq(0.2f), 1));
  EXPECT_THAT(Scaled(scaler, {2, 10, 6, 11}), ElementsAre(FloatEq(0.2f), 0, FloatEq(1), 1));
}

// Feature 0: mean 3, population variance (4 + 1 + 9) / 3 = 14 / 3.
TEST(FeatureScaler, StandardHasMeanZeroAndDeviationOne) {
  const FeatureScaler scaler = FeatureScaler::Fit(Scaling::kStandard, Table(), kFitted);
  EXPECT_THAT(scaler.offsets(), ElementsAre(3, 10));
  EXPECT_THAT(scaler.scales(), ElementsAre(FloatEq(std::sqrt(3.0f / 14.0f)), 1));
}

TEST(FeatureScaler, SeesOnlyTheFittedRows) {
  for (const Scaling scaling : {Scaling::kRange, Scaling::kMinMax, Scaling::kStandard}) {
    const FeatureScaler some = FeatureScaler::Fit(scaling, Table(), kFitted);
    const FeatureScaler all = FeatureScaler::Fit(scaling, Table(), {0, 1, 2, 3});
    EXPECT_NE(some.offsets(), all.offsets());
    EXPECT_NE(some.scales(), all.scales());
  }
}

TEST(FeatureScaler, FitsPixels) {
  const Dataset dataset = PixelDataset(2, {0, 128, 255, 200});
  const FeatureScaler scaler = FeatureScaler::Fit(Scaling::kRange, dataset, {0, 1});
  EXPECT_THAT(scaler.offsets(), ElementsAre(0, 0));
  EXPECT_THAT(scaler.scales(), Each(FloatEq(1.0f / 255.0f)));
}

TEST(FeatureScaler, OneSingleValueBecomesZero) {
  const Dataset dataset = FloatDataset(2, {0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f});
  for (const Scaling scaling : {Scaling::kRange, Scaling::kMinMax, Scaling::kStandard}) {
    const FeatureScaler scaler = FeatureScaler::Fit(scaling, dataset, {0, 1, 2});
    EXPECT_THAT(scaler.scales(), Each(1.0f));
    EXPECT_THAT(Scaled(scaler, {0.1f, 0.1f}), Each(0.0f));
  }
}

// A large mean would cancel the variance away if it were computed as E[x^2] - E[x]^2.
TEST(FeatureScaler, StandardKeepsASmallDeviationBesideALargeMean) {
  const Dataset dataset = FloatDataset(1, {1e7f, 1e7f + 1, 1e7f + 2});
  const FeatureScaler scaler = FeatureScaler::Fit(Scaling::kStandard, dataset, {0, 1, 2});
  EXPECT_THAT(scaler.offsets(), ElementsAre(1e7f + 1));
  EXPECT_THAT(scaler.scales(), ElementsAre(FloatEq(std::sqrt(1.5f))));
}

TEST(FeatureScaler, IsFiniteOverExtremeData) {
  constexpr float kMax = std::numeric_limits<float>::max();
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  const Dataset dataset = FloatDataset(3, {-kMax, 0, 1, kMax, kTiny, 1});
  for (const Scaling scaling : {Scaling::kRange, Scaling::kMinMax, Scaling::kStandard}) {
    const FeatureScaler fitted = FeatureScaler::Fit(scaling, dataset, {0, 1});
    // What Create accepts: finite, and no scale of 0.
    EXPECT_TRUE(FeatureScaler::Create({fitted.offsets().begin(), fitted.offsets().end()},
                                      {fitted.scales().begin(), fitted.scales().end()})
                    .ok());
  }
}

TEST(FeatureScaler, AppliesBytesAndFloatsAlike) {
  for (const int features : {1, 3, 8, 31, 400}) {
    std::vector<float> offsets;
    std::vector<float> scales;
    for (int j = 0; j < features; ++j) {
      offsets.push_back(static_cast<float>(j) * 0.75f - 20.0f);
      scales.push_back(1.0f / static_cast<float>(j + 3));
    }
    const absl::StatusOr<FeatureScaler> scaler = FeatureScaler::Create(offsets, scales);
    ASSERT_TRUE(scaler.ok());
    std::vector<uint8_t> pixels(3 * offsets.size());
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 37);
    std::vector<float> from_pixels(pixels.size());
    scaler->Apply(pixels, from_pixels.data());
    const std::vector<float> values(pixels.begin(), pixels.end());
    EXPECT_EQ(from_pixels, Scaled(*scaler, values));
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t j = i % static_cast<size_t>(features);
      ASSERT_EQ(from_pixels[i], (values[i] - offsets[j]) * scales[j]) << "value " << i;
    }
  }
}

TEST(FeatureScaler, AppliesToNoRows) {
  float untouched = 7.0f;
  FeatureScaler::Identity(2).Apply(absl::Span<const float>(), &untouched);
  FeatureScaler::Identity(2).Apply(absl::Span<const uint8_t>(), &untouched);
  EXPECT_EQ(untouched, 7.0f);
}

TEST(FeatureScaler, CreateKeepsItsVectors) {
  const absl::StatusOr<FeatureScaler> scaler = FeatureScaler::Create({1, 2}, {-3, 4});
  ASSERT_TRUE(scaler.ok());
  EXPECT_THAT(scaler->offsets(), ElementsAre(1, 2));
  EXPECT_THAT(scaler->scales(), ElementsAre(-3, 4));
}

TEST(FeatureScaler, CreateRejectsSizesThatDiffer) {
  EXPECT_EQ(FeatureScaler::Create({1, 2}, {1}).status(),
            absl::InvalidArgumentError("scaler: expected as many offsets as scales and at least 1, "
                                       "got 2 offsets and 1 scales"));
  EXPECT_EQ(FeatureScaler::Create({}, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(FeatureScaler, CreateRejectsWhatIsNotFiniteAndScalesOfZero) {
  EXPECT_EQ(FeatureScaler::Create({1, kNan}, {1, 1}).status(),
            absl::InvalidArgumentError("scaler: feature 1: expected a finite offset, got nan"));
  EXPECT_FALSE(FeatureScaler::Create({-kInfinity}, {1}).ok());
  EXPECT_FALSE(FeatureScaler::Create({1}, {kInfinity}).ok());
  EXPECT_FALSE(FeatureScaler::Create({1}, {kNan}).ok());
  EXPECT_EQ(
      FeatureScaler::Create({1}, {0}).status(),
      absl::InvalidArgumentError("scaler: feature 0: expected a finite scale other than 0, got 0"));
  EXPECT_FALSE(FeatureScaler::Create({1}, {-0.0f}).ok());
}

}  // namespace
}  // namespace mlp
