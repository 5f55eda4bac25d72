// The best weights of a job that was cancelled, or diverged, and trainings that start from them.
#include <limits>
#include <stop_token>
#include <string>

#include <absl/synchronization/notification.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/train/trainer.h"
#include "server/jobs/initial_model.h"
#include "tests/server/jobs/forwarding_store.h"
#include "tests/server/jobs/job_fixture.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kNotFound = absl::StatusCode::kNotFound;
constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;

// What a stand-in for Train makes: weights of `value` that were best at `best_iteration`.
TrainingOutcome Ended(StopReason reason, const TrainingConfig& config, float value,
                      int best_iteration) {
  TrainingOutcome outcome;
  outcome.reason = reason;
  outcome.message = "epoch 5: J is nan";
  outcome.network = {.topology = config.topology,
                     .parameters = VectorF::Constant(ParameterCount(config.topology), value)};
  outcome.scaler = *FeatureScaler::Create({1, 2, 3, 4}, {0.5, 0.5, 0.5, 0.5});
  outcome.iterations = 4;
  outcome.best_iteration = best_iteration;
  return outcome;
}

class KeptByAJob : public JobFixture {
 protected:
  // A job that diverges so.
  v1::TrainingJob Diverge(float value, int best_iteration) {
    return DivergeIn(store(), value, best_iteration);
  }
  v1::TrainingJob DivergeIn(Store& used, float value, int best_iteration) {
    JobSchedulerOptions options = Options();
    options.train = [=](const Dataset&, const TrainingConfig& config, const TrainingContext&) {
      return Ended(StopReason::kDiverged, config, value, best_iteration);
    };
    const auto scheduler = *JobScheduler::Start(options, used, metrics(), Clock::System());
    return AwaitEnd(*scheduler, Submit(*scheduler, "digits", 1));
  }

  // A job that is cancelled, or that is stopped with its server, when it has run for a while.
  int64_t EndEarly(bool cancel) {
    absl::Notification running;
    JobSchedulerOptions options = Options();
    options.train = [&](const Dataset&, const TrainingConfig& config,
                        const TrainingContext& context) {
      absl::Notification stopped;
      const std::stop_callback notify(context.stop, [&stopped] { stopped.Notify(); });
      running.Notify();
      stopped.WaitForNotification();
      return Ended(StopReason::kCancelled, config, 0.25f, 3);
    };
    const auto scheduler = StartScheduler(options);
    const int64_t id = Submit(*scheduler, "digits", 1);
    running.WaitForNotification();
    if (cancel) {
      EXPECT_TRUE(scheduler->Cancel(id).ok());
      AwaitEnd(*scheduler, id);
    }
    return id;
  }

  void ExpectRefused(absl::string_view reference, absl::StatusCode code, const std::string& text) {
    const absl::Status status = ReadInitialModel(reference, store()).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }
};

TEST_F(KeptByAJob, OfADivergedJobAreItsBestAndStartTheNextOne) {
  const v1::TrainingJob job = Diverge(0.5f, 3);
  ASSERT_EQ(job.stop_reason(), v1::STOP_REASON_DIVERGED);
  EXPECT_EQ(job.message(), "epoch 5: J is nan; weights kept: --from job/1");
  EXPECT_EQ(job.result().best_iteration(), 3);
  EXPECT_EQ(job.result().version(), 0);
  EXPECT_EQ(store().GetModel("digits").status().code(), kNotFound);

  const InitialModel model = *ReadInitialModel("job/1", store());
  EXPECT_EQ(model.reference, "job/1");
  EXPECT_EQ(model.version, 0);
  EXPECT_TRUE((model.start.network.parameters.array() == 0.5f).all());
  EXPECT_EQ(model.start.scaler.offsets()[3], 4.0f);

  v1::TrainingJob next = NewJob("digits", 1);
  next.mutable_config()->set_initial_model("job/1");
  const WarmStart* start = nullptr;
  float first_weight = 0.0f;
  JobSchedulerOptions options = Options();
  options.train = [&](const Dataset& dataset, const TrainingConfig& config,
                      const TrainingContext& context) {
    start = context.start;
    if (start != nullptr) first_weight = start->network.parameters[0];
    return Train(dataset, config, context);
  };
  const auto scheduler = StartScheduler(options);
  const v1::TrainingJob ended = AwaitEnd(*scheduler, scheduler->Submit(next, "")->id());
  EXPECT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED) << ended.message();
  ASSERT_NE(start, nullptr);
  EXPECT_EQ(first_weight, 0.5f);
  ExpectRefused("job/2", kPrecondition, "initial_model: job 2: succeeded: use digits@1");
}

TEST_F(KeptByAJob, OfACancelledJobAreKeptAndOfAStoppedOneNot) {
  const int64_t cancelled = EndEarly(/*cancel=*/true);
  const v1::TrainingJob job = *store().GetJob(cancelled);
  EXPECT_EQ(job.state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(job.message(), "cancelled at iteration 4; weights kept: --from job/1");
  EXPECT_TRUE(ReadInitialModel("job/1", store()).ok());

  const int64_t stopped = EndEarly(/*cancel=*/false);
  EXPECT_THAT(store().GetJob(stopped)->message(), Not(HasSubstr("kept")));
  EXPECT_EQ(store().ReadKeptWeights(stopped).status().code(), kNotFound);
  ExpectRefused("job/2", kPrecondition,
                "initial_model: job 2: expected one that has ended, got state JOB_STATE_QUEUED");
}

TEST_F(KeptByAJob, AreNotThoseOfTheStartNorWhatIsNotFinite) {
  EXPECT_EQ(Diverge(0.5f, 0).message(), "epoch 5: J is nan");
  EXPECT_EQ(Diverge(std::numeric_limits<float>::quiet_NaN(), 3).message(), "epoch 5: J is nan");
  ExpectRefused("job/1", kNotFound, "initial_model: job 1: has kept no weights");
  ExpectRefused("job/2", kNotFound, "initial_model: job 2: has kept no weights");
  ExpectRefused("job/7", kNotFound, "initial_model: job 7: not found");
  for (const char* wrong : {"job/", "job/0", "job/-1", "job/01", "job/x", "job/1@2"}) {
    ExpectRefused(wrong, absl::StatusCode::kInvalidArgument, "initial_model: expected the number");
  }
}

class FullDisk final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status SaveKeptWeights(int64_t, absl::string_view) override {
    return absl::ResourceExhaustedError("the disk is full");
  }
};

TEST_F(KeptByAJob, ThatCannotBeStoredAreSaidToBeLost) {
  FullDisk disk(store());
  EXPECT_EQ(DivergeIn(disk, 0.5f, 3).message(),
            "epoch 5: J is nan; the weights could not be kept: the disk is full");
}

}  // namespace
}  // namespace mlp
