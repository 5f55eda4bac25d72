#include "core/nn/gradient_check.h"

#include <cmath>

#include <gtest/gtest.h>

namespace mlp {
namespace {

// J = sum_j sin(j + theta_j); its gradient, with entry `wrong` off by 0.1 %.
struct Sines {
  int wrong = -1;
  mutable int gradients = 0;
  mutable int costs = 0;

  double operator()(const Vector<double>& theta, Vector<double>* gradient) const {
    ++(gradient == nullptr ? costs : gradients);
    double cost = 0.0;
    for (int j = 0; j < theta.size(); ++j) {
      cost += std::sin(j + theta[j]);
      if (gradient != nullptr) {
        (*gradient)[j] = std::cos(j + theta[j]) * (j == wrong ? 1.001 : 1.0);
      }
    }
    return cost;
  }
};

TEST(GradientCheck, FindsARightGradientRight) {
  EXPECT_LT(GradientCheck(Sines{}, Vector<double>::Constant(20, 0.3), {}), 1e-11);
}

TEST(GradientCheck, FindsOneWrongEntryOfMany) {
  EXPECT_GT(GradientCheck(Sines{.wrong = 19}, Vector<double>::Constant(20, 0.3), {}), 1e-5);
}

TEST(GradientCheck, ErrorIsTheRatioOfNorms) {
  // J = theta^2 at 1 with gradient 6 for 2: |2 - 6| / (2 + 6).
  const auto square = [](const Vector<double>& theta, Vector<double>* gradient) {
    if (gradient != nullptr) (*gradient)[0] = 6.0;
    return theta[0] * theta[0];
  };
  EXPECT_NEAR(GradientCheck(square, Vector<double>::Ones(1), {}), 0.5, 1e-10);
}

TEST(GradientCheck, IsZeroWhereBothSidesVanish) {
  const auto constant = [](const Vector<double>&, Vector<double>* gradient) {
    if (gradient != nullptr) gradient->setZero();
    return 4.0;
  };
  EXPECT_EQ(GradientCheck(constant, Vector<double>::Ones(3), {}), 0.0);
}

TEST(GradientCheck, IsOfFourthOrder) {
  // For J = theta^5 at 0 the quotient is exactly -4 h^4.
  const auto fifth = [](const Vector<double>& theta, Vector<double>* gradient) {
    if (gradient != nullptr) (*gradient)[0] = 1.0;
    return std::pow(theta[0], 5);
  };
  const double h = 0.5;
  const double numeric = -4.0 * std::pow(h, 4);
  EXPECT_NEAR(GradientCheck(fifth, Vector<double>::Zero(1), {.step = h}),
              std::abs(numeric - 1.0) / (std::abs(numeric) + 1.0), 1e-12);
}

TEST(GradientCheck, SamplesAsManyEntriesAsAskedFor) {
  const Sines sines;
  GradientCheck(sines, Vector<double>::Zero(1000), {.samples = 30});
  EXPECT_EQ(sines.gradients, 1);
  EXPECT_EQ(sines.costs, 4 * 30);
  const Sines all;
  GradientCheck(all, Vector<double>::Zero(10), {.samples = 30});
  EXPECT_EQ(all.costs, 4 * 10);
}

TEST(GradientCheck, SamplesByItsSeed) {
  // One wrong entry of 50: samples of half of them contain it for some seeds and not for others.
  int found = 0;
  for (int seed = 0; seed < 20; ++seed) {
    const GradientCheckOptions options = {.samples = 25, .seed = seed};
    const double error = GradientCheck(Sines{.wrong = 0}, Vector<double>::Zero(50), options);
    EXPECT_EQ(error, GradientCheck(Sines{.wrong = 0}, Vector<double>::Zero(50), options));
    found += error > 1e-6 ? 1 : 0;
  }
  EXPECT_GT(found, 3);
  EXPECT_LT(found, 17);
}

}  // namespace
}  // namespace mlp
