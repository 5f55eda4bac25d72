#include "client/commands/config_text.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/strip.h>
#include <absl/time/time.h>

#include "client/commands/study_text.h"
#include "client/terminal/numbers.h"

namespace mlp {
namespace {

// The words that say something, with commas between.
class Words {
 public:
  void Add(absl::string_view word) { words_.emplace_back(word); }
  void AddNumber(absl::string_view name, double value) {
    words_.push_back(absl::StrCat(name, " ", FormatValue(value)));
  }
  // Nothing where it is 0.
  void AddIfSet(absl::string_view name, double value) {
    if (value != 0) AddNumber(name, value);
  }
  std::string Join() const { return absl::StrJoin(words_, ", "); }

 private:
  std::vector<std::string> words_;
};

template <typename Numbers>
std::string JoinNumbers(const Numbers& numbers) {
  return absl::StrJoin(numbers, "/", [](std::string* text, double number) {
    absl::StrAppend(text, FormatValue(number));
  });
}

std::string ActivationsText(const v1::NetworkConfig& network) {
  if (network.activations().empty()) return "default";
  std::vector<std::string> names;
  for (const int activation : network.activations()) {
    names.push_back(
        EnumWord(v1::Activation_Name(static_cast<v1::Activation>(activation)), "ACTIVATION_"));
  }
  return absl::StrJoin(names, ", ");
}

std::string OptimizerText(const v1::OptimizerConfig& optimizer) {
  Words words;
  words.Add(EnumWord(v1::OptimizerKind_Name(optimizer.kind()), "OPTIMIZER_KIND_"));
  words.AddIfSet("history", optimizer.lbfgs_history());
  if (optimizer.batch_size() > 0) {
    words.Add(absl::StrCat("batches of ", FormatCount(optimizer.batch_size())));
  }
  if (optimizer.has_momentum()) {
    words.AddNumber(optimizer.nesterov() ? "Nesterov momentum" : "momentum", optimizer.momentum());
  }
  if (optimizer.has_beta1()) words.AddNumber("beta1", optimizer.beta1());
  if (optimizer.has_beta2()) words.AddNumber("beta2", optimizer.beta2());
  words.AddIfSet("weight decay", optimizer.weight_decay());
  words.AddIfSet("clipped at", optimizer.max_gradient_norm());
  if (optimizer.average_last_epochs() > 1) {
    words.Add(absl::StrCat("mean of the last ", optimizer.average_last_epochs(), " epochs"));
  }
  return words.Join();
}

std::string LearningRateText(const v1::OptimizerConfig& optimizer) {
  const v1::LearningRateSchedule& schedule = optimizer.schedule();
  Words words;
  words.Add(FormatValue(optimizer.learning_rate()));
  words.Add(
      EnumWord(v1::LearningRateScheduleKind_Name(schedule.kind()), "LEARNING_RATE_SCHEDULE_KIND_"));
  words.AddIfSet("epochs a step", schedule.step_epochs());
  words.AddIfSet("factor", schedule.factor());
  words.AddIfSet("final fraction", schedule.final_fraction());
  words.AddIfSet("warm-up epochs", schedule.warm_up_epochs());
  return words.Join();
}

std::string RegularizationText(const v1::RegularizationConfig& regularization) {
  Words words;
  words.AddIfSet("L1", regularization.l1());
  if (regularization.dropout_size() > 0) {
    words.Add(absl::StrCat("dropout ", JoinNumbers(regularization.dropout())));
  }
  words.AddIfSet("input dropout", regularization.input_dropout());
  words.AddIfSet("max norm", regularization.max_norm());
  return words.Join();
}

std::string ClassWeightsText(const v1::ClassWeightsConfig& config) {
  return config.balanced() ? "balanced" : JoinNumbers(config.weights());
}

std::string AugmentationText(const v1::AugmentationConfig& augmentation) {
  Words words;
  if (augmentation.elastic_alpha() != 0) {
    words.AddNumber("elastic alpha", augmentation.elastic_alpha());
    words.AddNumber("sigma", augmentation.elastic_sigma());
  }
  words.AddIfSet("rotation", augmentation.max_rotation_degrees());
  words.AddIfSet("scale", augmentation.max_scale());
  words.AddIfSet("shear", augmentation.max_shear());
  words.AddIfSet("translation", augmentation.max_translation());
  return words.Join();
}

std::string StoppingText(const v1::StoppingConfig& stopping) {
  Words words;
  words.AddIfSet("epochs", stopping.max_epochs());
  words.AddIfSet("iterations", stopping.max_iterations());
  if (stopping.has_time_limit()) {
    words.Add(FormatSeconds(static_cast<double>(stopping.time_limit().seconds()) +
                            1e-9 * stopping.time_limit().nanos()));
  }
  if (stopping.cost_tolerance() != 0) {
    words.AddNumber("cost tolerance", stopping.cost_tolerance());
    if (stopping.cost_window() > 1) words.AddNumber("over", stopping.cost_window());
  }
  words.AddIfSet("gradient tolerance", stopping.gradient_tolerance());
  if (stopping.patience() > 0) {
    words.AddNumber("patience", stopping.patience());
    words.AddIfSet("improvement over", stopping.min_improvement());
  }
  return words.Join();
}

std::string SplitText(const v1::SplitConfig& split) {
  return absl::StrCat(FormatValue(100 * split.training()), "/",
                      FormatValue(100 * split.validation()), "/", FormatValue(100 * split.test()),
                      split.plain() ? " plain" : " stratified");
}

}  // namespace

std::string EnumWord(absl::string_view name, absl::string_view prefix) {
  std::string word = absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
  return word == "unspecified" ? "default" : word;
}

std::vector<Setting> DescribeConfig(const v1::TrainingConfig& config) {
  std::vector<Setting> settings;
  const auto add = [&settings](absl::string_view name, std::string value) {
    if (!value.empty()) settings.push_back({std::string(name), std::move(value)});
  };
  const v1::NetworkConfig& network = config.network();
  add("layers", absl::StrJoin(network.layers(), "-"));
  add("activation", ActivationsText(network));
  add("cost function", EnumWord(v1::Cost_Name(network.cost()), "COST_"));
  if (config.initial_model().empty()) {
    add("initialization",
        EnumWord(v1::Initialization_Name(network.initialization()), "INITIALIZATION_"));
    add("scaling", EnumWord(v1::Scaling_Name(config.scaling()), "SCALING_"));
  }
  add("starts from", config.initial_model());
  add("lambda", FormatValue(config.lambda()));
  add("regularization", RegularizationText(config.regularization()));
  add("augmentation", AugmentationText(config.augmentation()));
  add("class weights", ClassWeightsText(config.class_weights()));
  add("optimizer", OptimizerText(config.optimizer()));
  if (config.optimizer().batch_size() > 0) {
    add("learning rate", LearningRateText(config.optimizer()));
  }
  add("stops", StoppingText(config.stopping()));
  add("split", SplitText(config.split()));
  add("seed", absl::StrCat(config.seed()));
  if (config.has_study()) add("study", StudyName(config.study()));
  return settings;
}

}  // namespace mlp
