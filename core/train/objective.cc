#include "core/train/objective.h"

#include <atomic>
#include <cassert>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/nn/vector_math.h"
#include "core/train/row_blocks.h"
#include "core/train/sparse_inputs.h"

namespace mlp {
namespace {

void AddTo(const Vector<float>& terms, double* sum) {
  VectorAddTo(terms.data(), sum, terms.size());
}
void AddTo(const Vector<double>& terms, double* sum) {
  VectorMap<double>(sum, terms.size()) += terms;
}

}  // namespace

template <typename Scalar>
struct Objective<Scalar>::State {
  // Scratch memory of one thread.
  struct Worker {
    Propagation<Scalar> propagation;
    Vector<Scalar> gradient;  // of one block
    PropagationScratch scratch = {};
  };

  State(const Topology& topology, CostKind cost_kind, double lambda_value, Examples all_examples,
        ThreadPool& thread_pool)
      : layout(topology),
        cost(cost_kind),
        lambda(lambda_value),
        labels(std::move(all_examples.labels)),
        weights(std::move(all_examples.weights)),
        pool(thread_pool),
        blocks(topology, all_examples.rows()),
        theta(layout.size) {
    if constexpr (std::is_same_v<Scalar, float>) {
      if (SparseInputs::Pay(all_examples.features)) {
        sparse.emplace(all_examples.features, blocks, layout.layers[0], pool);
      } else {
        features = std::move(all_examples.features);
      }
    } else {
      features = all_examples.features.template cast<Scalar>();
    }
    workers.reserve(static_cast<size_t>(pool.threads()));
    for (int i = 0; i < pool.threads(); ++i) {
      workers.push_back(
          {Propagation<Scalar>(topology, blocks.max_rows()), Vector<Scalar>(layout.size)});
      // Here, where the caller can handle it, and not on a pool thread, where memory that cannot be
      // had would end the process.
      workers.back().propagation.PrepareBackward();
    }
  }

  // Weighted sum of the cross-entropy of a block; where `with_gradient`, its summed gradient goes
  // to worker.
  double EvaluateBlock(int block, Worker& worker, bool with_gradient) const {
    const int64_t begin = blocks.begin(block);
    const int rows = blocks.rows(block);
    typename Propagation<Scalar>::Targets targets;
    targets.labels =
        absl::MakeConstSpan(labels).subspan(static_cast<size_t>(begin), static_cast<size_t>(rows));
    if (!weights.empty()) {
      targets.weights = absl::MakeConstSpan(weights).subspan(static_cast<size_t>(begin),
                                                             static_cast<size_t>(rows));
    }
    if constexpr (std::is_same_v<Scalar, float>) {
      if (sparse.has_value()) {
        SparseInputs::Block inputs(*sparse, block, worker.scratch);
        return EvaluateInputs(inputs, targets, worker, with_gradient);
      }
    }
    return EvaluateInputs(features.row(begin).data(), targets, worker, with_gradient);
  }

  template <typename Inputs>
  double EvaluateInputs(Inputs&& inputs, const typename Propagation<Scalar>::Targets& targets,
                        Worker& worker, bool with_gradient) const {
    worker.propagation.Forward(theta.data(), inputs, static_cast<int>(targets.labels.size()));
    if (with_gradient) {
      return worker.propagation.Backward(theta.data(), inputs, targets, cost,
                                         worker.gradient.data());
    }
    return CrossEntropySum<Scalar>(cost, worker.propagation.logits(), targets.labels,
                                   targets.weights);
  }

  // Adds the penalty's gradient lambda / m * Theta to `gradient`, where not null, and returns
  // lambda / (2 m) * sum(Theta^2), both without biases.
  double Regularize(double* gradient) const {
    if (lambda == 0.0) return 0.0;
    const double scale = lambda / static_cast<double>(labels.size());
    double sum = 0.0;
    for (const ParameterLayout::Layer& layer : layout.layers) {
      const int64_t count = layer.biases - layer.weights;
      const auto values = theta.segment(layer.weights, count).template cast<double>();
      sum += values.squaredNorm();
      if (gradient != nullptr) {
        VectorMap<double>(gradient + layer.weights, count) += scale * values;
      }
    }
    return 0.5 * scale * sum;
  }

  bool IsInterrupted() const { return interrupted && interrupted(); }

  const ParameterLayout layout;
  const CostKind cost;
  const double lambda;
  const std::vector<int32_t> labels;
  const std::vector<float> weights;  // empty: all 1
  ThreadPool& pool;
  const RowBlocks blocks;
  // One of the two.
  Matrix<Scalar> features;
  std::optional<SparseInputs> sparse;
  Vector<Scalar> theta;
  std::vector<Worker> workers;
  std::function<bool()> interrupted;
};

template <typename Scalar>
Objective<Scalar>::Objective(const Topology& topology, CostKind cost, double lambda,
                             Examples examples, ThreadPool& pool) {
  assert(examples.rows() >= 1);
  state_ = std::make_unique<State>(topology, cost, lambda, std::move(examples), pool);
}

template <typename Scalar>
Objective<Scalar>::~Objective() = default;

template <typename Scalar>
int64_t Objective<Scalar>::size() const {
  return state_->layout.size;
}

template <typename Scalar>
void Objective<Scalar>::InterruptWhen(std::function<bool()> interrupted) {
  state_->interrupted = std::move(interrupted);
}

template <typename Scalar>
double Objective<Scalar>::Evaluate(const double* theta, double* gradient) {
  State& state = *state_;
  state.theta = ConstVectorMap<double>(theta, size()).template cast<Scalar>();
  if (state.sparse.has_value()) {
    if constexpr (std::is_same_v<Scalar, float>) {
      state.sparse->SetWeights(state.theta.data(), state.pool);
    }
  }
  VectorMap<double> total_gradient(gradient, gradient == nullptr ? 0 : size());
  total_gradient.setZero();
  double total_cost = 0.0;

  // The block whose turn it is to be added. Blocks are handed out in rising order, so the thread
  // that has it is at work and never waits for one behind it.
  std::atomic<int> turn = 0;
  state.pool.ParallelFor(state.blocks.count(), [&](int block, int index) {
    typename State::Worker& worker = state.workers[static_cast<size_t>(index)];
    const bool skip = state.IsInterrupted();
    const double cost = skip ? std::numeric_limits<double>::quiet_NaN()
                             : state.EvaluateBlock(block, worker, gradient != nullptr);
    for (int current = turn.load(std::memory_order_acquire); current != block;
         current = turn.load(std::memory_order_acquire)) {
      turn.wait(current, std::memory_order_acquire);
    }
    total_cost += cost;
    if (gradient != nullptr && !skip) AddTo(worker.gradient, gradient);
    turn.store(block + 1, std::memory_order_release);
    turn.notify_all();
  });

  const auto rows = static_cast<double>(state.labels.size());
  total_gradient /= rows;
  return total_cost / rows + state.Regularize(gradient);
}

template class Objective<float>;
template class Objective<double>;

}  // namespace mlp
