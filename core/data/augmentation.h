// Training images distorted anew in every epoch: elastic distortions (Simard, Steinkraus and Platt,
// "Best practices for convolutional neural networks applied to visual document analysis", ICDAR
// 2003) and affine transformations. It stands between the scaled training examples and the
// objective; validation, test and prediction see images as they are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <absl/status/status.h>

#include "core/data/dataset.h"

namespace mlp {

// How far images are distorted; every 0 leaves its kind of distortion out. All random numbers are
// uniform.
struct AugmentationOptions {
  // Each pixel is displaced, horizontally and vertically, by random numbers in [-1, 1) that are
  // smoothed by a Gaussian of standard deviation `elastic_sigma` pixels and multiplied by
  // `elastic_alpha`: on average by about 0.16 alpha / sigma pixels each way (ElasticField).
  // Simard's best for MNIST are 34 and 4. alpha from 0 to 1,000; sigma above 0, at most 64.
  double elastic_alpha = 0.0;
  double elastic_sigma = 4.0;
  // Rotation about the image's centre, from -this to this. 0 to 180.
  double max_rotation_degrees = 0.0;
  // Width and height are each multiplied by a factor from 1 / (1 + this) to 1 + this, as often
  // enlarged as reduced. 0 to 1.
  double max_scale = 0.0;
  // x moves by -this to this times the distance from the middle row. 0 to 1.
  double max_shear = 0.0;
  // Horizontal and vertical shift in pixels, from -this to this. 0 to 1,000.
  double max_translation = 0.0;

  // Whether any image would change.
  bool enabled() const;

  bool operator==(const AugmentationOptions&) const = default;
};

// INVALID_ARGUMENT naming the field for a number that is not finite or out of its range above;
// FAILED_PRECONDITION where images would be distorted and the features are none (`image` not set).
absl::Status ValidateAugmentation(const AugmentationOptions& options,
                                  const std::optional<ImageShape>& image);

// Distorts images of one shape. Immutable, thread-safe with a Scratch for each thread.
class Augmenter {
 public:
  // Requires a `shape` and `options` that ValidateAugmentation accepts. `background` is the value
  // of every pixel outside the image, in the units of the images that Distort gets.
  Augmenter(const AugmentationOptions& options, const ImageShape& shape, int64_t seed,
            float background);
  ~Augmenter();
  Augmenter(const Augmenter&) = delete;
  Augmenter& operator=(const Augmenter&) = delete;

  // The memory that Distort works in: about 20 bytes a pixel. Thread-compatible.
  class Scratch {
   public:
    explicit Scratch(const Augmenter& augmenter);
    ~Scratch();
    Scratch(Scratch&&) noexcept;

   private:
    friend class Augmenter;
    struct Buffers;
    std::unique_ptr<Buffers> buffers_;
  };

  // Writes `image` [height x width x channels], finite, distorted to `out` of the same shape, which
  // may be `image`. All channels of a pixel are displaced alike. Each value is interpolated
  // bilinearly at the place that the displacement and the inverse affine transformation, added up,
  // give. How a row is distorted depends on (options, shape, seed, epoch, row) alone, and not on
  // the image, on earlier calls or on the thread. `scratch` was made for this augmenter.
  void Distort(const float* image, int64_t epoch, int64_t row, Scratch& scratch, float* out) const;

 private:
  struct Plan;
  std::unique_ptr<const Plan> plan_;
};

}  // namespace mlp
