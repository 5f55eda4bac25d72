// The flags of `mlpctl datasets upload`, apart from the command-line parser, and the source they
// name.
#pragma once

#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "client/example_source.h"

namespace mlp {

struct UploadFlags {
  std::string name;
  std::string sheet;
  std::string cell;
  std::string images;
  std::string csv;
  std::string npy;
  std::string labels;
  std::string label_column = "last";
  std::string header = "auto";
  std::string classes;
  std::string weights;
};

// Opens the one source that the flags name. Usage errors where they name none or several, or where
// a flag that the source needs is missing; otherwise the reader's error.
absl::StatusOr<std::unique_ptr<ExampleSource>> OpenSource(const UploadFlags& flags);

}  // namespace mlp
