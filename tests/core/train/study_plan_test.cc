#include "core/train/study_plan.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/train/search_plan.h"
#include "tests/core/train/blobs.h"

namespace mlp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

absl::StatusOr<StudyPlan> PlanBlobs(const StudyOptions& study,
                                    const TrainingConfig& config = BlobConfig(), int rows = 120) {
  const Dataset dataset = Blobs(rows);
  return MakeStudyPlan(study, config, dataset.schema, dataset.labels);
}

std::vector<double> ValuesOf(const StudyPlan& plan, size_t setting = 0) {
  std::vector<double> values;
  for (const PlannedRun& run : plan.runs) values.push_back(run.settings.at(setting).value);
  return values;
}

std::vector<int64_t> Joined(std::vector<int64_t> a, const std::vector<int64_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end());
  return a;
}

TrainingConfig SgdConfig() {
  TrainingConfig config = BlobConfig();
  config.optimizer.kind = OptimizerKind::kSgd;
  return config;
}

TEST(StudyPlan, KFoldValidatesEveryTrainingRowOnce) {
  const StudyPlan plan = *PlanBlobs(KFold{.folds = 7});
  ASSERT_EQ(plan.runs.size(), 7u);
  EXPECT_THAT(ValuesOf(plan), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_EQ(plan.runs[0].settings[0].name, "fold");
  std::vector<int64_t> validated;
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    const Split rows = RowsOfRun(plan, i);
    EXPECT_EQ(Joined(rows.training, rows.validation), plan.split.training);
    EXPECT_TRUE(std::is_sorted(rows.training.begin(), rows.training.end()));
    EXPECT_TRUE(rows.test.empty());
    validated = Joined(validated, rows.validation);
  }
  EXPECT_EQ(validated, plan.split.training);
}

TEST(StudyPlan, LambdaCurveChangesLambdaAlone) {
  const StudyPlan plan = *PlanBlobs(LambdaCurve{{0.0, 10.0, 0.5}});
  ASSERT_EQ(plan.runs.size(), 3u);
  EXPECT_THAT(ValuesOf(plan), ElementsAre(0.0, 10.0, 0.5));
  EXPECT_EQ(plan.runs[1].settings, (std::vector<StudySetting>{{"lambda", 10.0}}));
  EXPECT_EQ(plan.runs[1].config.lambda, 10.0);
  EXPECT_EQ(plan.runs[1].config.seed, BlobConfig().seed);
  for (size_t i = 0; i < 3; ++i) {
    const Split rows = RowsOfRun(plan, i);
    EXPECT_EQ(rows.training, plan.split.training);
    EXPECT_EQ(rows.validation, plan.split.validation);
    EXPECT_TRUE(rows.test.empty());
  }
}

TEST(StudyPlan, LearningCurveTakesNestedStratifiedSubsets) {
  const std::vector<int32_t> labels = Blobs(120).labels;
  for (const bool stratified : {true, false}) {
    TrainingConfig config = BlobConfig();
    config.split.stratified = stratified;
    const StudyPlan plan = *PlanBlobs(LearningCurve{{0.001, 0.1, 0.25, 0.5, 1.0}}, config);
    ASSERT_EQ(plan.runs.size(), 5u);
    std::vector<int64_t> smaller;
    std::vector<size_t> sizes;
    for (size_t i = 0; i < 5; ++i) {
      const Split rows = RowsOfRun(plan, i);
      EXPECT_TRUE(std::includes(rows.training.begin(), rows.training.end(), smaller.begin(),
                                smaller.end()));
      EXPECT_EQ(rows.validation, plan.split.validation);
      EXPECT_TRUE(rows.test.empty());
      std::vector<int> counts(3, 0);
      for (const int64_t row : rows.training)
        ++counts[static_cast<size_t>(labels[static_cast<size_t>(row)])];
      if (stratified) {
        EXPECT_LE(*std::max_element(counts.begin(), counts.end()) -
                      *std::min_element(counts.begin(), counts.end()),
                  1);
      }
      sizes.push_back(rows.training.size());
      smaller = rows.training;
    }
    EXPECT_THAT(sizes, ElementsAre(1, 6, 15, 30, 60));
    EXPECT_EQ(smaller, plan.split.training);
  }
}

