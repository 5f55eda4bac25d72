#include "core/train/objective.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <numeric>
#include <type_traits>
#include <utility>

#include "core/nn/vector_math.h"
#include "core/train/block_inputs.h"
#include "core/train/row_blocks.h"

namespace mlp {
namespace {

// Entries of Theta that one thread sums at a time: they stay in its L1 cache.
constexpr int64_t kRange = 2048;

// Entries of Theta that lie together, all of them weights or biases.
struct ParameterRange {
  int64_t begin;
  int64_t size;
  bool is_penalized;  // biases are not
};

std::vector<ParameterRange> RangesOf(const ParameterLayout& layout) {
  std::vector<ParameterRange> ranges;
  for (const ParameterLayout::Layer& layer : layout.layers) {
    for (int64_t begin = layer.weights; begin < layer.biases; begin += kRange) {
      ranges.push_back({begin, std::min(kRange, layer.biases - begin), true});
    }
    ranges.push_back({layer.biases, layer.outputs, false});
  }
  return ranges;
}

// Blocks whose gradients are kept until they are added up: as many as have room in 4 MiB, one a
// thread at least, as many for each thread.
constexpr int64_t kGradientsAtOnce = int64_t{1} << 20;

int BlocksAtOnce(int64_t parameters, int blocks, int threads) {
  const auto fit = static_cast<int>(std::min<int64_t>(kGradientsAtOnce / parameters, blocks));
  if (fit == blocks) return blocks;
  return std::min(std::max(fit / threads, 1) * threads, blocks);
}

void AddTo(const float* terms, double* sum, int64_t count) { VectorAddTo(terms, sum, count); }
void AddTo(const double* terms, double* sum, int64_t count) {
  VectorMap<double>(sum, count) += ConstVectorMap<double>(terms, count);
}

// Whole rows in double, for checks: all are kept.
class InputsInDouble {
 public:
  InputsInDouble(const PartRows& rows, const RowBlocks& blocks, const ParameterLayout::Layer&,
                 ThreadPool&)
      : blocks_(blocks) {
    MatrixF scaled(rows.count, rows.features);
    rows.copy(0, rows.count, scaled.data());
    rows_ = scaled.cast<double>();
  }

  void SetWeights(const double*, ThreadPool&) {}

  template <typename Use>
  double With(int block, int, const Use& use) const {
    return use(rows_.row(blocks_.begin(block)).data());
  }

 private:
  const RowBlocks& blocks_;
  Matrix<double> rows_;
};

template <typename Scalar>
using InputsOf = std::conditional_t<std::is_same_v<Scalar, float>, BlockInputs, InputsInDouble>;

}  // namespace

template <typename Scalar>
struct Objective<Scalar>::State {
  State(const Topology& topology, CostKind cost_kind, double lambda_value, PartRows part,
        ThreadPool& thread_pool)
      : layout(topology),
        cost(cost_kind),
        lambda(lambda_value),
        rows(std::move(part)),
        pool(thread_pool),
        blocks(topology, rows.count),
        ranges(RangesOf(layout)),
        inputs(rows, blocks, layout.layers[0], pool),
        theta(layout.size),
        costs(static_cast<size_t>(blocks.count())),
        squares(ranges.size()) {
    workers.reserve(static_cast<size_t>(pool.threads()));
    for (int i = 0; i < pool.threads(); ++i) workers.emplace_back(topology, blocks.max_rows());
  }

  // Takes the memory that only gradients need: here, where the caller can handle its absence, and
  // not on a pool thread, where it would end the process.
  void PrepareGradients() {
    if (!block_gradients.empty()) return;
    for (Propagation<Scalar>& worker : workers) worker.PrepareBackward();
    block_gradients.assign(
        static_cast<size_t>(BlocksAtOnce(layout.size, blocks.count(), pool.threads())),
        Vector<Scalar>::Zero(layout.size));
  }

  // Weighted sum of the cross-entropy of a block, computed by `worker`; its summed gradient goes to
  // `gradient`, where not null.
  double EvaluateBlock(int block, int worker, Scalar* gradient) {
    const auto begin = static_cast<size_t>(blocks.begin(block));
    const auto count = static_cast<size_t>(blocks.rows(block));
    typename Propagation<Scalar>::Targets targets;
    targets.labels = absl::MakeConstSpan(rows.labels).subspan(begin, count);
    if (!rows.weights.empty()) {
      targets.weights = absl::MakeConstSpan(rows.weights).subspan(begin, count);
    }
    Propagation<Scalar>& propagation = workers[static_cast<size_t>(worker)];
    return inputs.With(block, worker, [&](auto&& block_inputs) {
      propagation.Forward(theta.data(), block_inputs, static_cast<int>(count));
      if (gradient != nullptr) {
        return propagation.Backward(theta.data(), block_inputs, targets, cost, gradient);
      }
      return CrossEntropySum<Scalar>(cost, propagation.logits(), targets.labels, targets.weights);
    });
  }

