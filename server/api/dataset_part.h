// The rows of one part of the split that a model version was trained with.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/status/statusor.h>

#include "mlp/v1/dataset.pb.h"
#include "mlp/v1/evaluation.pb.h"
#include "mlp/v1/model.pb.h"
#include "server/store/store.h"

namespace mlp {

// Row indices in rising order; ALL and UNSPECIFIED give every row. FAILED_PRECONDITION: a part
// other than ALL of data that the version was not trained on, or a part that its split left empty.
// INVALID_ARGUMENT: an unknown part.
absl::StatusOr<std::vector<int64_t>> PartRows(const v1::Dataset& dataset,
                                              const v1::ModelVersion& version, v1::DatasetPart part,
                                              Store& store);

}  // namespace mlp
