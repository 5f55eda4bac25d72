#include "core/train/progress_reporter.h"

#include <gtest/gtest.h>

#include "tests/core/train/training_probes.h"

namespace mlp {
namespace {

TEST(ProgressReporter, TellsRateAndTimeLeft) {
  SetClock clock;
  PointLog log;
  ProgressReporter reporter({.max_iterations = 10}, clock, &log);
  clock.elapsed += absl::Seconds(1);
  reporter.Report({.iteration = 0}, 0.0);
  clock.elapsed += absl::Seconds(3);
  reporter.Report({.iteration = 1}, 600.0);
  clock.elapsed += absl::Seconds(2);
  reporter.Report({.iteration = 2}, 1200.0);
  EXPECT_EQ(log.points[0].elapsed_seconds, 1.0);
  EXPECT_EQ(log.points[0].examples_per_second, 0.0);
  EXPECT_FALSE(log.points[0].seconds_left.has_value());
  EXPECT_EQ(log.points[1].examples_per_second, 200.0);
  EXPECT_EQ(log.points[1].seconds_left, 36.0);  // 9 iterations of 4 seconds
  EXPECT_EQ(log.points[2].examples_per_second, 300.0);
  EXPECT_EQ(log.points[2].seconds_left, 24.0);  // 8 of 3
}

TEST(ProgressReporter, ATimeLimitIsTheMostThatIsLeft) {
  SetClock clock;
  PointLog log;
  ProgressReporter reporter({.max_iterations = 10, .time_limit = absl::Seconds(9)}, clock, &log);
  clock.elapsed += absl::Seconds(4);
  reporter.Report({.iteration = 1}, 100.0);
  clock.elapsed += absl::Seconds(6);
  reporter.Report({.iteration = 2}, 200.0);
  EXPECT_EQ(log.points[0].seconds_left, 5.0);
  EXPECT_EQ(log.points[1].seconds_left, 0.0);
}

TEST(ProgressReporter, GoesOnWithTheTimeOfBefore) {
  SetClock clock;
  PointLog log;
  // A machine before this one was slower: 100 seconds for 4 iterations.
  ProgressReporter reporter({.max_iterations = 10}, clock, &log, 4, 100.0);
  clock.elapsed += absl::Seconds(2);
  reporter.Report({.iteration = 5}, 50.0);
  EXPECT_EQ(log.points[0].elapsed_seconds, 102.0);
  EXPECT_EQ(log.points[0].examples_per_second, 25.0);
  EXPECT_EQ(log.points[0].seconds_left, 10.0);
  EXPECT_EQ(reporter.seconds(), 102.0);
}

}  // namespace
}  // namespace mlp
