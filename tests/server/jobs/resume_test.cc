// A job goes on from its checkpoint after the end of a server, to the same bits where that can be.
#include "server/jobs/resume.h"

#include <functional>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/synchronization/notification.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/train/trainer.h"
#include "tests/server/jobs/forwarding_store.h"
#include "tests/server/jobs/job_fixture.h"

namespace mlp {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int kEpochs = 9;

// Passes everything on; after iteration `at` it says so and waits until it is asked to stop.
class WaitAt final : public ProgressObserver {
 public:
  WaitAt(const TrainingContext& context, int at, absl::Notification& reached)
      : observer_(*context.observer), stop_(context.stop), at_(at), reached_(reached) {}

  void OnProgress(const ProgressPoint& point) override {
    observer_.OnProgress(point);
    if (point.iteration != at_) return;
    absl::Notification stopped;
    const std::stop_callback notify(stop_, [&stopped] { stopped.Notify(); });
    reached_.Notify();
    stopped.WaitForNotification();
  }

 private:
  ProgressObserver& observer_;
  const std::stop_token stop_;
  const int at_;
  absl::Notification& reached_;
};

class ResumeTest : public JobFixture {
 protected:
  static JobSchedulerOptions Checkpointed() {
    JobSchedulerOptions options = Options();
    options.limits.checkpoint_interval = absl::ZeroDuration();
    return options;
  }

  v1::TrainingJob JobOf(v1::OptimizerKind kind) {
    v1::TrainingJob job = NewJob("digits", 5);
    v1::TrainingConfig& config = *job.mutable_config();
    config.mutable_optimizer()->set_kind(kind);
    if (kind == v1::OPTIMIZER_KIND_LBFGS) return job;
    config.mutable_optimizer()->set_batch_size(8);
    config.mutable_stopping()->clear_max_iterations();
    config.mutable_stopping()->set_max_epochs(kEpochs);
    config.mutable_regularization()->add_dropout(0.25);
    config.mutable_optimizer()->set_average_last_epochs(3);
    return job;
  }

  // Trains to the end, undisturbed.
  Watched TrainWhole(const v1::TrainingJob& job) {
    const auto scheduler = StartScheduler(Options());
    return WatchToEnd(*scheduler, scheduler->Submit(job, "")->id(), 0);
  }

  // Trains until iteration `at`, then stops the server. Returns the job's number.
  int64_t TrainUntil(const v1::TrainingJob& job, int at) {
    return RunUntil(at, [&](JobScheduler& scheduler) { return scheduler.Submit(job, "")->id(); });
  }

  // The same for the job `id`, which was stopped before.
  void GoOnUntil(int64_t id, int at) {
    RunUntil(at, [id](JobScheduler&) { return id; });
  }

  int64_t RunUntil(int at, const std::function<int64_t(JobScheduler&)>& submit) {
    absl::Notification reached;
    JobSchedulerOptions options = Checkpointed();
    options.train = [&](const Dataset& dataset, const TrainingConfig& config,
                        const TrainingContext& context) {
      WaitAt wait(context, at, reached);
      TrainingContext watched = context;
      watched.observer = &wait;
      return Train(dataset, config, watched);
    };
    const auto scheduler = StartScheduler(options);
    const int64_t id = submit(*scheduler);
    reached.WaitForNotification();
    scheduler->Stop();
    const v1::TrainingJob stopped = *store().GetJob(id);
    EXPECT_EQ(stopped.state(), v1::JOB_STATE_QUEUED);
    EXPECT_THAT(stopped.message(), StartsWith("queued again: the server was stopped at"));
    EXPECT_FALSE(stopped.has_result());
    return id;
  }

  Watched GoOn(int64_t id) { return GoOnWith(id, store()); }
  Watched GoOnWith(int64_t id, Store& used) {
    const auto scheduler = *JobScheduler::Start(Checkpointed(), used, metrics(), Clock::System());
    return WatchToEnd(*scheduler, id, 0);
  }

