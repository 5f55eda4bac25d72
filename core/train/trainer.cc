#include "core/train/trainer.h"

#include <optional>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "core/nn/initialization.h"
#include "core/train/full_batch_training.h"
#include "core/train/mini_batch_training.h"
#include "core/train/start_check.h"
#include "core/train/training_data.h"

namespace mlp {
namespace {

// "sigmoid-softmax", a layer after the other.
std::string ActivationNames(const Topology& topology) {
  std::string names;
  for (const LayerSpec& layer : topology.layers) {
    absl::StrAppend(&names, names.empty() ? "" : "-", ActivationName(layer.activation));
  }
  return names;
}

Vector<double> StartWeights(const TrainingConfig& config, const WarmStart* start) {
  if (start != nullptr) return start->network.parameters.cast<double>();
  return InitialParameters(config.topology, config.initialization, config.seed);
}

// Where it is asked for, the relative error of the gradient; nothing where it was cancelled.
absl::StatusOr<std::optional<double>> CheckGradient(const TrainingConfig& config,
                                                    const TrainingData& data,
                                                    const TrainingContext& context) {
  if (!config.check_gradient) return std::nullopt;
  const absl::Span<const int64_t> rows = data.split.training;
  const Examples examples = GatherPart(data, rows.subspan(0, kGradientCheckRows));
  const absl::StatusOr<double> error = CheckGradientAtStart(
      config, StartWeights(config, context.start), examples, context.pool, context.stop);
  if (error.ok()) return *error;
  // Cancelled: the training sees the same request and makes an outcome of it.
  if (absl::IsCancelled(error.status())) return std::nullopt;
  return error.status();
}

TrainedWeights RunTraining(const TrainingConfig& config, const TrainingData& data,
                           const TrainingContext& context) {
  if (OnMiniBatches(config.optimizer.kind)) {
    VectorF start = StartWeights(config, context.start).cast<float>();
    return TrainOnMiniBatches(config, data, std::move(start), context);
  }
  return TrainFullBatch(config, data, StartWeights(config, context.start), context);
}

}  // namespace

absl::Status ValidateForDataset(const TrainingConfig& config, const DatasetSchema& schema) {
  MLP_RETURN_IF_ERROR(ValidateTrainingConfig(config));
  if (config.topology.inputs != schema.features) {
    return absl::FailedPreconditionError(absl::StrCat("network.layers: expected ", schema.features,
                                                      " inputs, as dataset has features, got ",
                                                      config.topology.inputs));
  }
  if (config.topology.outputs() != schema.classes()) {
    return absl::FailedPreconditionError(absl::StrCat("network.layers: expected ", schema.classes(),
                                                      " outputs, as dataset has classes, got ",
                                                      config.topology.outputs()));
  }
  return ValidateAugmentation(config.augmentation, schema.image);
}

absl::Status ValidateWarmStart(const TrainingConfig& config, const WarmStart& warm_start) {
  const Topology& topology = config.topology;
  const Topology& start = warm_start.network.topology;
  if (start == topology) return absl::OkStatus();
  const auto error = [](absl::string_view what, absl::string_view expected, absl::string_view got) {
    return absl::FailedPreconditionError(
        absl::StrCat("initial_model: expected ", what, " ", expected, ", got ", got));
  };
  if (TopologyName(start) != TopologyName(topology)) {
    return error("layers", TopologyName(topology), TopologyName(start));
  }
  return error("activations", ActivationNames(topology), ActivationNames(start));
}

absl::StatusOr<TrainingOutcome> Train(const Dataset& dataset, const TrainingConfig& config,
                                      const TrainingContext& context) {
  MLP_RETURN_IF_ERROR(ValidateForDataset(config, dataset.schema));
  MLP_ASSIGN_OR_RETURN(Split split,
                       SplitRows(dataset.labels, dataset.schema.classes(), config.split));
  return TrainOnSplit(dataset, std::move(split), config, context);
}

absl::StatusOr<TrainingOutcome> TrainOnSplit(const Dataset& dataset, Split split,
                                             const TrainingConfig& config,
                                             const TrainingContext& context) {
  MLP_RETURN_IF_ERROR(ValidateForDataset(config, dataset.schema));
  if (context.start != nullptr) {
    MLP_RETURN_IF_ERROR(ValidateWarmStart(config, *context.start));
  }
  MLP_RETURN_IF_ERROR(CheckExampleWeights(dataset, split.training));
  const TrainingData data = PrepareData(dataset, std::move(split), config, context.start);
  TrainingOutcome outcome;
  MLP_ASSIGN_OR_RETURN(outcome.gradient_check_error, CheckGradient(config, data, context));
  TrainedWeights trained = RunTraining(config, data, context);
  outcome.reason = trained.reason;
  outcome.message = std::move(trained.message);
  outcome.network = {.topology = config.topology, .parameters = std::move(trained.theta)};
  outcome.scaler = data.scaler;
  outcome.iterations = trained.iterations;
  outcome.best_iteration = trained.best_iteration;
  outcome.initial_cost = trained.initial_cost;
  outcome.final_cost = trained.final_cost;
  outcome.seconds = trained.seconds;
  if (outcome.reason == StopReason::kCancelled || outcome.reason == StopReason::kDiverged) {
    return outcome;
  }
  const auto evaluate = [&](const std::vector<int64_t>& rows) -> std::optional<Evaluation> {
    if (rows.empty()) return std::nullopt;
    return TryEvaluateRows(outcome.network, config.cost, outcome.scaler, dataset, rows,
                           context.pool, [&context] { return context.stop.stop_requested(); });
  };
  outcome.training = evaluate(data.split.training);
  outcome.validation = evaluate(data.split.validation);
  outcome.test = evaluate(data.split.test);
  if (context.stop.stop_requested()) {
    outcome.reason = StopReason::kCancelled;
    outcome.message = "cancelled while the trained network was evaluated";
    outcome.training = outcome.validation = outcome.test = std::nullopt;
  }
  return outcome;
}

}  // namespace mlp
