#include "core/data/image_background.h"

#include <algorithm>
#include <cassert>
#include <vector>

namespace mlp {
namespace {

constexpr size_t kMostImages = 1000;

}  // namespace

float ImageBackground(const Dataset& dataset, absl::Span<const int64_t> rows) {
  assert(dataset.schema.image.has_value() && !rows.empty());
  const ImageShape& shape = *dataset.schema.image;
  std::vector<float> image(static_cast<size_t>(dataset.schema.features));
  std::vector<float> border;
  for (const int64_t row : rows.subspan(0, std::min(rows.size(), kMostImages))) {
    CopyRow(dataset, row, absl::MakeSpan(image));
    const float* value = image.data();
    for (int y = 0; y < shape.height; ++y) {
      for (int x = 0; x < shape.width; ++x, value += shape.channels) {
        const bool inside = y > 0 && y + 1 < shape.height && x > 0 && x + 1 < shape.width;
        if (!inside) border.insert(border.end(), value, value + shape.channels);
      }
    }
  }
  const auto middle = border.begin() + static_cast<std::ptrdiff_t>((border.size() - 1) / 2);
  std::nth_element(border.begin(), middle, border.end());
  return *middle;
}

}  // namespace mlp
