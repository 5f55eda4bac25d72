#include "server/jobs/provenance.h"

#include <optional>

#include <google/protobuf/util/json_util.h>
#include <nlohmann/json.hpp>

#include "server/build_info.h"

namespace mlp {
namespace {

absl::StatusOr<nlohmann::ordered_json> ConfigJson(const v1::TrainingConfig& config) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(config, &text, options).ok()) {
    return absl::InternalError("the training configuration has no JSON form");
  }
  return nlohmann::ordered_json::parse(text);
}

void AddPart(const char* part, const std::optional<Evaluation>& evaluation,
             nlohmann::ordered_json& split, nlohmann::ordered_json& metrics) {
  split[part] = evaluation ? evaluation->examples : 0;
  if (!evaluation) return;
  metrics[part] = {{"accuracy", evaluation->accuracy},
                   {"cross_entropy", evaluation->cross_entropy},
                   {"macro_f1", evaluation->macro.f1}};
}

}  // namespace

absl::StatusOr<std::string> ProvenanceJson(const v1::TrainingJob& job,
                                           const TrainingOutcome& outcome) {
  absl::StatusOr<nlohmann::ordered_json> config = ConfigJson(job.config());
  if (!config.ok()) return config.status();

  nlohmann::ordered_json split;
  nlohmann::ordered_json metrics;
  AddPart("training", outcome.training, split, metrics);
  AddPart("validation", outcome.validation, split, metrics);
  AddPart("test", outcome.test, split, metrics);

  const nlohmann::ordered_json provenance = {
      {"dataset", {{"name", job.dataset()}, {"sha256", job.dataset_sha256()}}},
      {"seed", job.config().seed()},
      {"config", *std::move(config)},
      {"split_rows", std::move(split)},
      {"iterations", outcome.iterations},
      {"best_iteration", outcome.best_iteration},
      {"initial_cost", outcome.initial_cost},
      {"final_cost", outcome.final_cost},
      {"metrics", std::move(metrics)},
      {"build",
       {{"version", BuildVersion()}, {"commit", BuildCommit()}, {"compiler", BuildCompiler()}}},
      {"cpu_kernel", CpuKernels()},
  };
  return provenance.dump();
}

}  // namespace mlp
