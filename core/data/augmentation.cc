#include "core/data/augmentation.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "core/data/augmentation_affine.h"
#include "core/data/augmentation_field.h"
#include "core/data/augmentation_kernels.h"
#include "core/data/augmentation_noise.h"

namespace mlp {
namespace {

absl::Status CheckRange(absl::string_view field, double value, double most) {
  if (value >= 0.0 && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "augmentation.", field, ": expected a number from 0 to ", most, ", got ", value));
}

// A factor from 1 / (1 + most) to 1 + most for `uniform` from -1 to 1.
double ScaleFactor(double most, double uniform) {
  return uniform >= 0.0 ? 1.0 + most * uniform : 1.0 / (1.0 - most * uniform);
}

// Takes one group of numbers whatever is enabled, so that elastic distortions do not change with
// the affine options.
AffineTransformation DrawTransformation(const AugmentationOptions& options,
                                        AugmentationNoise& noise) {
  float uniform[kGroup];
  noise.Fill(1, uniform);
  return {.scale_x = ScaleFactor(options.max_scale, uniform[0]),
          .scale_y = ScaleFactor(options.max_scale, uniform[1]),
          .shear = options.max_shear * uniform[2],
          .rotation_degrees = options.max_rotation_degrees * uniform[3],
          .shift_x = options.max_translation * uniform[4],
          .shift_y = options.max_translation * uniform[5]};
}

}  // namespace

bool AugmentationOptions::enabled() const {
  return elastic_alpha > 0.0 || max_rotation_degrees > 0.0 || max_scale > 0.0 || max_shear > 0.0 ||
         max_translation > 0.0;
}

absl::Status ValidateAugmentation(const AugmentationOptions& options,
                                  const std::optional<ImageShape>& image) {
  MLP_RETURN_IF_ERROR(CheckRange("elastic_alpha", options.elastic_alpha, 1000.0));
  if (!(options.elastic_sigma > 0.0 && options.elastic_sigma <= 64.0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("augmentation.elastic_sigma: expected a number above 0, at most 64, got ",
                     options.elastic_sigma));
  }
  MLP_RETURN_IF_ERROR(CheckRange("max_rotation_degrees", options.max_rotation_degrees, 180.0));
  MLP_RETURN_IF_ERROR(CheckRange("max_scale", options.max_scale, 1.0));
  MLP_RETURN_IF_ERROR(CheckRange("max_shear", options.max_shear, 1.0));
  MLP_RETURN_IF_ERROR(CheckRange("max_translation", options.max_translation, 1000.0));
  if (options.enabled() && !image.has_value()) {
    return absl::FailedPreconditionError(
        "augmentation: expected a dataset of images, got features without an image shape");
  }
  return absl::OkStatus();
}

struct Augmenter::Plan {
  AugmentationOptions options;
  ImageShape shape;
  int64_t seed;
  float background;
  ElasticField elastic;
};

// Invariant: the border of `bordered` is background; dx and dy stay 0 without elastic distortions.
struct Augmenter::Scratch::Buffers {
  ElasticField::Scratch elastic;
  FloatGroups dx;
  FloatGroups dy;
  std::vector<float> bordered;  // [height + kBorder x width + kBorder x channels]
};

Augmenter::Scratch::Scratch(const Augmenter& augmenter) {
  const Plan& plan = *augmenter.plan_;
  const auto groups = static_cast<size_t>(plan.elastic.groups());
  const ImageShape& shape = plan.shape;
  const auto bordered = static_cast<size_t>(shape.height + kBorder) *
                        static_cast<size_t>(shape.width + kBorder) *
                        static_cast<size_t>(shape.channels);
  buffers_ =
      std::make_unique<Buffers>(Buffers{.elastic = plan.elastic.MakeScratch(),
                                        .dx = FloatGroups(groups),
                                        .dy = FloatGroups(groups),
                                        .bordered = std::vector<float>(bordered, plan.background)});
}

Augmenter::Scratch::~Scratch() = default;
Augmenter::Scratch::Scratch(Scratch&&) noexcept = default;

Augmenter::Augmenter(const AugmentationOptions& options, const ImageShape& shape, int64_t seed,
                     float background)
    : plan_(std::make_unique<Plan>(Plan{
          options, shape, seed, background,
          ElasticField(options.elastic_alpha, options.elastic_sigma, shape.height, shape.width)})) {
  assert(ValidateAugmentation(options, shape).ok());
}

Augmenter::~Augmenter() = default;

void Augmenter::Distort(const float* image, int64_t epoch, int64_t row, Scratch& scratch,
                        float* out) const {
  const ImageShape& shape = plan_->shape;
  Scratch::Buffers& buffers = *scratch.buffers_;
  AugmentationNoise noise(plan_->seed, epoch, row);
  const AffineTransformation transformation = DrawTransformation(plan_->options, noise);
  if (plan_->options.elastic_alpha > 0.0) {
    plan_->elastic.Draw(noise, buffers.elastic, Data(buffers.dx));
    plan_->elastic.Draw(noise, buffers.elastic, Data(buffers.dy));
  }
  const int64_t row_values = int64_t{shape.width} * shape.channels;
  const int64_t row_stride = int64_t{shape.width + kBorder} * shape.channels;
  for (int y = 0; y < shape.height; ++y) {
    std::copy_n(image + y * row_values, row_values,
                buffers.bordered.data() + (y + kBorderBefore) * row_stride +
                    int64_t{kBorderBefore} * shape.channels);
  }
  Resample(shape, buffers.bordered.data(), InverseMap(transformation, shape.height, shape.width),
           Data(buffers.dx), Data(buffers.dy), out);
}

}  // namespace mlp
