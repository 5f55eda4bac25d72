// The mini-batches of an epoch: the training rows in a new random order, scaled, and distorted
// where the training augments its images. TrainingData -> BatchFeed -> MiniBatchStep.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/thread_pool.h"
#include "core/data/augmentation.h"
#include "core/train/mini_batch_step.h"
#include "core/train/training_config.h"
#include "core/train/training_data.h"

namespace mlp {

// Thread-compatible. Batches depend on the data, the configuration, the epoch and their number in
// it alone: the same with any number of threads, and after any others. Several batches are made at
// a time, all threads sharing their rows; memory: those batches, at most about 4 MiB or one batch.
class BatchFeed {
 public:
  // Keeps references to `data` and `pool`.
  BatchFeed(const TrainingConfig& config, const TrainingData& data, ThreadPool& pool);
  ~BatchFeed();

  int64_t batches_per_epoch() const;

  // The next batch is number `batch` of `epoch`, both from 0 up.
  void Seek(int64_t epoch, int64_t batch);

  // The next batch of the epoch, of which there must be one; the last one has what rows are left.
  // Valid until the next call.
  MiniBatch Next();

 private:
  struct Distortion;

  // Makes the batches from the next one on.
  void Fill();

  const TrainingData& data_;
  ThreadPool& pool_;
  const int64_t seed_;
  const int64_t rows_;
  const int64_t batch_rows_;
  const int64_t most_filled_;               // rows made at a time, whole batches
  std::unique_ptr<Distortion> distortion_;  // null: images stay as they are

  int64_t epoch_ = -1;
  std::vector<int64_t> order_;  // the dataset's rows in the order of the epoch
  // Of that order: [filled_begin_, filled_end_) is made, next_ is the first row of the next batch.
  int64_t next_ = 0;
  int64_t filled_begin_ = 0;
  int64_t filled_end_ = 0;
  std::vector<float> inputs_;    // [most_filled_ x D]
  std::vector<int32_t> labels_;  // [most_filled_]
  std::vector<float> weights_;   // the same; empty: all 1
};

}  // namespace mlp
