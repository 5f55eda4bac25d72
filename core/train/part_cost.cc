#include "core/train/part_cost.h"

#include <limits>
#include <numeric>

#include "core/nn/network.h"

namespace mlp {

PartCost::PartCost(const TrainingConfig& config, const TrainingData& data,
                   absl::Span<const int64_t> rows, ThreadPool& pool)
    : cost_(config.cost),
      data_(data),
      rows_(rows),
      pool_(pool),
      blocks_(config.topology, static_cast<int64_t>(rows.size())) {
  workers_.reserve(static_cast<size_t>(pool.threads()));
  for (int i = 0; i < pool.threads(); ++i) {
    workers_.emplace_back(config.topology, blocks_.max_rows());
  }
}

double PartCost::Evaluate(const float* theta, const std::function<bool()>& interrupted) {
  std::vector<double> sums(static_cast<size_t>(blocks_.count()));
  pool_.ParallelFor(blocks_.count(), [&](int block, int worker) {
    double& sum = sums[static_cast<size_t>(block)];
    if (interrupted && interrupted()) {
      sum = std::numeric_limits<double>::quiet_NaN();
      return;
    }
    const int rows = blocks_.rows(block);
    const Examples examples = GatherPart(
        data_, rows_.subspan(static_cast<size_t>(blocks_.begin(block)), static_cast<size_t>(rows)));
    Propagation<float>& propagation = workers_[static_cast<size_t>(worker)];
    propagation.Forward(theta, examples.features.data(), rows);
    sum = CrossEntropySum<float>(cost_, propagation.logits(), examples.labels, examples.weights);
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(rows_.size());
}

double Penalty(const TrainingConfig& config, int64_t training_rows, const VectorF& theta) {
  const double lambda = config.lambda;
  const double l1 = config.regularization.l1;
  if (lambda == 0.0 && l1 == 0.0) return 0.0;
  double squares = 0.0;
  double absolutes = 0.0;
  for (const ParameterLayout::Layer& layer : ParameterLayout(config.topology).layers) {
    const auto weights = theta.segment(layer.weights, layer.biases - layer.weights).cast<double>();
    squares += weights.squaredNorm();
    absolutes += weights.lpNorm<1>();
  }
  return (0.5 * lambda * squares + l1 * absolutes) / static_cast<double>(training_rows);
}

}  // namespace mlp
