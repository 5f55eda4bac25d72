#include "core/optim/update_rule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace mlp {
namespace {

// One parameter's way through several steps.
struct One {
  float theta = 1.0f;
  float velocity = 0.0f;
  float mean_square = 0.0f;

  ParameterBlock Block(float& gradient) {
    return {.rows = 1,
            .columns = 1,
            .theta = &theta,
            .velocity = &velocity,
            .mean_square = &mean_square,
            .stride = 1,
            .gradient = &gradient,
            .gradient_stride = 1};
  }

  void Step(const OptimizerOptions& options, double rate, int64_t step, float gradient,
            float scale = 1.0f, bool decayed = true) {
    UpdateRule(options, rate, step).Apply(Block(gradient), scale, decayed);
  }
};

OptimizerOptions Options(OptimizerKind kind) {
  OptimizerOptions options;
  options.kind = kind;
  return options;
}

TEST(UpdateRule, SgdByHand) {
  OptimizerOptions options = Options(OptimizerKind::kSgd);
  options.momentum = 0.9;
  One one;
  one.Step(options, 0.1, 1, 0.5f);  // v = 0.5
  EXPECT_NEAR(one.theta, 0.95, 1e-7);
  one.Step(options, 0.1, 2, -0.2f);  // v = 0.45 - 0.2 = 0.25
  EXPECT_NEAR(one.velocity, 0.25, 1e-7);
  EXPECT_NEAR(one.theta, 0.925, 1e-7);
  one.Step(options, 0.0, 3, 0.0f);  // a rate of 0 moves nothing but the velocity
  EXPECT_NEAR(one.velocity, 0.225, 1e-7);
  EXPECT_NEAR(one.theta, 0.925, 1e-7);
}

TEST(UpdateRule, NesterovByHand) {
  OptimizerOptions options = Options(OptimizerKind::kSgd);
  options.momentum = 0.9;
  options.nesterov = true;
  One one;
  one.Step(options, 0.1, 1, 0.5f);  // v = 0.5, g + 0.9 v = 0.95
  EXPECT_NEAR(one.theta, 0.905, 1e-7);
  one.Step(options, 0.1, 2, -0.2f);  // v = 0.25, g + 0.9 v = 0.025
  EXPECT_NEAR(one.theta, 0.9025, 1e-7);
}

TEST(UpdateRule, AdamByHand) {
  const OptimizerOptions options = Options(OptimizerKind::kAdam);
  One one;
  // v = 0.05, s = 0.00025; unbiased 0.5 and 0.25: a step of the rate.
  one.Step(options, 0.1, 1, 0.5f);
  EXPECT_NEAR(one.velocity, 0.05, 1e-8);
  EXPECT_NEAR(one.mean_square, 0.00025, 1e-10);
  EXPECT_NEAR(one.theta, 0.9, 1e-7);
  // v = 0.045 - 0.02 = 0.025, unbiased 0.025 / 0.19 = 0.131579; s = 0.00024975 + 0.00004, unbiased
  // 0.00028975 / 0.001999 = 0.144947, its root 0.380720; the step is 0.0345606.
  one.Step(options, 0.1, 2, -0.2f);
  EXPECT_NEAR(one.theta, 0.9 - 0.0345606, 1e-6);
}

TEST(UpdateRule, EpsilonBoundsTheStepsOfSmallGradients) {
  OptimizerOptions options = Options(OptimizerKind::kAdam);
  options.epsilon = 1.0;
  One one;
  one.Step(options, 0.1, 1, 1e-3f);  // 0.1 * 1e-3 / (1e-3 + 1)
  EXPECT_NEAR(one.theta, 1.0 - 1e-4 / 1.001, 1e-7);
}

TEST(UpdateRule, DecaysWeightsApartFromTheGradient) {
  for (const OptimizerKind kind : {OptimizerKind::kSgd, OptimizerKind::kAdamW}) {
    OptimizerOptions options = Options(kind);
    options.weight_decay = 0.5;
    One weight, bias;
    weight.Step(options, 0.1, 1, 0.0f);
    bias.Step(options, 0.1, 1, 0.0f, 1.0f, /*decayed=*/false);
    EXPECT_NEAR(weight.theta, 0.95, 1e-7);
    EXPECT_EQ(weight.velocity, 0.0f);
    EXPECT_EQ(bias.theta, 1.0f);
  }
}

TEST(UpdateRule, ScalesTheGradient) {
  for (const OptimizerKind kind : {OptimizerKind::kSgd, OptimizerKind::kAdam}) {
    One scaled, plain;
    scaled.Step(Options(kind), 0.1, 1, 4.0f, 0.25f);
    plain.Step(Options(kind), 0.1, 1, 1.0f);
    EXPECT_EQ(scaled.theta, plain.theta);
    EXPECT_EQ(scaled.velocity, plain.velocity);
  }
}

// Rows of a block between others, of a length that is no multiple of anything.
TEST(UpdateRule, ChangesItsBlockAlone) {
  constexpr int64_t kStride = 40, kColumns = 37;
  for (const OptimizerKind kind :
       {OptimizerKind::kSgd, OptimizerKind::kAdam, OptimizerKind::kAdamW}) {
    for (const bool nesterov : {false, true}) {
      OptimizerOptions options = Options(kind);
      options.nesterov = nesterov;
      options.weight_decay = 0.1;
      std::vector<float> theta(3 * kStride), velocity(theta), mean_square(theta), gradient(3 * 48);
      for (size_t i = 0; i < theta.size(); ++i) theta[i] = std::sin(static_cast<float>(i));
      for (size_t i = 0; i < gradient.size(); ++i) gradient[i] = std::cos(static_cast<float>(i));
      const std::vector<float> before = theta;
      UpdateRule(options, 0.1, 1)
          .Apply({.rows = 2,
                  .columns = kColumns,
                  .theta = theta.data(),
                  .velocity = velocity.data(),
                  .mean_square = mean_square.data(),
                  .stride = kStride,
                  .gradient = gradient.data(),
                  .gradient_stride = 48},
                 1.0f, true);
      for (int64_t i = 0; i < 3; ++i) {
        for (int64_t j = 0; j < kStride; ++j) {
          const auto at = static_cast<size_t>(i * kStride + j);
          One one;
          one.theta = before[at];
          if (i < 2 && j < kColumns) {
            one.Step(options, 0.1, 1, gradient[static_cast<size_t>(i * 48 + j)]);
          }
          EXPECT_FLOAT_EQ(theta[at], one.theta) << i << ", " << j;
          EXPECT_FLOAT_EQ(velocity[at], one.velocity) << i << ", " << j;
        }
      }
    }
  }
}

struct PenaltyBlock {
  std::vector<float> theta = {2.0f, -3.0f, 0.0f, 99.0f, 1.0f, -1.0f, 0.5f, 99.0f};
  std::vector<float> gradient = {1.0f, 1.0f, 1.0f, 77.0f, 0.0f, 0.0f, 0.0f, 77.0f};

