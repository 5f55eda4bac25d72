#include "client/job_watch.h"

#include <optional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/fake_environment.h"

namespace mlp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// What one stream says: the iterations, then how it ends.
struct Script {
  std::vector<int> iterations;
  std::optional<v1::JobState> last_state;
  absl::Status status;
  v1::JobState first_state = v1::JOB_STATE_RUNNING;
};

const absl::Status kBroken = absl::UnavailableError("Socket closed");

class JobWatch : public testing::Test {
 protected:
  absl::StatusOr<v1::TrainingJob> Follow(const std::vector<Script>& scripts,
                                         WatchOptions options = {}) {
    size_t next = 0;
    options.on_job = [this](const v1::TrainingJob& job) { jobs_.push_back(job.state()); };
    const auto stream = [&](int32_t from, OnWatchMessage on_message) {
      froms_.push_back(from);
      const Script& script = scripts.at(next++);
      v1::WatchTrainingJobResponse message;
      const auto say_job = [&](v1::JobState state) {
        message.mutable_job()->set_id(5);
        message.mutable_job()->set_state(state);
        on_message(message);
      };
      if (!script.iterations.empty() || script.last_state) say_job(script.first_state);
      for (const int iteration : script.iterations) {
        message.mutable_progress()->set_iteration(iteration);
        on_message(message);
      }
      if (script.last_state) say_job(*script.last_state);
      return script.status;
    };
    return FollowTrainingJob(
        options, {.max_attempts = 2}, {.max_attempts = 4}, environment_, stream,
        [this](const v1::ProgressPoint& p) { seen_.push_back(p.iteration()); });
  }

  FakeEnvironment environment_;
  std::vector<int32_t> froms_;
  std::vector<int32_t> seen_;
  std::vector<v1::JobState> jobs_;
};

TEST_F(JobWatch, DeliversToTheEnd) {
  const auto job = Follow({{{0, 1, 2}, v1::JOB_STATE_SUCCEEDED, absl::OkStatus()}});
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_THAT(seen_, ElementsAre(0, 1, 2));
  EXPECT_THAT(jobs_, ElementsAre(v1::JOB_STATE_RUNNING));
}

TEST_F(JobWatch, TellsOfAJobThatHasEndedBeforeItsPoints) {
  const auto job = Follow({{{0, 1}, v1::JOB_STATE_FAILED, absl::OkStatus(), v1::JOB_STATE_FAILED}});
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_THAT(jobs_, ElementsAre(v1::JOB_STATE_FAILED));
}

TEST_F(JobWatch, ReconnectsAndDeliversEveryIterationOnce) {
  const auto job = Follow({{{0, 1}, {}, kBroken},
                           {{}, {}, kBroken},
                           {{2, 3, 4}, {}, kBroken},
                           {{5}, v1::JOB_STATE_FAILED, absl::OkStatus()}});
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(froms_, ElementsAre(0, 2, 2, 5));
  EXPECT_THAT(seen_, ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(environment_.sleeps.size(), 3u);
}

TEST_F(JobWatch, ReconnectsWhereAServerCancelsTheStream) {
  const auto job = Follow({{{0, 1}, {}, absl::CancelledError("CANCELLED")},
                           {{2}, v1::JOB_STATE_SUCCEEDED, absl::OkStatus()}});
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_THAT(seen_, ElementsAre(0, 1, 2));
}

TEST_F(JobWatch, DropsIterationsThatAServerRepeats) {
  const auto job =
      Follow({{{3, 4}, {}, kBroken}, {{3, 4, 5}, v1::JOB_STATE_SUCCEEDED, absl::OkStatus()}},
             {.from_iteration = 3});
  ASSERT_TRUE(job.ok());
  EXPECT_THAT(froms_, ElementsAre(3, 5));
  EXPECT_THAT(seen_, ElementsAre(3, 4, 5));
}

TEST_F(JobWatch, ManyBreaksInALongWatchAreNotCountedTogether) {
  std::vector<Script> scripts;
  for (int i = 0; i < 20; ++i) scripts.push_back({{i}, {}, kBroken});
  scripts.push_back({{20}, v1::JOB_STATE_SUCCEEDED, absl::OkStatus()});
  EXPECT_TRUE(Follow(scripts).ok());
  EXPECT_EQ(seen_.size(), 21u);
}

TEST_F(JobWatch, GivesUpSoonerBeforeTheFirstMessageThanAfter) {
  EXPECT_EQ(Follow({{{}, {}, kBroken}, {{}, {}, kBroken}}).status(), kBroken);
  EXPECT_EQ(froms_.size(), 2u);
  froms_.clear();
  const Script broken = {{}, {}, kBroken};
  EXPECT_EQ(Follow({{{0}, {}, kBroken}, broken, broken, broken, broken}).status(), kBroken);
  EXPECT_EQ(froms_.size(), 4u);
}

TEST_F(JobWatch, OtherErrorsEndIt) {
  EXPECT_TRUE(absl::IsNotFound(Follow({{{}, {}, absl::NotFoundError("job 5")}}).status()));
  const auto job = Follow({{{0, 1}, v1::JOB_STATE_RUNNING, absl::OkStatus()}});
  EXPECT_EQ(job.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(job.status().message(), HasSubstr("ended before the job did (iteration 1)"));
}

TEST_F(JobWatch, AStopEndsTheWaitForTheServer) {
  std::stop_source stop;
  environment_.on_sleep = [&] { stop.request_stop(); };
  EXPECT_TRUE(absl::IsCancelled(Follow({{{0}, {}, kBroken}}, {.stop = stop.get_token()}).status()));
  EXPECT_EQ(froms_.size(), 1u);
}

}  // namespace
}  // namespace mlp
