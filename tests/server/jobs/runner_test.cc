// What one run makes of its training: the published version, and every way to fail.
#include "server/jobs/runner.h"

#include <atomic>
#include <cmath>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sched.h>

#include "core/artifact/artifact.h"
#include "core/base/hash.h"
#include "server/build_info.h"
#include "tests/server/jobs/forwarding_store.h"
#include "tests/server/jobs/job_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Runner : public JobFixture {
 protected:
  // Runs a job with `train` and returns it as it ended.
  v1::TrainingJob RunWith(TrainFunction train) { return RunOn(store(), std::move(train)); }

  v1::TrainingJob RunOn(Store& used, TrainFunction train) {
    JobSchedulerOptions options = Options();
    options.train = std::move(train);
    const auto scheduler = *JobScheduler::Start(options, used, metrics(), Clock::System());
    return AwaitEnd(*scheduler, Submit(*scheduler, "digits", 1));
  }

  // A trainer that reports two points and ends with what `end` returns or throws.
  template <typename End>
  static TrainFunction AfterTwoPoints(End end) {
    return [end](const Dataset&, const TrainingConfig&,
                 const TrainingContext& context) -> absl::StatusOr<TrainingOutcome> {
      for (int i = 0; i < 2; ++i) {
        ProgressPoint point;
        point.iteration = i;
        point.cost = 3.0 - i;
        context.observer->OnProgress(point);
      }
      return end();
    };
  }

  void ExpectFailed(const v1::TrainingJob& job, const std::string& message) {
    EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
    EXPECT_EQ(job.stop_reason(), v1::STOP_REASON_ERROR);
    EXPECT_EQ(job.message(), message);
    EXPECT_TRUE(job.has_end_time());
    EXPECT_TRUE(job.has_result());
    EXPECT_EQ(store().GetModel("digits").status().code(), absl::StatusCode::kNotFound);
  }
};

TEST_F(Runner, PublishesTheNetworkWithTheEndOfTheJob) {
  const v1::TrainingJob job = RunWith(Train);
  ASSERT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.message();
  EXPECT_EQ(job.attempts(), 1);
  EXPECT_TRUE(job.has_start_time() && job.has_end_time());

  const v1::TrainingResult& result = job.result();
  EXPECT_EQ(result.version(), 1);
  EXPECT_EQ(result.parameters(), (4 + 1) * 5 + (5 + 1) * 3);
  EXPECT_EQ(result.iterations(), job.progress().iteration());
  EXPECT_LT(result.final_cost(), result.initial_cost());
  EXPECT_EQ(result.best_iteration(), result.iterations());
  EXPECT_EQ(result.build(), BuildName());
  EXPECT_EQ(result.cpu_kernel(), CpuKernels());
  EXPECT_EQ(result.initial_version(), 0);
  ASSERT_EQ(result.evaluations_size(), 2);  // no validation part
  EXPECT_EQ(result.evaluations(0).part(), v1::DATASET_PART_TRAINING);
  EXPECT_EQ(result.evaluations(0).examples(), 63);
  EXPECT_EQ(result.evaluations(1).part(), v1::DATASET_PART_TEST);
  EXPECT_EQ(result.evaluations(1).examples(), 27);
  EXPECT_EQ(result.evaluations(1).classes(2).class_name(), "blue");
  EXPECT_GT(result.evaluations(1).accuracy(), 0.6);  // one in three by chance

  const v1::ModelVersion version = *store().GetVersion("digits", 1);
  EXPECT_EQ(version.job_id(), job.id());
  EXPECT_EQ(version.dataset(), "blobs");
  EXPECT_EQ(version.dataset_sha256(), job.dataset_sha256());
  EXPECT_EQ(version.parameters(), result.parameters());
  EXPECT_EQ(version.feature_type(), v1::FEATURE_TYPE_FLOAT32);
  EXPECT_THAT(version.class_names(), ElementsAre("red", "green", "blue"));
  EXPECT_EQ(version.training().final_cost(), result.final_cost());
  EXPECT_EQ(version.config().SerializeAsString(), job.config().SerializeAsString());

  const std::string bytes = *store().ReadArtifact("digits", 1);
  EXPECT_EQ(version.artifact_bytes(), static_cast<int64_t>(bytes.size()));
  EXPECT_EQ(version.artifact_sha256(), Sha256::Hex(bytes));
  const auto artifact = ReadArtifact(bytes);
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  EXPECT_EQ(TopologyName(artifact->network.topology), "4-5-3");
  EXPECT_EQ(artifact->scaler.features(), 4);
  EXPECT_THAT(artifact->schema.class_names, ElementsAre("red", "green", "blue"));

  const nlohmann::json provenance = nlohmann::json::parse(artifact->provenance_json);
  EXPECT_EQ(provenance["dataset"]["name"], "blobs");
  EXPECT_EQ(provenance["dataset"]["sha256"], job.dataset_sha256());
  EXPECT_EQ(provenance["seed"], 1);
  EXPECT_EQ(provenance["config"]["network"]["layers"], nlohmann::json({4, 5, 3}));
  EXPECT_EQ(provenance["split_rows"]["training"], 63);
  EXPECT_EQ(provenance["split_rows"]["validation"], 0);
  EXPECT_EQ(provenance["split_rows"]["test"], 27);
  EXPECT_EQ(provenance["metrics"]["test"]["accuracy"], result.evaluations(1).accuracy());
  EXPECT_EQ(provenance["build"]["version"], BuildVersion());
  EXPECT_EQ(provenance["build"]["commit"], BuildCommit());
  EXPECT_EQ(provenance["cpu_kernel"], CpuKernels());
}

