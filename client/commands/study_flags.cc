#include "client/commands/study_flags.h"

#include <CLI/CLI.hpp>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include "client/commands/error_line.h"
#include "client/commands/flag_values.h"
#include "client/readers/quote.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr char kValuesOrRange[] =
    "NAME=V1,V2,... or NAME=MIN..MAX[:log], such as lambda=0,0.1,1 or "
    "learning-rate=0.001..0.1:log";

// Settings as the other flags of train call them, and as the API does.
struct ParameterName {
  const char* flag;
  const char* api;
};
constexpr ParameterName kParameterNames[] = {{"learning-rate", "optimizer.learning_rate"},
                                             {"batch-size", "optimizer.batch_size"},
                                             {"momentum", "optimizer.momentum"},
                                             {"weight-decay", "optimizer.weight_decay"},
                                             {"l1", "regularization.l1"},
                                             {"dropout", "regularization.dropout"},
                                             {"max-norm", "regularization.max_norm"},
                                             {"hidden-units", "network.hidden_units"}};

// What is no flag's name is for the server to know.
std::string ApiName(absl::string_view name) {
  for (const ParameterName& known : kParameterNames) {
    if (name == known.flag) return known.api;
  }
  return std::string(name);
}

absl::Status ParseRange(absl::string_view text, v1::SearchParameter& parameter) {
  absl::string_view range = text;
  parameter.set_logarithmic(absl::ConsumeSuffix(&range, ":log"));
  const std::vector<absl::string_view> ends = absl::StrSplit(range, absl::MaxSplits("..", 1));
  double min = 0;
  double max = 0;
  if (ends.size() != 2 || !absl::SimpleAtod(ends[0], &min) || !absl::SimpleAtod(ends[1], &max)) {
    return UsageError("--search", absl::StrCat("expected ", kValuesOrRange, ", got ", Quote(text)));
  }
  parameter.set_min(min);
  parameter.set_max(max);
  return absl::OkStatus();
}

absl::Status ParseParameter(absl::string_view text, v1::SearchParameter& parameter) {
  const std::vector<absl::string_view> pieces = absl::StrSplit(text, absl::MaxSplits('=', 1));
  if (pieces.size() != 2 || pieces[0].empty() || pieces[1].empty()) {
    return UsageError("--search", absl::StrCat("expected ", kValuesOrRange, ", got ", Quote(text)));
  }
  parameter.set_name(ApiName(pieces[0]));
  if (absl::StrContains(pieces[1], "..")) return ParseRange(pieces[1], parameter);
  MLP_ASSIGN_OR_RETURN(const std::vector<double> values,
                       ParseNumbers("--search", pieces[1], kValuesOrRange));
  parameter.mutable_values()->Add(values.begin(), values.end());
  return absl::OkStatus();
}

absl::Status SetSearch(const StudyFlags& flags, v1::Search& search) {
  bool random = flags.random;
  for (const std::string& text : flags.search) {
    v1::SearchParameter& parameter = *search.add_parameters();
    MLP_RETURN_IF_ERROR(ParseParameter(text, parameter));
    random = random || parameter.values().empty();
  }
  search.set_max_runs(flags.runs);
  search.set_random(random);
  return absl::OkStatus();
}

// The values of a curve; none for the flag without a value.
absl::StatusOr<std::vector<double>> CurveValues(absl::string_view flag, absl::string_view text) {
  if (text == "true") return std::vector<double>();
  return ParseNumbers(flag, text, "values separated by commas, such as 0.1,0.3,1");
}

}  // namespace

void AddStudyFlags(CLI::App& app, StudyFlags& flags) {
  app.option_defaults()->group("Studies: several networks instead of one");
  app.add_option("--k-fold", flags.k_fold,
                 "k-fold cross-validation of the training part; publishes nothing");
  app.add_flag("--lambda-curve", flags.lambda_curve,
               "Costs against lambda, such as --lambda-curve=0,0.1,1; by default 8 values from 0 "
               "to 10. Needs a validation part; publishes nothing");
  app.add_flag("--learning-curve", flags.learning_curve,
               "Costs against shares of the training part, such as --learning-curve=0.1,0.5,1; by "
               "default ten. Needs a validation part; publishes nothing");
  app.add_option("--search", flags.search,
                 "Values to try, and publish the best: NAME=V1,V2,... or, drawn at random, "
                 "NAME=MIN..MAX[:log]; repeatable. NAME is lambda, learning-rate, batch-size, "
                 "momentum, weight-decay, l1, dropout, max-norm or hidden-units. Needs a "
                 "validation part");
  app.add_option("--runs", flags.runs,
                 "Of a search, at most; by default all of a grid, 20 of a random search");
  app.add_flag("--random", flags.random, "Draw from the values of a search, not all of the grid");
}

absl::Status SetStudy(const StudyFlags& flags, v1::TrainingConfig& config) {
  const int studies = (flags.k_fold != 0 ? 1 : 0) + (flags.lambda_curve.empty() ? 0 : 1) +
                      (flags.learning_curve.empty() ? 0 : 1) + (flags.search.empty() ? 0 : 1);
  if (studies > 1) {
    return UsageError("--k-fold, --lambda-curve, --learning-curve, --search",
                      "expected one kind of study, got several");
  }
  if (flags.search.empty() && (flags.runs != 0 || flags.random)) {
    return UsageError(flags.random ? "--random" : "--runs", "expected --search as well");
  }
  if (flags.k_fold != 0) config.mutable_study()->mutable_k_fold()->set_folds(flags.k_fold);
  if (!flags.lambda_curve.empty()) {
    MLP_ASSIGN_OR_RETURN(const std::vector<double> lambdas,
                         CurveValues("--lambda-curve", flags.lambda_curve));
    config.mutable_study()->mutable_lambda_curve()->mutable_lambdas()->Add(lambdas.begin(),
                                                                           lambdas.end());
  }
  if (!flags.learning_curve.empty()) {
    MLP_ASSIGN_OR_RETURN(const std::vector<double> fractions,
                         CurveValues("--learning-curve", flags.learning_curve));
    config.mutable_study()->mutable_learning_curve()->mutable_fractions()->Add(fractions.begin(),
                                                                               fractions.end());
  }
  if (flags.search.empty()) return absl::OkStatus();
  return SetSearch(flags, *config.mutable_study()->mutable_search());
}

}  // namespace mlp
