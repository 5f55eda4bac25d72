#include "server/inference/batch_runner.h"

#include <algorithm>
#include <cmath>
#include <new>

#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include "core/base/clock.h"
#include "core/data/dataset.h"
#include "core/nn/parallel_forward.h"

namespace mlp {
namespace {

// The row of `first_row`'s pieces that begins at or before `row`.
size_t PieceOf(const std::vector<int64_t>& first_row, int64_t row) {
  const auto after = std::upper_bound(first_row.begin(), first_row.end(), row);
  return static_cast<size_t>(after - first_row.begin()) - 1;
}

// Calls use(piece, first, count) for every stretch of rows of one piece within the batch's rows
// [first_row, first_row + rows); `first` counts within the piece's request.
template <typename Use>
void ForEachStretch(absl::Span<BatchPiece> pieces, const std::vector<int64_t>& first_rows,
                    int64_t first_row, int64_t rows, const Use& use) {
  const int64_t end = first_row + rows;
  for (size_t i = PieceOf(first_rows, first_row); first_row < end; ++i) {
    const int64_t count = std::min(end, first_rows[i + 1]) - first_row;
    use(pieces[i], pieces[i].first + (first_row - first_rows[i]), count);
    first_row += count;
  }
}

// Never shrinks: what is cut off would be cleared when it is wanted again.
void Grow(size_t size, std::vector<float>& values) {
  if (values.size() < size) values.resize(size);
}

int64_t NowNs() { return absl::ToInt64Nanoseconds(Clock::System().Elapsed()); }

}  // namespace

BatchRunner::BatchRunner(ThreadPool* pool)
    : pool_(pool), buffers_(pool == nullptr ? 1 : static_cast<size_t>(pool->threads())) {}

ExecutedBatch BatchRunner::Run(const ServableModel& model, absl::Span<BatchPiece> pieces) {
  first_row_.clear();
  int64_t rows = 0;
  for (const BatchPiece& piece : pieces) {
    first_row_.push_back(rows);
    rows += piece.count;
  }
  first_row_.push_back(rows);
  for (Buffers& buffers : buffers_) buffers.times = {};

  const int64_t block = model.propagation().block_rows();
  const auto blocks = static_cast<int>((rows + block - 1) / block);
  const auto run_block = [&](int index, int worker) {
    const int64_t first = index * block;
    RunRows(model, pieces, first, std::min(block, rows - first), nullptr,
            buffers_[static_cast<size_t>(worker)]);
  };
  if (pool_ == nullptr) {
    for (int i = 0; i < blocks; ++i) run_block(i, 0);
  } else if (blocks > 1) {
    pool_->ParallelFor(blocks, run_block);
  } else {
    RunRows(model, pieces, 0, rows, pool_, buffers_.front());
  }

  ExecutedBatch executed;
  executed.rows = rows;
  for (const Buffers& buffers : buffers_) {
    executed.input_ns += buffers.times.input_ns;
    executed.infer_ns += buffers.times.infer_ns;
    executed.output_ns += buffers.times.output_ns;
  }
  const auto threads = std::min<int64_t>(static_cast<int64_t>(buffers_.size()), blocks);
  executed.input_ns /= threads;
  executed.infer_ns /= threads;
  executed.output_ns /= threads;
  return executed;
}

void BatchRunner::RunRows(const ServableModel& model, absl::Span<BatchPiece> pieces,
                          int64_t first_row, int64_t rows, ThreadPool* pool, Buffers& buffers) {
  // Nothing here throws but for want of memory.
  try {
    const int64_t start = NowNs();
    Grow(static_cast<size_t>(rows * model.features()), buffers.inputs);
    Grow(static_cast<size_t>(rows * model.classes()), buffers.outputs);
    ReadRows(model, pieces, first_row, rows, buffers.inputs.data());
    const int64_t read = NowNs();
    if (pool == nullptr) {
      model.propagation().Run(buffers.inputs.data(), rows, buffers.outputs.data(), buffers.scratch);
    } else {
      ParallelForward(model.propagation(), buffers.inputs.data(), rows, buffers.outputs.data(),
                      *pool, buffers.scratch);
    }
    const int64_t inferred = NowNs();
    const float* outputs = buffers.outputs.data();
    ForEachStretch(pieces, first_row_, first_row, rows,
                   [&](BatchPiece& piece, int64_t first, int64_t count) {
                     piece.request->WriteOutputs(first, count, outputs);
                     outputs += count * model.classes();
                   });
    buffers.times.input_ns += read - start;
    buffers.times.infer_ns += inferred - read;
    buffers.times.output_ns += NowNs() - inferred;
  } catch (const std::bad_alloc&) {
    ForEachStretch(pieces, first_row_, first_row, rows, [&](BatchPiece& piece, int64_t, int64_t) {
      absl::MutexLock lock(&mutex_);
      piece.status.Update(absl::ResourceExhaustedError("not enough memory for this request"));
    });
  }
}

void BatchRunner::ReadRows(const ServableModel& model, absl::Span<BatchPiece> pieces,
                           int64_t first_row, int64_t rows, float* inputs) {
  const int features = model.features();
  ForEachStretch(
      pieces, first_row_, first_row, rows, [&](BatchPiece& piece, int64_t first, int64_t count) {
        const auto values = static_cast<size_t>(count * features);
        piece.request->ReadRows(first, count, inputs);
        const absl::string_view bytes(reinterpret_cast<const char*>(inputs),
                                      values * sizeof(float));
        if (!CheckFinite(bytes, 0, features).ok()) {
          const float* const wrong = std::find_if(
              inputs, inputs + values, [](float value) { return !std::isfinite(value); });
          const int64_t index = wrong - inputs;
          absl::MutexLock lock(&mutex_);
          piece.status.Update(
              piece.request->NotFinite(first + index / features, index % features, *wrong));
        }
        model.scaler().Apply(absl::MakeConstSpan(inputs, values), inputs);
        inputs += values;
      });
}

}  // namespace mlp
