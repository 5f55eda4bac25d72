#include "core/train/search_parameters.h"

#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

namespace mlp {
namespace {

struct Parameter {
  const char* name;
  bool whole_number;
  // Null: every training has it; else `users` says which have.
  bool (*is_used)(const TrainingConfig& config);
  const char* users;
  void (*set)(double value, TrainingConfig& config);
};

bool HasHiddenLayer(const TrainingConfig& config) { return config.topology.layers.size() > 1; }

bool UsesMiniBatches(const TrainingConfig& config) { return OnMiniBatches(config.optimizer.kind); }

bool IsSgd(const TrainingConfig& config) { return config.optimizer.kind == OptimizerKind::kSgd; }

bool HasWeightDecay(const TrainingConfig& config) {
  return IsSgd(config) || config.optimizer.kind == OptimizerKind::kAdamW;
}

bool HasDropout(const TrainingConfig& config) {
  return UsesMiniBatches(config) && HasHiddenLayer(config);
}

void SetDropout(double share, TrainingConfig& config) {
  config.regularization.dropout.assign(config.topology.layers.size() - 1, share);
}

void SetHiddenUnits(double units, TrainingConfig& config) {
  for (size_t l = 0; l + 1 < config.topology.layers.size(); ++l) {
    config.topology.layers[l].units = static_cast<int>(units);
  }
}

constexpr char kMiniBatchOptimizers[] = "mini-batch optimizers (SGD, ADAM and ADAMW)";

constexpr Parameter kParameters[] = {
    {"lambda", false, nullptr, "", [](double v, TrainingConfig& c) { c.lambda = v; }},
    {"optimizer.learning_rate", false, UsesMiniBatches, kMiniBatchOptimizers,
     [](double v, TrainingConfig& c) { c.optimizer.learning_rate = v; }},
    {"optimizer.batch_size", true, UsesMiniBatches, kMiniBatchOptimizers,
     [](double v, TrainingConfig& c) { c.optimizer.batch_size = static_cast<int>(v); }},
    {"optimizer.momentum", false, IsSgd, "SGD",
     [](double v, TrainingConfig& c) { c.optimizer.momentum = v; }},
    {"optimizer.weight_decay", false, HasWeightDecay, "SGD and ADAMW",
     [](double v, TrainingConfig& c) { c.optimizer.weight_decay = v; }},
    {"regularization.l1", false, UsesMiniBatches, kMiniBatchOptimizers,
     [](double v, TrainingConfig& c) { c.regularization.l1 = v; }},
    {"regularization.dropout", false, HasDropout,
     "networks with a hidden layer under a mini-batch optimizer (SGD, ADAM and ADAMW)", SetDropout},
    {"regularization.max_norm", false, UsesMiniBatches, kMiniBatchOptimizers,
     [](double v, TrainingConfig& c) { c.regularization.max_norm = v; }},
    {"network.hidden_units", true, HasHiddenLayer, "networks with a hidden layer", SetHiddenUnits},
};

const Parameter* Find(absl::string_view name) {
  for (const Parameter& parameter : kParameters) {
    if (name == parameter.name) return &parameter;
  }
  return nullptr;
}

std::string AllNames() {
  std::vector<absl::string_view> names;
  for (const Parameter& parameter : kParameters) names.emplace_back(parameter.name);
  return absl::StrJoin(names, ", ");
}

}  // namespace

bool IsWholeNumberParameter(absl::string_view name) {
  const Parameter* parameter = Find(name);
  return parameter != nullptr && parameter->whole_number;
}

absl::Status CheckParameter(absl::string_view name, const TrainingConfig& config) {
  const Parameter* parameter = Find(name);
  if (parameter == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected one of ", AllNames(), ", got \"", name.substr(0, 64), "\""));
  }
  if (parameter->is_used != nullptr && !parameter->is_used(config)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is a setting of ", parameter->users, " only"));
  }
  return absl::OkStatus();
}

absl::Status SetParameter(absl::string_view name, double value, TrainingConfig& config) {
  const Parameter* parameter = Find(name);
  assert(parameter != nullptr);
  constexpr double kMost = std::numeric_limits<int>::max();
  // Written so that NaN fails.
  if (parameter->whole_number && !(value == std::floor(value) && std::abs(value) <= kMost)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": expected a whole number, got ", value));
  }
  parameter->set(value, config);
  return absl::OkStatus();
}

}  // namespace mlp
