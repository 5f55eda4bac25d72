#include "core/optim/learning_rate.h"

#include <cmath>

#include <gtest/gtest.h>

namespace mlp {
namespace {

// 4 steps an epoch, 10 epochs, a rate of 2.
double RateAt(const ScheduleOptions& schedule, int64_t step) {
  OptimizerOptions options;
  options.learning_rate = 2.0;
  options.schedule = schedule;
  return LearningRateAt(options, {.steps_per_epoch = 4, .max_epochs = 10}, step);
}

TEST(LearningRate, ConstantStaysAsItIs) {
  for (const int64_t step : {0, 1, 17, 39}) EXPECT_EQ(RateAt({}, step), 2.0);
}

TEST(LearningRate, StepFallsAfterEveryFewEpochs) {
  const ScheduleOptions schedule = {
      .kind = ScheduleKind::kStep, .step_epochs = 3, .factor = 0.5, .warm_up_epochs = 0.0};
  EXPECT_EQ(RateAt(schedule, 0), 2.0);
  EXPECT_EQ(RateAt(schedule, 11), 2.0);
  EXPECT_EQ(RateAt(schedule, 12), 1.0);
  EXPECT_EQ(RateAt(schedule, 23), 1.0);
  EXPECT_EQ(RateAt(schedule, 24), 0.5);
}

TEST(LearningRate, ExponentialFallsFromStepToStep) {
  const ScheduleOptions schedule = {.kind = ScheduleKind::kExponential, .factor = 0.81};
  EXPECT_EQ(RateAt(schedule, 0), 2.0);
  EXPECT_NEAR(RateAt(schedule, 2), 2.0 * 0.9, 1e-15);
  EXPECT_NEAR(RateAt(schedule, 4), 2.0 * 0.81, 1e-15);
  EXPECT_NEAR(RateAt(schedule, 8), 2.0 * 0.81 * 0.81, 1e-15);
}

TEST(LearningRate, CosineEndsAtItsFraction) {
  const ScheduleOptions schedule = {.kind = ScheduleKind::kCosine, .final_fraction = 0.25};
  EXPECT_EQ(RateAt(schedule, 0), 2.0);
  EXPECT_NEAR(RateAt(schedule, 20), 2.0 * (0.25 + 0.75 * 0.5), 1e-15);
  EXPECT_NEAR(RateAt(schedule, 10), 2.0 * (0.25 + 0.375 * (1.0 + std::sqrt(0.5))), 1e-15);
  EXPECT_NEAR(RateAt(schedule, 40), 0.5, 1e-15);
  EXPECT_GT(RateAt(schedule, 39), RateAt(schedule, 40));
}

TEST(LearningRate, WarmsUpBeforeTheSchedule) {
  // 1.5 epochs are 6 steps.
  ScheduleOptions schedule = {.kind = ScheduleKind::kCosine, .warm_up_epochs = 1.5};
  for (int64_t step = 0; step < 6; ++step) {
    EXPECT_NEAR(RateAt(schedule, step), 2.0 * static_cast<double>(step + 1) / 6.0, 1e-15);
  }
  EXPECT_EQ(RateAt(schedule, 6), 2.0);
  EXPECT_NEAR(RateAt(schedule, 23), 1.0, 1e-15);  // half of the 34 steps that are left
  schedule = {.kind = ScheduleKind::kStep, .step_epochs = 1, .warm_up_epochs = 1.0};
  EXPECT_EQ(RateAt(schedule, 7), 2.0);
  EXPECT_NEAR(RateAt(schedule, 8), 0.2, 1e-15);
}

TEST(LearningRate, OfATrainingThatIsAllWarmUp) {
  EXPECT_EQ(RateAt({.kind = ScheduleKind::kCosine, .warm_up_epochs = 10.0}, 39), 2.0);
}

}  // namespace
}  // namespace mlp
