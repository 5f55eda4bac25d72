#include "core/data/dataset.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

static_assert(std::endian::native == std::endian::little,
              "datasets and artifacts are little-endian and read in place");

constexpr int kMaxFeatures = 1 << 20;
constexpr int kMaxClasses = 10'000;
constexpr size_t kMaxClassNameBytes = 128;

// Well-formed UTF-8 by the table of RFC 3629, section 4: no overlong forms, no surrogates, nothing
// above U+10FFFF.
bool IsUtf8(absl::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  size_t i = 0;
  while (i < text.size()) {
    const unsigned char lead = byte(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    size_t trailing = 0;
    unsigned char low = 0x80;  // bounds of the second byte
    unsigned char high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
      trailing = 1;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      trailing = 2;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      trailing = 3;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    } else {
      return false;
    }
    if (text.size() - i <= trailing) return false;
    if (byte(i + 1) < low || byte(i + 1) > high) return false;
    for (size_t t = 2; t <= trailing; ++t) {
      if (byte(i + t) < 0x80 || byte(i + t) > 0xBF) return false;
    }
    i += trailing + 1;
  }
  return true;
}

absl::Status ValidateClassNames(const std::vector<std::string>& names) {
  if (names.size() < 2 || names.size() > kMaxClasses) {
    return absl::InvalidArgumentError(
        absl::StrCat("class_names: expected 2 to ", kMaxClasses, " names, got ", names.size()));
  }
  std::unordered_map<std::string, size_t> first_use;
  first_use.reserve(names.size());
  for (size_t k = 0; k < names.size(); ++k) {
    const std::string& name = names[k];
    if (name.empty() || name.size() > kMaxClassNameBytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "class_names[", k, "]: expected 1 to ", kMaxClassNameBytes, " bytes, got ", name.size()));
    }
    if (!IsUtf8(name)) {
      return absl::InvalidArgumentError(absl::StrCat("class_names[", k, "]: expected UTF-8, got \"",
                                                     absl::CHexEscape(name), "\""));
    }
    const auto [use, inserted] = first_use.emplace(name, k);
    if (!inserted) {
      return absl::InvalidArgumentError(absl::StrCat("class_names[", k,
                                                     "]: expected a name of its own, got \"", name,
                                                     "\" as in class_names[", use->second, "]"));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateImage(const ImageShape& image, int features) {
  if (image.height < 1 || image.width < 1 || image.channels < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("image: expected height, width and channels of 1 or more, got ", image.height,
                     " x ", image.width, " x ", image.channels));
  }
  // Factors are below 2^31 and the area at most D when the channels come in: nothing overflows.
  const int64_t area = int64_t{image.height} * image.width;
  if (area > features || area * image.channels != features) {
    return absl::InvalidArgumentError(
        absl::StrCat("image: expected height * width * channels to be ", features,
                     " (features), got ", image.height, " x ", image.width, " x ", image.channels));
  }
  if (image.channels != 1 && image.channels != 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("image.channels: expected 1 (grey) or 3 (colour), got ", image.channels));
  }
  return absl::OkStatus();
}

// An infinity or a NaN has all exponent bits set: an integer test that vectorises.
bool HasNonFinite(const char* bytes, size_t values) {
  constexpr uint32_t kExponent = 0x7F800000u;
  uint32_t found = 0;
  for (size_t i = 0; i < values; ++i) {
    uint32_t bits;
    std::memcpy(&bits, bytes + i * sizeof(bits), sizeof(bits));
    found |= static_cast<uint32_t>((bits & kExponent) == kExponent);
  }
  return found != 0;
}

absl::string_view NonFiniteName(float value) {
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

}  // namespace

int FeatureBytes(FeatureType type) {
  return type == FeatureType::kUint8 ? 1 : static_cast<int>(sizeof(float));
}

absl::Status ValidateSchema(const DatasetSchema& schema) {
  if (schema.features < 1 || schema.features > kMaxFeatures) {
    return absl::InvalidArgumentError(
        absl::StrCat("features: expected 1 to ", kMaxFeatures, " features, got ", schema.features));
  }
  MLP_RETURN_IF_ERROR(ValidateClassNames(schema.class_names));
  if (schema.image.has_value()) return ValidateImage(*schema.image, schema.features);
  return absl::OkStatus();
}

absl::Status CheckFinite(absl::string_view bytes, int64_t first_value, int features) {
  assert(bytes.size() % sizeof(float) == 0);
  constexpr size_t kBlockValues = 4096;
  const size_t values = bytes.size() / sizeof(float);
  for (size_t begin = 0; begin < values; begin += kBlockValues) {
    const size_t count = std::min(kBlockValues, values - begin);
    if (!HasNonFinite(bytes.data() + begin * sizeof(float), count)) continue;
    for (size_t i = begin; i < begin + count; ++i) {
      float value;
      std::memcpy(&value, bytes.data() + i * sizeof(float), sizeof(value));
      if (std::isfinite(value)) continue;
      const int64_t index = first_value + static_cast<int64_t>(i);
      return absl::InvalidArgumentError(
          absl::StrCat("features: row ", index / features, ", feature ", index % features,
                       ": expected a finite number, got ", NonFiniteName(value)));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLabels(absl::Span<const int32_t> labels, int64_t first_row, int classes) {
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      return absl::InvalidArgumentError(
          absl::StrCat("labels: row ", first_row + static_cast<int64_t>(i), ": expected 0 to ",
                       classes - 1, ", got ", labels[i]));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckWeights(absl::Span<const float> weights, int64_t first_row) {
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!std::isfinite(weights[i]) || weights[i] < 0.0f) {
      return absl::InvalidArgumentError(
          absl::StrCat("weights: row ", first_row + static_cast<int64_t>(i),
                       ": expected a finite number of at least 0, got ", weights[i]));
    }
  }
  return absl::OkStatus();
}

void CopyRow(const Dataset& dataset, int64_t row, absl::Span<float> out) {
  const int64_t row_bytes = dataset.schema.row_bytes();
  assert(row >= 0 && row < dataset.rows());
  assert(out.size() == static_cast<size_t>(dataset.schema.features));
  const char* bytes = dataset.features.data() + row * row_bytes;
  if (dataset.schema.feature_type == FeatureType::kFloat32) {
    std::memcpy(out.data(), bytes, static_cast<size_t>(row_bytes));
    return;
  }
  for (size_t j = 0; j < out.size(); ++j) out[j] = static_cast<unsigned char>(bytes[j]);
}

}  // namespace mlp
