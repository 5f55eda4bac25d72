#include "server/jobs/run_recorder.h"

#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/jobs/job_state.h"

namespace mlp {

RunRecorder::RunRecorder(RunRecorderOptions options, Store& store, ProgressLog::Writer& progress,
                         const Clock& clock)
    : options_(std::move(options)),
      store_(store),
      progress_(progress),
      clock_(clock),
      last_saved_(clock.Elapsed()),
      thread_([this] { Run(); }) {}

RunRecorder::~RunRecorder() {
  {
    absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  thread_.join();
}

bool RunRecorder::Due() {
  return !storing_.load() && clock_.Elapsed() - last_saved_ >= options_.interval;
}

void RunRecorder::Save(std::string bytes) {
  last_saved_ = clock_.Elapsed();
  if (options_.unwanted && options_.unwanted()) return;
  absl::MutexLock lock(&mutex_);
  storing_ = true;
  waiting_.checkpoint = WaitingCheckpoint{std::move(bytes), progress_.newest().iteration};
}

void RunRecorder::Log(absl::string_view text) {
  v1::JobLogLine line = MakeLogLine(text, clock_.Now());
  absl::MutexLock lock(&mutex_);
  waiting_.lines.push_back(std::move(line));
  // The store would not keep more of them either.
  if (waiting_.lines.size() > kMaxJobLogLines) waiting_.lines.pop_front();
}

void RunRecorder::Run() {
  while (std::optional<Work> work = TakeWork()) {
    for (const v1::JobLogLine& line : work->lines) {
      store_.AppendJobLog(options_.job_id, line).IgnoreError();
    }
    if (work->checkpoint) StoreCheckpoint(*work->checkpoint);
  }
}

std::optional<RunRecorder::Work> RunRecorder::TakeWork() {
  absl::MutexLock lock(&mutex_);
  const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closing_ || !waiting_.lines.empty() || waiting_.checkpoint.has_value();
  };
  mutex_.Await(absl::Condition(&has_work));
  if (waiting_.lines.empty() && !waiting_.checkpoint) return std::nullopt;
  return std::exchange(waiting_, Work());
}

void RunRecorder::StoreCheckpoint(const WaitingCheckpoint& checkpoint) {
  absl::Status status = progress_.AwaitDurable(checkpoint.iteration);
  if (status.ok()) status = store_.SaveCheckpoint(options_.job_id, checkpoint.bytes);
  if (!status.ok() && !last_store_failed_) {
    Log(absl::StrCat("a checkpoint could not be stored: ", MessageForPeople(status)));
  }
  last_store_failed_ = !status.ok();
  // One that came meanwhile is newer: it is stored next.
  absl::MutexLock lock(&mutex_);
  storing_ = waiting_.checkpoint.has_value();
}

}  // namespace mlp
