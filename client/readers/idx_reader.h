// IDX files, the format of MNIST (http://yann.lecun.com/exdb/mnist/), plain or gzip.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "client/example_source.h"

namespace mlp {

struct IdxOptions {
  // [N x H x W] or [N x H x W x C] images, or [N x D] rows, of any IDX number type.
  std::string images = {};
  // [N] integers.
  std::string labels = {};
  // The name of label k at index k; empty takes the distinct labels.
  std::vector<std::string> classes = {};
};

// Reads headers and labels; the images follow row by row. INVALID_ARGUMENT naming the file,
// expected against got: no IDX file, cut off, too long, damaged gzip data, as many labels as images
// missing.
absl::StatusOr<std::unique_ptr<ExampleSource>> OpenIdx(const IdxOptions& options);

}  // namespace mlp
