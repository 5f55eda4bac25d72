#include "client/commands/training_flags.h"

#include <cmath>
#include <utility>
#include <vector>

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "client/commands/error_line.h"
#include "client/readers/quote.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

template <typename Value>
struct Choice {
  const char* name;
  Value value;
};

constexpr Choice<v1::Activation> kActivations[] = {{"sigmoid", v1::ACTIVATION_SIGMOID},
                                                   {"tanh", v1::ACTIVATION_TANH},
                                                   {"relu", v1::ACTIVATION_RELU},
                                                   {"identity", v1::ACTIVATION_IDENTITY},
                                                   {"step", v1::ACTIVATION_STEP}};
constexpr Choice<v1::Cost> kCosts[] = {{"sigmoid", v1::COST_SIGMOID_CROSS_ENTROPY},
                                       {"softmax", v1::COST_SOFTMAX_CROSS_ENTROPY}};
constexpr Choice<v1::Initialization> kInitializations[] = {{"uniform", v1::INITIALIZATION_UNIFORM},
                                                           {"glorot", v1::INITIALIZATION_GLOROT},
                                                           {"he", v1::INITIALIZATION_HE}};
constexpr Choice<v1::Scaling> kScalings[] = {{"none", v1::SCALING_NONE},
                                             {"range", v1::SCALING_RANGE},
                                             {"min-max", v1::SCALING_MIN_MAX},
                                             {"standard", v1::SCALING_STANDARD}};
constexpr Choice<v1::OptimizerKind> kOptimizers[] = {{"lbfgs", v1::OPTIMIZER_KIND_LBFGS},
                                                     {"cg", v1::OPTIMIZER_KIND_CONJUGATE_GRADIENT}};
constexpr Choice<v1::DatasetPart> kParts[] = {{"train", v1::DATASET_PART_TRAINING},
                                              {"validation", v1::DATASET_PART_VALIDATION},
                                              {"test", v1::DATASET_PART_TEST},
                                              {"all", v1::DATASET_PART_ALL},
                                              {"training", v1::DATASET_PART_TRAINING}};
constexpr Choice<v1::JobState> kJobStates[] = {{"queued", v1::JOB_STATE_QUEUED},
                                               {"running", v1::JOB_STATE_RUNNING},
                                               {"succeeded", v1::JOB_STATE_SUCCEEDED},
                                               {"failed", v1::JOB_STATE_FAILED},
                                               {"cancelled", v1::JOB_STATE_CANCELLED}};

template <typename Value>
absl::StatusOr<Value> ParseChoice(absl::string_view flag, absl::string_view text,
                                  absl::Span<const Choice<Value>> choices) {
  std::vector<absl::string_view> names;
  for (const Choice<Value>& choice : choices) {
    if (text == choice.name) return choice.value;
    names.emplace_back(choice.name);
  }
  return UsageError(
      flag, absl::StrCat("expected one of ", absl::StrJoin(names, ", "), ", got ", Quote(text)));
}

absl::Status ParseLayers(absl::string_view text, v1::NetworkConfig& network) {
  for (const absl::string_view piece : absl::StrSplit(text, ',')) {
    int32_t units = 0;
    if (!absl::SimpleAtoi(piece, &units) || units < 1) {
      return UsageError("--layers",
                        absl::StrCat("expected units from input to output, such as 400,25,10, got ",
                                     Quote(text)));
    }
    network.add_layers(units);
  }
  if (network.layers_size() < 2) {
    return UsageError("--layers", absl::StrCat("expected at least 2 layers, got ", Quote(text)));
  }
  return absl::OkStatus();
}

absl::Status SetNetwork(const TrainingFlags& flags, v1::NetworkConfig& network) {
  MLP_RETURN_IF_ERROR(ParseLayers(flags.layers, network));
  if (!flags.activation.empty()) {
    for (const absl::string_view name : absl::StrSplit(flags.activation, ',')) {
      MLP_ASSIGN_OR_RETURN(const v1::Activation activation,
                           ParseChoice<v1::Activation>("--activation", name, kActivations));
      network.add_activations(activation);
    }
  }
  if (!flags.cost.empty()) {
    MLP_ASSIGN_OR_RETURN(const v1::Cost cost, ParseChoice<v1::Cost>("--cost", flags.cost, kCosts));
    network.set_cost(cost);
  }
  if (!flags.init.empty()) {
    MLP_ASSIGN_OR_RETURN(const v1::Initialization initialization,
                         ParseChoice<v1::Initialization>("--init", flags.init, kInitializations));
    network.set_initialization(initialization);
  }
  network.set_initialization_epsilon(flags.init_epsilon);
  return absl::OkStatus();
}

