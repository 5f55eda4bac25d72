#include "core/data/augmentation_affine.h"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::Pointwise;

// `image` transformed, without elastic distortions.
std::vector<float> Transform(const AffineTransformation& transformation, const ImageShape& shape,
                             const std::vector<float>& image, float background) {
  const int64_t width = shape.width;
  const int64_t row = width * shape.channels;
  const int64_t bordered_row = (width + kBorder) * shape.channels;
  std::vector<float> bordered(static_cast<size_t>((shape.height + kBorder) * bordered_row),
                              background);
  for (int64_t y = 0; y < shape.height; ++y) {
    std::copy_n(image.data() + y * row, row,
                bordered.data() + (y + kBorderBefore) * bordered_row +
                    int64_t{kBorderBefore} * shape.channels);
  }
  const std::vector<float> zeros(
      static_cast<size_t>(int64_t{shape.height} * GroupsOf(shape.width) * kGroup));
  std::vector<float> out(image.size());
  Resample(shape, bordered.data(), InverseMap(transformation, shape.height, shape.width),
           zeros.data(), zeros.data(), out.data());
  return out;
}

void ExpectTransformed(const AffineTransformation& transformation, const ImageShape& shape,
                       const std::vector<float>& image, const std::vector<float>& expected) {
  EXPECT_THAT(Transform(transformation, shape, image, 0.0f), Pointwise(FloatNear(1e-5f), expected));
}

TEST(Affine, IdentityLeavesEveryBit) {
  const std::vector<float> image = {0.1f, 3e38f, -3e38f, 1e-40f, 0.7f, -5.0f};
  EXPECT_EQ(Transform({}, {2, 3, 1}, image, 9.0f), image);
  EXPECT_EQ(Transform({}, {1, 6, 1}, image, 9.0f), image);
  EXPECT_EQ(Transform({}, {6, 1, 1}, image, 9.0f), image);
  EXPECT_EQ(Transform({}, {1, 2, 3}, image, 9.0f), image);
}

TEST(Affine, ShiftsWholePixels) {
  const std::vector<float> image = {1, 2, 3,  //
                                    4, 5, 6};
  EXPECT_THAT(Transform({.shift_x = 1}, {2, 3, 1}, image, 9.0f), ElementsAre(9, 1, 2, 9, 4, 5));
  EXPECT_THAT(Transform({.shift_x = -2}, {2, 3, 1}, image, 9.0f), ElementsAre(3, 9, 9, 6, 9, 9));
  EXPECT_THAT(Transform({.shift_y = 1}, {2, 3, 1}, image, 9.0f), ElementsAre(9, 9, 9, 1, 2, 3));
  EXPECT_THAT(Transform({.shift_y = -1}, {2, 3, 1}, image, 9.0f), ElementsAre(4, 5, 6, 9, 9, 9));
}

TEST(Affine, InterpolatesBetweenPixelsAndBackground) {
  // Each pixel is the mean of itself and its left neighbour; the first one's is background.
  EXPECT_THAT(Transform({.shift_x = 0.5}, {1, 3, 1}, {1, 2, 5}, -1.0f), ElementsAre(0, 1.5, 3.5));
  // The last one has a quarter of what comes from the right of the image.
  EXPECT_THAT(Transform({.shift_x = -0.25}, {1, 3, 1}, {4, 8, 12}, 0.0f), ElementsAre(5, 9, 9));
  // The mean of four.
  EXPECT_THAT(Transform({.shift_x = 0.5, .shift_y = 0.5}, {2, 2, 1}, {1, 2, 3, 6}, 0.0f),
              ElementsAre(0.25, 0.75, 1, 3));
}

TEST(Affine, FarAwayEverythingIsBackground) {
  for (const double far : {-1e4, -4.0, 3.0, 1e4}) {
    EXPECT_THAT(Transform({.shift_x = far}, {1, 3, 1}, {1, 2, 3}, 9.0f), ElementsAre(9, 9, 9));
    EXPECT_THAT(Transform({.shift_y = far}, {1, 3, 1}, {1, 2, 3}, 9.0f), ElementsAre(9, 9, 9));
  }
}

