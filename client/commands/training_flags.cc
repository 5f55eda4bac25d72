#include "client/commands/training_flags.h"

#include <CLI/CLI.hpp>
#include <absl/strings/ascii.h>

#include "client/commands/flag_values.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

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

}  // namespace

void AddTrainingFlags(CLI::App& app, TrainingFlags& flags) {
  app.add_option("MODEL", flags.model, "Model that the new version is published under")->required();
  app.add_option("--dataset", flags.dataset, "Dataset to train on")->required();
  app.add_option("--request-id", flags.request_id,
                 "Repeating a command with the same id returns the first one's job; by default a "
                 "new id each time");
  app.add_flag("--check-gradient", flags.check_gradient,
               "Verify backpropagation on this network and data first");
  AddNetworkFlags(app, flags.network);
  AddDataFlags(app, flags.data);
  AddOptimizerFlags(app, flags.optimizer);
  AddRegularizationFlags(app, flags.regularization);
  AddStoppingFlags(app, flags.stopping);
  AddStudyFlags(app, flags.study);
  AddPublishFlags(app, flags.publish);
  app.option_defaults()->group("Options");
}

absl::StatusOr<v1::CreateTrainingJobRequest> MakeTrainingRequest(const TrainingFlags& flags) {
  v1::CreateTrainingJobRequest request;
  request.set_model(flags.model);
  request.set_dataset(flags.dataset);
  request.set_request_id(flags.request_id);
  v1::TrainingConfig& config = *request.mutable_config();
  MLP_RETURN_IF_ERROR(SetNetwork(flags.network, config));
  MLP_RETURN_IF_ERROR(SetData(flags.data, config));
  MLP_RETURN_IF_ERROR(SetRegularization(flags.regularization, config));
  MLP_RETURN_IF_ERROR(SetOptimizer(flags.optimizer, *config.mutable_optimizer()));
  MLP_RETURN_IF_ERROR(SetStopping(flags.stopping, *config.mutable_stopping()));
  MLP_RETURN_IF_ERROR(SetStudy(flags.study, config));
  config.set_check_gradient(flags.check_gradient);
  SetPublish(flags.publish, request);
  return request;
}

absl::StatusOr<v1::DatasetPart> ParsePart(absl::string_view text) {
  return ParseChoice<v1::DatasetPart>("--part", text, kParts);
}

absl::StatusOr<v1::JobState> ParseJobState(absl::string_view text) {
  return ParseChoice<v1::JobState>("--state", absl::AsciiStrToLower(text), kJobStates);
}

}  // namespace mlp
