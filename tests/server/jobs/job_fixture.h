// What the tests of jobs share: a store in a folder of its own with small datasets, and a trainer
// that goes on step by step when the test says so.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include "core/base/clock.h"
#include "server/jobs/scheduler.h"
#include "server/store/store.h"
#include "server/telemetry/metrics.h"

namespace mlp {

// N rows of 4 float features in 3 classes, drawn around a centre a class: easy, but not separable.
Dataset ThreeBlobs(int rows, int64_t seed);

// Stores `dataset` under `name`, as an upload does.
v1::Dataset StoreDataset(Store& store, const std::string& name, const Dataset& dataset);

// A network of 4-5-3 on ThreeBlobs, split 70/0/30.
v1::TrainingConfig SmallConfig(int64_t seed);

// Trains nothing: iteration i has cost 1 / (i + 1 + seed), and each waits for the test's leave.
// Jobs are told apart by the seed of their configuration. Thread-safe; outlives its schedulers.
class SteppedTrainer {
 public:
  // Training `seed` may go on to iteration `iteration`; it converges at `last`.
  void Allow(int64_t seed, int iteration) ABSL_LOCKS_EXCLUDED(mutex_);
  // Returns once training `seed` has begun and reported all that it may.
  void AwaitStep(int64_t seed, int iteration) ABSL_LOCKS_EXCLUDED(mutex_);
  // The seeds in the order in which their trainings began.
  std::vector<int64_t> started() const ABSL_LOCKS_EXCLUDED(mutex_);

  TrainFunction Function(int last_iteration);
  static double CostAt(int64_t seed, int iteration) {
    return 1.0 / static_cast<double>(iteration + 1 + seed);
  }

 private:
  TrainingOutcome Run(const TrainingConfig& config, int last_iteration, std::stop_token stop,
                      ProgressObserver& observer);

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<int64_t, int> allowed_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<int64_t, int> reported_ ABSL_GUARDED_BY(mutex_);
  std::vector<int64_t> started_ ABSL_GUARDED_BY(mutex_);
};

class JobFixture : public ::testing::Test {
 protected:
  JobFixture();
  ~JobFixture() override;

  // Options of a scheduler that flushes at once, retries at once, and runs one job at a time.
  static JobSchedulerOptions Options();
  // On this fixture's store and metrics.
  std::unique_ptr<JobScheduler> StartScheduler(const JobSchedulerOptions& options);

  // A job of `model` on dataset "blobs".
  v1::TrainingJob NewJob(const std::string& model, int64_t seed);
  // Submits it.
  int64_t Submit(JobScheduler& scheduler, const std::string& model, int64_t seed);
  // Follows the job until it has ended.
  static v1::TrainingJob AwaitEnd(JobScheduler& scheduler, int64_t id);
  // All points and the end, as one watcher sees them from `from` on.
  struct Watched {
    std::vector<ProgressPoint> points;
    v1::TrainingJob ended;
  };
  static Watched WatchToEnd(JobScheduler& scheduler, int64_t id, int from);
  static std::vector<int> Iterations(const std::vector<ProgressPoint>& points);

  Store& store() { return *store_; }
  Metrics& metrics() { return metrics_; }

 private:
  const std::string folder_;
  std::unique_ptr<Store> store_;
  Metrics metrics_;
  v1::Dataset blobs_;
};

}  // namespace mlp