absl::Status SetStopping(const TrainingFlags& flags, v1::StoppingConfig& stopping) {
  stopping.set_max_iterations(flags.max_iterations);
  stopping.set_cost_tolerance(flags.cost_tolerance);
  stopping.set_gradient_tolerance(flags.gradient_tolerance);
  if (flags.time_limit.empty()) return absl::OkStatus();
  absl::Duration limit;
  if (!absl::ParseDuration(flags.time_limit, &limit) || limit <= absl::ZeroDuration() ||
      limit == absl::InfiniteDuration()) {
    return UsageError("--time-limit",
                      absl::StrCat("expected a duration such as 90s, 5m or 1h30m, got ",
                                   Quote(flags.time_limit)));
  }
  stopping.mutable_time_limit()->set_seconds(absl::IDivDuration(limit, absl::Seconds(1), &limit));
  stopping.mutable_time_limit()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(limit)));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::SplitConfig> ParseSplit(absl::string_view text) {
  const std::vector<absl::string_view> pieces = absl::StrSplit(text, '/');
  double parts[3] = {};
  bool numbers = pieces.size() == 3;
  for (size_t i = 0; i < 3 && numbers; ++i) {
    numbers = absl::SimpleAtod(pieces[i], &parts[i]) && parts[i] >= 0 && parts[i] <= 100;
  }
  const double sum = parts[0] + parts[1] + parts[2];
  const bool fractions = std::abs(sum - 1) <= 1e-6;
  if (!numbers || (!fractions && std::abs(sum - 100) > 1e-4)) {
    return UsageError(
        "--split", absl::StrCat("expected training/validation/test in percent that sum to 100, or "
                                "fractions that sum to 1, such as 70/0/30, got ",
                                Quote(text), numbers ? absl::StrCat(", which sums to ", sum) : ""));
  }
  const double whole = fractions ? 1 : 100;
  v1::SplitConfig split;
  split.set_training(parts[0] / whole);
  split.set_validation(parts[1] / whole);
  split.set_test(parts[2] / whole);
  return split;
}

absl::StatusOr<v1::DatasetPart> ParsePart(absl::string_view text) {
  return ParseChoice<v1::DatasetPart>("--part", text, kParts);
}

absl::StatusOr<v1::JobState> ParseJobState(absl::string_view text) {
  return ParseChoice<v1::JobState>("--state", absl::AsciiStrToLower(text), kJobStates);
}

absl::StatusOr<v1::CreateTrainingJobRequest> MakeTrainingRequest(const TrainingFlags& flags) {
  v1::CreateTrainingJobRequest request;
  request.set_model(flags.model);
  request.set_dataset(flags.dataset);
  request.set_request_id(flags.request_id);
  v1::TrainingConfig& config = *request.mutable_config();
  MLP_RETURN_IF_ERROR(SetNetwork(flags, *config.mutable_network()));
  config.set_lambda(flags.lambda);
  MLP_ASSIGN_OR_RETURN(*config.mutable_split(), ParseSplit(flags.split));
  config.mutable_split()->set_plain(flags.plain);
  if (!flags.scaling.empty()) {
    MLP_ASSIGN_OR_RETURN(const v1::Scaling scaling,
                         ParseChoice<v1::Scaling>("--scaling", flags.scaling, kScalings));
    config.set_scaling(scaling);
  }
  if (!flags.optimizer.empty()) {
    MLP_ASSIGN_OR_RETURN(
        const v1::OptimizerKind kind,
        ParseChoice<v1::OptimizerKind>("--optimizer", flags.optimizer, kOptimizers));
    config.mutable_optimizer()->set_kind(kind);
  }
  config.mutable_optimizer()->set_lbfgs_history(flags.history);
  MLP_RETURN_IF_ERROR(SetStopping(flags, *config.mutable_stopping()));
  config.set_seed(flags.seed);
  config.set_check_gradient(flags.check_gradient);
  return request;
}

}  // namespace mlp
