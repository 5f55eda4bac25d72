#include "client/commands/study_text.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/commands/study_reading.h"

namespace mlp {
namespace {

using testing::HasSubstr;
using testing::Not;

const TerminalStyle kAscii = {.terminal = false, .utf8 = false, .width = 40};

v1::StudyRun& AddRun(v1::TrainingJob& job, const std::string& setting, double value,
                     double training_cost, double validation_cost) {
  v1::TrainingResult& result = *job.mutable_result();
  v1::StudyRun& run = *result.add_runs();
  run.set_number(result.runs_size());
  v1::StudyRun::Setting& added = *run.add_settings();
  added.set_name(setting);
  added.set_value(value);
  run.set_iterations(10 * result.runs_size());
  run.set_best_iteration(run.iterations());
  run.set_training_examples(1000 * result.runs_size());
  run.set_training_cost(training_cost);
  run.set_validation_cost(validation_cost);
  run.set_validation_accuracy(0.9);
  return run;
}

v1::TrainingJob LambdaJob() {
  v1::TrainingJob job;
  job.mutable_config()->mutable_study()->mutable_lambda_curve();
  AddRun(job, "lambda", 0, 0.1, 0.5);
  AddRun(job, "lambda", 1, 0.2, 0.4);
  AddRun(job, "lambda", 10, 0.5, 0.7);
  job.mutable_result()->set_best_run(2);
  return job;
}

TEST(StudyText, HasATableThePlotAndTheReadingOfACurve) {
  EXPECT_EQ(DescribeRuns(LambdaJob(), kAscii),
            "run  lambda  iterations  training cost  validation cost  accuracy\n"
            "  1       0          10            0.1              0.5   90.00 %\n"
            "  2       1          20            0.2              0.4   90.00 %  best\n"
            "  3      10          30            0.5              0.7   90.00 %\n"
            "\n"
            "cost:   t training   v validation\n"
            "0.7 |                      *v\n"
            "    |                   ***\n"
            "    |                ***\n"
            "    |             ***\n"
            "    |v***      ***         *t\n"
            "    |    ****v*         ***\n"
            "    |                ***\n"
            "    |             ***\n"
            "    |          ***\n"
            "    |       *t*\n"
            "    |   ****\n"
            "0.1 |t**\n"
            "    +------------------------\n"
            "     0  lambda (log scale) 10\n"
            "\n"
            "At lambda 1 validation cost is 2 x training cost: high variance (at least 1.5).\n"
            "More data or a smaller network may help.\n");
}

TEST(StudyText, ARunThatDivergedSaysSo) {
  v1::TrainingJob job = LambdaJob();
  v1::StudyRun& run = *job.mutable_result()->mutable_runs(2);
  run.clear_training_cost();
  run.clear_validation_cost();
  run.clear_validation_accuracy();
  run.set_stop_reason(v1::STOP_REASON_DIVERGED);
  EXPECT_THAT(DescribeRuns(job, kAscii),
              HasSubstr("  3      10          30              -                -         -  "
                        "DIVERGED\n"));
}

TEST(StudyText, KFoldHasMeanAndDeviation) {
  v1::TrainingJob job;
  job.mutable_config()->mutable_study()->mutable_k_fold()->set_folds(3);
  AddRun(job, "fold", 1, 0.1, 1);
  AddRun(job, "fold", 2, 0.2, 2);
  AddRun(job, "fold", 3, 0.3, 6).set_validation_accuracy(0.6);
  EXPECT_EQ(DescribeRuns(job, kAscii),
            "     fold  examples  iterations  training cost  validation cost  accuracy\n"
            "        1     1,000          10            0.1                1   90.00 %\n"
            "        2     2,000          20            0.2                2   90.00 %\n"
            "        3     3,000          30            0.3                6   60.00 %\n"
            "     mean                                  0.2                3   80.00 %\n"
            "deviation                                  0.1           2.6458   17.32 %\n");
}

TEST(StudyText, SearchesShowTheirParametersWithoutPlot) {
  v1::TrainingJob job;
  job.mutable_config()->mutable_study()->mutable_search();
  AddRun(job, "optimizer.learning_rate", 0.01, 0.1, 0.2);
  const std::string text = DescribeRuns(job, kAscii);
  EXPECT_THAT(text, HasSubstr("run  learning_rate  iterations"));
  EXPECT_THAT(text, Not(HasSubstr("log scale")));
}

TEST(StudyText, NoRunsAreNoText) {
  v1::TrainingJob job;
  job.mutable_config()->mutable_study()->mutable_k_fold();
  EXPECT_EQ(DescribeRuns(job, kAscii), "");
}

TEST(StudyText, NamesStudies) {
  v1::Study study;
  study.mutable_k_fold()->set_folds(5);
  EXPECT_EQ(StudyName(study), "5-fold cross-validation");
  study.mutable_search()->add_parameters()->set_name("lambda");
  study.mutable_search()->add_parameters()->set_name("network.hidden_units");
  EXPECT_EQ(StudyName(study), "grid search of lambda, hidden_units");
  study.mutable_search()->set_random(true);
  EXPECT_EQ(StudyName(study), "random search of lambda, hidden_units");
}

TEST(StudyText, ShowsARunAsItEnds) {
  v1::ProgressPoint point;
  point.set_iteration(3);
  point.set_cost(0.25);
  point.set_validation_cost(0.5);
  point.set_elapsed_seconds(6);
  point.set_seconds_left(4);
  EXPECT_EQ(RunText(point), "run 3  training cost 0.25  validation cost 0.5  6.00 s");
  v1::Study study;
  study.mutable_k_fold()->set_folds(5);
  EXPECT_EQ(RenderProgress(LiveRuns(point, study), {.width = 70}),
            "run  [##############         ]  3/5  validation cost 0.5  4.00 s left");
  study.mutable_search()->set_max_runs(20);
  EXPECT_EQ(LiveRuns(point, study).total, 20);
  study.mutable_lambda_curve()->add_lambdas(1);
  EXPECT_EQ(LiveRuns(point, study).total, 1);
}

v1::TrainingJob LearningJob(double training_cost, double validation_cost) {
  v1::TrainingJob job;
  job.mutable_config()->mutable_study()->mutable_learning_curve();
  AddRun(job, "training_fraction", 0.5, 0.1, 0.9);
  AddRun(job, "training_fraction", 1, training_cost, validation_cost);
  return job;
}

std::string Reading(const v1::TrainingJob& job) {
  return ReadCurve(job.config().study(), job.result());
}

TEST(StudyReading, TellsHighVarianceFromLowAtItsThreshold) {
  EXPECT_EQ(Reading(LearningJob(0.5, 0.75)),
            "With 2,000 examples validation cost is 1.5 x training cost: high variance (at least "
            "1.5).\nMore data or a larger lambda would probably help.\n");
  EXPECT_EQ(Reading(LearningJob(0.5, 0.7)),
            "With 2,000 examples validation cost is 1.4 x training cost: low variance (below "
            "1.5).\nIf that cost is too high, a larger network or a smaller lambda may help; more "
            "data would hardly.\n");
  EXPECT_THAT(Reading(LearningJob(0, 0.1)), HasSubstr("above training cost, which is 0: high"));
}

TEST(StudyReading, ReadsTheBestLambda) {
  EXPECT_EQ(Reading(LambdaJob()),
            "At lambda 1 validation cost is 2 x training cost: high variance (at least 1.5).\n"
            "More data or a smaller network may help.\n");
  v1::TrainingJob rising = LambdaJob();
  rising.mutable_result()->mutable_runs(2)->set_validation_cost(0.3);
  EXPECT_THAT(Reading(rising), HasSubstr("the largest was the best: try larger ones."));
}

TEST(StudyReading, SaysNothingWithoutCosts) {
  v1::TrainingJob job = LearningJob(1, 1);
  for (v1::StudyRun& run : *job.mutable_result()->mutable_runs()) run.clear_validation_cost();
  EXPECT_EQ(Reading(job), "");
  EXPECT_THAT(DescribeRuns(job, kAscii), Not(HasSubstr("cost:")));
}

}  // namespace
}  // namespace mlp
