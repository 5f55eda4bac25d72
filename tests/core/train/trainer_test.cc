#include "core/train/trainer.h"

#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/train/objective.h"
#include "tests/core/train/blobs.h"
#include "tests/core/train/training_probes.h"

namespace mlp {
namespace {

using testing::HasSubstr;

absl::StatusOr<TrainingOutcome> TrainBlobs(const TrainingConfig& config,
                                           ProgressObserver* observer = nullptr,
                                           std::stop_token stop = {}) {
  ThreadPool pool({.threads = 2});
  return Train(
      Blobs(600), config,
      {.pool = pool, .clock = Clock::System(), .stop = std::move(stop), .observer = observer});
}

Split BlobSplit(const TrainingConfig& config) {
  return *SplitRows(Blobs(600).labels, 3, config.split);
}

// J of the outcome's own float weights on the training part.
double CostOf(const TrainingOutcome& outcome, const TrainingConfig& config) {
  const Examples examples = GatherExamples(Blobs(600), BlobSplit(config).training, outcome.scaler);
  ThreadPool pool({});
  Objective<float> objective(config.topology, config.cost, config.lambda, examples, pool);
  const Vector<double> theta = outcome.network.parameters.cast<double>();
  return objective.Evaluate(theta.data(), nullptr);
}

TEST(Train, LearnsWithEitherOptimizerAndCost) {
  for (const OptimizerKind kind : {OptimizerKind::kLbfgs, OptimizerKind::kConjugateGradient}) {
    for (const CostKind cost : {CostKind::kSigmoidCrossEntropy, CostKind::kSoftmaxCrossEntropy}) {
      TrainingConfig config = BlobConfig();
      config.optimizer.kind = kind;
      config.cost = cost;
      config.topology.layers.back().activation = OutputActivation(cost);
      const absl::StatusOr<TrainingOutcome> outcome = TrainBlobs(config);
      ASSERT_TRUE(outcome.ok()) << outcome.status();
      ASSERT_TRUE(outcome->training && outcome->validation && outcome->test);
      EXPECT_EQ(outcome->training->examples, 300);
      EXPECT_EQ(outcome->validation->examples, 150);
      EXPECT_EQ(outcome->test->examples, 150);
      EXPECT_GT(outcome->test->accuracy, 0.97);
      EXPECT_LT(outcome->final_cost, 0.3 * outcome->initial_cost);
      EXPECT_GT(outcome->iterations, 5);
      EXPECT_EQ(outcome->network.topology, config.topology);
      EXPECT_EQ(outcome->network.parameters.size(), ParameterCount(config.topology));
    }
  }
}

TEST(Train, ReportsEveryPointFromTheStartOn) {
  PointLog log;
  const absl::StatusOr<TrainingOutcome> outcome = TrainBlobs(BlobConfig(), &log);
  ASSERT_TRUE(outcome.ok());
  ASSERT_EQ(log.points.size(), static_cast<size_t>(outcome->iterations) + 1);
  for (size_t i = 0; i < log.points.size(); ++i) {
    EXPECT_EQ(log.points[i].iteration, static_cast<int>(i));
    EXPECT_TRUE(log.points[i].validation_cost.has_value());
    EXPECT_GT(log.points[i].gradient_norm, 0.0);
    if (i > 0) {
      EXPECT_LT(log.points[i].cost, log.points[i - 1].cost);
      EXPECT_GE(log.points[i].elapsed_seconds, log.points[i - 1].elapsed_seconds);
    }
  }
  EXPECT_EQ(log.points.front().cost, outcome->initial_cost);
  // Of the best weights, which are those of the lowest validation cost; without regularization both
  // times.
  const ProgressPoint& best = log.points[static_cast<size_t>(outcome->best_iteration)];
  for (const ProgressPoint& point : log.points) {
    EXPECT_GE(*point.validation_cost, *best.validation_cost);
  }
  EXPECT_EQ(best.cost, outcome->final_cost);
  EXPECT_NEAR(*best.validation_cost, outcome->validation->cross_entropy, 1e-9);
}

TEST(Train, WithoutAValidationPartHasNoValidationCost) {
  TrainingConfig config = BlobConfig();
  config.split = {.training = 0.7, .validation = 0.0, .test = 0.3};
  config.stopping.max_iterations = 3;
  PointLog log;
  const absl::StatusOr<TrainingOutcome> outcome = TrainBlobs(config, &log);
  ASSERT_TRUE(outcome.ok());
  for (const ProgressPoint& point : log.points) EXPECT_FALSE(point.validation_cost.has_value());
  EXPECT_FALSE(outcome->validation.has_value());
  EXPECT_TRUE(outcome->training.has_value());
  EXPECT_TRUE(outcome->test.has_value());
}

TEST(Train, FinalCostIsThatOfTheReturnedWeights) {
  TrainingConfig config = BlobConfig();
  config.stopping.max_iterations = 7;
  const absl::StatusOr<TrainingOutcome> outcome = TrainBlobs(config);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->reason, StopReason::kMaxIterations);
  EXPECT_EQ(outcome->iterations, 7);
  EXPECT_EQ(CostOf(*outcome, config), outcome->final_cost);
}

TEST(Train, SeesNothingOfTheOtherParts) {
  // Rows outside the training part get values far out; scaler and weights keep every bit. (Without
  // a validation part, which says which weights are best.)
  TrainingConfig config = BlobConfig();
  config.split = {.training = 0.5, .validation = 0.0, .test = 0.5};
  config.stopping.max_iterations = 10;
  ThreadPool pool({.threads = 2});
  for (const Scaling scaling : {Scaling::kRange, Scaling::kMinMax, Scaling::kStandard}) {
    config.scaling = scaling;
    const Split split = BlobSplit(config);
    Dataset changed = Blobs(600);
    for (const int64_t row : split.test) {
      for (int j = 0; j < 4; ++j) SetFeature(changed, row, j, -1e6f * static_cast<float>(j + 1));
    }
    const TrainingContext context = {.pool = pool, .clock = Clock::System()};
    const auto outcome = Train(Blobs(600), config, context);
    const auto with_changed = Train(changed, config, context);
    ASSERT_TRUE(outcome.ok() && with_changed.ok());
    EXPECT_EQ(outcome->scaler.offsets(), with_changed->scaler.offsets());
    EXPECT_EQ(outcome->scaler.scales(), with_changed->scaler.scales());
    EXPECT_EQ(outcome->network.parameters, with_changed->network.parameters);
    // And the change would have been seen in a scaler fitted on all rows.
    const FeatureScaler fitted = FeatureScaler::Fit(scaling, changed, split.training);
    EXPECT_EQ(outcome->scaler.offsets(), fitted.offsets());
    EXPECT_NE(outcome->scaler.offsets(),
              FeatureScaler::Fit(scaling, changed, split.test).offsets());
    EXPECT_LT(with_changed->test->accuracy, 0.7);
  }
}

TEST(Train, HasTheSameBitsWithAnyNumberOfThreads) {
  const TrainingConfig config = BlobConfig();
  // Over one block, so that there is something to share.
  const Dataset dataset = Blobs(3000);
  ThreadPool one({});
  PointLog expected_log;
  const auto expected =
      Train(dataset, config, {.pool = one, .clock = Clock::System(), .observer = &expected_log});
  ASSERT_TRUE(expected.ok());
  for (const int threads : {2, 3, 7}) {
    ThreadPool pool({.threads = threads});
    PointLog log;
    const auto actual =
        Train(dataset, config, {.pool = pool, .clock = Clock::System(), .observer = &log});
    ASSERT_TRUE(actual.ok());
    EXPECT_EQ(actual->network.parameters, expected->network.parameters);
    EXPECT_EQ(actual->reason, expected->reason);
    EXPECT_EQ(actual->iterations, expected->iterations);
    EXPECT_EQ(actual->final_cost, expected->final_cost);
    EXPECT_EQ(actual->test->cross_entropy, expected->test->cross_entropy);
    EXPECT_EQ(actual->test->confusion, expected->test->confusion);
    ASSERT_EQ(log.points.size(), expected_log.points.size());
    for (size_t i = 0; i < log.points.size(); ++i) {
      EXPECT_EQ(log.points[i].cost, expected_log.points[i].cost);
      EXPECT_EQ(log.points[i].validation_cost, expected_log.points[i].validation_cost);
      EXPECT_EQ(log.points[i].gradient_norm, expected_log.points[i].gradient_norm);
    }
  }
}

TEST(Train, DependsOnTheSeed) {
  TrainingConfig config = BlobConfig();
  config.stopping.max_iterations = 2;
  const auto first = TrainBlobs(config);
  const auto again = TrainBlobs(config);
  config.seed = 2;
  const auto other = TrainBlobs(config);
  ASSERT_TRUE(first.ok() && again.ok() && other.ok());
  EXPECT_EQ(first->network.parameters, again->network.parameters);
  EXPECT_NE(first->network.parameters, other->network.parameters);
}

TEST(Train, CancelledKeepsTheBestWeightsAndEvaluatesNothing) {
  std::stop_source source;
  PointLog log;
  log.on_point = [&](const ProgressPoint& point) {
    if (point.iteration == 3) source.request_stop();
  };
  const TrainingConfig config = BlobConfig();
  const auto outcome = TrainBlobs(config, &log, source.get_token());
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->reason, StopReason::kCancelled);
  EXPECT_EQ(outcome->iterations, 3);
  EXPECT_EQ(outcome->final_cost, log.points[3].cost);
  EXPECT_EQ(CostOf(*outcome, config), outcome->final_cost);
  EXPECT_FALSE(outcome->training || outcome->validation || outcome->test);
}

