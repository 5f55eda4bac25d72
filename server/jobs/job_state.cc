#include "server/jobs/job_state.h"

#include <cassert>

#include <absl/strings/str_cat.h>

namespace mlp {
namespace {

void SetTime(absl::Time time, google::protobuf::Timestamp* timestamp) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  timestamp->set_seconds(seconds);
  timestamp->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

void Move(v1::TrainingJob& job, v1::JobState to) {
  assert(CanMove(job.state(), to));
  job.set_state(to);
}

}  // namespace

bool CanMove(v1::JobState from, v1::JobState to) {
  switch (from) {
    case v1::JOB_STATE_QUEUED:
      return to == v1::JOB_STATE_RUNNING || to == v1::JOB_STATE_CANCELLED;
    case v1::JOB_STATE_RUNNING:
      return to == v1::JOB_STATE_QUEUED || IsEnded(to);
    default:
      return false;
  }
}

bool IsEnded(v1::JobState state) {
  return state == v1::JOB_STATE_SUCCEEDED || state == v1::JOB_STATE_FAILED ||
         state == v1::JOB_STATE_CANCELLED;
}

void StartJob(v1::TrainingJob& job, absl::Time now) {
  Move(job, v1::JOB_STATE_RUNNING);
  job.set_attempts(job.attempts() + 1);
  job.clear_message();
  if (job.attempts() > 1) {
    job.set_message(absl::StrCat("start ", job.attempts(), ", after a restart of the server"));
  }
  SetTime(now, job.mutable_start_time());
}

void RequeueJob(v1::TrainingJob& job, absl::string_view message) {
  Move(job, v1::JOB_STATE_QUEUED);
  job.set_message(std::string(message));
  job.clear_start_time();
}

void EndJob(v1::TrainingJob& job, v1::JobState state, v1::StopReason reason,
            absl::string_view message, absl::Time now) {
  Move(job, state);
  job.set_stop_reason(reason);
  job.set_message(std::string(message));
  SetTime(now, job.mutable_end_time());
}

v1::JobLogLine MakeLogLine(absl::string_view text, absl::Time now) {
  v1::JobLogLine line;
  SetTime(now, line.mutable_time());
  line.set_text(std::string(text));
  return line;
}

std::string MessageForPeople(const absl::Status& status) {
  return absl::IsInternal(status) ? "internal error" : std::string(status.message());
}

}  // namespace mlp
