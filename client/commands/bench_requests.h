// The requests that `mlpctl bench` sends.
#pragma once

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "client/client.h"
#include "client/commands/bench_flags.h"
#include "mlp/v1/model.pb.h"

namespace mlp {

// Serialized PredictRequests of flags.rows rows each for this very version: up to 16 different
// ones, so that no cache answers. The rows are those of the dataset, from its first one and over
// again where they are too few; or made up from the seed: 0 to 255 for a model of uint8 features, 0
// to 1 for one of float32. As floats, or as bytes with flags.pixels. A usage error where the model
// takes no bytes or a request would be too large, INVALID_ARGUMENT where the dataset has another
// number of features.
absl::StatusOr<std::vector<std::string>> MakeBenchRequests(Client& client,
                                                           const v1::ModelVersion& version,
                                                           const BenchFlags& flags);

}  // namespace mlp
