// What a study varies: several trainings by one plan. MakeStudyPlan turns it into runs.
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace mlp {

// Ranges and meanings are those of the messages of the same names in training.proto.
struct KFold {
  int folds = 5;
};

struct LambdaCurve {
  std::vector<double> lambdas = {};
};

struct LearningCurve {
  std::vector<double> fractions = {};  // of the training part
};

struct SearchParameter {
  std::string name = {};  // as SetParameter knows it
  // Either these, or the range from min to max.
  std::vector<double> values = {};
  double min = 0.0;
  double max = 0.0;
  bool logarithmic = false;
};

struct Search {
  std::vector<SearchParameter> parameters = {};
  int max_runs = 0;
  bool random = false;
};

using StudyOptions = std::variant<KFold, LambdaCurve, LearningCurve, Search>;

// What sets one run apart from the others: `fold` 2, `lambda` 0.3, `training_fraction` 0.1, or a
// search's parameter.
struct StudySetting {
  std::string name;
  double value = 0.0;

  bool operator==(const StudySetting&) const = default;
};

}  // namespace mlp
