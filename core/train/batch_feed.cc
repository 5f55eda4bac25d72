#include "core/train/batch_feed.h"

#include <algorithm>
#include <cassert>

#include "core/base/random.h"
#include "core/data/image_background.h"

namespace mlp {
namespace {

// Keeps these draws apart from other uses of the same seed ("feed" in ASCII); each epoch has a
// stream of its own.
constexpr uint64_t kRandomStream = 0x66656564;

// Enough rows at a time that waking the threads does not count, few enough that they are still in
// the cache when they are used.
constexpr int64_t kBytesAhead = int64_t{4} << 20;

// Rows that a thread takes at a time.
constexpr int64_t kRowsPerTask = 16;

int64_t RowsAhead(int64_t batch_rows, int64_t rows, int64_t features) {
  const int64_t batch_bytes = batch_rows * features * static_cast<int64_t>(sizeof(float));
  const int64_t batches = (rows + batch_rows - 1) / batch_rows;
  const int64_t ahead = std::clamp(kBytesAhead / batch_bytes, int64_t{1}, batches);
  return std::min(ahead * batch_rows, rows);
}

}  // namespace

// Images are distorted as they are stored and scaled afterwards: a scaling by feature would give
// each pixel a meaning of its own.
struct BatchFeed::Distortion {
  struct Worker {
    Augmenter::Scratch scratch;
    std::vector<float> image;
  };

  Distortion(const TrainingConfig& config, const TrainingData& data, int threads)
      : augmenter(config.augmentation, *data.dataset.schema.image, config.seed,
                  ImageBackground(data.dataset, data.split.training)) {
    for (int i = 0; i < threads; ++i) {
      const auto features = static_cast<size_t>(data.dataset.schema.features);
      workers.push_back({Augmenter::Scratch(augmenter), std::vector<float>(features)});
    }
  }

  void CopyRows(const TrainingData& data, absl::Span<const int64_t> rows, int64_t epoch,
                Worker& worker, float* out) const {
    for (const int64_t row : rows) {
      CopyRow(data.dataset, row, absl::MakeSpan(worker.image));
      augmenter.Distort(worker.image.data(), epoch, row, worker.scratch, worker.image.data());
      data.scaler.Apply(absl::MakeConstSpan(worker.image), out);
      out += worker.image.size();
    }
  }

  const Augmenter augmenter;
  std::vector<Worker> workers;  // one a thread
};

BatchFeed::BatchFeed(const TrainingConfig& config, const TrainingData& data, ThreadPool& pool)
    : data_(data),
      pool_(pool),
      seed_(config.seed),
      rows_(static_cast<int64_t>(data.split.training.size())),
      batch_rows_(std::min(int64_t{config.optimizer.batch_size}, rows_)),
      most_filled_(RowsAhead(batch_rows_, rows_, data.dataset.schema.features)) {
  assert(rows_ >= 1);
  if (config.augmentation.enabled()) {
    distortion_ = std::make_unique<Distortion>(config, data, pool.threads());
  }
  const auto filled = static_cast<size_t>(most_filled_);
  inputs_.resize(filled * static_cast<size_t>(data.dataset.schema.features));
  labels_.resize(filled);
  order_.resize(data.split.training.size());
}

BatchFeed::~BatchFeed() = default;

int64_t BatchFeed::batches_per_epoch() const { return (rows_ + batch_rows_ - 1) / batch_rows_; }

void BatchFeed::Seek(int64_t epoch, int64_t batch) {
  if (epoch != epoch_) {
    epoch_ = epoch;
    std::copy(data_.split.training.begin(), data_.split.training.end(), order_.begin());
    Random(seed_, (kRandomStream << 32) + static_cast<uint64_t>(epoch)).Shuffle(order_);
  }
  next_ = filled_begin_ = filled_end_ = batch * batch_rows_;
}

MiniBatch BatchFeed::Next() {
  assert(next_ < rows_);
  if (next_ == filled_end_) Fill();
  const auto offset = static_cast<size_t>(next_ - filled_begin_);
  const auto count = static_cast<size_t>(std::min(batch_rows_, rows_ - next_));
  next_ += static_cast<int64_t>(count);
  MiniBatch batch = {
      .inputs = inputs_.data() + offset * static_cast<size_t>(data_.dataset.schema.features),
      .labels = absl::MakeConstSpan(labels_).subspan(offset, count),
      .weights = {}};
  if (!weights_.empty()) batch.weights = absl::MakeConstSpan(weights_).subspan(offset, count);
  return batch;
}

void BatchFeed::Fill() {
  filled_begin_ = next_;
  filled_end_ = std::min(next_ + most_filled_, rows_);
  const int64_t count = filled_end_ - filled_begin_;
  const absl::Span<const int64_t> rows = absl::MakeConstSpan(order_).subspan(
      static_cast<size_t>(filled_begin_), static_cast<size_t>(count));
  const auto features = static_cast<size_t>(data_.dataset.schema.features);
  const auto tasks = static_cast<int>((count + kRowsPerTask - 1) / kRowsPerTask);
  pool_.ParallelFor(tasks, [&](int task, int worker) {
    const auto begin = static_cast<size_t>(task * kRowsPerTask);
    const auto task_rows = rows.subspan(begin, static_cast<size_t>(kRowsPerTask));
    float* const out = inputs_.data() + begin * features;
    if (distortion_ == nullptr) {
      CopyScaledRows(data_.dataset, task_rows, data_.scaler, out);
    } else {
      distortion_->CopyRows(data_, task_rows, epoch_,
                            distortion_->workers[static_cast<size_t>(worker)], out);
    }
  });
  for (size_t i = 0; i < rows.size(); ++i) {
    labels_[i] = data_.dataset.labels[static_cast<size_t>(rows[i])];
  }
  weights_ = WeightsOf(data_, rows);
}

}  // namespace mlp
