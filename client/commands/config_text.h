// A training configuration in words, for people.
#pragma once

#include <string>
#include <vector>

#include <absl/strings/string_view.h>

#include "mlp/v1/training.pb.h"

namespace mlp {

struct Setting {
  std::string name;
  std::string value;
};

// What was asked for, or filled in; settings that ask for nothing are left out.
std::vector<Setting> DescribeConfig(const v1::TrainingConfig& config);

// An enum's name without its prefix, as flags spell it; "default" where it is unspecified.
std::string EnumWord(absl::string_view name, absl::string_view prefix);

}  // namespace mlp
