#include "core/train/mini_batch_step.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "core/nn/activation.h"
#include "core/train/dense_layer_step.h"
#include "core/train/output_step.h"
#include "core/train/sparse_layer_step.h"

namespace mlp {
namespace {

PenaltyOptions PenaltiesOf(const TrainingConfig& config, int64_t training_rows) {
  const auto m = static_cast<double>(training_rows);
  return {.l2 = static_cast<float>(config.lambda / m),
          .l1 = static_cast<float>(config.regularization.l1 / m)};
}

int64_t UnitsOf(const Topology& topology, size_t layer) {
  return layer == 0 ? topology.inputs : topology.layers[layer - 1].units;
}

}  // namespace

class MiniBatchStep::Impl {
 public:
  Impl(const TrainingConfig& config, int64_t training_rows, ThreadPool& pool,
       const TileKernel& kernel, int64_t fewest_for_threads)
      : config_(config),
        layout_(config.topology),
        penalties_(PenaltiesOf(config, training_rows)),
        pool_(pool),
        fewest_for_threads_(fewest_for_threads),
        output_(config.cost, config.topology.outputs(), kernel),
        scratch_(static_cast<size_t>(pool.threads())) {
    Activation below = Activation::kIdentity;
    for (size_t l = 0; l < layout_.layers.size(); ++l) {
      const LayerSpec& units = config_.topology.layers[l];
      const bool is_output = l + 1 == layout_.layers.size();
      layers_.emplace_back(layout_.layers[l], is_output ? nullptr : &units, below, kernel);
      squares_.emplace_back(static_cast<size_t>(units.units));
      below = units.activation;
    }
    for (size_t l = 0; l <= layers_.size(); ++l) {
      values_.emplace_back(UnitsOf(config_.topology, l), config_.optimizer.batch_size, kernel.panel,
                           /*has_delta=*/l > 0);
    }
    if (SparseLayerStep::Supports(kernel)) {
      const bool is_output = layers_.size() == 1;
      sparse_ = std::make_unique<SparseLayerStep>(layout_.layers[0],
                                                  is_output ? nullptr : &config_.topology.layers[0],
                                                  config_.optimizer, kernel.panel);
    }
    if (Clips()) gradient_.resize(layout_.size);
  }

  MiniBatchState Start(VectorF theta) const {
    assert(theta.size() == layout_.size);
    MiniBatchState state;
    state.velocity = VectorF::Zero(layout_.size);
    if (UpdateRule::HasMeanSquare(config_.optimizer.kind)) {
      state.mean_square = VectorF::Zero(layout_.size);
    }
    state.theta = std::move(theta);
    return state;
  }

  MiniBatchStepResult Run(const MiniBatch& batch, double learning_rate, MiniBatchState& state) {
    const auto rows = static_cast<int64_t>(batch.labels.size());
    assert(rows >= 1 && rows <= config_.optimizer.batch_size);
    for (LayerValues& values : values_) values.Resize(rows);
    dropouts_.clear();
    for (size_t l = 0; l < layers_.size(); ++l) dropouts_.push_back(DropoutOf(l, state.steps));

    LoadInputs(batch, state);
    threads_pay_ = Multiplications() >= fewest_for_threads_;
    const float* theta = state.theta.data();
    for (size_t l = 0; l < layers_.size(); ++l) Forward(l, theta);
    MiniBatchStepResult result;
    result.cost_sum = Output(batch);
    for (size_t l = layers_.size(); --l > 0;) Backward(l, theta);
    result.gradient_norm = Update(learning_rate, state);
    return result;
  }

  void Settle(MiniBatchState& state) {
    if (sparse_ == nullptr || sparse_->StoreTasks() == 0) return;
    pool_.ParallelFor(sparse_->StoreTasks(), [&](int task, int) { sparse_->Store(task, state); });
    sparse_->StoreDone();
  }

 private:
  void ForEach(int tasks, absl::FunctionRef<void(int task, int worker)> body) {
    threads_pay_ ? pool_.ParallelFor(tasks, body) : pool_.SerialFor(tasks, body);
  }

