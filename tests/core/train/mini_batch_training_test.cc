// Mini-batch trainings through Train: what they learn, report, keep, and how they end.
#include <algorithm>
#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/train/trainer.h"
#include "core/train/training_data.h"
#include "tests/core/train/blobs.h"
#include "tests/core/train/training_probes.h"

namespace mlp {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr OptimizerKind kKinds[] = {OptimizerKind::kSgd, OptimizerKind::kAdam,
                                    OptimizerKind::kAdamW};

// 300 training rows in batches of 32: 10 steps an epoch.
TrainingConfig MiniBatchConfig(OptimizerKind kind = OptimizerKind::kSgd) {
  TrainingConfig config = BlobConfig();
  config.optimizer.kind = kind;
  config.optimizer.batch_size = 32;
  config.optimizer.learning_rate = kind == OptimizerKind::kSgd ? 0.1 : 0.01;
  config.stopping.max_iterations = 20;
  config.stopping.cost_tolerance = 0.0;
  return config;
}

TrainingOutcome TrainWith(const TrainingConfig& config, ProgressObserver* observer = nullptr,
                          std::stop_token stop = {}, const Clock& clock = Clock::System()) {
  ThreadPool pool({.threads = 2});
  absl::StatusOr<TrainingOutcome> outcome =
      Train(Blobs(600), config,
            {.pool = pool, .clock = clock, .stop = std::move(stop), .observer = observer});
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return *std::move(outcome);
}

TEST(MiniBatchTraining, LearnsWithEveryOptimizerAndCost) {
  for (const OptimizerKind kind : kKinds) {
    for (const CostKind cost : {CostKind::kSigmoidCrossEntropy, CostKind::kSoftmaxCrossEntropy}) {
      TrainingConfig config = MiniBatchConfig(kind);
      config.cost = cost;
      config.topology.layers.back().activation = OutputActivation(cost);
      const TrainingOutcome outcome = TrainWith(config);
      ASSERT_TRUE(outcome.training && outcome.validation && outcome.test);
      EXPECT_EQ(outcome.training->examples, 300);
      EXPECT_GT(outcome.test->accuracy, 0.97);
      EXPECT_LT(outcome.final_cost, 0.5 * outcome.initial_cost);
      EXPECT_EQ(outcome.reason, StopReason::kMaxIterations);
      EXPECT_EQ(outcome.message, "reached the limit of 20 epochs");
      EXPECT_EQ(outcome.iterations, 20);
    }
  }
}

TEST(MiniBatchTraining, ReportsEveryEpoch) {
  TrainingConfig config = MiniBatchConfig();
  config.optimizer.schedule = {.kind = ScheduleKind::kStep, .step_epochs = 10, .factor = 0.5};
  SetClock clock;
  PointLog log;
  log.on_point = [&](const ProgressPoint&) { clock.elapsed += absl::Seconds(3); };
  const TrainingOutcome outcome = TrainWith(config, &log, {}, clock);
  ASSERT_EQ(log.points.size(), 21u);
  EXPECT_EQ(log.points[0].cost, outcome.initial_cost);
  EXPECT_EQ(log.points[0].cost_evaluations, 0);
  EXPECT_EQ(log.points[0].gradient_norm, 0.0);
  EXPECT_EQ(log.points[0].step, 0.0);
  EXPECT_FALSE(log.points[0].seconds_left.has_value());
  for (int i = 0; i <= 20; ++i) {
    const ProgressPoint& point = log.points[static_cast<size_t>(i)];
    EXPECT_EQ(point.iteration, i);
    EXPECT_TRUE(point.validation_cost.has_value());
    EXPECT_EQ(point.elapsed_seconds, 3.0 * i);
    if (i == 0) continue;
    EXPECT_EQ(point.cost_evaluations, 10 * i);
    EXPECT_GT(point.gradient_norm, 0.0);
    EXPECT_EQ(point.step, i <= 10 ? 0.1 : 0.05);
    EXPECT_EQ(point.examples_per_second, 100.0);
    EXPECT_EQ(point.seconds_left, 3.0 * (20 - i));
  }
}

// One batch an epoch, and it is the whole training part: J of the epoch is that of its start.
TEST(MiniBatchTraining, CostOfAnEpochIsItsMeanWithThePenalties) {
  TrainingConfig config = MiniBatchConfig();
  config.optimizer.batch_size = 300;
  config.lambda = 0.0;
  config.stopping.max_iterations = 1;
  PointLog log;
  TrainWith(config, &log);
  EXPECT_NEAR(log.points[1].cost, log.points[0].cost, 1e-6);

  // Steps too short to change anything: what lambda and L1 add is computed from Theta.
  config.optimizer.learning_rate = 1e-12;
  const TrainingOutcome plain = TrainWith(config);
  config.lambda = 3.0;
  config.regularization.l1 = 2.0;
  PointLog with_penalties;
  const TrainingOutcome outcome = TrainWith(config, &with_penalties);
  const auto& theta = outcome.network.parameters;
  double expected = 0.0;  // 24 weights, 6 biases, 18 weights, 3 biases
  for (int p = 0; p < theta.size(); ++p) {
    const bool bias = (p >= 24 && p < 30) || p >= 48;
    if (!bias) expected += (1.5 * theta[p] * theta[p] + 2.0 * std::abs(theta[p])) / 300.0;
  }
  EXPECT_NEAR(outcome.final_cost - plain.final_cost, expected, 1e-6);
  EXPECT_NEAR(with_penalties.points[1].cost - log.points[0].cost, expected, 1e-6);
  EXPECT_NEAR(outcome.initial_cost - plain.initial_cost, expected, 1e-6);
}

TEST(MiniBatchTraining, HasTheSameBitsWithAnyNumberOfThreads) {
  const Dataset dataset = BlobImages(700);
  for (const OptimizerKind kind : kKinds) {
    const TrainingConfig config = BusyImageConfig(kind);
    std::vector<TrainingOutcome> outcomes;
    std::vector<PointLog> logs(4);
    for (const int threads : {1, 2, 3, 7}) {
      ThreadPool pool({.threads = threads});
      PointLog& log = logs[outcomes.size()];
      auto outcome =
          Train(dataset, config, {.pool = pool, .clock = Clock::System(), .observer = &log});
      ASSERT_TRUE(outcome.ok()) << outcome.status();
      outcomes.push_back(*std::move(outcome));
      EXPECT_EQ(outcomes.back().network.parameters, outcomes.front().network.parameters);
      EXPECT_EQ(outcomes.back().final_cost, outcomes.front().final_cost);
      ASSERT_EQ(log.points.size(), logs[0].points.size());
      for (size_t i = 0; i < log.points.size(); ++i) {
        EXPECT_EQ(log.points[i].cost, logs[0].points[i].cost) << threads;
        EXPECT_EQ(log.points[i].validation_cost, logs[0].points[i].validation_cost) << threads;
        EXPECT_EQ(log.points[i].gradient_norm, logs[0].points[i].gradient_norm) << threads;
      }
    }
  }
}

TEST(MiniBatchTraining, DependsOnTheSeed) {
  TrainingConfig config = MiniBatchConfig();
  config.stopping.max_iterations = 2;
  const auto first = TrainWith(config).network.parameters;
  EXPECT_EQ(TrainWith(config).network.parameters, first);
  config.seed = 2;
  EXPECT_NE(TrainWith(config).network.parameters, first);
}

// The validation cost of `outcome`'s own weights.
double ValidationCost(const TrainingOutcome& outcome, const TrainingConfig& config) {
  const Dataset dataset = Blobs(600);
  const Split split = *SplitRows(dataset.labels, 3, config.split);
  ThreadPool pool({});
  return EvaluateRows(outcome.network, config.cost, outcome.scaler, dataset, split.validation, pool)
      .cross_entropy;
}

// A rate at which the cost jumps up and down, so that the last epoch is not the best.
TrainingConfig JumpyConfig() {
  TrainingConfig config = MiniBatchConfig();
  config.optimizer.learning_rate = 3.0;
  config.lambda = 0.0;
  config.stopping.max_iterations = 12;
  return config;
}

size_t LowestValidation(const std::vector<ProgressPoint>& points) {
  const auto lowest = std::min_element(
      points.begin(), points.end(),
      [](const auto& a, const auto& b) { return *a.validation_cost < *b.validation_cost; });
  return static_cast<size_t>(lowest - points.begin());
}

TEST(MiniBatchTraining, KeepsTheLowestValidationCostOnEveryExitPath) {
  enum class Exit { kEpochs, kTime, kCancel, kEarly };
  for (const Exit exit : {Exit::kEpochs, Exit::kTime, Exit::kCancel, Exit::kEarly}) {
    TrainingConfig config = JumpyConfig();
    if (exit == Exit::kTime) config.stopping.time_limit = absl::Seconds(9);
    if (exit == Exit::kEarly) config.stopping.patience = 3;
    std::stop_source stop;
    SetClock clock;
    PointLog log;
    log.on_point = [&](const ProgressPoint& point) {
      clock.elapsed += absl::Seconds(1);
      if (exit == Exit::kCancel && point.iteration == 8) stop.request_stop();
    };
    const TrainingOutcome outcome = TrainWith(config, &log, stop.get_token(), clock);
    const size_t best = LowestValidation(log.points);
    SCOPED_TRACE(outcome.message);
    EXPECT_EQ(outcome.best_iteration, static_cast<int>(best));
    EXPECT_LT(best, log.points.size() - 1);  // else the test tests nothing
    EXPECT_NEAR(ValidationCost(outcome, config), *log.points[best].validation_cost, 1e-12);
    EXPECT_EQ(outcome.iterations, static_cast<int>(log.points.size()) - 1);
    const StopReason expected[] = {StopReason::kMaxIterations, StopReason::kTimeLimit,
                                   StopReason::kCancelled, StopReason::kEarlyStopped};
    EXPECT_EQ(outcome.reason, expected[static_cast<int>(exit)]);
    EXPECT_EQ(outcome.test.has_value(), exit != Exit::kCancel);
    if (exit == Exit::kEarly) {
      EXPECT_EQ(outcome.iterations, outcome.best_iteration + 3);
    }
  }
}

TEST(MiniBatchTraining, WithoutAValidationPartKeepsTheNewestWeights) {
  TrainingConfig config = JumpyConfig();
  config.split = {.training = 0.5, .validation = 0.0, .test = 0.5};
  PointLog log;
  const TrainingOutcome outcome = TrainWith(config, &log);
  EXPECT_EQ(outcome.best_iteration, 12);
  EXPECT_FALSE(log.points.back().validation_cost.has_value());
  EXPECT_FALSE(outcome.validation.has_value());
  config.stopping.max_iterations = 13;
  EXPECT_NE(TrainWith(config).network.parameters, outcome.network.parameters);
}

TEST(MiniBatchTraining, AveragesTheLastEpochs) {
  // Without a validation part the weights of epoch n are those of a training of n epochs.
  TrainingConfig config = MiniBatchConfig();
  config.split = {.training = 0.5, .validation = 0.0, .test = 0.5};
  VectorF sum = VectorF::Zero(ParameterCount(config.topology));
  for (int epochs = 4; epochs <= 6; ++epochs) {
    config.stopping.max_iterations = epochs;
    sum += TrainWith(config).network.parameters;
  }
  config.optimizer.average_last_epochs = 3;
  const TrainingOutcome outcome = TrainWith(config);
  EXPECT_LT((outcome.network.parameters - sum / 3.0f).norm(), 1e-5f);
  EXPECT_EQ(outcome.best_iteration, 6);
  EXPECT_NEAR(outcome.training->cross_entropy, outcome.final_cost, 0.1);

  // Of fewer epochs, the mean of all.
  std::stop_source stop;
  PointLog log;
  SetClock clock;
  log.on_point = [&](const ProgressPoint&) { clock.elapsed += absl::Seconds(1); };
  config.stopping.time_limit = absl::Seconds(3);  // after the start and two epochs
  const TrainingOutcome cut = TrainWith(config, &log, stop.get_token(), clock);
  EXPECT_EQ(cut.iterations, 2);
  config.optimizer.average_last_epochs = 0;
  config.stopping = {.max_iterations = 1, .cost_tolerance = 0.0};
  const VectorF one = TrainWith(config).network.parameters;
  config.stopping.max_iterations = 2;
  const VectorF two = TrainWith(config).network.parameters;
  EXPECT_LT((cut.network.parameters - (one + two) / 2.0f).norm(), 1e-5f);
}

TEST(MiniBatchTraining, SaysThatNothingWasBetterThanTheStart) {
  // Of noise nothing can be learned but the share of each class.
  ThreadPool pool({});
  TrainingConfig config = BlobConfig();
  config.lambda = 1e3;
  const auto trained = Train(NoiseBlobs(600), config, {.pool = pool, .clock = Clock::System()});
  ASSERT_TRUE(trained.ok());
  const WarmStart start = {.network = trained->network, .scaler = trained->scaler};
  config = MiniBatchConfig();
  config.optimizer.learning_rate = 50.0;
  config.stopping.max_iterations = 3;
  const auto outcome =
      Train(NoiseBlobs(600), config, {.pool = pool, .clock = Clock::System(), .start = &start});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(outcome->reason, StopReason::kMaxIterations) << outcome->message;
  EXPECT_EQ(outcome->best_iteration, 0);
  EXPECT_EQ(outcome->network.parameters, trained->network.parameters);
  EXPECT_EQ(outcome->message,
            "reached the limit of 3 epochs; no epoch had a lower validation cost than the start, "
            "which was kept");
}

TEST(MiniBatchTraining, TakesTheMeanWhereItsValidationCostIsLower) {
  TrainingConfig config = JumpyConfig();
  config.optimizer.average_last_epochs = 8;
  std::vector<std::string> lines;
  ThreadPool pool({});
  PointLog log;
  const auto outcome = Train(Blobs(600), config,
                             {.pool = pool,
                              .clock = Clock::System(),
                              .observer = &log,
                              .log = [&](absl::string_view line) { lines.emplace_back(line); }});
  ASSERT_TRUE(outcome.ok());
  ASSERT_EQ(lines.size(), 1u);
  const double kept = *log.points[LowestValidation(log.points)].validation_cost;
  const double cost = ValidationCost(*outcome, config);
  EXPECT_LE(cost, kept);
  EXPECT_THAT(lines[0], StartsWith("the mean of the last 8 epochs has validation cost "));
  EXPECT_THAT(lines[0], HasSubstr(cost < kept ? "took the mean" : "took the epoch"));
}

TEST(MiniBatchTraining, ConvergesWhereTheCostStaysTheSame) {
  TrainingConfig config = MiniBatchConfig();
  config.optimizer.learning_rate = 1e-9;
  config.stopping.cost_tolerance = 0.01;
  config.stopping.cost_window = 4;
  const TrainingOutcome outcome = TrainWith(config);
  EXPECT_EQ(outcome.reason, StopReason::kConverged);
  EXPECT_EQ(outcome.iterations, 5);  // the start is no epoch
  EXPECT_THAT(outcome.message, HasSubstr("over the last 4 epochs"));
  // A tolerance of 0 is none.
  config.stopping.cost_tolerance = 0.0;
  EXPECT_EQ(TrainWith(config).reason, StopReason::kMaxIterations);
}

TEST(MiniBatchTraining, CancelledBeforeItBeganIsAnOutcome) {
  std::stop_source stop;
  stop.request_stop();
  PointLog log;
  const TrainingOutcome outcome = TrainWith(MiniBatchConfig(), &log, stop.get_token());
  EXPECT_EQ(outcome.reason, StopReason::kCancelled);
  EXPECT_TRUE(log.points.empty());
  EXPECT_EQ(outcome.network.parameters.size(), ParameterCount(outcome.network.topology));
  EXPECT_FALSE(outcome.test.has_value());
}

// A sink is asked before every step: a way to act in the middle of an epoch.
TEST(MiniBatchTraining, EndsWithinOneStepOfBeingCancelled) {
  std::stop_source stop;
  CheckpointKeeper keeper;
  keeper.on_asked = [&](int asked) {
    if (asked == 15) stop.request_stop();
  };
  ThreadPool pool({});
  const auto outcome = Train(
      Blobs(600), MiniBatchConfig(),
      {.pool = pool, .clock = Clock::System(), .stop = stop.get_token(), .checkpoints = &keeper});
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->reason, StopReason::kCancelled);
  EXPECT_EQ(keeper.asked, 15);
  EXPECT_EQ(outcome->iterations, 1);
}

