#include "server/jobs/job_state.h"

#include <set>
#include <utility>

#include <gtest/gtest.h>

namespace mlp {
namespace {

TEST(JobState, MovesOnlyAsDrawn) {
  const std::set<std::pair<int, int>> drawn = {
      {v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING},
      {v1::JOB_STATE_QUEUED, v1::JOB_STATE_CANCELLED},
      {v1::JOB_STATE_RUNNING, v1::JOB_STATE_QUEUED},
      {v1::JOB_STATE_RUNNING, v1::JOB_STATE_SUCCEEDED},
      {v1::JOB_STATE_RUNNING, v1::JOB_STATE_FAILED},
      {v1::JOB_STATE_RUNNING, v1::JOB_STATE_CANCELLED},
  };
  for (int from = v1::JobState_MIN; from <= v1::JobState_MAX; ++from) {
    for (int to = v1::JobState_MIN; to <= v1::JobState_MAX; ++to) {
      EXPECT_EQ(CanMove(static_cast<v1::JobState>(from), static_cast<v1::JobState>(to)),
                drawn.count({from, to}) == 1)
          << v1::JobState_Name(from) << " -> " << v1::JobState_Name(to);
    }
  }
}

TEST(JobState, EndsInThreeStates) {
  EXPECT_FALSE(IsEnded(v1::JOB_STATE_UNSPECIFIED));
  EXPECT_FALSE(IsEnded(v1::JOB_STATE_QUEUED));
  EXPECT_FALSE(IsEnded(v1::JOB_STATE_RUNNING));
  EXPECT_TRUE(IsEnded(v1::JOB_STATE_SUCCEEDED));
  EXPECT_TRUE(IsEnded(v1::JOB_STATE_FAILED));
  EXPECT_TRUE(IsEnded(v1::JOB_STATE_CANCELLED));
}

TEST(JobState, StartCountsTheAttemptAndTellsOfARestart) {
  v1::TrainingJob job;
  job.set_state(v1::JOB_STATE_QUEUED);
  StartJob(job, absl::FromUnixSeconds(5));
  EXPECT_EQ(job.state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(job.attempts(), 1);
  EXPECT_EQ(job.start_time().seconds(), 5);
  EXPECT_EQ(job.message(), "");

  RequeueJob(job, "queued again");
  EXPECT_EQ(job.state(), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(job.message(), "queued again");
  EXPECT_FALSE(job.has_start_time());

  StartJob(job, absl::FromUnixSeconds(9));
  EXPECT_EQ(job.attempts(), 2);
  EXPECT_EQ(job.message(), "start 2, after a restart of the server");
}

TEST(JobState, EndKeepsTheResultItIsGiven) {
  v1::TrainingJob job;
  job.set_state(v1::JOB_STATE_RUNNING);
  job.mutable_progress()->set_iteration(7);
  job.mutable_result()->set_iterations(9);
  EndJob(job, v1::JOB_STATE_FAILED, v1::STOP_REASON_DIVERGED, "J is NaN at iteration 9",
         absl::FromUnixNanos(1'500'000'000));
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job.stop_reason(), v1::STOP_REASON_DIVERGED);
  EXPECT_EQ(job.message(), "J is NaN at iteration 9");
  EXPECT_EQ(job.end_time().seconds(), 1);
  EXPECT_EQ(job.end_time().nanos(), 500'000'000);
  EXPECT_EQ(job.result().iterations(), 9);
}

TEST(JobState, EndMakesUpNoResult) {
  v1::TrainingJob job;
  job.set_state(v1::JOB_STATE_QUEUED);
  EndJob(job, v1::JOB_STATE_CANCELLED, v1::STOP_REASON_CANCELLED, "", absl::UnixEpoch());
  EXPECT_FALSE(job.has_result());
}

TEST(JobState, MessageHidesTheDetailsOfABug) {
  EXPECT_EQ(MessageForPeople(absl::NotFoundError("dataset a: is gone")), "dataset a: is gone");
  EXPECT_EQ(MessageForPeople(absl::InternalError("/some/path: 0x7f")), "internal error");
}

}  // namespace
}  // namespace mlp