  // Multiplications of an input and a weight in the step, forwards.
  int64_t Multiplications() const {
    const int64_t rows = values_[0].rows();
    const int64_t inputs =
        is_sparse_ ? sparse_->non_zeros() : rows * int64_t{config_.topology.inputs};
    int64_t sum = 0;
    for (const ParameterLayout::Layer& layer : layout_.layers) {
      const bool is_first = &layer == layout_.layers.data();
      sum += (is_first ? inputs : rows * layer.inputs) * layer.outputs;
    }
    return sum;
  }

  bool Clips() const { return config_.optimizer.max_gradient_norm > 0.0; }

  // Layer 0 is the inputs.
  Dropout DropoutOf(size_t layer, int64_t step) const {
    const RegularizationOptions& options = config_.regularization;
    const double share = layer == 0                       ? options.input_dropout
                         : layer > options.dropout.size() ? 0.0
                                                          : options.dropout[layer - 1];
    return Dropout(share, config_.seed, step, static_cast<int64_t>(layer));
  }

  // Also chooses how the first layer goes about its step.
  void LoadInputs(const MiniBatch& batch, MiniBatchState& state) {
    const Dropout& dropout = dropouts_[0];
    is_sparse_ = sparse_ != nullptr && sparse_->Pays(batch.inputs, values_[0].rows(), dropout);
    if (is_sparse_) {
      sparse_->Begin(values_[0].rows(), state);
      ForEach(sparse_->LoadTasks(),
              [&](int task, int) { sparse_->Load(task, batch.inputs, dropout, state); });
    } else {
      Settle(state);
      ForEach(values_[0].tasks(),
              [&](int task, int) { values_[0].Copy(task, batch.inputs, dropout); });
    }
  }

  LayerStep& Layer(size_t l) {
    if (l == 0 && is_sparse_) return *sparse_;
    return layers_[l];
  }

  // Through layer `l` of weights; beside it the activations that come in are transposed, as the
  // gradient will need them.
  void Forward(size_t l, const float* theta) {
    LayerValues& below = values_[l];
    LayerValues& above = values_[l + 1];
    const bool is_output = l + 1 == layers_.size();
    // No dropout of outputs.
    const Dropout& dropout = is_output ? kNoDropout : dropouts_[l + 1];
    LayerStep& layer = Layer(l);
    const int tasks = layer.ForwardTasks(below.rows());
    const int transpositions = l == 0 ? 0 : below.tasks();
    ForEach(tasks + transpositions, [&](int task, int worker) {
      if (task < tasks) {
        layer.Forward(task, theta, below, dropout, above, Scratch(worker));
      } else {
        below.Transpose(task - tasks);
      }
    });
  }

  double Output(const MiniBatch& batch) {
    costs_.assign(static_cast<size_t>(values_.back().by_unit.count()), 0.0);
    ForEach(static_cast<int>(costs_.size()), [&](int panel, int worker) {
      costs_[static_cast<size_t>(panel)] =
          output_.Run(panel, batch.labels, batch.weights, values_.back(), Scratch(worker));
    });
    double sum = 0.0;
    for (const double cost : costs_) sum += cost;
    return sum;
  }

  void Backward(size_t l, const float* theta) {
    LayerValues& below = values_[l];
    ForEach(layers_[l].BackwardTasks(below.rows()), [&](int task, int worker) {
      layers_[l].Backward(task, theta, values_[l + 1], dropouts_[l], below, Scratch(worker));
    });
  }

  // Calls visit(l, task of layer l, worker) for the update tasks of all layers: the first layer's,
  // which are most often the largest, first.
  template <typename Visit>
  void ForEachUpdateTask(const Visit& visit) {
    int tasks = 0;
    for (size_t l = 0; l < layers_.size(); ++l) tasks += Layer(l).UpdateTasks();
    ForEach(tasks, [&](int task, int worker) {
      size_t l = 0;
      for (; task >= Layer(l).UpdateTasks(); ++l) task -= Layer(l).UpdateTasks();
      visit(l, task, worker);
    });
  }

