#include "core/train/checkpoint.h"

#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "core/train/checkpoint_bytes.h"

namespace mlp {
namespace {

constexpr CheckpointFormat kFormat = {absl::string_view("\x89MLPCKPT", 8), 1};

// The fields of format version 1. `c` is const for a Writer.
template <typename Stream, typename Fields>
void Transfer(Stream& stream, Fields& c) {
  stream.Number(c.iterations);
  stream.Number(c.cost_evaluations);
  stream.Number(c.seconds);
  stream.Number(c.initial_cost);
  stream.Array(c.kept.theta);
  stream.Number(c.kept.iteration);
  stream.Number(c.kept.cost);
  stream.Optional(c.kept.validation_cost);
  stream.Array(c.recent_costs);
  stream.Number(c.early_stopping.lowest);
  stream.Number(c.early_stopping.iterations_since);
  stream.Array(c.theta);
  stream.Array(c.state.theta);
  stream.Array(c.state.velocity);
  stream.Array(c.state.mean_square);
  stream.Number(c.state.steps);
  stream.Number(c.epoch.cost);
  stream.Number(c.epoch.squared_gradient_norm);
  stream.Number(c.epoch.rows);
  stream.Number(c.epoch.steps);
  stream.Arrays(c.last_epochs);
}

absl::Status CheckSize(absl::string_view what, int64_t size, int64_t expected) {
  if (size == expected) return absl::OkStatus();
  return ForeignCheckpoint(absl::StrCat(what, ": expected ", expected, " weights, got ", size));
}

absl::Status CheckFits(const Checkpoint& checkpoint, const TrainingConfig& config) {
  const int64_t weights = ParameterCount(config.topology);
  const bool mini_batches = OnMiniBatches(config.optimizer.kind);
  const bool adam = mini_batches && config.optimizer.kind != OptimizerKind::kSgd;
  const MiniBatchState& state = checkpoint.state;
  MLP_RETURN_IF_ERROR(CheckSize("kept weights", checkpoint.kept.theta.size(), weights));
  MLP_RETURN_IF_ERROR(
      CheckSize("full-batch weights", checkpoint.theta.size(), mini_batches ? 0 : weights));
  MLP_RETURN_IF_ERROR(
      CheckSize("mini-batch weights", state.theta.size(), mini_batches ? weights : 0));
  MLP_RETURN_IF_ERROR(CheckSize("velocity", state.velocity.size(), mini_batches ? weights : 0));
  MLP_RETURN_IF_ERROR(CheckSize("mean square", state.mean_square.size(), adam ? weights : 0));
  for (const VectorF& epoch : checkpoint.last_epochs) {
    MLP_RETURN_IF_ERROR(CheckSize("weights of an epoch", epoch.size(), weights));
  }
  return absl::OkStatus();
}

}  // namespace

std::string WriteCheckpoint(const Checkpoint& checkpoint, absl::string_view fingerprint) {
  CheckpointWriter writer(kFormat, fingerprint);
  Transfer(writer, checkpoint);
  return std::move(writer).Finish();
}

absl::StatusOr<Checkpoint> ReadCheckpoint(absl::string_view bytes, absl::string_view fingerprint,
                                          const TrainingConfig& config) {
  MLP_ASSIGN_OR_RETURN(CheckpointReader reader,
                       CheckpointReader::Open(bytes, kFormat, fingerprint));
  Checkpoint checkpoint;
  Transfer(reader, checkpoint);
  if (!reader.complete())
    return DamagedCheckpoint("expected the fields of a checkpoint, got others");
  MLP_RETURN_IF_ERROR(CheckFits(checkpoint, config));
  return checkpoint;
}

}  // namespace mlp