TEST(MiniBatchTraining, ATimeLimitWithinAnEpochEndsItEarly) {
  SetClock clock;
  CheckpointKeeper keeper;
  keeper.on_asked = [&](int) { clock.elapsed += absl::Seconds(1); };
  TrainingConfig config = MiniBatchConfig();
  config.stopping.time_limit = absl::Seconds(5);
  ThreadPool pool({});
  PointLog log;
  const auto outcome = Train(
      Blobs(600), config, {.pool = pool, .clock = clock, .observer = &log, .checkpoints = &keeper});
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->reason, StopReason::kTimeLimit);
  ASSERT_EQ(log.points.size(), 2u);  // four steps of the first epoch
  EXPECT_EQ(log.points[1].cost_evaluations, 4);
  EXPECT_EQ(outcome->iterations, 1);
  EXPECT_TRUE(outcome->test.has_value());
}

TEST(MiniBatchTraining, DivergedNamesEpochStepAndLayerAndKeepsFiniteWeights) {
  TrainingConfig config = MiniBatchConfig();
  config.topology.layers[0].activation = Activation::kRelu;
  config.cost = CostKind::kSoftmaxCrossEntropy;
  config.topology.layers[1].activation = Activation::kSoftmax;
  config.optimizer.learning_rate = 100.0;
  config.scaling = Scaling::kNone;  // values of hundreds
  PointLog log;
  const TrainingOutcome outcome = TrainWith(config, &log);
  EXPECT_EQ(outcome.reason, StopReason::kDiverged);
  EXPECT_THAT(outcome.message, testing::MatchesRegex("epoch [0-9]+, step [0-9]+: J .*"));
  EXPECT_TRUE(outcome.network.parameters.allFinite());
  EXPECT_EQ(outcome.best_iteration, static_cast<int>(LowestValidation(log.points)));
  EXPECT_FALSE(outcome.training || outcome.validation || outcome.test);
}

