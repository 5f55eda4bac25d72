// Jobs that are studies: what becomes of their runs, and what is published.
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/artifact/artifact.h"
#include "core/train/study.h"
#include "server/conversion/config_conversion.h"
#include "server/conversion/study_conversion.h"
#include "server/jobs/resume.h"
#include "server/jobs/study_result.h"
#include "tests/server/jobs/job_fixture.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr double kTooLarge = 1e308;  // a lambda under which J is not finite

class StudyJob : public JobFixture {
 protected:
  v1::TrainingJob NewStudy() {
    v1::TrainingJob job = NewJob("digits", 1);
    v1::SplitConfig& split = *job.mutable_config()->mutable_split();
    split.set_training(0.6);
    split.set_validation(0.2);
    split.set_test(0.2);
    return job;
  }

  // A grid of lambdas.
  v1::TrainingJob NewSearch(const std::vector<double>& lambdas) {
    v1::TrainingJob job = NewStudy();
    v1::SearchParameter& parameter =
        *job.mutable_config()->mutable_study()->mutable_search()->add_parameters();
    parameter.set_name("lambda");
    parameter.mutable_values()->Add(lambdas.begin(), lambdas.end());
    return job;
  }

  v1::TrainingJob Run(const v1::TrainingJob& job) {
    const auto scheduler = StartScheduler(Options());
    const auto submitted = scheduler->Submit(job, "");
    EXPECT_TRUE(submitted.ok()) << submitted.status();
    watched_ = WatchToEnd(*scheduler, submitted->id(), 0);
    return watched_.ended;
  }

  Watched watched_;
};

TEST_F(StudyJob, ASearchPublishesTheNetworkOfItsBestRun) {
  const v1::TrainingJob job = Run(NewSearch({1e4, 0.1, 1e3}));
  ASSERT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.message();
  EXPECT_EQ(job.stop_reason(), v1::STOP_REASON_COMPLETED);
  EXPECT_THAT(job.message(), StartsWith("best lambda 0.1: validation cost 0."));
  EXPECT_THAT(job.message(), HasSubstr("(run 2 of 3)"));
  EXPECT_EQ(job.result().runs_size(), 3);
  EXPECT_EQ(job.result().best_run(), 2);
  EXPECT_EQ(job.result().version(), 1);
  ASSERT_EQ(job.result().evaluations_size(), 3);
  EXPECT_EQ(job.result().evaluations(2).part(), v1::DATASET_PART_TEST);
  EXPECT_EQ(job.result().iterations(), job.result().runs(1).iterations());
  EXPECT_GE(job.result().seconds(), job.result().runs(1).seconds());
  EXPECT_FALSE(job.result().build().empty());
  EXPECT_EQ(job.result().runs(1).validation_cost(), job.result().evaluations(1).cross_entropy());

  // The version says how its network is trained, without the search; and that trains it again.
  const v1::ModelVersion version = *store().GetVersion("digits", 1);
  EXPECT_EQ(version.config().lambda(), 0.1);
  EXPECT_FALSE(version.config().has_study());
  EXPECT_TRUE(job.config().has_study());
  v1::TrainingJob again = NewStudy();
  *again.mutable_config() = version.config();
  ASSERT_EQ(Run(again).result().version(), 2);
  const auto first = ReadArtifact(*store().ReadArtifact("digits", 1));
  const auto second = ReadArtifact(*store().ReadArtifact("digits", 2));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->network.parameters, second->network.parameters);
  EXPECT_EQ(nlohmann::json::parse(first->provenance_json)["config"]["lambda"], 0.1);
}

TEST_F(StudyJob, AWatcherThatComesLateSeesAllRunsOfASearch) {
  v1::TrainingJob job = NewSearch({1e3, 0.1, 1, 10, 100});
  job.mutable_config()->mutable_stopping()->set_max_iterations(2);
  job = Run(job);
  ASSERT_LT(job.result().iterations(), 5);
  const auto scheduler = StartScheduler(Options());
  EXPECT_EQ(Iterations(WatchToEnd(*scheduler, job.id(), 0).points),
            (std::vector<int>{1, 2, 3, 4, 5}));
}

TEST_F(StudyJob, ASearchForUnitsPublishesTheSizeItFound) {
  v1::TrainingJob job = NewSearch({7});
  job.mutable_config()->mutable_study()->mutable_search()->mutable_parameters(0)->set_name(
      "network.hidden_units");
  job = Run(job);
  ASSERT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.message();
  EXPECT_EQ(job.result().parameters(), (4 + 1) * 7 + (7 + 1) * 3);
  EXPECT_EQ(store().GetVersion("digits", 1)->parameters(), job.result().parameters());
  EXPECT_EQ(store().GetVersion("digits", 1)->config().network().layers(1), 7);
}

