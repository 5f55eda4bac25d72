// Examples that lie one after the other in a file, after its header: IDX and NPY.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "client/example_source.h"
#include "client/readers/byte_stream.h"
#include "client/readers/elements.h"
#include "client/readers/labels.h"

namespace mlp {

// What the file's header says: shape [N x D], [N x H x W] or [N x H x W x C].
struct ArrayHeader {
  ElementFormat format;
  std::vector<int64_t> shape;
  int64_t data_offset = 0;
};

// Checks a header and the size of the file against it. INVALID_ARGUMENT naming the file: no rows, a
// shape that holds no examples, more than 1,048,576 features, a product that overflows, a size that
// does not fit.
absl::Status CheckExampleArray(const ArrayHeader& array, ByteStream& stream);

// The values of a 1-D integer array of `rows` values, read block by block. INVALID_ARGUMENT naming
// the file: another shape or type, another count (`file` has the rows), too short or too long.
absl::StatusOr<ClassLabels> ReadLabelArray(const ArrayHeader& array, ByteStream& stream,
                                           int64_t rows, absl::string_view file,
                                           const std::vector<std::string>& classes);

// Rows straight from `stream`, which has passed CheckExampleArray and stands at the first value;
// only the rows of one Read are in memory. uint8 values stay uint8, all others become float32
// (INVALID_ARGUMENT naming the row where one is NaN, infinite or too large for float32).
std::unique_ptr<ExampleSource> MakeArraySource(const ArrayHeader& array, ByteStream stream,
                                               ClassLabels labels);

}  // namespace mlp