TEST(MiniBatchTraining, DivergedAtTheStartNamesTheLayer) {
  Dataset dataset = Blobs(600);
  for (int64_t row = 0; row < 600; ++row) {
    for (int j = 0; j < 4; ++j) SetFeature(dataset, row, j, j % 2 == 0 ? 3e38f : -3e38f);
  }
  TrainingConfig config = MiniBatchConfig();
  config.scaling = Scaling::kNone;
  config.topology.layers[0].activation = Activation::kIdentity;
  config.initialization = {.kind = InitializationKind::kUniform, .epsilon = 100.0};
  ThreadPool pool({});
  for (const OptimizerKind kind : {OptimizerKind::kSgd, OptimizerKind::kLbfgs}) {
    config.optimizer.kind = kind;
    const auto outcome = Train(dataset, config, {.pool = pool, .clock = Clock::System()});
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(outcome->reason, StopReason::kDiverged);
    EXPECT_THAT(outcome->message, HasSubstr(" 0: J is "));
    EXPECT_THAT(outcome->message, HasSubstr("; the weighted sums of layer 1 are not finite"));
    EXPECT_TRUE(outcome->network.parameters.allFinite());
  }
}

TEST(MiniBatchTraining, SeesNothingOfTheTestPart) {
  const TrainingConfig config = MiniBatchConfig();
  Dataset changed = Blobs(600);
  const Split split = *SplitRows(changed.labels, 3, config.split);
  for (const int64_t row : split.test) {
    for (int j = 0; j < 4; ++j) SetFeature(changed, row, j, -1e6f);
  }
  ThreadPool pool({});
  const auto with_changed = Train(changed, config, {.pool = pool, .clock = Clock::System()});
  ASSERT_TRUE(with_changed.ok());
  const TrainingOutcome outcome = TrainWith(config);
  EXPECT_EQ(with_changed->network.parameters, outcome.network.parameters);
  EXPECT_LT(with_changed->test->accuracy, 0.7);
}

}  // namespace
}  // namespace mlp