  // gradient += the first `count` of block_gradients, in that order.
  void AddBlocks(const ParameterRange& range, int count, double* gradient) const {
    for (int i = 0; i < count; ++i) {
      AddTo(block_gradients[static_cast<size_t>(i)].data() + range.begin, gradient + range.begin,
            range.size);
    }
  }

  // Makes of the summed gradient, where not null, that of J: its mean and lambda / m * Theta
  // without biases. Returns the sum of Theta^2 without biases.
  double Regularize(const ParameterRange& range, double* gradient) const {
    const auto m = static_cast<double>(rows.count);
    VectorMap<double> slope(gradient == nullptr ? nullptr : gradient + range.begin,
                            gradient == nullptr ? 0 : range.size);
    slope /= m;
    if (lambda == 0.0 || !range.is_penalized) return 0.0;
    const auto values = theta.segment(range.begin, range.size).template cast<double>();
    if (gradient != nullptr) slope += lambda / m * values;
    return values.squaredNorm();
  }

  bool IsInterrupted() const { return interrupted && interrupted(); }

  const ParameterLayout layout;
  const CostKind cost;
  const double lambda;
  const PartRows rows;
  ThreadPool& pool;
  const RowBlocks blocks;
  const std::vector<ParameterRange> ranges;
  InputsOf<Scalar> inputs;
  Vector<Scalar> theta;
  std::vector<Propagation<Scalar>> workers;     // one a thread
  std::vector<Vector<Scalar>> block_gradients;  // of the blocks computed at once; empty before
  std::vector<double> costs;                    // by block
  std::vector<double> squares;                  // by range
  std::function<bool()> interrupted;
};

template <typename Scalar>
Objective<Scalar>::Objective(const Topology& topology, CostKind cost, double lambda, PartRows rows,
                             ThreadPool& pool) {
  assert(rows.count >= 1);
  state_ = std::make_unique<State>(topology, cost, lambda, std::move(rows), pool);
}

template <typename Scalar>
Objective<Scalar>::Objective(const Topology& topology, CostKind cost, double lambda,
                             Examples examples, ThreadPool& pool)
    : Objective(topology, cost, lambda, RowsOf(std::move(examples)), pool) {}

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
  state.inputs.SetWeights(state.theta.data(), state.pool);
  const int blocks = state.blocks.count();
  if (gradient != nullptr) state.PrepareGradients();
  const int at_once = gradient == nullptr ? blocks : static_cast<int>(state.block_gradients.size());
  for (int first = 0; first < blocks; first += at_once) {
    const int count = std::min(at_once, blocks - first);
    state.pool.ParallelFor(count, [&](int index, int worker) {
      Scalar* const to =
          gradient == nullptr ? nullptr : state.block_gradients[static_cast<size_t>(index)].data();
      state.costs[static_cast<size_t>(first + index)] =
          state.IsInterrupted() ? std::numeric_limits<double>::quiet_NaN()
                                : state.EvaluateBlock(first + index, worker, to);
    });
    const bool is_last = first + count == blocks;
    state.pool.ParallelFor(static_cast<int>(state.ranges.size()), [&](int index, int) {
      const ParameterRange& range = state.ranges[static_cast<size_t>(index)];
      if (gradient != nullptr) {
        if (first == 0) std::fill_n(gradient + range.begin, range.size, 0.0);
        state.AddBlocks(range, count, gradient);
      }
      if (is_last) state.squares[static_cast<size_t>(index)] = state.Regularize(range, gradient);
    });
  }

  const auto rows = static_cast<double>(state.rows.count);
  const double cost = std::accumulate(state.costs.begin(), state.costs.end(), 0.0);
  const double squares = std::accumulate(state.squares.begin(), state.squares.end(), 0.0);
  return (cost + 0.5 * state.lambda * squares) / rows;
}

template class Objective<float>;
template class Objective<double>;

}  // namespace mlp