TEST(Train, CancelledBeforeItBeganIsAnOutcome) {
  std::stop_source source;
  source.request_stop();
  TrainingConfig config = BlobConfig();
  config.check_gradient = true;
  PointLog log;
  const auto outcome = TrainBlobs(config, &log, source.get_token());
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->reason, StopReason::kCancelled);
  EXPECT_TRUE(log.points.empty());
  EXPECT_FALSE(outcome->gradient_check_error.has_value());
}

TEST(Train, StopsAtTheTimeLimitAndEvaluates) {
  SetClock clock;
  PointLog log;
  log.on_point = [&](const ProgressPoint&) { clock.elapsed += absl::Seconds(2); };
  TrainingConfig config = BlobConfig();
  config.stopping.time_limit = absl::Seconds(7);
  ThreadPool pool({});
  const auto outcome = Train(Blobs(600), config, {.pool = pool, .clock = clock, .observer = &log});
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->reason, StopReason::kTimeLimit);
  ASSERT_EQ(log.points.size(), 4u);
  for (size_t i = 0; i < 4; ++i)
    EXPECT_EQ(log.points[i].elapsed_seconds, 2.0 * static_cast<double>(i));
  EXPECT_EQ(outcome->seconds, 8.0);
  EXPECT_TRUE(outcome->training && outcome->validation && outcome->test);
}

