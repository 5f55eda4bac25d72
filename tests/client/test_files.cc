#include "tests/client/test_files.h"

#include <cstring>

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>
#include <png.h>
#include <zlib.h>

namespace mlp {

std::string BigEndian32(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string Idx(int type, const std::vector<uint32_t>& dimensions, absl::string_view data) {
  std::string file = {0, 0, static_cast<char>(type), static_cast<char>(dimensions.size())};
  for (const uint32_t dimension : dimensions) file += BigEndian32(dimension);
  return absl::StrCat(file, data);
}

std::string Npy(absl::string_view dictionary, absl::string_view data, int version) {
  const std::string header = absl::StrCat(dictionary, "\n");
  std::string file("\x93NUMPY", 6);
  file.push_back(static_cast<char>(version));
  file.push_back(0);
  const size_t length = header.size();
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    file.push_back(static_cast<char>(length >> 8 * i));
  return absl::StrCat(file, header, data);
}

std::string Gzip(absl::string_view bytes) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Png(int width, int height, unsigned format, const std::vector<uint8_t>& values) {
  png_image image;
  std::memset(&image, 0, sizeof(image));
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = format;
  EXPECT_EQ(values.size(), PNG_IMAGE_SIZE(image));
  png_alloc_size_t size = 0;
  EXPECT_TRUE(png_image_write_get_memory_size(image, size, 0, values.data(), 0, nullptr));
  std::string bytes(size, '\0');
  EXPECT_TRUE(png_image_write_to_memory(&image, bytes.data(), &size, 0, values.data(), 0, nullptr));
  bytes.resize(size);
  return bytes;
}

absl::Status ReadAll(ExampleSource& source, int64_t rows_at_once, ExampleBlock& all) {
  all = {};
  ExampleBlock block;
  while (true) {
    const absl::Status status = source.Read(rows_at_once, block);
    if (!status.ok()) return status;
    if (block.labels.empty()) return absl::OkStatus();
    all.features += block.features;
    all.labels.insert(all.labels.end(), block.labels.begin(), block.labels.end());
    all.weights.insert(all.weights.end(), block.weights.begin(), block.weights.end());
  }
}

std::vector<float> Floats(const ExampleBlock& block) {
  std::vector<float> values(block.features.size() / sizeof(float));
  std::memcpy(values.data(), block.features.data(), block.features.size());
  return values;
}

}  // namespace mlp
