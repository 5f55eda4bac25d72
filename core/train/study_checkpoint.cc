#include "core/train/study_checkpoint.h"

#include <utility>

#include "core/base/status_macros.h"
#include "core/train/checkpoint_bytes.h"

namespace mlp {
namespace {

constexpr CheckpointFormat kFormat = {absl::string_view("\x89MLPSTDY", 8), 1};

// What is stored of the best network; the rest is in the row of its run.
struct BestNetwork {
  VectorF parameters;
  std::vector<float> offsets;
  std::vector<float> scales;
  double initial_cost = 0.0;
  double final_cost = 0.0;
  std::optional<double> gradient_check_error;
};

// The fields of format version 1. Each of these is const for a writer.
template <typename Stream, typename Run>
void TransferRun(Stream& stream, Run& run) {
  const auto score = [&stream](auto& value) {
    stream.Number(value.cost);
    stream.Number(value.accuracy);
  };
  stream.Number(run.number);
  stream.List(run.settings, [&stream](auto& setting) {
    stream.Array(setting.name);
    stream.Number(setting.value);
  });
  stream.Number(run.reason);
  stream.Array(run.message);
  stream.Number(run.iterations);
  stream.Number(run.best_iteration);
  stream.Number(run.seconds);
  stream.Number(run.training_examples);
  stream.Number(run.validation_examples);
  stream.Maybe(run.training, score);
  stream.Maybe(run.validation, score);
}

template <typename Stream, typename Outcome, typename Best>
void Transfer(Stream& stream, Outcome& outcome, Best& best) {
  stream.List(outcome.runs, [&stream](auto& run) { TransferRun(stream, run); });
  stream.Number(outcome.best_run);
  stream.Number(outcome.seconds);
  stream.Maybe(best, [&stream](auto& network) {
    stream.Array(network.parameters);
    stream.Array(network.offsets);
    stream.Array(network.scales);
    stream.Number(network.initial_cost);
    stream.Number(network.final_cost);
    stream.Optional(network.gradient_check_error);
  });
}

TrainingOutcome OutcomeOf(const StudyRun& run, BestNetwork best, FeatureScaler scaler) {
  TrainingOutcome outcome;
  outcome.reason = run.reason;
  outcome.message = run.message;
  outcome.network.parameters = std::move(best.parameters);
  outcome.scaler = std::move(scaler);
  outcome.iterations = run.iterations;
  outcome.best_iteration = run.best_iteration;
  outcome.initial_cost = best.initial_cost;
  outcome.final_cost = best.final_cost;
  outcome.seconds = run.seconds;
  outcome.gradient_check_error = best.gradient_check_error;
  return outcome;
}

}  // namespace

std::string WriteStudyCheckpoint(const StudyOutcome& outcome, absl::string_view fingerprint) {
  std::optional<BestNetwork> best;
  if (outcome.best) {
    const absl::Span<const float> offsets = outcome.best->scaler.offsets();
    const absl::Span<const float> scales = outcome.best->scaler.scales();
    best = BestNetwork{.parameters = outcome.best->network.parameters,
                       .offsets = {offsets.begin(), offsets.end()},
                       .scales = {scales.begin(), scales.end()},
                       .initial_cost = outcome.best->initial_cost,
                       .final_cost = outcome.best->final_cost,
                       .gradient_check_error = outcome.best->gradient_check_error};
  }
  CheckpointWriter writer(kFormat, fingerprint);
  Transfer(writer, outcome, std::as_const(best));
  return std::move(writer).Finish();
}

absl::StatusOr<StudyOutcome> ReadStudyCheckpoint(absl::string_view bytes,
                                                 absl::string_view fingerprint) {
  MLP_ASSIGN_OR_RETURN(CheckpointReader reader,
                       CheckpointReader::Open(bytes, kFormat, fingerprint));
  StudyOutcome outcome;
  std::optional<BestNetwork> best;
  Transfer(reader, outcome, best);
  const auto runs = static_cast<int>(outcome.runs.size());
  const bool best_is_there = outcome.best_run >= 1 && outcome.best_run <= runs &&
                             outcome.runs[static_cast<size_t>(outcome.best_run) - 1].validation;
  if (!reader.complete() || (outcome.best_run != 0 || best) != best_is_there) {
    return DamagedCheckpoint("expected the fields of a study's checkpoint, got others");
  }
  if (!best) return outcome;
  absl::StatusOr<FeatureScaler> scaler =
      FeatureScaler::Create(std::move(best->offsets), std::move(best->scales));
  if (!scaler.ok()) return DamagedCheckpoint(scaler.status().message());
  outcome.best = OutcomeOf(outcome.runs[static_cast<size_t>(outcome.best_run) - 1],
                           *std::move(best), *std::move(scaler));
  return outcome;
}

}  // namespace mlp
