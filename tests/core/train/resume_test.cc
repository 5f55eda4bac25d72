// Trainings that are cut off and taken up again from their checkpoints.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/train/checkpoint.h"
#include "core/train/trainer.h"
#include "tests/core/train/blobs.h"
#include "tests/core/train/training_probes.h"

namespace mlp {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr absl::string_view kFingerprint = "the digest of a configuration";

struct Attempt {
  TrainingOutcome outcome;
  std::vector<ProgressPoint> points;
  std::vector<std::string> log;
  std::string checkpoint;  // the newest; empty: none
};

// Trains on BlobImages; cancelled where a checkpoint is asked about for the `cancel_at`th time (0:
// never), which for mini-batches is before that step.
Attempt TrainImages(const TrainingConfig& config, int cancel_at, const Checkpoint* resume = nullptr,
                    int threads = 2) {
  Attempt run;
  std::stop_source stop;
  CheckpointKeeper keeper;
  keeper.on_asked = [&](int asked) {
    if (asked == cancel_at) stop.request_stop();
  };
  PointLog log;
  ThreadPool pool({.threads = threads});
  auto outcome = Train(BlobImages(700), config,
                       {.pool = pool,
                        .clock = Clock::System(),
                        .stop = stop.get_token(),
                        .observer = &log,
                        .log = [&](absl::string_view line) { run.log.emplace_back(line); },
                        .checkpoints = &keeper,
                        .fingerprint = std::string(kFingerprint),
                        .resume = resume});
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  run.outcome = *std::move(outcome);
  run.points = std::move(log.points);
  run.checkpoint = std::move(keeper.newest);
  return run;
}

class ResumeMiniBatches : public testing::TestWithParam<OptimizerKind> {};

std::string KindName(const testing::TestParamInfo<OptimizerKind>& tested) {
  if (tested.param == OptimizerKind::kSgd) return "Sgd";
  return tested.param == OptimizerKind::kAdam ? "Adam" : "AdamW";
}

INSTANTIATE_TEST_SUITE_P(Kinds, ResumeMiniBatches,
                         testing::Values(OptimizerKind::kSgd, OptimizerKind::kAdam,
                                         OptimizerKind::kAdamW),
                         KindName);

// With dropout, distortions, averaging and all: 420 rows in batches of 32 are 14 steps an epoch.
TEST_P(ResumeMiniBatches, HasTheBitsOfATrainingThatWasNotCutOff) {
  const TrainingConfig config = BusyImageConfig(GetParam());
  const Attempt whole = TrainImages(config, 0);
  ASSERT_EQ(whole.points.size(), 7u);
  for (const int cut : {1, 2, 14, 15, 28, 40, 57, 84}) {
    const Attempt first = TrainImages(config, cut);
    ASSERT_EQ(first.outcome.reason, StopReason::kCancelled);
    const auto checkpoint = ReadCheckpoint(first.checkpoint, kFingerprint, config);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    EXPECT_EQ(checkpoint->state.steps, cut - 1);
    const Attempt rest = TrainImages(config, 0, &*checkpoint, 3);
    SCOPED_TRACE(cut);
    EXPECT_EQ(rest.outcome.network.parameters, whole.outcome.network.parameters);
    EXPECT_EQ(rest.outcome.reason, whole.outcome.reason);
    EXPECT_EQ(rest.outcome.iterations, whole.outcome.iterations);
    EXPECT_EQ(rest.outcome.best_iteration, whole.outcome.best_iteration);
    EXPECT_EQ(rest.outcome.initial_cost, whole.outcome.initial_cost);
    EXPECT_EQ(rest.outcome.final_cost, whole.outcome.final_cost);
    EXPECT_EQ(rest.outcome.test->cross_entropy, whole.outcome.test->cross_entropy);
    EXPECT_THAT(rest.log.front(), StartsWith("resumed from the checkpoint of epoch "));
    // Together they report what one training does.
    ASSERT_EQ(first.points.size() + rest.points.size(), whole.points.size());
    for (size_t i = 0; i < whole.points.size(); ++i) {
      const ProgressPoint& point =
          i < first.points.size() ? first.points[i] : rest.points[i - first.points.size()];
      EXPECT_EQ(point.iteration, whole.points[i].iteration);
      EXPECT_EQ(point.cost, whole.points[i].cost);
      EXPECT_EQ(point.validation_cost, whole.points[i].validation_cost);
      EXPECT_EQ(point.gradient_norm, whole.points[i].gradient_norm);
      EXPECT_EQ(point.step, whole.points[i].step);
      EXPECT_EQ(point.cost_evaluations, whole.points[i].cost_evaluations);
    }
  }
}

TEST_P(ResumeMiniBatches, TwiceAndStopsEarlyWhereTheWholeOneDoes) {
  TrainingConfig config = BusyImageConfig(GetParam());
  config.optimizer.learning_rate *= 40.0;  // too high: the validation cost soon rises
  config.optimizer.schedule = {};
  config.stopping.max_iterations = 40;
  config.stopping.patience = 3;
  const Attempt whole = TrainImages(config, 0);
  ASSERT_EQ(whole.outcome.reason, StopReason::kEarlyStopped) << whole.outcome.message;
  const int steps = 14 * whole.outcome.iterations;
  const Attempt first = TrainImages(config, steps - 20);
  const auto once = ReadCheckpoint(first.checkpoint, kFingerprint, config);
  ASSERT_TRUE(once.ok());
  const Attempt second = TrainImages(config, 10, &*once);
  const auto twice = ReadCheckpoint(second.checkpoint, kFingerprint, config);
  ASSERT_TRUE(twice.ok());
  const Attempt rest = TrainImages(config, 0, &*twice);
  EXPECT_EQ(rest.outcome.reason, StopReason::kEarlyStopped);
  EXPECT_EQ(rest.outcome.message, whole.outcome.message);
  EXPECT_EQ(rest.outcome.iterations, whole.outcome.iterations);
  EXPECT_EQ(rest.outcome.network.parameters, whole.outcome.network.parameters);
}

TEST(ResumeFullBatch, GoesOnFromTheNewestWeightsAndSaysSo) {
  TrainingConfig config = BusyImageConfig(OptimizerKind::kLbfgs);
  config.regularization = {};
  config.augmentation = {};
  config.optimizer = {};
  config.stopping = {.max_iterations = 30, .cost_tolerance = 0.0};
  for (const OptimizerKind kind : {OptimizerKind::kLbfgs, OptimizerKind::kConjugateGradient}) {
    config.optimizer.kind = kind;
    const Attempt first = TrainImages(config, 11);  // at iteration 10
    ASSERT_EQ(first.outcome.reason, StopReason::kCancelled);
    const auto checkpoint = ReadCheckpoint(first.checkpoint, kFingerprint, config);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    EXPECT_EQ(checkpoint->iterations, 10);
    const Attempt rest = TrainImages(config, 0, &*checkpoint);
    EXPECT_EQ(rest.log.front(), "resumed from the weights of iteration 10, with a fresh memory");
    EXPECT_EQ(rest.outcome.initial_cost, first.outcome.initial_cost);
    EXPECT_EQ(rest.outcome.iterations, 30);
    EXPECT_EQ(rest.outcome.message, "reached the limit of 30 iterations");
    ASSERT_FALSE(rest.points.empty());
    EXPECT_EQ(rest.points.front().iteration, 11);
    EXPECT_LT(rest.points.front().cost, first.points.back().cost);
    EXPECT_GT(rest.points.front().cost_evaluations, first.points.back().cost_evaluations);
    EXPECT_GE(rest.points.front().elapsed_seconds, first.points.back().elapsed_seconds);
  }
}

TEST(ResumeFullBatch, RemembersTheBestWeightsOfBefore) {
  // The best validation cost was at an iteration that the rest never comes to again.
  TrainingConfig config = BusyImageConfig(OptimizerKind::kLbfgs);
  config.regularization = {};
  config.augmentation = {};
  config.optimizer = {};
  config.stopping = {.max_iterations = 30, .cost_tolerance = 0.0};
  const Attempt first = TrainImages(config, 11);
  auto checkpoint = ReadCheckpoint(first.checkpoint, kFingerprint, config);
  ASSERT_TRUE(checkpoint.ok());
  checkpoint->kept.theta.setConstant(0.25f);
  checkpoint->kept.iteration = 4;
  checkpoint->kept.validation_cost = 1e-9;
  const Attempt rest = TrainImages(config, 0, &*checkpoint);
  EXPECT_EQ(rest.outcome.best_iteration, 4);
  EXPECT_EQ(rest.outcome.network.parameters, checkpoint->kept.theta);
}

TEST(Checkpoints, AreSavedWhenTheyAreDueAndWhenCancelled) {
  CheckpointKeeper keeper;
  keeper.on_asked = [&](int asked) { keeper.due = asked % 10 == 0; };
  ThreadPool pool({});
  const TrainingConfig config = BusyImageConfig(OptimizerKind::kSgd);
  const TrainingContext context = {.pool = pool, .clock = Clock::System(), .checkpoints = &keeper};
  ASSERT_TRUE(Train(BlobImages(700), config, context).ok());
  EXPECT_EQ(keeper.asked, 84);
  EXPECT_EQ(keeper.saved, 8);
}

}  // namespace
}  // namespace mlp
