// NumPy's NPY files, plain or gzip.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "client/example_source.h"

namespace mlp {

struct NpyOptions {
  // [N x D] rows, or [N x H x W] or [N x H x W x C] images, in C order.
  std::string features = {};
  // An NPY file of N integers, or a text file with one label a line.
  std::string labels = {};
  // The name of label k at index k (of a text file: its words); empty takes the distinct labels.
  std::vector<std::string> classes = {};
};

// Reads headers and labels; the rows follow one by one. INVALID_ARGUMENT naming the file, expected
// against got.
absl::StatusOr<std::unique_ptr<ExampleSource>> OpenNpy(const NpyOptions& options);

}  // namespace mlp