TEST_F(StudyJob, KFoldAndCurvesSucceedWithoutAVersion) {
  v1::TrainingJob fold = NewStudy();
  fold.mutable_config()->mutable_study()->mutable_k_fold()->set_folds(3);
  v1::TrainingJob lambdas = NewStudy();
  lambdas.mutable_config()->mutable_study()->mutable_lambda_curve()->add_lambdas(1);
  v1::TrainingJob learning = NewStudy();
  learning.mutable_config()->mutable_study()->mutable_learning_curve()->add_fractions(0.5);
  learning.mutable_config()->mutable_study()->mutable_learning_curve()->add_fractions(1);
  struct Case {
    v1::TrainingJob job;
    int runs;
    int best_run;
    std::string message;
  };
  for (const Case& made :
       std::vector<Case>{{fold, 3, 0, "(mean and standard deviation of 3 folds)"},
                         {lambdas, 1, 1, "best lambda 1: validation cost"},
                         {learning, 2, 0, "with 54 training examples: validation cost 0."}}) {
    const v1::TrainingJob job = Run(made.job);
    EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.message();
    EXPECT_EQ(job.stop_reason(), v1::STOP_REASON_COMPLETED);
    EXPECT_THAT(job.message(), HasSubstr(made.message));
    EXPECT_EQ(job.result().runs_size(), made.runs);
    EXPECT_EQ(job.result().iterations(), made.runs);
    EXPECT_EQ(job.result().version(), 0);
    EXPECT_EQ(job.result().evaluations_size(), 0);
    EXPECT_EQ(job.SerializeAsString(), store().GetJob(job.id())->SerializeAsString());
    ASSERT_EQ(watched_.points.size(), static_cast<size_t>(made.runs));
    for (int i = 0; i < made.runs; ++i) {
      const ProgressPoint& point = watched_.points[static_cast<size_t>(i)];
      EXPECT_EQ(point.iteration, i + 1);
      EXPECT_EQ(point.cost, job.result().runs(i).training_cost());
      EXPECT_EQ(point.validation_cost, job.result().runs(i).validation_cost());
    }
  }
  EXPECT_EQ(store().GetModel("digits").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(metrics().Text(), HasSubstr("mlpd_jobs_ended_total{stop_reason=\"completed\"} 3"));
}

TEST_F(StudyJob, ARunThatDivergesIsARowOfTheResult) {
  const v1::TrainingJob job = Run(NewSearch({kTooLarge, 0.1}));
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.message();
  EXPECT_THAT(job.message(), HasSubstr("(run 2 of 2); 1 run diverged"));
  ASSERT_EQ(job.result().runs_size(), 2);
  EXPECT_EQ(job.result().runs(0).stop_reason(), v1::STOP_REASON_DIVERGED);
  EXPECT_FALSE(job.result().runs(0).has_validation_cost());
  EXPECT_EQ(job.result().best_run(), 2);
}

TEST_F(StudyJob, WhereAllRunsDivergeTheJobFails) {
  const v1::TrainingJob job = Run(NewSearch({kTooLarge, kTooLarge / 2}));
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job.stop_reason(), v1::STOP_REASON_DIVERGED);
  EXPECT_THAT(job.message(), StartsWith("all 2 runs diverged; the first: iteration 0"));
  EXPECT_EQ(job.result().runs_size(), 2);
  EXPECT_EQ(job.result().version(), 0);
}

// A search that cannot end by itself before the test is done with it.
v1::TrainingJob LongStudy(v1::TrainingJob job) {
  v1::SearchParameter& parameter =
      *job.mutable_config()->mutable_study()->mutable_search()->add_parameters();
  parameter.set_name("lambda");
  parameter.set_max(1);
  job.mutable_config()->mutable_study()->mutable_search()->set_random(true);
  job.mutable_config()->mutable_study()->mutable_search()->set_max_runs(1000);
  job.mutable_config()->mutable_network()->set_layers(1, 400);
  job.mutable_config()->mutable_stopping()->set_max_iterations(2000);
  return job;
}

