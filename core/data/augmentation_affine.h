// The affine transformations of augmentation.
#pragma once

#include <cstdint>

#include "core/data/augmentation_kernels.h"

namespace mlp {

// What becomes of an image, in this order: scaled, sheared, rotated, shifted; all but the shift
// about its centre. x points right and y down.
struct AffineTransformation {
  double scale_x = 1.0;  // above 0; 2 doubles the width
  double scale_y = 1.0;
  double shear = 0.0;             // x += shear * y
  double rotation_degrees = 0.0;  // clockwise as the image is seen
  double shift_x = 0.0;           // pixels
  double shift_y = 0.0;
};

// The place in the original image of each pixel of the transformed one: the inverse. Exactly the
// identity for the identity, and exact for whole pixels of shift alone.
AffineMap InverseMap(const AffineTransformation& transformation, int height, int width);

}  // namespace mlp
