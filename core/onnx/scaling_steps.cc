#include "core/onnx/scaling_steps.h"

#include <algorithm>
#include <cmath>

#include <absl/strings/str_cat.h>

namespace mlp {
namespace {

constexpr int kMaxSteps = 8;

std::vector<float> Rounded(const std::vector<double>& values, int features, float otherwise) {
  if (values.empty()) return std::vector<float>(static_cast<size_t>(features), otherwise);
  return std::vector<float>(values.begin(), values.end());
}

}  // namespace

// ((x - o) * s) + c = (x - (o - c / s)) * s.
absl::Status ScalingSteps::Apply(Operation operation, const std::vector<double>& values) {
  if (++steps_ > kMaxSteps) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected at most ", kMaxSteps, " steps of scaling, got more"));
  }
  const bool shifts = operation == Operation::kAdd || operation == Operation::kSubtract;
  const bool first_offset = offsets_.empty();
  if (shifts && first_offset) offsets_.resize(values.size());
  if (!shifts && scales_.empty()) scales_.resize(values.size(), 1.0);
  for (size_t j = 0; j < values.size(); ++j) {
    const double c = operation == Operation::kAdd ? -values[j] : values[j];
    if (shifts) {
      const double shift = scales_.empty() ? c : c / scales_[j];
      // Assigned, not added to 0: -0 keeps its bits.
      offsets_[j] = first_offset ? shift : offsets_[j] + shift;
    } else {
      scales_[j] = operation == Operation::kMultiply ? scales_[j] * c : scales_[j] / c;
    }
    const auto value = static_cast<float>(shifts ? offsets_[j] : scales_[j]);
    if (!std::isfinite(value) || (!shifts && value == 0.0f)) {
      return absl::InvalidArgumentError(absl::StrCat("feature ", j, ": expected a finite ",
                                                     shifts ? "offset" : "scale other than 0",
                                                     ", got ", value));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<FeatureScaler> ScalingSteps::Scaler(int features) const {
  return FeatureScaler::Create(Rounded(offsets_, features, 0.0f), Rounded(scales_, features, 1.0f));
}

absl::StatusOr<std::vector<double>> BroadcastToFeatures(const FloatTensor& tensor,
                                                        const DataShape& shape) {
  const absl::Span<const int64_t> from = tensor.dims();
  const size_t axes = shape.dims.size();
  // Where the tensor has one value for an axis, its values do not move with it: stride 0.
  std::vector<int64_t> strides(axes, 0);
  int64_t stride = 1;
  bool fits = from.size() <= axes + 1 && (from.size() <= axes || from[0] == 1);
  for (size_t i = 0; fits && i < std::min(from.size(), axes); ++i) {
    const int64_t dim = from[from.size() - 1 - i];
    const size_t axis = axes - 1 - i;
    fits = dim == 1 || dim == shape.dims[axis];
    if (dim > 1) strides[axis] = stride;
    stride *= dim;
  }
  if (!fits) {
    return absl::InvalidArgumentError(absl::StrCat("expected a constant for the features of ",
                                                   shape.text(), ", got one of ", tensor.shape()));
  }
  std::vector<double> values(static_cast<size_t>(shape.features()));
  for (size_t j = 0; j < values.size(); ++j) {
    auto rest = static_cast<int64_t>(j);
    int64_t index = 0;
    for (size_t axis = axes; axis-- > 0;) {
      index += rest % shape.dims[axis] * strides[axis];
      rest /= shape.dims[axis];
    }
    values[j] = tensor[index];
  }
  return values;
}

}  // namespace mlp