TEST(Train, StopsEarlyAndKeepsTheBestWeights) {
  // There is nothing to learn: the validation cost soon rises.
  TrainingConfig config = BlobConfig();
  config.topology.layers[0].units = 30;
  config.lambda = 0.0;
  config.stopping.patience = 4;
  for (const OptimizerKind kind : {OptimizerKind::kLbfgs, OptimizerKind::kConjugateGradient}) {
    config.optimizer.kind = kind;
    PointLog log;
    ThreadPool pool({});
    const auto outcome =
        Train(NoiseBlobs(600), config, {.pool = pool, .clock = Clock::System(), .observer = &log});
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(outcome->reason, StopReason::kEarlyStopped) << outcome->message;
    EXPECT_EQ(outcome->iterations, outcome->best_iteration + 4);
    for (const ProgressPoint& point : log.points) {
      EXPECT_GE(*point.validation_cost,
                *log.points[static_cast<size_t>(outcome->best_iteration)].validation_cost);
    }
    EXPECT_EQ(outcome->final_cost, log.points[static_cast<size_t>(outcome->best_iteration)].cost);
  }
}

TEST(Train, DivergedNamesTheIterationAndJ) {
  // Unscaled values near the largest float overflow in the first weighted sum.
  Dataset dataset = Blobs(600);
  for (int64_t row = 0; row < 600; ++row) {
    for (int j = 0; j < 4; ++j) SetFeature(dataset, row, j, j % 2 == 0 ? 3e38f : -3e38f);
  }
  TrainingConfig config = BlobConfig();
  config.scaling = Scaling::kNone;
  config.topology.layers[0].activation = Activation::kIdentity;
  config.initialization = {.kind = InitializationKind::kUniform, .epsilon = 100.0};
  ThreadPool pool({});
  PointLog log;
  const auto outcome =
      Train(dataset, config, {.pool = pool, .clock = Clock::System(), .observer = &log});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->reason, StopReason::kDiverged);
  EXPECT_THAT(outcome->message, HasSubstr("iteration 0: J is "));
  EXPECT_EQ(outcome->network.parameters.size(), ParameterCount(config.topology));
  EXPECT_FALSE(outcome->training || outcome->validation || outcome->test);
}

