#include "client/commands/publish_flags.h"

#include <CLI/CLI.hpp>

namespace mlp {

void AddPublishFlags(CLI::App& app, PublishFlags& flags) {
  app.option_defaults()->group("Publishing");
  app.add_option("--alias", flags.aliases,
                 "Alias to set to the new version in the step that publishes it; may be repeated");
  app.add_option("--min-test-accuracy", flags.min_test_accuracy,
                 "Publish only with so much accuracy on the test part, 0 to 1; else the job fails "
                 "and its weights are kept");
  app.add_option(
      "--better-than", flags.better_than,
      "Publish only what is more accurate on the test part than this VERSION or ALIAS of "
      "the model");
}

void SetPublish(const PublishFlags& flags, v1::CreateTrainingJobRequest& request) {
  for (const std::string& alias : flags.aliases) request.mutable_publish()->add_aliases(alias);
  if (flags.min_test_accuracy) {
    request.mutable_publish()->set_min_test_accuracy(*flags.min_test_accuracy);
  }
  if (!flags.better_than.empty()) request.mutable_publish()->set_better_than(flags.better_than);
}

}  // namespace mlp