TEST_F(StudyJob, CancellingKeepsTheFinishedRuns) {
  const auto scheduler = StartScheduler(Options());
  const int64_t id = scheduler->Submit(LongStudy(NewStudy()), "")->id();
  {
    const auto watch = *scheduler->Watch(id, 0);
    ASSERT_EQ(watch->Next(absl::Seconds(60))->points.at(0).iteration, 1);
  }
  ASSERT_TRUE(scheduler->Cancel(id).ok());
  const v1::TrainingJob job = AwaitEnd(*scheduler, id);
  EXPECT_EQ(job.state(), v1::JOB_STATE_CANCELLED) << job.message();
  const int runs = job.result().runs_size();
  EXPECT_GE(runs, 1);
  EXPECT_LT(runs, 1000);
  EXPECT_EQ(job.message(), absl::StrCat("cancelled at run ", runs + 1));
  EXPECT_TRUE(job.result().runs(0).has_validation_cost());
  EXPECT_EQ(store().GetModel("digits").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(StudyJob, AStoppedServerPutsItBackIntoTheQueue) {
  auto scheduler = StartScheduler(Options());
  v1::TrainingJob study = LongStudy(NewStudy());
  const int64_t id = scheduler->Submit(study, "")->id();
  {
    const auto watch = *scheduler->Watch(id, 0);
    ASSERT_EQ(watch->Next(absl::Seconds(60))->points.at(0).iteration, 1);
  }
  scheduler->Stop();
  const v1::TrainingJob job = *store().GetJob(id);
  EXPECT_EQ(job.state(), v1::JOB_STATE_QUEUED);
  EXPECT_THAT(job.message(), StartsWith("queued again: the server was stopped at run "));
  EXPECT_FALSE(job.has_result());
}

// Keeps what a study saves after its second run.
class SecondCheckpoint final : public CheckpointSink {
 public:
  bool Due() override { return ++asked_ == 2; }
  void Save(std::string saved) override { bytes = std::move(saved); }

  std::string bytes;

 private:
  int asked_ = 0;
};

TEST_F(StudyJob, GoesOnAfterAKillToTheSameBits) {
  const v1::TrainingJob whole = Run(NewSearch({0.1, 1e3, kTooLarge, 30}));
  ASSERT_EQ(whole.result().best_run(), 1) << whole.message();

  // What a server leaves that is killed after the second run.
  v1::TrainingJob job = *store().CreateJob(NewSearch({0.1, 1e3, kTooLarge, 30}), "", 10);
  job.set_state(v1::JOB_STATE_RUNNING);
  job.set_attempts(1);
  ASSERT_TRUE(store().UpdateJob(job, v1::JOB_STATE_QUEUED).ok());
  SecondCheckpoint checkpoint;
  ThreadPool pool({});
  ASSERT_TRUE(RunStudy(ThreeBlobs(90, 1), **StudyFromApi(job.config()),
                       *TrainingConfigFromApi(job.config(), v1::FEATURE_TYPE_FLOAT32),
                       {.pool = pool,
                        .clock = Clock::System(),
                        .checkpoints = &checkpoint,
                        .fingerprint = TrainingFingerprint(job)})
                  .ok());
  ASSERT_TRUE(store().SaveCheckpoint(job.id(), checkpoint.bytes).ok());
  std::vector<ProgressPoint> points = watched_.points;
  points.resize(2);
  ASSERT_TRUE(store().AppendProgress(job.id(), points).ok());

  const auto scheduler = StartScheduler(Options());
  const Watched resumed = WatchToEnd(*scheduler, job.id(), 0);
  ASSERT_EQ(resumed.ended.state(), v1::JOB_STATE_SUCCEEDED) << resumed.ended.message();
  EXPECT_EQ(Iterations(resumed.points), Iterations(watched_.points));
  EXPECT_EQ(resumed.ended.log(1).text(), "resumed after run 2 of 4");
  EXPECT_EQ(resumed.ended.message(), whole.message());
  EXPECT_EQ(resumed.ended.result().runs(3).validation_cost(),
            whole.result().runs(3).validation_cost());
  EXPECT_EQ(resumed.ended.result().evaluations(2).cross_entropy(),
            whole.result().evaluations(2).cross_entropy());
  EXPECT_TRUE(*store().ReadArtifact("digits", 1) == *store().ReadArtifact("digits", 2));
}

TEST(StudyMessage, HasTheMeanAndDeviationOfTheFolds) {
  StudyOutcome outcome;
  for (const double cost : {1.0, 2.0, 6.0}) {
    StudyRun& run = outcome.runs.emplace_back();
    run.validation = StudyScore{.cost = cost, .accuracy = cost / 10.0};
  }
  // Of 1, 2 and 6: squares 4 + 1 + 9 over 2.
  EXPECT_EQ(StudyMessage(KFold{3}, outcome),
            "validation cost 3 +- 2.6, accuracy 30.00 % +- 26.46 % (mean and standard deviation of "
            "3 folds)");
  outcome.runs.emplace_back().reason = StopReason::kDiverged;
  EXPECT_THAT(StudyMessage(KFold{4}, outcome), HasSubstr("of 3 folds); 1 run diverged"));
}

}  // namespace
}  // namespace mlp
