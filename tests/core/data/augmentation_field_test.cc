#include "core/data/augmentation_field.h"

#include <cmath>

#include <gtest/gtest.h>

namespace mlp {
namespace {

constexpr double kAlpha = 34.0;
constexpr double kSigma = 4.0;
constexpr int kSize = 41;  // the middle is 5 sigma from the border
constexpr int kMiddle = 20;
constexpr int kFields = 8000;

// Sums of products of field values over many fields.
struct Moments {
  double mean = 0.0;
  double middle = 0.0;         // of the value in the middle with itself
  double edge = 0.0;           // of the middle of the left edge
  double corner = 0.0;         // of the first pixel
  double at_sigma = 0.0;       // of the middle with the value sigma pixels below it
  double across_fields = 0.0;  // of the middle with the next field's
};

Moments MeasureMoments() {
  const ElasticField field(kAlpha, kSigma, kSize, kSize);
  ElasticField::Scratch scratch = field.MakeScratch();
  FloatGroups values(static_cast<size_t>(field.groups()));
  const auto at = [&values](int y, int x) -> double {
    return Data(values)[y * GroupsOf(kSize) * kGroup + x];
  };
  Moments moments;
  for (int i = 0; i < kFields; ++i) {
    AugmentationNoise noise(11, 0, i);
    field.Draw(noise, scratch, Data(values));
    const double middle = at(kMiddle, kMiddle);
    moments.mean += middle / kFields;
    moments.middle += middle * middle / kFields;
    moments.edge += at(kMiddle, 0) * at(kMiddle, 0) / kFields;
    moments.corner += at(0, 0) * at(0, 0) / kFields;
    moments.at_sigma += middle * at(kMiddle + 4, kMiddle) / kFields;
    field.Draw(noise, scratch, Data(values));
    moments.across_fields += middle * at(kMiddle, kMiddle) / kFields;
  }
  return moments;
}

// A smoothed uniform field has variance alpha^2 / 3 (sum g^2)^2 with sum g^2 = 1 / (2 sqrt(pi)
// sigma), and covariance exp(-d^2 / 4 sigma^2) of that at a distance d. An edge has half of the
// noise and half a pixel's share more: sum over i >= 0 of g(i)^2 = (1 + g(0)^2 / sum g^2) / 2.
// Tolerances: five standard errors, sqrt(2 / N) of a variance.
TEST(ElasticField, HasTheMomentsOfSmoothedUniformNoise) {
  const Moments moments = MeasureMoments();
  const double one_way = 1.0 / (2.0 * std::sqrt(M_PI) * kSigma);
  const double variance = kAlpha * kAlpha / 3.0 * one_way * one_way;
  EXPECT_NEAR(std::sqrt(variance), 1.384, 0.001);
  const double tolerance = 5.0 * std::sqrt(2.0 / kFields);
  EXPECT_NEAR(moments.mean / std::sqrt(variance), 0.0, 5.0 / std::sqrt(kFields));
  EXPECT_NEAR(moments.middle / variance, 1.0, tolerance);
  const double half = 0.5 * (1.0 + 1.0 / (2.0 * M_PI * kSigma * kSigma) / one_way);
  EXPECT_NEAR(moments.edge / variance, half, tolerance * half);
  EXPECT_NEAR(moments.corner / variance, half * half, tolerance * half * half);
  EXPECT_NEAR(moments.at_sigma / variance, std::exp(-0.25), tolerance);
  EXPECT_NEAR(moments.across_fields / variance, 0.0, tolerance);
}

// With a sigma far below a pixel the kernel is 1 and the field is the noise itself, times alpha.
TEST(ElasticField, IsTheNoiseWhereSigmaIsTiny) {
  for (const double sigma : {1e-320, 0.05}) {
    const ElasticField field(3.0, sigma, 5, 20);
    ElasticField::Scratch scratch = field.MakeScratch();
    FloatGroups values(static_cast<size_t>(field.groups()));
    AugmentationNoise noise(1, 1, 1);
    field.Draw(noise, scratch, Data(values));
    FloatGroups expected(values.size());
    AugmentationNoise(1, 1, 1).Fill(field.groups(), Data(expected));
    for (int y = 0; y < 5; ++y) {
      for (int x = 0; x < 20; ++x) {
        EXPECT_EQ(Data(values)[y * 32 + x], 3.0f * Data(expected)[y * 32 + x]);
      }
    }
  }
}

// A kernel far wider than the image gives every pixel nearly the same displacement.
TEST(ElasticField, IsNearlyConstantWhereSigmaIsLarge) {
  const ElasticField field(1e4, 1000.0, 8, 8);
  ElasticField::Scratch scratch = field.MakeScratch();
  FloatGroups values(static_cast<size_t>(field.groups()));
  AugmentationNoise noise(1, 1, 1);
  field.Draw(noise, scratch, Data(values));
  const float first = Data(values)[0];
  EXPECT_NE(first, 0.0f);
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) EXPECT_NEAR(Data(values)[y * 16 + x], first, 2e-4 * 64);
  }
}

}  // namespace
}  // namespace mlp