  std::vector<std::string> Lines(int64_t id) {
    std::vector<std::string> lines;
    const v1::TrainingJob job = *store().GetJob(id);
    for (const v1::JobLogLine& line : job.log()) lines.push_back(line.text());
    return lines;
  }
};

TEST_F(ResumeTest, MiniBatchTrainingsEndWithTheBitsOfUndisturbedOnes) {
  int64_t version = 0;
  for (const v1::OptimizerKind kind :
       {v1::OPTIMIZER_KIND_SGD, v1::OPTIMIZER_KIND_ADAM, v1::OPTIMIZER_KIND_ADAMW}) {
    const Watched whole = TrainWhole(JobOf(kind));
    ASSERT_EQ(whole.ended.state(), v1::JOB_STATE_SUCCEEDED) << whole.ended.message();
    const std::string expected = *store().ReadArtifact("digits", ++version);

    const int64_t id = TrainUntil(JobOf(kind), 4);
    EXPECT_TRUE(store().ReadCheckpoint(id, 0).ok());
    const Watched resumed = GoOn(id);
    ASSERT_EQ(resumed.ended.state(), v1::JOB_STATE_SUCCEEDED) << resumed.ended.message();
    EXPECT_EQ(resumed.ended.attempts(), 2);
    EXPECT_TRUE(*store().ReadArtifact("digits", ++version) == expected) << kind;
    EXPECT_THAT(Lines(id), ElementsAre("queued again: the server was stopped at epoch 4",
                                       StartsWith("resumed from the checkpoint of epoch 4")));
    // A watcher misses nothing, and sees the costs of the undisturbed training.
    EXPECT_EQ(Iterations(resumed.points), Iterations(whole.points));
    for (size_t i = 0; i < std::min(resumed.points.size(), whole.points.size()); ++i) {
      EXPECT_EQ(resumed.points[i].cost, whole.points[i].cost) << i;
    }
    EXPECT_FALSE(store().ReadCheckpoint(id, 0).ok()) << "checkpoints end with their job";
  }
}

TEST_F(ResumeTest, FullBatchTrainingsGoOnFromTheirWeightsAndSayThatTheMemoryIsFresh) {
  const Watched whole = TrainWhole(JobOf(v1::OPTIMIZER_KIND_LBFGS));
  const int64_t id = TrainUntil(JobOf(v1::OPTIMIZER_KIND_LBFGS), 5);
  const Watched resumed = GoOn(id);
  EXPECT_EQ(resumed.ended.state(), v1::JOB_STATE_SUCCEEDED) << resumed.ended.message();
  EXPECT_THAT(Lines(id), Contains(AllOf(StartsWith("resumed from the weights of iteration 5"),
                                        HasSubstr("fresh memory"))));
  EXPECT_NEAR(resumed.ended.result().final_cost(), whole.ended.result().final_cost(), 1e-3);
  ASSERT_GT(resumed.points.size(), 6u);
  EXPECT_LE(resumed.points[6].cost, resumed.points[5].cost);
}

// Says that the newest checkpoints are damaged, as many as it is told.
class DamagedCheckpoints final : public ForwardingStore {
 public:
  DamagedCheckpoints(Store& store, int damaged) : ForwardingStore(store), damaged_(damaged) {}
  absl::StatusOr<std::string> ReadCheckpoint(int64_t job_id, int age) override {
    if (age >= damaged_) return ForwardingStore::ReadCheckpoint(job_id, age);
    return absl::DataLossError(absl::StrCat("job ", job_id, ": the stored checkpoint is damaged"));
  }

 private:
  const int damaged_;
};

TEST_F(ResumeTest, ADamagedCheckpointIsNoLossOfBits) {
  const Watched whole = TrainWhole(JobOf(v1::OPTIMIZER_KIND_SGD));
  const std::string expected = *store().ReadArtifact("digits", 1);
  for (const int damaged : {1, 2}) {
    const int64_t id = TrainUntil(JobOf(v1::OPTIMIZER_KIND_SGD), 3);
    GoOnUntil(id, 6);
    ASSERT_TRUE(store().ReadCheckpoint(id, 1).ok());
    DamagedCheckpoints store_with_damage(store(), damaged);
    const Watched resumed = GoOnWith(id, store_with_damage);
    ASSERT_EQ(resumed.ended.state(), v1::JOB_STATE_SUCCEEDED) << resumed.ended.message();
    EXPECT_TRUE(*store().ReadArtifact("digits", 1 + damaged) == expected) << damaged;
    EXPECT_EQ(Iterations(resumed.points), Iterations(whole.points));
    const std::vector<std::string> lines = Lines(id);
    EXPECT_THAT(lines, Contains(HasSubstr("the newest checkpoint cannot be used")));
    if (damaged == 1) {
      EXPECT_THAT(lines.back(), StartsWith("resumed from the checkpoint of epoch"));
    } else {
      EXPECT_EQ(lines.back(), "start 3: begins anew, without a checkpoint");
    }
  }
}

TEST_F(ResumeTest, ACheckpointOfAnotherTrainingIsNotUsed) {
  const int64_t id = TrainUntil(JobOf(v1::OPTIMIZER_KIND_SGD), 3);
  const v1::TrainingJob job = *store().GetJob(id);
  v1::TrainingJob other = job;
  other.mutable_config()->set_seed(99);
  EXPECT_NE(TrainingFingerprint(job), TrainingFingerprint(other));
  other = job;
  other.set_dataset_sha256(std::string(64, '0'));
  EXPECT_NE(TrainingFingerprint(job), TrainingFingerprint(other));

  // A server of another build left it, say: the bytes are sound.
  v1::TrainingJob running = job;
  running.set_state(v1::JOB_STATE_RUNNING);
  ASSERT_TRUE(store().UpdateJob(running, v1::JOB_STATE_QUEUED).ok());
  for (int i = 0; i < kKeptCheckpoints; ++i) {
    ASSERT_TRUE(store().SaveCheckpoint(id, WriteCheckpoint({}, "another")).ok());
  }
  ASSERT_TRUE(store().UpdateJob(job, v1::JOB_STATE_RUNNING).ok());
  EXPECT_EQ(GoOn(id).ended.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_THAT(Lines(id), Contains("start 2: begins anew, without a checkpoint"));
}

TEST_F(ResumeTest, AFirstStartLooksForNoCheckpoint) {
  const Watched whole = TrainWhole(JobOf(v1::OPTIMIZER_KIND_SGD));
  EXPECT_THAT(Lines(whole.ended.id()), Each(Not(HasSubstr("checkpoint"))));
}

}  // namespace
}  // namespace mlp