  // Returns the gradient's norm.
  double Update(double learning_rate, MiniBatchState& state) {
    ++state.steps;
    const UpdatePlan plan = {
        .penalties = penalties_,
        .rule = UpdateRule(config_.optimizer, learning_rate, state.steps),
        .max_norm = static_cast<float>(config_.regularization.max_norm),
        .theta = state.theta.data(),
        .velocity = state.velocity.data(),
        .mean_square = state.mean_square.size() == 0 ? nullptr : state.mean_square.data()};
    ForEachUpdateTask([&](size_t l, int task, int worker) {
      const LayerValues& above = values_[l + 1];
      double* const squares = squares_[l].data();
      if (Clips()) {
        Layer(l).Gradient(task, above, values_[l], plan, gradient_.data(), Scratch(worker),
                          squares);
      } else {
        Layer(l).GradientAndUpdate(task, above, values_[l], plan, Scratch(worker), squares);
      }
    });
    const double norm = GradientNorm();
    if (Clips()) {
      const double limit = config_.optimizer.max_gradient_norm;
      const auto scale = static_cast<float>(norm > limit ? limit / norm : 1.0);
      ForEachUpdateTask([&](size_t l, int task, int worker) {
        Layer(l).Update(task, plan, gradient_.data(), scale, Scratch(worker));
      });
    }
    return norm;
  }

  double GradientNorm() const {
    double sum = 0.0;
    for (const std::vector<double>& of_layer : squares_) {
      for (const double square : of_layer) sum += square;
    }
    return std::sqrt(sum);
  }

  TileScratch& Scratch(int worker) { return scratch_[static_cast<size_t>(worker)]; }

  const Dropout kNoDropout = Dropout(0.0, 0, 0, 0);

  const TrainingConfig config_;
  const ParameterLayout layout_;
  const PenaltyOptions penalties_;
  ThreadPool& pool_;
  const int64_t fewest_for_threads_;
  const OutputStep output_;
  std::vector<DenseLayerStep> layers_;
  std::unique_ptr<SparseLayerStep> sparse_;  // the first layer's; null where there is none
  std::vector<LayerValues> values_;          // the inputs', then one a layer
  std::vector<TileScratch> scratch_;         // one a thread
  VectorF gradient_;  // [layout.size] where it may have to be clipped, else empty
  // Of the step that is made.
  std::vector<Dropout> dropouts_;  // the inputs', then one a hidden layer
  bool is_sparse_ = false;
  bool threads_pay_ = false;                  // of the step before, until its inputs are loaded
  std::vector<double> costs_;                 // by panel of rows
  std::vector<std::vector<double>> squares_;  // of the gradient, by layer and unit
};

MiniBatchStep::MiniBatchStep(const TrainingConfig& config, int64_t training_rows, ThreadPool& pool,
                             const TileKernel& kernel, int64_t fewest_for_threads)
    : impl_(std::make_unique<Impl>(config, training_rows, pool, kernel, fewest_for_threads)) {}
MiniBatchStep::~MiniBatchStep() = default;

MiniBatchState MiniBatchStep::Start(VectorF theta) const { return impl_->Start(std::move(theta)); }

MiniBatchStepResult MiniBatchStep::Run(const MiniBatch& batch, double learning_rate,
                                       MiniBatchState& state) {
  return impl_->Run(batch, learning_rate, state);
}

void MiniBatchStep::Settle(MiniBatchState& state) { impl_->Settle(state); }

int64_t MiniBatchStep::Bytes(const TrainingConfig& config, int threads, const TileKernel& kernel) {
  int64_t bytes = 0;
  for (size_t l = 0; l <= config.topology.layers.size(); ++l) {
    bytes += LayerValues::Bytes(UnitsOf(config.topology, l), config.optimizer.batch_size,
                                kernel.panel, /*has_delta=*/l > 0);
  }
  int64_t scratch = DenseLayerStep::ScratchFloats(kernel);
  if (SparseLayerStep::Supports(kernel)) {
    const int64_t most_rows = config.optimizer.batch_size;
    bytes += SparseLayerStep::Bytes(ParameterLayout(config.topology).layers[0], config.optimizer);
    scratch = std::max(scratch, SparseLayerStep::ScratchFloats(most_rows, kernel.panel));
  }
  int64_t floats = threads * scratch;
  if (config.optimizer.max_gradient_norm > 0.0) floats += ParameterCount(config.topology);
  return bytes + floats * static_cast<int64_t>(sizeof(float));
}

}  // namespace mlp
