#include "core/data/augmentation_affine.h"

#include <cmath>
#include <numbers>

namespace mlp {

// With c the centre, t the shift and M = R(rotation) [1 shear; 0 1] diag(scale), a point p goes to
// M (p - c) + c + t. So the pixel p comes from M^-1 (p - c - t) + c, where M^-1 = diag(1 / scale)
// [1 -shear; 0 1] R(-rotation).
AffineMap InverseMap(const AffineTransformation& transformation, int height, int width) {
  const double angle = transformation.rotation_degrees * std::numbers::pi / 180.0;
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  AffineMap map;
  map.xx = (cosine + transformation.shear * sine) / transformation.scale_x;
  map.xy = (sine - transformation.shear * cosine) / transformation.scale_x;
  map.yx = -sine / transformation.scale_y;
  map.yy = cosine / transformation.scale_y;
  const double centre_x = 0.5 * (width - 1);
  const double centre_y = 0.5 * (height - 1);
  const double moved_x = centre_x + transformation.shift_x;
  const double moved_y = centre_y + transformation.shift_y;
  map.x0 = centre_x - (map.xx * moved_x + map.xy * moved_y);
  map.y0 = centre_y - (map.yx * moved_x + map.yy * moved_y);
  return map;
}

}  // namespace mlp
