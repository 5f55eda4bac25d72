// What Store promises of the logs of jobs.
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>

#include "tests/server/store/store_contract.h"

namespace mlp::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::JobLogLine Line(const std::string& text, int64_t seconds = 5) {
  v1::JobLogLine line;
  line.set_text(text);
  line.mutable_time()->set_seconds(seconds);
  return line;
}

std::vector<std::string> Texts(const v1::TrainingJob& job) {
  std::vector<std::string> texts;
  for (const v1::JobLogLine& line : job.log()) texts.push_back(line.text());
  return texts;
}

TEST_P(StoreContract, JobLogIsShownWithTheJobOldestFirst) {
  const int64_t id = AddJob("model").id();
  EXPECT_THAT(Texts(store().GetJob(id).value()), IsEmpty());
  ASSERT_THAT(store().AppendJobLog(id, Line("first", 7)), IsOk());
  ASSERT_THAT(store().AppendJobLog(id, Line("second", 8)), IsOk());
  Reopen();
  const v1::TrainingJob job = store().GetJob(id).value();
  EXPECT_THAT(Texts(job), ElementsAre("first", "second"));
  EXPECT_EQ(job.log(0).time().seconds(), 7);
  EXPECT_THAT(Texts(store().UnfinishedJobs().value()[0]), ElementsAre("first", "second"));
}

TEST_P(StoreContract, JobLogIsNotChangedByAnUpdate) {
  v1::TrainingJob job = AddJob("model");
  const v1::TrainingJob before = job;
  ASSERT_THAT(store().AppendJobLog(job.id(), Line("kept")), IsOk());
  ASSERT_THAT(store().UpdateJob(before, v1::JOB_STATE_QUEUED), IsOk());
  EXPECT_THAT(Texts(store().GetJob(job.id()).value()), ElementsAre("kept"));
  *job.add_log() = Line("not stored");
  ASSERT_THAT(store().UpdateJob(job, v1::JOB_STATE_QUEUED), IsOk());
  EXPECT_THAT(Texts(store().GetJob(job.id()).value()), ElementsAre("kept"));
}

TEST_P(StoreContract, JobLogKeepsItsNewestLines) {
  const int64_t id = AddJob("model").id();
  for (int i = 0; i < kMaxJobLogLines + 5; ++i) {
    ASSERT_THAT(store().AppendJobLog(id, Line(absl::StrCat("line ", i))), IsOk());
  }
  const v1::TrainingJob job = store().GetJob(id).value();
  ASSERT_EQ(job.log_size(), kMaxJobLogLines);
  EXPECT_EQ(job.log(0).text(), "line 5");
  EXPECT_EQ(job.log(kMaxJobLogLines - 1).text(), absl::StrCat("line ", kMaxJobLogLines + 4));
}

TEST_P(StoreContract, JobLogOfAnUnknownJobIsRefused) {
  EXPECT_THAT(store().AppendJobLog(3, Line("x")), HasStatus(absl::StatusCode::kNotFound, "job 3"));
}

}  // namespace
}  // namespace mlp::testing