TEST(Train, ChecksTheGradientWhereAskedTo) {
  for (const Activation activation :
       {Activation::kSigmoid, Activation::kTanh, Activation::kRelu, Activation::kIdentity}) {
    TrainingConfig config = BlobConfig();
    config.topology.layers[0] = {.units = 40, .activation = activation};
    config.check_gradient = true;
    config.stopping.max_iterations = 1;
    for (const int64_t seed : {1, 2, 3, 4, 5}) {
      config.seed = seed;
      const auto outcome = TrainBlobs(config);
      ASSERT_TRUE(outcome.ok()) << ActivationName(activation) << " " << outcome.status();
      ASSERT_TRUE(outcome->gradient_check_error.has_value());
      EXPECT_LT(*outcome->gradient_check_error, 1e-6);
      EXPECT_GT(*outcome->gradient_check_error, 0.0);
    }
  }
  TrainingConfig config = BlobConfig();
  config.stopping.max_iterations = 1;
  EXPECT_FALSE(TrainBlobs(config)->gradient_check_error.has_value());
}

TEST(Train, ChecksTheGradientAtTheWeightsThatItStartsFrom) {
  TrainingConfig config = BlobConfig();
  config.check_gradient = true;
  config.stopping.max_iterations = 1;
  const auto cold = TrainBlobs(config);
  ASSERT_TRUE(cold.ok());
  const WarmStart start = {.network = cold->network, .scaler = cold->scaler};
  ThreadPool pool({});
  const auto warm =
      Train(Blobs(600), config, {.pool = pool, .clock = Clock::System(), .start = &start});
  ASSERT_TRUE(warm.ok());
  EXPECT_NE(*warm->gradient_check_error, *cold->gradient_check_error);
}

TEST(Train, RefusesStepUnits) {
  TrainingConfig config = BlobConfig();
  config.topology.layers[0].activation = Activation::kStep;
  EXPECT_EQ(TrainBlobs(config).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(Train, RefusesWhatDoesNotFitTheDataset) {
  TrainingConfig config = BlobConfig();
  config.topology.inputs = 5;
  const absl::Status status = TrainBlobs(config).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("expected 4 inputs"));
}

TEST(Train, RefusesASplitThatLeavesAPartEmpty) {
  ThreadPool pool({});
  const auto outcome = Train(Blobs(2), BlobConfig(), {.pool = pool, .clock = Clock::System()});
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kFailedPrecondition);
  const auto none = Train(Blobs(0), BlobConfig(), {.pool = pool, .clock = Clock::System()});
  EXPECT_EQ(none.status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace mlp
