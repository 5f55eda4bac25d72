#include "client/commands/data_flags.h"

#include <cmath>
#include <vector>

#include <CLI/CLI.hpp>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include "client/commands/flag_values.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr Choice<v1::Scaling> kScalings[] = {{"none", v1::SCALING_NONE},
                                             {"range", v1::SCALING_RANGE},
                                             {"min-max", v1::SCALING_MIN_MAX},
                                             {"standard", v1::SCALING_STANDARD}};

absl::Status SetClassWeights(absl::string_view text, v1::ClassWeightsConfig& config) {
  if (text == "balanced") {
    config.set_balanced(true);
    return absl::OkStatus();
  }
  MLP_ASSIGN_OR_RETURN(
      const std::vector<double> weights,
      ParseNumbers("--class-weights", text, "balanced, or one weight a class such as 1,2,3"));
  config.mutable_weights()->Add(weights.begin(), weights.end());
  return absl::OkStatus();
}

absl::Status SetElastic(absl::string_view text, v1::AugmentationConfig& config) {
  constexpr char kExpected[] = "ALPHA or ALPHA,SIGMA such as 34,4";
  MLP_ASSIGN_OR_RETURN(const std::vector<double> numbers,
                       ParseNumbers("--elastic", text, kExpected));
  if (numbers.size() > 2) {
    return UsageError("--elastic", absl::StrCat("expected ", kExpected, ", got ", Quote(text)));
  }
  config.set_elastic_alpha(numbers[0]);
  if (numbers.size() == 2) config.set_elastic_sigma(numbers[1]);
  return absl::OkStatus();
}

absl::Status SetAugmentation(const DataFlags& flags, v1::AugmentationConfig& config) {
  if (!flags.elastic.empty()) MLP_RETURN_IF_ERROR(SetElastic(flags.elastic, config));
  config.set_max_rotation_degrees(flags.rotate);
  config.set_max_scale(flags.scale);
  config.set_max_shear(flags.shear);
  config.set_max_translation(flags.translate);
  return absl::OkStatus();
}

void AddAugmentationFlags(CLI::App& app, DataFlags& flags) {
  app.option_defaults()->group("Augmentation: training images distorted anew every epoch");
  app.add_option("--elastic", flags.elastic,
                 "Elastic distortion ALPHA[,SIGMA]: random displacements, smoothed over SIGMA "
                 "pixels (4), times ALPHA");
  app.add_option("--rotate", flags.rotate, "By up to this many degrees either way");
  app.add_option("--scale", flags.scale, "Larger or smaller by up to a factor of 1 + this");
  app.add_option("--shear", flags.shear, "Shear factor up to this either way");
  app.add_option("--translate", flags.translate, "Shift by up to this many pixels");
}

}  // namespace

void AddDataFlags(CLI::App& app, DataFlags& flags) {
  app.option_defaults()->group("Data");
  app.add_option("--split", flags.split,
                 "Training/validation/test part, in percent or as fractions")
      ->capture_default_str();
  app.add_flag("--plain", flags.plain,
               "Split without regard to labels; by default each part has its share of every class");
  app.add_option(
      "--scaling", flags.scaling,
      "none, range, min-max, standard; by default range for uint8 features, standard for "
      "float32 ones");
  app.add_option("--class-weights", flags.class_weights,
                 "How much the examples of each class count: balanced, or one weight a class");
  app.add_option("--seed", flags.seed, "Fixes split, initial weights and all that is random")
      ->check(CLI::Validator(
          [](const std::string& text) {
            int64_t seed = 0;
            return absl::SimpleAtoi(text, &seed) ? "" : "expected a 64-bit number, got " + text;
          },
          ""))
      ->capture_default_str();
  AddAugmentationFlags(app, flags);
}

absl::Status SetData(const DataFlags& flags, v1::TrainingConfig& config) {
  MLP_ASSIGN_OR_RETURN(*config.mutable_split(), ParseSplit(flags.split));
  config.mutable_split()->set_plain(flags.plain);
  if (!flags.scaling.empty()) {
    MLP_ASSIGN_OR_RETURN(const v1::Scaling scaling,
                         ParseChoice<v1::Scaling>("--scaling", flags.scaling, kScalings));
    config.set_scaling(scaling);
  }
  config.set_seed(flags.seed);
  if (!flags.class_weights.empty()) {
    MLP_RETURN_IF_ERROR(SetClassWeights(flags.class_weights, *config.mutable_class_weights()));
  }
  return SetAugmentation(flags, *config.mutable_augmentation());
}

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

}  // namespace mlp
