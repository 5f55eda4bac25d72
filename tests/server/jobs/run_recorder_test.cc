// What a run leaves in the store on its way, and in which order.
#include "server/jobs/run_recorder.h"

#include <atomic>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/synchronization/notification.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/jobs/forwarding_store.h"
#include "tests/server/jobs/job_fixture.h"
#include "tests/testing/fake_clock.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Counts checkpoints, keeps progress back until it is let through, and fails as told.
class WatchedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status AppendProgress(int64_t job_id, absl::Span<const ProgressPoint> points) override {
    progress_may_pass.WaitForNotification();
    return ForwardingStore::AppendProgress(job_id, points);
  }
  absl::Status SaveCheckpoint(int64_t job_id, absl::string_view bytes) override {
    ++saves;
    if (fail) return absl::ResourceExhaustedError("the disk is full");
    return ForwardingStore::SaveCheckpoint(job_id, bytes);
  }
  absl::Notification progress_may_pass;
  std::atomic<int> saves = 0;
  std::atomic<bool> fail = false;
};

class RunRecorderTest : public JobFixture {
 protected:
  RunRecorderTest() {
    job_ = *store().CreateJob(NewJob("digits", 1), "", 10);
    job_.set_state(v1::JOB_STATE_RUNNING);
    EXPECT_TRUE(store().UpdateJob(job_, v1::JOB_STATE_QUEUED).ok());
    progress_ = log_.Open(job_, {});
  }

  std::unique_ptr<RunRecorder> Record(std::function<bool()> unwanted = nullptr) {
    return std::make_unique<RunRecorder>(
        RunRecorderOptions{
            .job_id = job_.id(), .interval = absl::Seconds(30), .unwanted = std::move(unwanted)},
        watched_, *progress_, clock_);
  }
  void Report(int iteration) {
    ProgressPoint point;
    point.iteration = iteration;
    progress_->OnProgress(point);
  }
  std::vector<std::string> Lines() {
    std::vector<std::string> lines;
    const v1::TrainingJob stored = *store().GetJob(job_.id());
    for (const v1::JobLogLine& line : stored.log()) lines.push_back(line.text());
    return lines;
  }

  FakeClock clock_;
  WatchedStore watched_{store()};
  JobNotifier notifier_{1};
  ProgressLog log_{{.flush_interval = absl::ZeroDuration()}, watched_, metrics(), notifier_};
  v1::TrainingJob job_;
  std::unique_ptr<ProgressLog::Writer> progress_;
};

TEST_F(RunRecorderTest, IsDueAnIntervalAfterTheStartAndAfterEachCheckpoint) {
  watched_.progress_may_pass.Notify();
  auto recorder = Record();
  EXPECT_FALSE(recorder->Due());
  clock_.Advance(absl::Seconds(29));
  EXPECT_FALSE(recorder->Due());
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(recorder->Due());
  recorder->Save("one");
  EXPECT_FALSE(recorder->Due());
}

TEST_F(RunRecorderTest, StoresACheckpointAfterTheProgressThatItContinues) {
  auto recorder = Record();
  Report(0);
  Report(1);
  recorder->Save("after one");
  // As long as the progress is not stored, there is one that waits.
  clock_.Advance(absl::Minutes(1));
  EXPECT_FALSE(recorder->Due());
  EXPECT_EQ(watched_.saves, 0);
  watched_.progress_may_pass.Notify();
  recorder.reset();
  EXPECT_EQ(watched_.saves, 1);
  EXPECT_EQ(*store().ReadCheckpoint(job_.id(), 0), "after one");
  EXPECT_EQ(store().ReadProgress(job_.id(), 0, 10)->size(), 2u);
}

TEST_F(RunRecorderTest, TheNewestOfWaitingCheckpointsIsStored) {
  auto recorder = Record();
  Report(0);
  for (int i = 0; i < 5; ++i) recorder->Save(absl::StrCat("checkpoint ", i));
  watched_.progress_may_pass.Notify();
  recorder.reset();
  EXPECT_LE(watched_.saves, 2);
  EXPECT_EQ(*store().ReadCheckpoint(job_.id(), 0), "checkpoint 4");
}

TEST_F(RunRecorderTest, LinesAreInTheLogInTheirOrderWithTheirTime) {
  auto recorder = Record();
  recorder->Log("one");
  recorder->Log("two");
  recorder.reset();
  EXPECT_THAT(Lines(), ElementsAre("one", "two"));
  EXPECT_EQ(store().GetJob(job_.id())->log(0).time().seconds(), 1'700'000'000);
}

TEST_F(RunRecorderTest, ACheckpointThatCannotBeStoredIsALineAndNoError) {
  watched_.progress_may_pass.Notify();
  watched_.fail = true;
  {
    auto recorder = Record();
    recorder->Save("lost");
    while (watched_.saves < 1) std::this_thread::yield();
    recorder->Save("lost too");
  }
  EXPECT_EQ(watched_.saves, 2);
  // Said once, not at every try.
  EXPECT_THAT(Lines(), ElementsAre("a checkpoint could not be stored: the disk is full"));
}

TEST_F(RunRecorderTest, CheckpointsThatNobodyWantsAreNotStored) {
  watched_.progress_may_pass.Notify();
  bool unwanted = false;
  auto recorder = Record([&unwanted] { return unwanted; });
  unwanted = true;
  recorder->Save("bytes");
  recorder.reset();
  EXPECT_EQ(watched_.saves, 0);
  EXPECT_THAT(Lines(), IsEmpty());
}

}  // namespace
}  // namespace mlp
