#include <algorithm>
#include <atomic>
#include <numeric>
#include <vector>

#include "core/data/examples.h"
#include "core/nn/propagation.h"
#include "core/train/row_blocks.h"
#include "core/train/trainer.h"

namespace mlp {

// Each block's rows are gathered where they are used, so the memory is the outputs' and one block a
// thread, whatever the number of rows.
std::optional<Evaluation> TryEvaluateRows(const NetworkF& network, CostKind cost,
                                          const FeatureScaler& scaler, const Dataset& dataset,
                                          absl::Span<const int64_t> rows, ThreadPool& pool,
                                          const std::function<bool()>& interrupted,
                                          const EvaluationOptions& options) {
  const RowBlocks blocks(network.topology, static_cast<int64_t>(rows.size()));
  MatrixF outputs(static_cast<Eigen::Index>(rows.size()), network.topology.outputs());
  std::vector<int32_t> labels(rows.size());
  std::vector<double> cross_entropy(static_cast<size_t>(blocks.count()));
  std::vector<Propagation<float>> workers;
  workers.reserve(static_cast<size_t>(pool.threads()));
  for (int i = 0; i < pool.threads(); ++i) {
    workers.emplace_back(network.topology, blocks.max_rows());
  }

  std::atomic<bool> skipped = false;
  pool.ParallelFor(blocks.count(), [&](int block, int worker) {
    if (skipped || (interrupted && interrupted())) {
      skipped = true;
      return;
    }
    const int64_t begin = blocks.begin(block);
    const int block_rows = blocks.rows(block);
    const Examples examples = GatherExamples(
        dataset, rows.subspan(static_cast<size_t>(begin), static_cast<size_t>(block_rows)), scaler);
    Propagation<float>& propagation = workers[static_cast<size_t>(worker)];
    propagation.Forward(network.parameters.data(), examples.features.data(), block_rows);
    outputs.middleRows(begin, block_rows) = propagation.outputs();
    cross_entropy[static_cast<size_t>(block)] =
        CrossEntropySum<float>(cost, propagation.logits(), examples.labels);
    std::copy(examples.labels.begin(), examples.labels.end(), labels.begin() + begin);
  });

  if (skipped) return std::nullopt;
  // Summed in block order: the same bits with any number of threads.
  const double sum = std::accumulate(cross_entropy.begin(), cross_entropy.end(), 0.0);
  Evaluation evaluation =
      Evaluate(outputs, labels, sum / static_cast<double>(rows.size()), options);
  for (WorstExample& worst : evaluation.worst) worst.row = rows[static_cast<size_t>(worst.row)];
  return evaluation;
}

Evaluation EvaluateRows(const NetworkF& network, CostKind cost, const FeatureScaler& scaler,
                        const Dataset& dataset, absl::Span<const int64_t> rows, ThreadPool& pool,
                        const EvaluationOptions& options) {
  return *TryEvaluateRows(network, cost, scaler, dataset, rows, pool, nullptr, options);
}

}  // namespace mlp
