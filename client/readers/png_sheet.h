// A sheet of equal cells in one PNG, each an example, as in OpenCV's digits.png.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "client/example_source.h"

namespace mlp {

struct CellSize {
  int width = 0;
  int height = 0;
};

// "20x20" is WIDTHxHEIGHT, each 1 to 1,024. INVALID_ARGUMENT.
absl::StatusOr<CellSize> ParseCellSize(absl::string_view text);

struct PngSheetOptions {
  std::string path = {};
  CellSize cell = {};
  // Empty means 0..9 without a labels file, the file's distinct labels with one.
  std::vector<std::string> classes = {};
  // A text file with one label a cell; empty divides the cells evenly, in order, into the classes.
  std::string labels = {};
};

// The cells in rows from the top left, as uint8 images. INVALID_ARGUMENT naming the file: a size
// that is no multiple of the cell, cells that cannot be divided evenly, a label count that does not
// fit.
absl::StatusOr<std::unique_ptr<ExampleSource>> OpenPngSheet(const PngSheetOptions& options);

}  // namespace mlp
