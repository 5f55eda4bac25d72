// The flags of `mlpctl train` that make a study of it: several networks by one plan.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/status.h>

#include "mlp/v1/training.pb.h"

namespace CLI {
class App;
}

namespace mlp {

// Empty strings and zeros leave the choice to the server, or mean that the study is not asked for.
struct StudyFlags {
  int32_t k_fold = 0;
  // Values separated by commas; "true", as the flag without a value is read, means the server's.
  std::string lambda_curve;
  std::string learning_curve;
  // `NAME=V1,V2,...` or `NAME=MIN..MAX[:log]`, a parameter each.
  std::vector<std::string> search;
  int32_t runs = 0;
  bool random = false;
};

void AddStudyFlags(CLI::App& app, StudyFlags& flags);

// Sets the study of `config`, where the flags ask for one. A range makes the search random. Usage
// errors name the flag: more than one study, runs without a search, text that cannot be read.
absl::Status SetStudy(const StudyFlags& flags, v1::TrainingConfig& config);

}  // namespace mlp