TEST(StudyPlan, GridChangesTheLastParameterFastest) {
  Search search{.parameters = {{.name = "lambda", .values = {0, 1}},
                               {.name = "network.hidden_units", .values = {3, 5, 4}}},
                .max_runs = 6};
  const StudyPlan plan = *PlanBlobs(search);
  EXPECT_THAT(ValuesOf(plan, 0), ElementsAre(0, 0, 0, 1, 1, 1));
  EXPECT_THAT(ValuesOf(plan, 1), ElementsAre(3, 5, 4, 3, 5, 4));
  EXPECT_EQ(plan.runs[4].config.lambda, 1);
  EXPECT_EQ(plan.runs[4].config.topology.layers[0].units, 5);
  EXPECT_EQ(plan.runs[4].config.topology.outputs(), 3);
  EXPECT_EQ(GridSize(search), 6);
  search.max_runs = 4;
  EXPECT_EQ(PlanBlobs(search)->runs.size(), 4u);
  search.max_runs = 100;
  EXPECT_EQ(PlanBlobs(search)->runs.size(), 6u);
}

TEST(StudyPlan, EveryParameterReachesItsSetting) {
  TrainingConfig config = SgdConfig();
  config.topology.layers.insert(config.topology.layers.begin(), {.units = 9});
  const auto changed = [&](const std::string& name, double value) {
    const Search search{.parameters = {{.name = name, .values = {value}}}, .max_runs = 1};
    const absl::StatusOr<StudyPlan> plan = PlanBlobs(search, config);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return plan->runs.at(0).config;
  };
  EXPECT_EQ(changed("lambda", 3).lambda, 3);
  EXPECT_EQ(changed("optimizer.learning_rate", 0.3).optimizer.learning_rate, 0.3);
  EXPECT_EQ(changed("optimizer.batch_size", 32).optimizer.batch_size, 32);
  EXPECT_EQ(changed("optimizer.momentum", 0.5).optimizer.momentum, 0.5);
  EXPECT_EQ(changed("optimizer.weight_decay", 0.02).optimizer.weight_decay, 0.02);
  EXPECT_EQ(changed("regularization.l1", 0.2).regularization.l1, 0.2);
  EXPECT_EQ(changed("regularization.max_norm", 2).regularization.max_norm, 2);
  EXPECT_THAT(changed("regularization.dropout", 0.4).regularization.dropout, ElementsAre(0.4, 0.4));
  const Topology topology = changed("network.hidden_units", 7).topology;
  EXPECT_EQ(topology.layers[0].units, 7);
  EXPECT_EQ(topology.layers[1].units, 7);
  EXPECT_EQ(topology.layers[2].units, 3);
}

TEST(StudyPlan, RandomSearchDrawsFromItsRanges) {
  const Search search{
      .parameters = {{.name = "lambda", .min = 0.001, .max = 10.0, .logarithmic = true},
                     {.name = "optimizer.learning_rate", .min = 0.1, .max = 0.2},
                     {.name = "network.hidden_units", .min = 3, .max = 6},
                     {.name = "optimizer.batch_size", .values = {16, 64}}},
      .max_runs = 1000,
      .random = true};
  const StudyPlan plan = *PlanBlobs(search, SgdConfig());
  ASSERT_EQ(plan.runs.size(), 1000u);
  int low_decades = 0;
  double sum_of_rates = 0;
  std::vector<int> units(7, 0);
  std::set<double> batches;
  for (const PlannedRun& run : plan.runs) {
    const TrainingConfig& config = run.config;
    EXPECT_GE(config.lambda, 0.001);
    EXPECT_LE(config.lambda, 10.0);
    low_decades += config.lambda < 0.1 ? 1 : 0;
    EXPECT_GE(config.optimizer.learning_rate, 0.1);
    EXPECT_LE(config.optimizer.learning_rate, 0.2);
    sum_of_rates += config.optimizer.learning_rate;
    ++units.at(static_cast<size_t>(config.topology.layers[0].units));
    batches.insert(config.optimizer.batch_size);
    EXPECT_EQ(run.settings.at(0).value, config.lambda);
  }
  // Two of four decades: half, give or take four standard errors.
  EXPECT_NEAR(low_decades, 500, 64);
  EXPECT_NEAR(sum_of_rates / 1000, 0.15, 4 * 0.1 / std::sqrt(12.0 * 1000));
  for (int u = 3; u <= 6; ++u) EXPECT_NEAR(units[static_cast<size_t>(u)], 250, 55) << u;
  EXPECT_THAT(batches, ElementsAre(16, 64));
}

