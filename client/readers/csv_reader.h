// CSV files of numbers, with a column of labels or without.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "client/example_source.h"
#include "client/readers/labels.h"

namespace mlp {

enum class CsvHeader {
  // The first line is a header where none of its features is a number, or where the label column is
  // given by name.
  kAuto,
  kYes,
  kNo
};

// "auto", "yes" or "no". INVALID_ARGUMENT.
absl::StatusOr<CsvHeader> ParseCsvHeader(absl::string_view text);

inline constexpr char kLastColumn[] = "last";

struct CsvOptions {
  std::string path = {};
  CsvHeader header = CsvHeader::kAuto;
  // kLastColumn, an index from 0, or a name of the header. Empty means that all columns are
  // features.
  std::string label_column = kLastColumn;
  // The classes that labels are among; empty takes the distinct labels, sorted as numbers where all
  // are integers and by bytes where not.
  std::vector<std::string> classes = {};
};

// features [rows x features] row-major; labels one a row, empty without a label column.
struct CsvTable {
  int32_t features = 0;
  std::vector<float> values;
  ClassLabels labels;

  int64_t rows() const { return static_cast<int64_t>(values.size()) / features; }
};

// INVALID_ARGUMENT naming file, line and column, expected against got: no rows, a word among the
// numbers, NaN, infinity, a number too large for float32, lines of different lengths, an unknown
// label column.
absl::StatusOr<CsvTable> ReadCsv(const CsvOptions& options);

// The table as float32 examples. Needs a label column.
absl::StatusOr<std::unique_ptr<ExampleSource>> OpenCsv(const CsvOptions& options);

}  // namespace mlp
