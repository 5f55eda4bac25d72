#include "core/data/augmentation.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/thread_pool.h"
#include "tests/core/data/augmentation_reference.h"

namespace mlp {
namespace {

using ::testing::Each;
using ::testing::ElementsAreArray;

constexpr ImageShape kDigit{28, 28, 1};

AugmentationOptions Everything() {
  return {.elastic_alpha = 34.0,
          .elastic_sigma = 4.0,
          .max_rotation_degrees = 15.0,
          .max_scale = 0.15,
          .max_shear = 0.2,
          .max_translation = 2.0};
}

std::vector<float> MakeImage(const ImageShape& shape) {
  std::vector<float> image(static_cast<size_t>(shape.height * shape.width * shape.channels));
  for (size_t i = 0; i < image.size(); ++i) {
    image[i] = static_cast<float>((i * i + 3 * i) % 17) / 16.0f;
  }
  return image;
}

std::vector<float> Distort(const AugmentationOptions& options, const ImageShape& shape,
                           int64_t seed, int64_t epoch, int64_t row) {
  const Augmenter augmenter(options, shape, seed, 0.0f);
  Augmenter::Scratch scratch(augmenter);
  const std::vector<float> image = MakeImage(shape);
  std::vector<float> out(image.size());
  augmenter.Distort(image.data(), epoch, row, scratch, out.data());
  return out;
}

// Exact on every CPU and in every build. From augmentation_golden.py.
TEST(Augmenter, MatchesGoldenBits) {
  const AugmentationOptions options = {.elastic_alpha = 8.0,
                                       .elastic_sigma = 1.5,
                                       .max_rotation_degrees = 20.0,
                                       .max_scale = 0.25,
                                       .max_shear = 0.2,
                                       .max_translation = 1.0};
  std::vector<float> image;
  for (int y = 0; y < 5; ++y) {
    for (int x = 0; x < 6; ++x) image.push_back(static_cast<float>((7 * x + 11 * y) % 13) / 4.0f);
  }
  const Augmenter augmenter(options, {5, 6, 1}, 7, -1.0f);
  Augmenter::Scratch scratch(augmenter);
  std::vector<float> out(30);
  augmenter.Distort(image.data(), 3, 41, scratch, out.data());
  EXPECT_THAT(out, ElementsAreArray(
                       {-1.0f,        -0.188478842f, 1.17809355f,   0.963476181f,  0.783389211f,
                        0.256511271f, 0.376497507f,  2.10915661f,   0.986755371f,  2.61824799f,
                        1.54368961f,  0.31517601f,   0.792104721f,  1.52415609f,   0.842363775f,
                        1.99297881f,  1.4664681f,    1.74762547f,   -0.541562915f, -0.356919706f,
                        1.37668717f,  1.16904318f,   1.55239213f,   1.22516525f,   -1.0f,
                        -1.0f,        -1.0f,         -0.296099126f, 1.81861711f,   0.25291428f}));
}

struct Case {
  std::string name;
  AugmentationOptions options;
  ImageShape shape;
};

class AgainstReference : public ::testing::TestWithParam<Case> {};

// Positions are off by float32's rounding, a few 1e-6 of a pixel, and the images' neighbours differ
// by at most 1 and the background by 3.
TEST_P(AgainstReference, IsTheDefinitionInDouble) {
  const auto& [name, options, shape] = GetParam();
  ASSERT_TRUE(ValidateAugmentation(options, shape).ok());
  const std::vector<float> image = MakeImage(shape);
  const Augmenter augmenter(options, shape, 5, -2.0f);
  Augmenter::Scratch scratch(augmenter);
  std::vector<float> out(image.size());
  for (int64_t row = 0; row < 20; ++row) {
    augmenter.Distort(image.data(), 2, row, scratch, out.data());
    const std::vector<double> expected =
        testing::DistortByReference(options, shape, 5, -2.0f, image.data(), 2, row);
    ASSERT_EQ(out.size(), expected.size());
    for (size_t i = 0; i < out.size(); ++i) {
      ASSERT_NEAR(out[i], expected[i], 1e-4) << "row " << row << ", value " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Augmenter, AgainstReference,
    ::testing::Values(
        Case{"Simard", {.elastic_alpha = 34.0, .elastic_sigma = 4.0}, kDigit},
        Case{"Rotation", {.max_rotation_degrees = 180.0}, kDigit},
        Case{"Scale", {.max_scale = 1.0}, kDigit}, Case{"Shear", {.max_shear = 1.0}, kDigit},
        Case{"Translation", {.max_translation = 30.0}, kDigit},
        Case{"Everything", Everything(), kDigit},
        Case{"SmallSigma", {.elastic_alpha = 2.0, .elastic_sigma = 0.3}, kDigit},
        Case{"LargeSigma", {.elastic_alpha = 900.0, .elastic_sigma = 60.0}, kDigit},
        Case{"Wide", Everything(), {7, 50, 1}}, Case{"High", Everything(), {50, 7, 1}},
        Case{"OneRow", Everything(), {1, 40, 1}}, Case{"OneColumn", Everything(), {40, 1, 1}},
        Case{"OnePixel", Everything(), {1, 1, 1}}, Case{"Colour", Everything(), {20, 18, 3}}),
    [](const ::testing::TestParamInfo<Case>& tested) { return tested.param.name; });

TEST(Augmenter, LeavesImagesAloneWhereNothingIsEnabled) {
  EXPECT_EQ(Distort({}, kDigit, 1, 0, 0), MakeImage(kDigit));
}

TEST(Augmenter, DistortsEveryRowEpochAndSeedAnew) {
  const std::vector<float> first = Distort(Everything(), kDigit, 1, 0, 0);
  EXPECT_NE(first, MakeImage(kDigit));
  EXPECT_NE(first, Distort(Everything(), kDigit, 1, 0, 1));
  EXPECT_NE(first, Distort(Everything(), kDigit, 1, 1, 0));
  EXPECT_NE(first, Distort(Everything(), kDigit, 2, 0, 0));
  EXPECT_NE(Distort(Everything(), kDigit, 1, 2, 3), Distort(Everything(), kDigit, 1, 3, 2));
}

TEST(Augmenter, MayWriteOverItsImage) {
  const Augmenter augmenter(Everything(), kDigit, 1, 0.0f);
  Augmenter::Scratch scratch(augmenter);
  std::vector<float> image = MakeImage(kDigit);
  augmenter.Distort(image.data(), 0, 0, scratch, image.data());
  EXPECT_EQ(image, Distort(Everything(), kDigit, 1, 0, 0));
}

// One scratch for all, in order; then several threads, each with its own, from the last row to the
// first.
TEST(Augmenter, GivesTheSameBitsOnAnyThreadInAnyOrder) {
  constexpr int kRows = 200;
  constexpr size_t kPixels = 784;
  const Augmenter augmenter(Everything(), kDigit, 1, 0.5f);
  const std::vector<float> image = MakeImage(kDigit);
  std::vector<float> in_order(kRows * kPixels);
  Augmenter::Scratch scratch(augmenter);
  for (int row = 0; row < kRows; ++row) {
    augmenter.Distort(image.data(), 4, row, scratch,
                      in_order.data() + static_cast<size_t>(row) * kPixels);
  }
  ThreadPool pool({.threads = 4});
  std::vector<Augmenter::Scratch> scratches;
  scratches.reserve(static_cast<size_t>(pool.threads()));
  for (int i = 0; i < pool.threads(); ++i) scratches.emplace_back(augmenter);
  std::vector<float> in_parallel(in_order.size());
  pool.ParallelFor(kRows, [&](int index, int worker) {
    const int row = kRows - 1 - index;
    augmenter.Distort(image.data(), 4, row, scratches[static_cast<size_t>(worker)],
                      in_parallel.data() + static_cast<size_t>(row) * kPixels);
  });
  EXPECT_EQ(in_order, in_parallel);
}

// The elastic part is the same with and without an affine part that does nothing visible.
TEST(Augmenter, DrawsElasticDistortionsApartFromAffineOnes) {
  AugmentationOptions options = {.elastic_alpha = 34.0};
  const std::vector<float> alone = Distort(options, kDigit, 1, 0, 0);
  options.max_translation = 1e-30;
  EXPECT_EQ(alone, Distort(options, kDigit, 1, 0, 0));
}

TEST(Augmenter, KeepsAnImageOfBackground) {
  const Augmenter augmenter(Everything(), kDigit, 1, 0.25f);
  Augmenter::Scratch scratch(augmenter);
  std::vector<float> image(784, 0.25f);
  augmenter.Distort(image.data(), 0, 0, scratch, image.data());
  EXPECT_THAT(image, Each(::testing::FloatEq(0.25f)));
}

TEST(Augmenter, StaysWithinLargeValues) {
  constexpr float kMost = std::numeric_limits<float>::max();
  const Augmenter augmenter(Everything(), kDigit, 1, -kMost);
  Augmenter::Scratch scratch(augmenter);
  std::vector<float> image(784, kMost);
  augmenter.Distort(image.data(), 0, 0, scratch, image.data());
  for (const float value : image) EXPECT_TRUE(std::isfinite(value));
}

// The strongest options that are allowed.
TEST(Augmenter, SurvivesTheLimits) {
  const AugmentationOptions options = {.elastic_alpha = 1e3,
                                       .elastic_sigma = 1e-3,
                                       .max_rotation_degrees = 180.0,
                                       .max_scale = 1.0,
                                       .max_shear = 1.0,
                                       .max_translation = 1e3};
  ASSERT_TRUE(ValidateAugmentation(options, kDigit).ok());
  for (int64_t row = 0; row < 50; ++row) {
    for (const float value : Distort(options, kDigit, row, row, row)) {
      ASSERT_GE(value, 0.0f);
      ASSERT_LE(value, 1.0f);
    }
  }
}

TEST(AugmentationOptions, AreEnabledByAnyOne) {
  EXPECT_FALSE(AugmentationOptions{}.enabled());
  EXPECT_FALSE(AugmentationOptions{.elastic_sigma = 2.0}.enabled());
  EXPECT_TRUE(AugmentationOptions{.elastic_alpha = 0.1}.enabled());
  EXPECT_TRUE(AugmentationOptions{.max_rotation_degrees = 0.1}.enabled());
  EXPECT_TRUE(AugmentationOptions{.max_scale = 0.1}.enabled());
  EXPECT_TRUE(AugmentationOptions{.max_shear = 0.1}.enabled());
  EXPECT_TRUE(AugmentationOptions{.max_translation = 0.1}.enabled());
}

void ExpectInvalid(const AugmentationOptions& options, const std::string& message) {
  EXPECT_EQ(ValidateAugmentation(options, kDigit), absl::InvalidArgumentError(message));
}

TEST(ValidateAugmentation, NamesTheField) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ExpectInvalid({.elastic_alpha = -1.0},
                "augmentation.elastic_alpha: expected a number from 0 to 1000, got -1");
  ExpectInvalid({.elastic_alpha = kNan},
                "augmentation.elastic_alpha: expected a number from 0 to 1000, got nan");
  ExpectInvalid({.max_rotation_degrees = 180.5},
                "augmentation.max_rotation_degrees: expected a number from 0 to 180, got 180.5");
  ExpectInvalid({.max_scale = -0.1},
                "augmentation.max_scale: expected a number from 0 to 1, got -0.1");
  ExpectInvalid({.max_shear = kInfinity},
                "augmentation.max_shear: expected a number from 0 to 1, got inf");
  ExpectInvalid({.max_translation = 1'001.0},
                "augmentation.max_translation: expected a number from 0 to 1000, got 1001");
  for (const double sigma : {0.0, -4.0, kNan, 64.5, kInfinity}) {
    ExpectInvalid(
        {.elastic_sigma = sigma},
        absl::StrCat("augmentation.elastic_sigma: expected a number above 0, at most 64, got ",
                     sigma));
  }
}

TEST(ValidateAugmentation, NeedsImages) {
  EXPECT_EQ(ValidateAugmentation(Everything(), std::nullopt),
            absl::FailedPreconditionError("augmentation: expected a dataset of images, got "
                                          "features without an image shape"));
  EXPECT_TRUE(ValidateAugmentation({}, std::nullopt).ok());
}

}  // namespace
}  // namespace mlp