TEST(StudyPlan, RandomSearchFollowsTheSeedAndRepeatsNothing) {
  Search search{
      .parameters = {{.name = "lambda", .min = 0, .max = 1}}, .max_runs = 5, .random = true};
  TrainingConfig config = BlobConfig();
  const std::vector<double> first = ValuesOf(*PlanBlobs(search, config));
  EXPECT_EQ(ValuesOf(*PlanBlobs(search, config)), first);
  config.seed = 2;
  EXPECT_NE(ValuesOf(*PlanBlobs(search, config)), first);

  search.parameters = {{.name = "lambda", .values = {0, 1, 2}},
                       {.name = "network.hidden_units", .min = 2, .max = 3}};
  search.max_runs = 50;
  const StudyPlan plan = *PlanBlobs(search, config);
  EXPECT_EQ(plan.runs.size(), 6u);  // there are no more
}

// The draws are part of what a job's configuration means: another build must make the same. The
// numbers are those of an mt19937_64 written anew in Python, seeded as Random's comment says.
TEST(StudyPlan, RandomSearchMakesTheDrawsItAlwaysMade) {
  const Search search{
      .parameters = {{.name = "lambda", .min = 0, .max = 1}}, .max_runs = 3, .random = true};
  EXPECT_THAT(ValuesOf(*PlanBlobs(search)),
              ElementsAre(0.14266837481819794, 0.46676279784644925, 0.34106482155326556));
}

struct Refusal {
  StudyOptions study;
  std::string message;
  std::function<void(TrainingConfig&)> change = [](TrainingConfig&) {};
};

Search Grid(std::vector<SearchParameter> parameters, int max_runs = 10) {
  return {.parameters = std::move(parameters), .max_runs = max_runs};
}

Search Drawn(SearchParameter parameter) {
  return {.parameters = {std::move(parameter)}, .max_runs = 10, .random = true};
}

void ExpectRefused(const std::vector<Refusal>& refusals) {
  for (const Refusal& refusal : refusals) {
    TrainingConfig config = BlobConfig();
    refusal.change(config);
    const absl::Status status = PlanBlobs(refusal.study, config).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status))
        << refusal.message;
    EXPECT_THAT(std::string(status.message()), HasSubstr(refusal.message));
  }
}

void WithoutValidation(TrainingConfig& config) {
  config.split = {.training = 0.7, .validation = 0.0, .test = 0.3};
}

TEST(StudyPlan, RefusesWrongFoldsAndCurves) {
  ExpectRefused({
      {KFold{1}, "study.k_fold.folds: expected 2 to 100, got 1"},
      {KFold{101}, "study.k_fold.folds: expected 2 to 100, got 101"},
      {KFold{21},
       "study.k_fold.folds: expected at most 20, the examples of class \"left\" in the "
       "training part, got 21"},
      {KFold{61}, "study.k_fold.folds: expected at most 60, the examples of the training part",
       [](TrainingConfig& config) { config.split.stratified = false; }},
      {LambdaCurve{}, "study.lambda_curve.lambdas: expected 1 to 100 values, got 0"},
      {LambdaCurve{std::vector<double>(101)}, "expected 1 to 100 values, got 101"},
      {LambdaCurve{{1, -1}}, "study.lambda_curve.lambdas[1]: expected a finite number"},
      {LambdaCurve{{kNan}}, "study.lambda_curve.lambdas[0]: expected a finite number"},
      {LambdaCurve{{1}}, "split.validation: expected a fraction above 0, as study.lambda_curve",
       WithoutValidation},
      {LearningCurve{{0.5, 1.01}}, "study.learning_curve.fractions[1]: expected above 0, at most"},
      {LearningCurve{{0}}, "study.learning_curve.fractions[0]: expected above 0, at most 1, got 0"},
      {LearningCurve{{kNan}}, "study.learning_curve.fractions[0]"},
      {LearningCurve{{1}}, "split.validation: expected", WithoutValidation},
  });
}

