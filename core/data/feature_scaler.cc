#include "core/data/feature_scaler.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

#include <absl/strings/str_cat.h>

namespace mlp {
namespace {

struct Ranges {
  std::vector<float> low;   // [D]
  std::vector<float> high;  // [D]
};

Ranges FindRanges(const Dataset& dataset, absl::Span<const int64_t> rows) {
  const auto features = static_cast<size_t>(dataset.schema.features);
  std::vector<float> row(features);
  CopyRow(dataset, rows.front(), absl::MakeSpan(row));
  Ranges ranges{row, row};
  for (const int64_t index : rows) {
    CopyRow(dataset, index, absl::MakeSpan(row));
    for (size_t j = 0; j < features; ++j) {
      ranges.low[j] = std::min(ranges.low[j], row[j]);
      ranges.high[j] = std::max(ranges.high[j], row[j]);
    }
  }
  return ranges;
}

// 1 / spread, or 1 where the feature does not vary, which includes a spread so small (below about
// 3e-39) that its reciprocal is not a float.
float ScaleFor(double spread) {
  const double scale = 1.0 / spread;
  return scale <= std::numeric_limits<float>::max() ? static_cast<float>(scale) : 1.0f;
}

void FitMinMax(const Ranges& ranges, std::vector<float>& offsets, std::vector<float>& scales) {
  for (size_t j = 0; j < offsets.size(); ++j) {
    offsets[j] = ranges.low[j];
    scales[j] = ScaleFor(double{ranges.high[j]} - double{ranges.low[j]});
  }
}

void FitRange(const Ranges& ranges, std::vector<float>& offsets, std::vector<float>& scales) {
  const float low = *std::min_element(ranges.low.begin(), ranges.low.end());
  const float high = *std::max_element(ranges.high.begin(), ranges.high.end());
  std::fill(offsets.begin(), offsets.end(), low);
  std::fill(scales.begin(), scales.end(), ScaleFor(double{high} - double{low}));
}

// Population mean and standard deviation (divisor N), in two passes against cancellation.
void FitStandard(const Dataset& dataset, absl::Span<const int64_t> rows, const Ranges& ranges,
                 std::vector<float>& offsets, std::vector<float>& scales) {
  const size_t features = offsets.size();
  const auto count = static_cast<double>(rows.size());
  std::vector<float> row(features);
  std::vector<double> mean(features, 0.0);
  for (const int64_t index : rows) {
    CopyRow(dataset, index, absl::MakeSpan(row));
    for (size_t j = 0; j < features; ++j) mean[j] += row[j];
  }
  for (double& value : mean) value /= count;

  std::vector<double> squares(features, 0.0);
  for (const int64_t index : rows) {
    CopyRow(dataset, index, absl::MakeSpan(row));
    for (size_t j = 0; j < features; ++j) {
      const double deviation = row[j] - mean[j];
      squares[j] += deviation * deviation;
    }
  }
  for (size_t j = 0; j < features; ++j) {
    // A constant is its own offset: its mean may be off by rounding.
    const bool varies = ranges.low[j] < ranges.high[j];
    offsets[j] = varies ? static_cast<float>(mean[j]) : ranges.low[j];
    scales[j] = varies ? ScaleFor(std::sqrt(squares[j] / count)) : 1.0f;
  }
}

// The pointers do not overlap, which the compiler must know to vectorise.
template <typename Value>
void ScaleRows(absl::Span<const Value> in, absl::Span<const float> offsets,
               absl::Span<const float> scales, float* out) {
  const size_t features = offsets.size();
  assert(in.size() % features == 0);
  const float* __restrict offset = offsets.data();
  const float* __restrict scale = scales.data();
  for (size_t begin = 0; begin < in.size(); begin += features) {
    const Value* __restrict from = in.data() + begin;
    float* __restrict to = out + begin;
    for (size_t j = 0; j < features; ++j) {
      to[j] = (static_cast<float>(from[j]) - offset[j]) * scale[j];
    }
  }
}

}  // namespace

FeatureScaler::FeatureScaler(std::vector<float> offsets, std::vector<float> scales)
    : offsets_(std::move(offsets)), scales_(std::move(scales)) {}

FeatureScaler FeatureScaler::Identity(int features) {
  const auto size = static_cast<size_t>(features);
  return FeatureScaler(std::vector<float>(size, 0.0f), std::vector<float>(size, 1.0f));
}

FeatureScaler FeatureScaler::Fit(Scaling scaling, const Dataset& dataset,
                                 absl::Span<const int64_t> rows) {
  assert(!rows.empty());
  FeatureScaler scaler = Identity(dataset.schema.features);
  if (scaling == Scaling::kNone) return scaler;
  const Ranges ranges = FindRanges(dataset, rows);
  switch (scaling) {
    case Scaling::kNone:
      break;
    case Scaling::kRange:
      FitRange(ranges, scaler.offsets_, scaler.scales_);
      break;
    case Scaling::kMinMax:
      FitMinMax(ranges, scaler.offsets_, scaler.scales_);
      break;
    case Scaling::kStandard:
      FitStandard(dataset, rows, ranges, scaler.offsets_, scaler.scales_);
      break;
  }
  return scaler;
}

absl::StatusOr<FeatureScaler> FeatureScaler::Create(std::vector<float> offsets,
                                                    std::vector<float> scales) {
  if (offsets.empty() || offsets.size() != scales.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("scaler: expected as many offsets as scales and at least 1, got ",
                     offsets.size(), " offsets and ", scales.size(), " scales"));
  }
  for (size_t j = 0; j < offsets.size(); ++j) {
    if (!std::isfinite(offsets[j])) {
      return absl::InvalidArgumentError(
          absl::StrCat("scaler: feature ", j, ": expected a finite offset, got ", offsets[j]));
    }
    if (!std::isfinite(scales[j]) || scales[j] == 0.0f) {
      return absl::InvalidArgumentError(absl::StrCat(
          "scaler: feature ", j, ": expected a finite scale other than 0, got ", scales[j]));
    }
  }
  return FeatureScaler(std::move(offsets), std::move(scales));
}

void FeatureScaler::Apply(absl::Span<const float> in, float* out) const {
  ScaleRows(in, offsets(), scales(), out);
}

void FeatureScaler::Apply(absl::Span<const uint8_t> in, float* out) const {
  ScaleRows(in, offsets(), scales(), out);
}

}  // namespace mlp
