#include "client/readers/array_source.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr int64_t kMaxFeatures = int64_t{1} << 20;
constexpr int64_t kMaxRows = int64_t{1} << 40;
constexpr size_t kLabelBlock = 1 << 16;

static_assert(std::endian::native == std::endian::little, "float32 features travel little-endian");

std::string Shape(const ArrayHeader& array) { return absl::StrJoin(array.shape, " x "); }

int64_t Features(const ArrayHeader& array) {
  int64_t features = 1;
  for (size_t i = 1; i < array.shape.size(); ++i) features *= array.shape[i];
  return features;
}

class ArraySource final : public ExampleSource {
 public:
  ArraySource(const ArrayHeader& array, ByteStream stream, ClassLabels labels)
      : array_(array), stream_(std::move(stream)), labels_(std::move(labels.labels)) {
    header_.set_rows(array.shape[0]);
    header_.set_features(static_cast<int32_t>(Features(array)));
    header_.set_feature_type(array.format.kind == ElementKind::kUint8 ? v1::FEATURE_TYPE_UINT8
                                                                      : v1::FEATURE_TYPE_FLOAT32);
    for (std::string& name : labels.class_names) header_.add_class_names(std::move(name));
    if (array.shape.size() >= 3) {
      header_.mutable_image()->set_height(static_cast<int32_t>(array.shape[1]));
      header_.mutable_image()->set_width(static_cast<int32_t>(array.shape[2]));
      header_.mutable_image()->set_channels(
          array.shape.size() == 4 ? static_cast<int32_t>(array.shape[3]) : 1);
    }
  }

  const v1::DatasetHeader& header() const override { return header_; }

  absl::Status Read(int64_t max_rows, ExampleBlock& block) override {
    const int64_t rows = std::min(max_rows, header_.rows() - row_);
    block.labels.assign(labels_.begin() + row_, labels_.begin() + row_ + rows);
    block.features.resize(static_cast<size_t>(rows * RowBytes(header_)));
    if (rows == 0) return stream_.ExpectEnd();
    if (array_.format.kind == ElementKind::kUint8) {
      MLP_RETURN_IF_ERROR(stream_.ReadExactly(block.features.size(), block.features.data()));
    } else {
      MLP_RETURN_IF_ERROR(ReadFloats(rows, block.features));
    }
    row_ += rows;
    return absl::OkStatus();
  }

  absl::Status Rewind() override {
    if (row_ == 0) return absl::OkStatus();
    row_ = 0;
    return stream_.SeekTo(array_.data_offset);
  }

 private:
  absl::Status ReadFloats(int64_t rows, std::string& features) {
    const auto count = static_cast<size_t>(rows) * static_cast<size_t>(header_.features());
    raw_.resize(count * ElementSize(array_.format.kind));
    values_.resize(count);
    MLP_RETURN_IF_ERROR(stream_.ReadExactly(raw_.size(), raw_.data()));
    DecodeFloats(array_.format, raw_, values_.data());
    const auto bad = std::find_if_not(values_.begin(), values_.end(),
                                      [](float value) { return std::isfinite(value); });
    if (bad != values_.end()) {
      const int64_t index = bad - values_.begin();
      return absl::InvalidArgumentError(absl::StrCat(
          stream_.path(), ": row ", row_ + index / header_.features(), ", feature ",
          index % header_.features(), ": expected a finite float32 value, got ", *bad));
    }
    std::memcpy(features.data(), values_.data(), features.size());
    return absl::OkStatus();
  }

  const ArrayHeader array_;
  ByteStream stream_;
  v1::DatasetHeader header_;
  std::vector<int32_t> labels_;
  int64_t row_ = 0;
  std::string raw_;
  std::vector<float> values_;
};

}  // namespace

absl::Status CheckExampleArray(const ArrayHeader& array, ByteStream& stream) {
  const size_t dimensions = array.shape.size();
  if (dimensions < 2 || dimensions > 4 ||
      (dimensions == 4 && array.shape[3] != 1 && array.shape[3] != 3)) {
    return absl::InvalidArgumentError(absl::StrCat(
        stream.path(), ": expected the shape rows x features, rows x height x width or ",
        "rows x height x width x 1 or 3, got ", Shape(array)));
  }
  if (array.shape[0] < 1 || array.shape[0] > kMaxRows) {
    return absl::InvalidArgumentError(
        absl::StrCat(stream.path(), ": expected at least 1 row, got the shape ", Shape(array)));
  }
  int64_t features = 1;
  for (size_t i = 1; i < dimensions; ++i) {
    if (array.shape[i] < 1 || array.shape[i] > kMaxFeatures / features) {
      return absl::InvalidArgumentError(
          absl::StrCat(stream.path(), ": expected 1 to ", kMaxFeatures,
                       " features a row, got the shape ", Shape(array)));
    }
    features *= array.shape[i];
  }
  // At most 2^40 rows of 2^20 features would overflow with 8 bytes each.
  const int64_t row_bytes = features * static_cast<int64_t>(ElementSize(array.format.kind));
  if (array.shape[0] > (int64_t{1} << 60) / row_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(stream.path(), ": the shape ", Shape(array), " is too large"));
  }
  return stream.ExpectSize(array.data_offset + array.shape[0] * row_bytes);
}

absl::StatusOr<ClassLabels> ReadLabelArray(const ArrayHeader& array, ByteStream& stream,
                                           int64_t rows, absl::string_view file,
                                           const std::vector<std::string>& classes) {
  if (array.shape.size() != 1 || !IsInteger(array.format.kind)) {
    return absl::InvalidArgumentError(
        absl::StrCat(stream.path(), ": expected one dimension of integers as labels, got ",
                     IsInteger(array.format.kind) ? "integers" : "floating-point numbers",
                     " of the shape ", Shape(array)));
  }
  MLP_RETURN_IF_ERROR(CheckLabelCount(stream.path(), array.shape[0], file, rows, "rows"));
  const size_t size = ElementSize(array.format.kind);
  MLP_RETURN_IF_ERROR(stream.ExpectSize(array.data_offset + rows * static_cast<int64_t>(size)));
  std::vector<int64_t> values;
  std::string block;
  while (static_cast<int64_t>(values.size()) < rows) {
    const int64_t left = rows - static_cast<int64_t>(values.size());
    block.resize(std::min(kLabelBlock, static_cast<size_t>(left)) * size);
    MLP_RETURN_IF_ERROR(stream.ReadExactly(block.size(), block.data()));
    DecodeIntegers(array.format, block, values);
  }
  MLP_RETURN_IF_ERROR(stream.ExpectEnd());
  return LabelsFromIntegers(stream.path(), values, classes);
}

std::unique_ptr<ExampleSource> MakeArraySource(const ArrayHeader& array, ByteStream stream,
                                               ClassLabels labels) {
  return std::make_unique<ArraySource>(array, std::move(stream), std::move(labels));
}

}  // namespace mlp