TEST(StudyPlan, RefusesWrongSearches) {
  const SearchParameter lambda = {.name = "lambda", .values = {0, 1}};
  ExpectRefused({
      {Grid({}), "study.search.parameters: expected 1 to 8, got 0"},
      {Grid(std::vector<SearchParameter>(9, lambda)), "study.search.parameters: expected 1 to 8"},
      {Grid({lambda}), "split.validation: expected a fraction above 0, as study.search",
       WithoutValidation},
      {Grid({lambda}, 0), "study.search.max_runs: expected 1 to 1000, got 0"},
      {Grid({lambda}, 1001), "study.search.max_runs: expected 1 to 1000, got 1001"},
      {Grid({lambda, {.name = "seed", .values = {1}}}),
       "study.search.parameters[1].name: expected one of lambda, optimizer.learning_rate"},
      {Grid({lambda, lambda}), "study.search.parameters[1].name: expected different parameters"},
      {Grid({{.name = "optimizer.momentum", .values = {0.5}}}),
       "study.search.parameters[0].name: optimizer.momentum is a setting of SGD only"},
      {Grid({{.name = "network.hidden_units", .values = {5}}}), "networks with a hidden layer only",
       [](TrainingConfig& config) {
         config.topology.layers.erase(config.topology.layers.begin());
       }},
      {Grid({{.name = "lambda", .values = {0, -1}}}),
       "study.search.parameters[0].values[1]: lambda: expected a finite number of at least 0"},
      {Grid({{.name = "lambda", .values = {1, 2, 1}}}),
       "study.search.parameters[0].values[2]: expected different values, got 1 again"},
      {Grid({{.name = "network.hidden_units", .values = {2.5}}}),
       "study.search.parameters[0].values[0]: network.hidden_units: expected a whole number"},
      {Grid({{.name = "network.hidden_units", .values = {1e300}}}), "expected a whole number"},
      {Grid({{.name = "network.hidden_units", .values = {0}}}),
       "parameters[0].values[0]: network."},
      {Grid({{.name = "lambda", .values = {1}, .min = 0, .max = 1}}),
       "study.search.parameters[0]: expected values or a range (min, max), got both"},
      {Grid({{.name = "lambda"}}), "study.search.parameters[0]: expected values, got none"},
      {Grid({{.name = "lambda", .min = 0, .max = 1}}), "a grid has no use for a range"},
      {Drawn({.name = "lambda"}), "expected values or a range (min, max), got none"},
      {Drawn({.name = "lambda", .min = 1, .max = 1}),
       "study.search.parameters[0].min: expected less than max, got 1 to 1"},
      {Drawn({.name = "lambda", .min = kNan, .max = 1}), "expected less than max"},
      {Drawn({.name = "lambda", .min = 0, .max = 1, .logarithmic = true}),
       "study.search.parameters[0].min: expected above 0, as the range is logarithmic, got 0"},
      {Drawn({.name = "lambda", .min = -1, .max = 1}), "parameters[0].min: lambda: expected"},
  });
}

TEST(StudyPlan, HasTheTrainingsOwnErrors) {
  ExpectRefused({{KFold{5}, "network.layers: expected 4 inputs",
                  [](TrainingConfig& config) { config.topology.inputs = 5; }},
                 {KFold{5}, "split: expected fractions that sum to 1",
                  [](TrainingConfig& config) { config.split.test = 0.9; }}});
}

}  // namespace
}  // namespace mlp
