// The header of NumPy's NPY format, versions 1 to 3:
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "client/readers/array_source.h"

namespace mlp {

// The eight bytes of magic and version, and the length that follows, come before the text.
inline constexpr absl::string_view kNpyMagic("\x93NUMPY", 6);

// Reads the header from the start of `stream`. INVALID_ARGUMENT naming the file: no NPY file, a
// version above 3, a header that is cut off or cannot be read, Fortran order, a type that is not an
// integer of 1 to 8 bytes or a float of 4 or 8.
absl::StatusOr<ArrayHeader> ReadNpyHeader(ByteStream& stream);

// The header's text, such as `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, without
// data_offset. The message does not name the file.
absl::StatusOr<ArrayHeader> ParseNpyHeader(absl::string_view text);

}  // namespace mlp
