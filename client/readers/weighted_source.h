// Examples that count more or less than others, by a file of weights.
#pragma once

#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "client/example_source.h"

namespace mlp {

// `source` with the weights in the text file `path`, one a line, in the order of its rows.
// INVALID_ARGUMENT naming the file: a line that is no finite number of at least 0, not one line a
// row.
absl::StatusOr<std::unique_ptr<ExampleSource>> WithWeights(std::unique_ptr<ExampleSource> source,
                                                           const std::string& path);

}  // namespace mlp
