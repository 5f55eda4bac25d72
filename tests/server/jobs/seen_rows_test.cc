// A training that starts from a model says where it holds out what that model was trained on.
#include "server/jobs/seen_rows.h"

#include <algorithm>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/jobs/job_fixture.h"

namespace mlp {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class SeenRows : public JobFixture {
 protected:
  v1::TrainingJob JobOf(int64_t seed, const std::string& start = "") {
    v1::TrainingJob job = NewJob("digits", seed);
    v1::SplitConfig& split = *job.mutable_config()->mutable_split();
    split.set_training(0.6);
    split.set_validation(0.2);
    split.set_test(0.2);
    job.mutable_config()->mutable_stopping()->set_max_iterations(2);
    job.mutable_config()->set_initial_model(start);
    return job;
  }

  v1::TrainingJob Run(const v1::TrainingJob& job) {
    const auto scheduler = StartScheduler(Options());
    v1::TrainingJob ended = AwaitEnd(*scheduler, scheduler->Submit(job, "")->id());
    EXPECT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED) << ended.message();
    return ended;
  }

  // How many rows of `part` are in the training parts of splits with `seeds`, as `5 of 18`.
  static std::string Count(const std::vector<int64_t>& part, const std::vector<int64_t>& seeds) {
    int count = 0;
    for (const int64_t row : part) {
      count += std::any_of(seeds.begin(), seeds.end(), [row](int64_t seed) {
        const Split split = SplitOf(seed);
        return std::find(split.training.begin(), split.training.end(), row) != split.training.end();
      });
    }
    return absl::StrCat(count, " of ", part.size());
  }

  static Split SplitOf(int64_t seed) {
    const Dataset blobs = ThreeBlobs(90, 1);
    return *SplitRows(blobs.labels, 3,
                      {.training = 0.6, .validation = 0.2, .test = 0.2, .seed = seed});
  }
};

TEST_F(SeenRows, AreSaidInTheLogAndTheMessage) {
  Run(JobOf(1));
  const v1::TrainingJob job = Run(JobOf(2, "digits@1"));
  const Split split = SplitOf(2);
  const std::string expected =
      absl::StrCat("the test and validation parts hold examples that digits@1 was trained on: ",
                   Count(split.test, {1}), " and ", Count(split.validation, {1}));
  ASSERT_EQ(job.log_size(), 1);
  EXPECT_EQ(job.log(0).text(), expected);
  EXPECT_THAT(job.message(), EndsWith(absl::StrCat("; ", expected)));
  EXPECT_EQ(store().GetJob(job.id())->message(), job.message());
}

TEST_F(SeenRows, AreNoneWithTheSameSplit) {
  Run(JobOf(1));
  const v1::TrainingJob job = Run(JobOf(1, "digits@1"));
  EXPECT_EQ(job.log_size(), 0);
  EXPECT_THAT(job.message(), Not(HasSubstr("trained on")));
}

TEST_F(SeenRows, AreFoundThroughAChainOfModels) {
  Run(JobOf(1));
  Run(JobOf(2, "digits@1"));
  // The same split as that of its own start: only the model before saw what is held out.
  const v1::TrainingJob third = Run(JobOf(2, "digits@2"));
  EXPECT_THAT(third.message(), HasSubstr("that digits@1 was trained on"));
  const v1::TrainingJob fourth = Run(JobOf(3, "digits@2"));
  EXPECT_THAT(fourth.message(), AllOf(HasSubstr("that digits@2 and digits@1 were trained on"),
                                      EndsWith(Count(SplitOf(3).validation, {1, 2}))));
  // As far as they are stored.
  ASSERT_TRUE(store().DeleteVersion("digits", 1).ok());
  EXPECT_THAT(Run(JobOf(2, "digits@2")).message(), Not(HasSubstr("trained on")));
}

TEST_F(SeenRows, AreNoneOfOtherData) {
  Run(JobOf(1));
  v1::TrainingJob job = JobOf(2, "digits@1");
  const v1::Dataset other = StoreDataset(store(), "other", ThreeBlobs(90, 2));
  job.set_dataset("other");
  job.set_dataset_sha256(other.sha256());
  EXPECT_THAT(Run(job).message(), Not(HasSubstr("trained on")));
}

TEST_F(SeenRows, OfFoldsAreTheTrainingPart) {
  Run(JobOf(1));
  v1::TrainingJob job = JobOf(1, "digits@1");
  job.mutable_config()->mutable_study()->mutable_k_fold()->set_folds(3);
  EXPECT_THAT(Run(job).message(), EndsWith("; the training part holds examples that digits@1 was "
                                           "trained on: 54 of 54"));
}

}  // namespace
}  // namespace mlp
