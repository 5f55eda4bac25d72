// All that a training must remember to go on after its process ended, as bytes.
//
// A mini-batch training goes on to the last bit as if nothing had happened. A full-batch one goes
// on from its newest weights with a fresh memory: what L-BFGS and conjugate gradient know of past
// steps is the library's own and is lost.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "core/base/matrix.h"
#include "core/optim/stopping_rules.h"
#include "core/train/kept_weights.h"
#include "core/train/mini_batch_state.h"
#include "core/train/training_config.h"

namespace mlp {

// Sums over the steps that were made of an epoch.
struct EpochSums {
  double cost = 0.0;                   // weighted cross-entropy of the rows
  double squared_gradient_norm = 0.0;  // of the steps
  int64_t rows = 0;
  int64_t steps = 0;
};

struct Checkpoint {
  int iterations = 0;  // finished
  int64_t cost_evaluations = 0;
  double seconds = 0.0;
  double initial_cost = 0.0;
  KeptWeights kept;
  std::vector<double> recent_costs;  // CostConvergence's
  EarlyStopping::Memory early_stopping;
  // Full batch: the newest Theta; else empty.
  Vector<double> theta;
  // Mini-batches: the state, the sums of the epoch in progress, and the weights at the ends of the
  // last epochs, oldest first, where they are averaged.
  MiniBatchState state;
  EpochSums epoch;
  std::vector<VectorF> last_epochs;
};

// Format version 1 (see checkpoint_bytes.h): the fields in the order above.
std::string WriteCheckpoint(const Checkpoint& checkpoint, absl::string_view fingerprint);

// DATA_LOSS where the bytes are not what was written. FAILED_PRECONDITION where they are of another
// format version, of a training with another fingerprint, or do not fit `config`: then, too, the
// training has to begin anew. Never allocates more than a small multiple of bytes.size().
absl::StatusOr<Checkpoint> ReadCheckpoint(absl::string_view bytes, absl::string_view fingerprint,
                                          const TrainingConfig& config);

}  // namespace mlp
