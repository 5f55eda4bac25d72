// The displacement fields of elastic distortions.
#pragma once

#include <vector>

#include "core/data/augmentation_kernels.h"
#include "core/data/augmentation_noise.h"

namespace mlp {

// u[y][x] = alpha * sum over i and j of g(i) g(j) r[y + i][x + j], where r are uniform in [-1, 1)
// over the image and 0 beyond it, and g is a Gaussian of standard deviation sigma cut off at 4
// sigma that sums to 1. So says Simard et al. 2003, section 2: "the fields are then convolved with
// a Gaussian"; the paper leaves the border and the kernel's norm open, and these are the readings
// that give alpha = 34 at sigma = 4 its moderate displacements. Away from the border u has mean 0
// and standard deviation alpha sqrt(1/3) sum g^2, for sigma of 1 or more alpha / (2 sqrt(3 pi)
// sigma) = 0.163 alpha / sigma pixels (1.38 of Simard's); at an edge, where half of the noise is
// missing, 1/sqrt(2) of it.
//
// Immutable, thread-safe.
class ElasticField {
 public:
  // Requires alpha >= 0, sigma > 0.
  ElasticField(double alpha, double sigma, int height, int width);

  // What Draw works in.
  struct Scratch {
    FloatGroups noise;
    FloatGroups row;
  };
  Scratch MakeScratch() const;

  // Groups of a field [height x width, rows padded to whole groups].
  int groups() const { return height_ * GroupsOf(width_); }

  // Draws the next field.
  void Draw(AugmentationNoise& noise, Scratch& scratch, float* field) const;

 private:
  Smoothing smoothing() const;

  int height_;
  int width_;
  std::vector<float> row_weights_;
  std::vector<float> column_weights_;  // times alpha
};

}  // namespace mlp