  ParameterBlock block() {
    return {.rows = 2,
            .columns = 3,
            .theta = theta.data(),
            .velocity = nullptr,
            .mean_square = nullptr,
            .stride = 4,
            .gradient = gradient.data(),
            .gradient_stride = 4};
  }
};

// The sum of all rows.
double SquaresWith(const PenaltyOptions& penalties, const ParameterBlock& block) {
  std::vector<float> lanes(static_cast<size_t>(block.rows * kSquareLanes));
  AddPenalties(penalties, block, lanes.data());
  double sum = 0.0;
  for (int64_t i = 0; i < block.rows; ++i) sum += SumOfLanes(lanes.data() + i * kSquareLanes, 1);
  return sum;
}

TEST(AddPenalties, ByHand) {
  PenaltyBlock b;
  const double squares = SquaresWith({.l2 = 0.5f, .l1 = 0.25f}, b.block());
  const std::vector<float> expected = {2.25f, -0.75f, 1.0f, 77.0f, 0.75f, -0.75f, 0.5f, 77.0f};
  EXPECT_EQ(b.gradient, expected);
  EXPECT_NEAR(squares, 2.25 * 2.25 + 3 * 0.75 * 0.75 + 1.0 + 0.25, 1e-6);
}

TEST(AddPenalties, WithoutAnyIsTheSumOfSquares) {
  PenaltyBlock b;
  EXPECT_EQ(SquaresWith({}, b.block()), 3.0);
  EXPECT_EQ(b.gradient, PenaltyBlock().gradient);
  // More columns than a register has lanes, and some more.
  std::vector<float> gradient(50);
  double expected = 0.0;
  for (size_t i = 0; i < gradient.size(); ++i) {
    gradient[i] = static_cast<float>(i);
    expected += static_cast<double>(i * i);
  }
  EXPECT_NEAR(SquaresWith({}, {.rows = 1,
                               .columns = 50,
                               .theta = nullptr,
                               .velocity = nullptr,
                               .mean_square = nullptr,
                               .stride = 50,
                               .gradient = gradient.data(),
                               .gradient_stride = 50}),
              expected, 1e-3);
}

TEST(AddPenalties, KeepWhatIsNotFinite) {
  PenaltyBlock b;
  b.gradient[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(SquaresWith({.l2 = 0.5f}, b.block())));
}

// Bits that do not hang on how the products were cut.
TEST(AddPenalties, SumsSquaresAlikeInBlocksOfAnyWidth) {
  std::vector<float> gradient(2 * 77);
  for (size_t i = 0; i < gradient.size(); ++i) gradient[i] = 0.1f * static_cast<float>(i % 13);
  const auto lanes = [&](int64_t width) {
    std::vector<float> squares(2 * kSquareLanes);
    for (int64_t j = 0; j < 77; j += width) {
      AddPenalties({},
                   {.rows = 2,
                    .columns = std::min<int64_t>(width, 77 - j),
                    .theta = nullptr,
                    .velocity = nullptr,
                    .mean_square = nullptr,
                    .stride = 77,
                    .gradient = gradient.data() + j,
                    .gradient_stride = 77},
                   squares.data());
    }
    return squares;
  };
  EXPECT_EQ(lanes(16), lanes(77));
  EXPECT_EQ(lanes(48), lanes(77));
}

TEST(LimitRowNorms, ScalesDownLongRowsAlone) {
  std::vector<float> theta = {3.0f, 4.0f, 9.0f, 0.6f, 0.8f, 9.0f, 0.0f, 0.0f, 9.0f};
  LimitRowNorms({.rows = 3,
                 .columns = 2,
                 .theta = theta.data(),
                 .velocity = nullptr,
                 .mean_square = nullptr,
                 .stride = 3,
                 .gradient = nullptr,
                 .gradient_stride = 0},
                2.0f);
  EXPECT_FLOAT_EQ(theta[0], 1.2f);
  EXPECT_FLOAT_EQ(theta[1], 1.6f);
  const std::vector<float> rest = {9.0f, 0.6f, 0.8f, 9.0f, 0.0f, 0.0f, 9.0f};
  EXPECT_EQ(std::vector<float>(theta.begin() + 2, theta.end()), rest);
}

}  // namespace
}  // namespace mlp
