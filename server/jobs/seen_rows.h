// Whether a training that starts from a model holds out rows which that model was trained on: then
// its test part is no test.
#pragma once

#include <string>

#include <absl/status/statusor.h>

#include "core/data/dataset.h"
#include "core/data/split.h"
#include "mlp/v1/training.pb.h"
#include "server/store/store.h"

namespace mlp {

// `the test and validation parts hold examples that digits@2 and digits@1 were trained on: 8 of 27
// and 9 of 18`; empty where all is well. k-fold holds out the training part, fold by fold. Looks at
// the model that `job` starts from, at the one that this was started from, and so on as far as they
// are stored, and at those trainings among them that were on the same data. `split` is how `job`
// divides `dataset`. SplitRows' errors.
absl::StatusOr<std::string> DescribeSeenRows(const v1::TrainingJob& job, const SplitOptions& split,
                                             const Dataset& dataset, Store& store);

}  // namespace mlp