TEST_F(Runner, CountsTheEndInTheMetrics) {
  const v1::TrainingJob job = RunWith(AfterTwoPoints(
      []() -> absl::StatusOr<TrainingOutcome> { return absl::InvalidArgumentError("no"); }));
  const std::string text = metrics().Text();
  EXPECT_THAT(text, HasSubstr("mlpd_jobs_ended_total{stop_reason=\"error\"} 1"));
  EXPECT_THAT(text, Not(HasSubstr(absl::StrCat("mlpd_training_cost{job=\"", job.id()))));
}

// Features of 1e38 through identity units overflow float32 in the first forward propagation.
TEST_F(Runner, ADivergingTrainingFailsAndNamesTheIteration) {
  Dataset huge = ThreeBlobs(90, 3);
  std::vector<float> values(huge.features.size() / sizeof(float));
  for (size_t i = 0; i < values.size(); ++i) values[i] = i % 2 == 0 ? 3e38f : -3e38f;
  huge.features.assign(reinterpret_cast<const char*>(values.data()), huge.features.size());
  const v1::Dataset record = StoreDataset(store(), "huge", huge);

  v1::TrainingJob job = NewJob("digits", 1);
  job.set_dataset("huge");
  job.set_dataset_sha256(record.sha256());
  job.mutable_config()->set_scaling(v1::SCALING_NONE);
  job.mutable_config()->mutable_network()->add_activations(v1::ACTIVATION_IDENTITY);
  const auto scheduler = StartScheduler(Options());
  const int64_t id = scheduler->Submit(job, "")->id();
  const v1::TrainingJob ended = AwaitEnd(*scheduler, id);
  EXPECT_EQ(ended.state(), v1::JOB_STATE_FAILED) << ended.message();
  EXPECT_EQ(ended.stop_reason(), v1::STOP_REASON_DIVERGED);
  EXPECT_THAT(ended.message(), HasSubstr("iteration 0"));
  EXPECT_EQ(ended.result().parameters(), (4 + 1) * 5 + (5 + 1) * 3);
  EXPECT_EQ(ended.result().version(), 0);
  EXPECT_EQ(ended.result().evaluations_size(), 0);
  EXPECT_EQ(store().GetModel("digits").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(Runner, ATrainingErrorIsTheMessageAndTheProgressIsKept) {
  const v1::TrainingJob job = RunWith(AfterTwoPoints([]() -> absl::StatusOr<TrainingOutcome> {
    return absl::FailedPreconditionError("check_gradient: relative error 0.5");
  }));
  ExpectFailed(job, "check_gradient: relative error 0.5");
  EXPECT_EQ(job.result().iterations(), 1);
  EXPECT_EQ(job.result().initial_cost(), 3.0);
  EXPECT_EQ(job.result().final_cost(), 2.0);
  EXPECT_EQ(store().ReadProgress(job.id(), 0, 10)->size(), 2u);
}

TEST_F(Runner, RunningOutOfMemoryFailsTheJobAlone) {
  const v1::TrainingJob job =
      RunWith(AfterTwoPoints([]() -> absl::StatusOr<TrainingOutcome> { throw std::bad_alloc(); }));
  ExpectFailed(job, "not enough memory to train this network on this dataset");
  EXPECT_EQ(job.result().iterations(), 1);
}

TEST_F(Runner, AnExceptionFailsTheJobWithoutItsDetails) {
  ExpectFailed(RunWith(AfterTwoPoints([]() -> absl::StatusOr<TrainingOutcome> {
                 throw std::runtime_error("/secret/path");
               })),
               "internal error");
}

TEST_F(Runner, AnInitialModelThatIsGoneFailsTheJob) {
  class NoArtifact final : public ForwardingStore {
   public:
    using ForwardingStore::ForwardingStore;
    absl::StatusOr<std::string> ReadArtifact(absl::string_view, int64_t) override {
      return absl::DataLossError("model digits version 1: the stored artifact is damaged");
    }
  };
  EXPECT_EQ(RunWith(Train).state(), v1::JOB_STATE_SUCCEEDED);
  NoArtifact no_artifact(store());
  JobSchedulerOptions options = Options();
  const auto scheduler = *JobScheduler::Start(options, no_artifact, metrics(), Clock::System());
  v1::TrainingJob job = NewJob("letters", 1);
  job.mutable_config()->set_initial_model("digits@1");
  const v1::TrainingJob ended = AwaitEnd(*scheduler, scheduler->Submit(job, "")->id());
  EXPECT_EQ(ended.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(ended.message(),
            "initial_model: model digits version 1: the stored artifact is damaged");
}

TEST_F(Runner, ADatasetThatWasReplacedFailsTheJob) {
  const auto scheduler = StartScheduler(Options());
  v1::TrainingJob job = NewJob("digits", 1);
  const std::string stored_sha256 = job.dataset_sha256();
  job.set_dataset_sha256(std::string(64, '0'));
  const int64_t id = scheduler->Submit(job, "")->id();
  ExpectFailed(AwaitEnd(*scheduler, id),
               absl::StrCat("dataset blobs: was replaced after the job was created: expected "
                            "SHA-256 ",
                            std::string(64, '0'), ", got ", stored_sha256));
}

class DatasetGone final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::StatusOr<v1::Dataset> GetDataset(absl::string_view name) override {
    return absl::NotFoundError(absl::StrCat("dataset ", name, " not found"));
  }
};

TEST_F(Runner, ADatasetThatWasDeletedFailsTheJob) {
  DatasetGone gone(store());
  ExpectFailed(RunOn(gone, Train), "dataset blobs: was deleted after the job was created");
}

class NoProgress final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status AppendProgress(int64_t, absl::Span<const ProgressPoint>) override {
    return absl::ResourceExhaustedError("the disk is full");
  }
};

TEST_F(Runner, ProgressThatCannotBeStoredFailsTheJob) {
  NoProgress no_progress(store());
  ExpectFailed(RunOn(no_progress, Train), "the progress could not be stored: the disk is full");
}

// Publishes after `failures` refusals.
class RefusingStore final : public ForwardingStore {
 public:
  RefusingStore(Store& store, absl::Status refusal, int failures)
      : ForwardingStore(store), refusal_(std::move(refusal)), failures_(failures) {}
  absl::StatusOr<v1::ModelVersion> PublishVersion(NewVersion version,
                                                  v1::TrainingJob job) override {
    if (publishes++ < failures_) return refusal_;
    return ForwardingStore::PublishVersion(std::move(version), std::move(job));
  }
  std::atomic<int> publishes = 0;

 private:
  const absl::Status refusal_;
  const int failures_;
};

TEST_F(Runner, ABusyStoreIsAskedToPublishAgain) {
  RefusingStore refusing(store(), absl::UnavailableError("busy"), 2);
  EXPECT_EQ(RunOn(refusing, Train).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(refusing.publishes, 3);
}

TEST_F(Runner, ANetworkThatCannotBeStoredFailsTheJob) {
  RefusingStore refusing(store(), absl::ResourceExhaustedError("the disk is full"), 1000);
  const v1::TrainingJob job = RunOn(refusing, Train);
  ExpectFailed(job, "the trained network could not be stored: the disk is full");
  EXPECT_GT(job.result().iterations(), 0);
  EXPECT_EQ(job.result().version(), 0);
  EXPECT_EQ(refusing.publishes, 1);
}

// Refuses to store the first ends of jobs.
class BusyAtTheEnd final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status UpdateJob(const v1::TrainingJob& job, v1::JobState expected) override {
    if (expected == v1::JOB_STATE_RUNNING && refusals-- > 0) return absl::UnavailableError("busy");
    return ForwardingStore::UpdateJob(job, expected);
  }
  std::atomic<int> refusals = 5;
};

TEST_F(Runner, TheEndOfAJobIsStoredAgainUntilItIsDurable) {
  BusyAtTheEnd busy(store());
  ExpectFailed(RunOn(busy, AfterTwoPoints([]() -> absl::StatusOr<TrainingOutcome> {
                       return absl::InvalidArgumentError("no");
                     })),
               "no");
}

// Training yields to everybody else; the thread that talks to the store does not, for it would hold
// the store's locks while it waits for its turn.
TEST_F(Runner, OnlyTrainingRunsAtIdlePriority) {
  std::atomic<int> training_policy = -1;
  std::atomic<int> storing_policy = -1;
  SteppedTrainer trainer;
  trainer.Allow(1, 0);
  JobSchedulerOptions options = Options();
  options.idle_priority = true;
  options.train = [&](const Dataset& dataset, const TrainingConfig& config,
                      const TrainingContext& context) {
    training_policy = sched_getscheduler(0);
    return trainer.Function(0)(dataset, config, context);
  };
  options.on_published = [&](const v1::ModelVersion&) { storing_policy = sched_getscheduler(0); };
  const auto scheduler = StartScheduler(options);
  EXPECT_EQ(AwaitEnd(*scheduler, Submit(*scheduler, "digits", 1)).state(), v1::JOB_STATE_SUCCEEDED);
  scheduler->Stop();
  EXPECT_EQ(training_policy, SCHED_IDLE);
  EXPECT_EQ(storing_policy, SCHED_OTHER);
}

}  // namespace
}  // namespace mlp