TEST(Affine, RotatesClockwiseAboutTheCentre) {
  const std::vector<float> image = {1, 2, 3,  //
                                    4, 5, 6,  //
                                    7, 8, 9};
  ExpectTransformed({.rotation_degrees = 90}, {3, 3, 1}, image,
                    {7, 4, 1,  //
                     8, 5, 2,  //
                     9, 6, 3});
  ExpectTransformed({.rotation_degrees = -90}, {3, 3, 1}, image,
                    {3, 6, 9,  //
                     2, 5, 8,  //
                     1, 4, 7});
  // The centre of an even image lies between its pixels.
  ExpectTransformed({.rotation_degrees = 90}, {2, 2, 1}, {1, 2, 3, 4}, {3, 1, 4, 2});
  // What turns out of a wide image is gone.
  ExpectTransformed({.rotation_degrees = 90}, {1, 3, 1}, {1, 2, 3}, {0, 2, 0});
  ExpectTransformed({.rotation_degrees = 180}, {1, 3, 1}, {1, 2, 3}, {3, 2, 1});
}

TEST(Affine, ScalesAboutTheCentre) {
  const std::vector<float> row = {0, 4, 8, 6, 2};
  ExpectTransformed({.scale_x = 2}, {1, 5, 1}, row, {4, 6, 8, 7, 6});
  ExpectTransformed({.scale_x = 0.5}, {1, 5, 1}, row, {0, 0, 8, 2, 0});
  // The other axis alone: nothing to see in a row, twice as high in a column.
  ExpectTransformed({.scale_y = 2}, {1, 5, 1}, row, row);
  ExpectTransformed({.scale_y = 2}, {5, 1, 1}, row, {4, 6, 8, 7, 6});
}

TEST(Affine, ShearsRowsByTheirDistanceFromTheMiddle) {
  ExpectTransformed({.shear = 1}, {3, 3, 1},
                    {1, 2, 3,  //
                     4, 5, 6,  //
                     7, 8, 9},
                    {2, 3, 0,  //
                     4, 5, 6,  //
                     0, 7, 8});
}

TEST(Affine, ScalesThenShearsThenRotatesThenShifts) {
  // Shifted last: to the right, though the image is upside down.
  ExpectTransformed({.rotation_degrees = 180, .shift_x = 1}, {1, 4, 1}, {1, 2, 3, 4}, {0, 4, 3, 2});
  // Sheared first: the rows of 3 x 3 move by -1, 0, 1 and are then turned clockwise.
  ExpectTransformed({.shear = 1, .rotation_degrees = 90}, {3, 3, 1},
                    {1, 2, 3,  //
                     4, 5, 6,  //
                     7, 8, 9},
                    {0, 4, 2,  //
                     7, 5, 3,  //
                     8, 6, 0});
  // Scaled first: the column 1 2 3 is as wide as before when it is turned into a row.
  ExpectTransformed({.scale_x = 2, .rotation_degrees = 90}, {3, 3, 1},
                    {0, 1, 0,  //
                     0, 2, 0,  //
                     0, 3, 0},
                    {1.5, 1, 0.5,  //
                     3, 2, 1,      //
                     1.5, 1, 0.5});
}

TEST(Affine, MovesAllChannelsAlike) {
  EXPECT_THAT(Transform({.shift_x = 1}, {1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}, 0.0f),
              ElementsAre(0, 0, 0, 1, 2, 3, 4, 5, 6));
}

// Wider than a group of 16.
TEST(Affine, ShiftsWideRows) {
  std::vector<float> image(74);  // 2 rows of 37
  for (size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i);
  const std::vector<float> shifted = Transform({.shift_x = 3}, {2, 37, 1}, image, -7.0f);
  for (int y = 0; y < 2; ++y) {
    for (int x = 0; x < 37; ++x) {
      EXPECT_EQ(shifted[static_cast<size_t>(y * 37 + x)],
                x < 3 ? -7.0f : static_cast<float>(y * 37 + x - 3));
    }
  }
}

}  // namespace
}  // namespace mlp
