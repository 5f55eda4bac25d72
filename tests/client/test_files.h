// The bytes of the files that the readers read, made by hand so that tests can spoil them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/strings/string_view.h>

#include "client/example_source.h"

namespace mlp {

std::string BigEndian32(uint32_t value);

// An IDX file: header of the given type and dimensions, then `data`.
std::string Idx(int type, const std::vector<uint32_t>& dimensions, absl::string_view data);

// An NPY file of version 1 with the header's dictionary as given.
std::string Npy(absl::string_view dictionary, absl::string_view data, int version = 1);

std::string Gzip(absl::string_view bytes);

// The bytes of values in the machine's (little-endian) order.
template <typename T>
std::string Bytes(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// A PNG of one of libpng's simple formats (PNG_FORMAT_GRAY, _GA, _RGB, _RGBA), 8 bits a channel.
std::string Png(int width, int height, unsigned format, const std::vector<uint8_t>& values);

// All rows of a source, read `rows_at_once` rows at a time.
absl::Status ReadAll(ExampleSource& source, int64_t rows_at_once, ExampleBlock& all);

// The float32 features of a block.
std::vector<float> Floats(const ExampleBlock& block);

}  // namespace mlp
