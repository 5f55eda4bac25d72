// The flags of `mlpctl train` that say what is done with the trained version.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mlp/v1/training.pb.h"

namespace CLI {
class App;
}

namespace mlp {

struct PublishFlags {
  std::vector<std::string> aliases;
  std::optional<double> min_test_accuracy;
  std::string better_than;
};

void AddPublishFlags(CLI::App& app, PublishFlags& flags);

// Leaves `request` as it is where no flag was given.
void SetPublish(const PublishFlags& flags, v1::CreateTrainingJobRequest& request);

}  // namespace mlp
