#include "core/train/study.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/train/study_plan.h"
#include "tests/core/train/blobs.h"
#include "tests/core/train/training_probes.h"

namespace mlp {
namespace {

using testing::HasSubstr;

TrainingConfig QuickConfig() {
  TrainingConfig config = BlobConfig();
  config.stopping.max_iterations = 15;
  return config;
}

absl::StatusOr<StudyOutcome> StudyBlobs(const StudyOptions& study,
                                        const TrainingConfig& config = QuickConfig(),
                                        ProgressObserver* observer = nullptr,
                                        std::stop_token stop = {}, int threads = 2) {
  ThreadPool pool({.threads = threads});
  return RunStudy(
      Blobs(240), study, config,
      {.pool = pool, .clock = Clock::System(), .stop = std::move(stop), .observer = observer});
}

// Penalties so large that nothing is learned; 0.01 is by far the best.
const LambdaCurve kOneGoodLambda{{1e4, 0.01, 1e3}};

Search GoodInTheMiddle() {
  return {.parameters = {{.name = "lambda", .values = kOneGoodLambda.lambdas}}, .max_runs = 3};
}

TEST(RunStudy, ARunIsTheTrainingOfItsSettings) {
  const StudyOutcome outcome = *StudyBlobs(kOneGoodLambda);
  ASSERT_EQ(outcome.runs.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    TrainingConfig config = QuickConfig();
    config.lambda = kOneGoodLambda.lambdas[i];
    ThreadPool pool({});
    const TrainingOutcome alone =
        *Train(Blobs(240), config, {.pool = pool, .clock = Clock::System(), .keep_last = true});
    const StudyRun& run = outcome.runs[i];
    EXPECT_EQ(run.number, static_cast<int>(i) + 1);
    EXPECT_EQ(run.settings, (std::vector<StudySetting>{{"lambda", config.lambda}}));
    EXPECT_EQ(run.reason, alone.reason);
    EXPECT_EQ(run.iterations, alone.iterations);
    EXPECT_EQ(run.training_examples, 120);
    EXPECT_EQ(run.validation_examples, 60);
    EXPECT_EQ(run.training->cost, alone.training->cross_entropy);
    EXPECT_EQ(run.training->accuracy, alone.training->accuracy);
    EXPECT_EQ(run.validation->cost, alone.validation->cross_entropy);
    EXPECT_EQ(run.validation->accuracy, alone.validation->accuracy);
  }
  EXPECT_EQ(outcome.best_run, 2);
  EXPECT_FALSE(outcome.best || outcome.best_config || outcome.cancelled);
}

TEST(RunStudy, SearchKeepsTheNetworkOfTheBestRun) {
  const StudyOutcome outcome = *StudyBlobs(GoodInTheMiddle());
  EXPECT_EQ(outcome.best_run, 2);
  ASSERT_TRUE(outcome.best && outcome.best_config);
  EXPECT_EQ(outcome.best_config->lambda, 0.01);
  // The configuration trains the same network again, bit by bit.
  ThreadPool pool({});
  const TrainingOutcome alone =
      *Train(Blobs(240), *outcome.best_config, {.pool = pool, .clock = Clock::System()});
  EXPECT_EQ(outcome.best->network.parameters, alone.network.parameters);
  EXPECT_EQ(outcome.best->test->cross_entropy, alone.test->cross_entropy);
  EXPECT_EQ(outcome.best->test->examples, 60);
}

TEST(RunStudy, TheFirstOfEqualRunsIsTheBest) {
  // Both are less than what a float sees beside the cost.
  const StudyOutcome outcome = *StudyBlobs(LambdaCurve{{1e-30, 1e-31}});
  EXPECT_EQ(outcome.runs[0].validation->cost, outcome.runs[1].validation->cost);
  EXPECT_EQ(outcome.best_run, 1);
}

TEST(RunStudy, KFoldTrainsOnAllFoldsButOne) {
  TrainingConfig config = QuickConfig();
  config.split = {.training = 0.5, .validation = 0.0, .test = 0.5};
  const StudyOutcome outcome = *StudyBlobs(KFold{.folds = 5}, config);
  ASSERT_EQ(outcome.runs.size(), 5u);
  for (const StudyRun& run : outcome.runs) {
    EXPECT_EQ(run.training_examples, 96);
    EXPECT_EQ(run.validation_examples, 24);
    EXPECT_GT(run.validation->accuracy, 0.9);
  }
  EXPECT_NE(outcome.runs[0].validation->cost, outcome.runs[1].validation->cost);
  EXPECT_EQ(outcome.best_run, 0);
  EXPECT_FALSE(outcome.best.has_value());
}

TEST(RunStudy, LearningCurveGrowsTheTrainingSet) {
  const StudyOutcome outcome = *StudyBlobs(LearningCurve{{0.05, 0.5, 1.0}});
  ASSERT_EQ(outcome.runs.size(), 3u);
  EXPECT_EQ(outcome.runs[0].training_examples, 6);
  EXPECT_EQ(outcome.runs[1].training_examples, 60);
  EXPECT_EQ(outcome.runs[2].training_examples, 120);
  EXPECT_GT(outcome.runs[0].validation->cost, outcome.runs[2].validation->cost);
  EXPECT_EQ(outcome.best_run, 0);
}

// Rows of the test part get values far out, and any other label: no run sees any of it.
TrainingConfig Overfitting(OptimizerKind kind) {
  TrainingConfig config = BlobConfig();
  config.topology.layers[0].units = 30;
  config.lambda = 0.0;
  config.optimizer.kind = kind;
  if (kind == OptimizerKind::kAdam) {
    config.optimizer.batch_size = 16;
    config.optimizer.learning_rate = 0.05;
  }
  config.stopping.max_iterations = 300;
  return config;
}

class StudyOf : public testing::TestWithParam<OptimizerKind> {
 protected:
  static StudyOutcome Run(const StudyOptions& study, const TrainingConfig& config) {
    ThreadPool pool({});
    return *RunStudy(NoiseBlobs(240), study, config, {.pool = pool, .clock = Clock::System()});
  }
};

INSTANTIATE_TEST_SUITE_P(Kinds, StudyOf,
                         testing::Values(OptimizerKind::kLbfgs, OptimizerKind::kAdam));

// What the curves are drawn for: were the weights chosen by the validation part, overfitting would
// not be seen.
TEST_P(StudyOf, NoiseShowsVariance) {
  const StudyOutcome lambdas = Run(LambdaCurve{{0.0, 100.0}}, Overfitting(GetParam()));
  EXPECT_LT(lambdas.runs[0].training->cost, 0.8 * lambdas.runs[1].training->cost);
  EXPECT_GT(lambdas.runs[0].validation->cost, 1.2 * lambdas.runs[1].validation->cost);
  EXPECT_EQ(lambdas.runs[0].best_iteration, lambdas.runs[0].iterations);

  const StudyOutcome sizes = Run(LearningCurve{{0.2, 1.0}}, Overfitting(GetParam()));
  EXPECT_LT(sizes.runs[0].training->cost, 0.8 * sizes.runs[1].training->cost);
}

TEST_P(StudyOf, PatienceAndSearchesKeepTheBestWeights) {
  TrainingConfig config = Overfitting(GetParam());
  const Search search = {.parameters = {{.name = "lambda", .values = {0.0}}}, .max_runs = 1};
  const StudyRun chosen = Run(search, config).runs[0];
  EXPECT_LT(chosen.best_iteration, chosen.iterations);

  config.stopping.patience = 3;
  const StudyRun stopped = Run(LambdaCurve{{0.0}}, config).runs[0];
  EXPECT_EQ(stopped.reason, StopReason::kEarlyStopped);
  EXPECT_LT(stopped.best_iteration, stopped.iterations);
  EXPECT_GE(stopped.validation->cost, chosen.validation->cost);
}

TEST(RunStudy, TheTestPartIsSealed) {
  const TrainingConfig config = QuickConfig();
  const Dataset dataset = Blobs(240);
  const Split split = *SplitRows(dataset.labels, 3, config.split);
  Dataset changed = dataset;
  for (const int64_t row : split.test) {
    for (int j = 0; j < 4; ++j) SetFeature(changed, row, j, -1e6f * static_cast<float>(j + 1));
  }
  ThreadPool pool({});
  for (const StudyOptions& study : std::vector<StudyOptions>{
           KFold{3}, kOneGoodLambda, LearningCurve{{0.5, 1.0}}, GoodInTheMiddle()}) {
    const StudyOutcome expected =
        *RunStudy(dataset, study, config, {.pool = pool, .clock = Clock::System()});
    const StudyOutcome actual =
        *RunStudy(changed, study, config, {.pool = pool, .clock = Clock::System()});
    ASSERT_EQ(actual.runs.size(), expected.runs.size());
    for (size_t i = 0; i < actual.runs.size(); ++i) {
      EXPECT_EQ(actual.runs[i].training->cost, expected.runs[i].training->cost);
      EXPECT_EQ(actual.runs[i].validation->cost, expected.runs[i].validation->cost);
    }
    EXPECT_EQ(actual.best_run, expected.best_run);
    EXPECT_EQ(actual.best.has_value(), std::holds_alternative<Search>(study));
    if (!actual.best) continue;
    EXPECT_EQ(actual.best->network.parameters, expected.best->network.parameters);
    EXPECT_NE(actual.best->test->cross_entropy, expected.best->test->cross_entropy);
  }
}

TEST(RunStudy, HasTheSameBitsWithAnyNumberOfThreads) {
  for (const StudyOptions& study :
       std::vector<StudyOptions>{KFold{3}, LearningCurve{{0.3, 1.0}}, GoodInTheMiddle()}) {
    const StudyOutcome expected = *StudyBlobs(study, QuickConfig(), nullptr, {}, 1);
    for (const int threads : {2, 3, 7}) {
      const StudyOutcome actual = *StudyBlobs(study, QuickConfig(), nullptr, {}, threads);
      ASSERT_EQ(actual.runs.size(), expected.runs.size());
      for (size_t i = 0; i < actual.runs.size(); ++i) {
        EXPECT_EQ(actual.runs[i].training->cost, expected.runs[i].training->cost);
        EXPECT_EQ(actual.runs[i].validation->cost, expected.runs[i].validation->cost);
        EXPECT_EQ(actual.runs[i].iterations, expected.runs[i].iterations);
      }
      if (expected.best) {
        EXPECT_EQ(actual.best->network.parameters, expected.best->network.parameters);
      }
    }
  }
}

TEST(RunStudy, ReportsOnePointARun) {
  PointLog log;
  const StudyOutcome outcome = *StudyBlobs(kOneGoodLambda, QuickConfig(), &log);
  ASSERT_EQ(log.points.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(log.points[i].iteration, static_cast<int>(i) + 1);
    EXPECT_EQ(log.points[i].cost, outcome.runs[i].training->cost);
    EXPECT_EQ(log.points[i].validation_cost, outcome.runs[i].validation->cost);
  }
  EXPECT_GE(log.points[2].elapsed_seconds, log.points[1].elapsed_seconds);
  EXPECT_EQ(log.points[0].seconds_left, 2.0 * log.points[0].elapsed_seconds);
  EXPECT_EQ(log.points[2].seconds_left, 0.0);
  EXPECT_GE(outcome.seconds, log.points[2].elapsed_seconds);
}

TEST(RunStudy, ARunThatDivergesIsARow) {
  PointLog log;
  const absl::StatusOr<StudyOutcome> outcome =
      StudyBlobs(LambdaCurve{{1e308, 0.01, 1e308}}, QuickConfig(), &log);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(outcome->runs.size(), 3u);
  EXPECT_EQ(outcome->runs[0].reason, StopReason::kDiverged);
  EXPECT_THAT(outcome->runs[0].message, HasSubstr("iteration 0"));
  EXPECT_FALSE(outcome->runs[0].training || outcome->runs[0].validation);
  EXPECT_TRUE(outcome->runs[1].validation.has_value());
  EXPECT_EQ(outcome->best_run, 2);
  EXPECT_TRUE(std::isnan(log.points[0].cost));
}

TEST(RunStudy, WhereAllRunsDivergeNoneIsTheBest) {
  const Search search{.parameters = {{.name = "lambda", .values = {1e307, 1e308}}}, .max_runs = 2};
  const StudyOutcome outcome = *StudyBlobs(search);
  EXPECT_EQ(outcome.runs.size(), 2u);
  EXPECT_EQ(outcome.best_run, 0);
  EXPECT_FALSE(outcome.best || outcome.cancelled);
}

TEST(RunStudy, CancelledKeepsTheFinishedRuns) {
  std::stop_source source;
  PointLog log;
  log.on_point = [&](const ProgressPoint& point) {
    if (point.iteration == 2) source.request_stop();
  };
  const StudyOutcome outcome =
      *StudyBlobs(GoodInTheMiddle(), QuickConfig(), &log, source.get_token());
  EXPECT_TRUE(outcome.cancelled);
  EXPECT_EQ(outcome.runs.size(), 2u);
  EXPECT_EQ(outcome.best_run, 2);
  EXPECT_FALSE(outcome.best || outcome.best_config);
}

TEST(RunStudy, EveryRunStartsFromTheGivenNetwork) {
  ThreadPool pool({});
  const TrainingOutcome trained =
      *Train(Blobs(240), QuickConfig(), {.pool = pool, .clock = Clock::System()});
  const WarmStart start = {.network = trained.network, .scaler = trained.scaler};
  TrainingConfig config = QuickConfig();
  config.stopping.max_iterations = 1;
  const StudyOutcome cold = *StudyBlobs(GoodInTheMiddle(), config);
  const StudyOutcome warm = *RunStudy(Blobs(240), GoodInTheMiddle(), config,
                                      {.pool = pool, .clock = Clock::System(), .start = &start});
  EXPECT_LT(warm.best->validation->cross_entropy, 0.5 * cold.best->validation->cross_entropy);
}

TEST(RunStudy, SearchesTheSettingsOfMiniBatches) {
  TrainingConfig config = QuickConfig();
  config.optimizer.kind = OptimizerKind::kSgd;
  config.optimizer.batch_size = 16;
  // Among rates that learn next to nothing.
  const Search search{
      .parameters = {{.name = "optimizer.learning_rate", .values = {1e-6, 0.5, 1e-5}}},
      .max_runs = 3};
  const StudyOutcome outcome = *StudyBlobs(search, config);
  ASSERT_EQ(outcome.runs.size(), 3u);
  EXPECT_EQ(outcome.best_run, 2);
  EXPECT_EQ(outcome.best_config->optimizer.learning_rate, 0.5);
  EXPECT_GT(outcome.best->test->accuracy, 0.9);
}

TEST(RunStudy, ARunThatCannotBeMadeIsNamed) {
  const auto outcome = StudyBlobs(KFold{.folds = 1});
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr("study.k_fold.folds"));
}

}  // namespace
}  // namespace mlp
