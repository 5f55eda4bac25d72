// The quality gate, alone and through a job.
#include "server/jobs/quality_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/jobs/scheduler.h"
#include "tests/server/jobs/job_fixture.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;

TEST(PublishOptions, AreCheckedByField) {
  const SplitOptions with_test, without_test = {.training = 1.0, .validation = 0.0, .test = 0.0};
  v1::PublishOptions options;
  EXPECT_TRUE(CheckPublishOptions(options, without_test).ok());
  const auto refusal = [&](const SplitOptions& split) {
    const absl::Status status = CheckPublishOptions(options, split);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  options.add_aliases("Stable");
  EXPECT_THAT(refusal(with_test), HasSubstr("publish.aliases"));
  options.set_aliases(0, "7");
  EXPECT_THAT(refusal(with_test), HasSubstr("no number"));
  options.clear_aliases();
  for (int i = 0; i < 11; ++i) options.add_aliases("a" + std::to_string(i));
  EXPECT_THAT(refusal(with_test), HasSubstr("at most 10"));
  options.Clear();
  for (const double accuracy : {-0.1, 1.1, std::nan("")}) {
    options.set_min_test_accuracy(accuracy);
    EXPECT_THAT(refusal(with_test), HasSubstr("publish.min_test_accuracy: expected 0 to 1"));
  }
  options.set_min_test_accuracy(0.9);
  EXPECT_TRUE(CheckPublishOptions(options, with_test).ok());
  EXPECT_THAT(refusal(without_test), HasSubstr("test part"));
  options.Clear();
  options.set_better_than("not a name");
  EXPECT_THAT(refusal(with_test), HasSubstr("publish.better_than"));
  options.set_better_than("3");
  EXPECT_TRUE(CheckPublishOptions(options, with_test).ok());
  EXPECT_THAT(refusal(without_test), HasSubstr("publish.better_than"));
}

class QualityGateTest : public JobFixture {
 protected:
  v1::TrainingJob Run(const v1::PublishOptions& publish, int iterations) {
    v1::TrainingJob job = NewJob("digits", 1);
    job.mutable_config()->mutable_stopping()->set_max_iterations(iterations);
    *job.mutable_publish() = publish;
    const auto scheduler = StartScheduler(Options());
    return AwaitEnd(*scheduler, scheduler->Submit(job, "").value().id());
  }
};

TEST_F(QualityGateTest, PublishesOnlyWhatIsGoodEnough) {
  v1::PublishOptions publish;
  publish.add_aliases("serving");
  publish.set_min_test_accuracy(0.0);
  const v1::TrainingJob first = Run(publish, 3);
  ASSERT_EQ(first.state(), v1::JOB_STATE_SUCCEEDED) << first.message();
  EXPECT_EQ(store().GetAliasedVersion("digits", "serving")->version(), 1);

  publish.set_min_test_accuracy(1.0);  // the classes overlap
  const v1::TrainingJob missed = Run(publish, 4);
  EXPECT_EQ(missed.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(missed.stop_reason(), v1::STOP_REASON_QUALITY_GATE);
  EXPECT_THAT(missed.message(), HasSubstr("wanted at least 1"));
  EXPECT_THAT(missed.message(), HasSubstr("weights kept: --from job/"));
  EXPECT_EQ(missed.result().version(), 0);
  EXPECT_GT(missed.result().evaluations_size(), 0);
  EXPECT_TRUE(store().ReadKeptWeights(missed.id()).ok());
  EXPECT_EQ(store().GetModel("digits")->latest_version(), 1);
}

TEST_F(QualityGateTest, IsHeldAgainstAnotherVersionOnTheSameTestPart) {
  v1::PublishOptions publish;
  publish.set_better_than("serving");
  publish.add_aliases("serving");
  // Nothing is served yet: it is better than nothing.
  ASSERT_EQ(Run(publish, 100).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(store().GetAliasedVersion("digits", "serving")->version(), 1);
  // The same again is no better.
  const v1::TrainingJob same = Run(publish, 100);
  EXPECT_EQ(same.stop_reason(), v1::STOP_REASON_QUALITY_GATE);
  EXPECT_THAT(same.message(), HasSubstr("wanted better than digits@serving"));
  publish.set_better_than("9");
  const v1::TrainingJob nothing = Run(publish, 100);
  EXPECT_EQ(nothing.stop_reason(), v1::STOP_REASON_QUALITY_GATE);
  EXPECT_THAT(nothing.message(), HasSubstr("cannot be held against digits@9"));
  EXPECT_EQ(store().GetModel("digits")->version_count(), 1);
}

}  // namespace
}  // namespace mlp
