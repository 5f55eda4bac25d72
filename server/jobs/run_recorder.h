// What a run leaves in the store on its way, next to its progress: checkpoints, and lines of the
// job's log. trainer -> RunRecorder -> Store; the next start goes on from there.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include <absl/base/thread_annotations.h>
#include <absl/strings/string_view.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include "core/base/clock.h"
#include "core/train/training_context.h"
#include "server/jobs/progress_log.h"
#include "server/store/store.h"

namespace mlp {

struct RunRecorderOptions {
  int64_t job_id = 0;
  // Time from one checkpoint to the next; the first comes as long after the start.
  absl::Duration interval = absl::Seconds(30);
  // Thread-safe; where it says true, checkpoints are not worth storing. May be empty.
  std::function<bool()> unwanted = nullptr;
};

// A thread of its own stores what it is given, so that training never waits for the disk, and never
// holds the store's locks at its low priority. Of checkpoints that come faster than they can be
// stored only the newest is. A checkpoint is stored after the progress that it continues, so that
// no watcher misses an iteration. What cannot be stored is said in the log, and is no error.
//
// Due and Save are for the training thread, Log is thread-safe.
class RunRecorder final : public CheckpointSink {
 public:
  // All outlive it. `progress` is the run's own.
  RunRecorder(RunRecorderOptions options, Store& store, ProgressLog::Writer& progress,
              const Clock& clock);
  // Returns when all is stored, or cannot be.
  ~RunRecorder() override;
  RunRecorder(const RunRecorder&) = delete;
  RunRecorder& operator=(const RunRecorder&) = delete;

  // Not while one is being stored.
  bool Due() override;
  void Save(std::string bytes) override;

  // Adds a line to the job's log, with the time of now.
  void Log(absl::string_view text);

 private:
  struct WaitingCheckpoint {
    std::string bytes;
    int iteration = -1;  // the last one that it continues; -1: none of this run
  };
  struct Work {
    std::deque<v1::JobLogLine> lines;
    std::optional<WaitingCheckpoint> checkpoint;
  };

  void Run();
  // Waits for work; nothing where the recorder closes and all is done.
  std::optional<Work> TakeWork();
  void StoreCheckpoint(const WaitingCheckpoint& checkpoint);

  const RunRecorderOptions options_;
  Store& store_;
  ProgressLog::Writer& progress_;
  const Clock& clock_;

  absl::Duration last_saved_;  // on the training thread
  // A checkpoint waits or is being stored. Written with the mutex held.
  std::atomic<bool> storing_ = false;
  bool last_store_failed_ = false;  // on the recorder's thread

  absl::Mutex mutex_;
  Work waiting_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // last: started when all else is there
};

}  // namespace mlp
