#include "core/data/image_background.h"

#include <string>

#include <gtest/gtest.h>

namespace mlp {
namespace {

// One image a text, a pixel a character: ' ' is 255, 'x' is 0.
Dataset Images(const std::vector<std::string>& images, ImageShape shape) {
  Dataset dataset;
  dataset.schema.features = shape.height * shape.width * shape.channels;
  dataset.schema.feature_type = FeatureType::kUint8;
  dataset.schema.class_names = {"a", "b"};
  dataset.schema.image = shape;
  for (const std::string& image : images) {
    for (const char pixel : image) dataset.features.push_back(pixel == 'x' ? '\0' : '\xFF');
    dataset.labels.push_back(0);
  }
  return dataset;
}

TEST(ImageBackground, IsWhatMostOfTheBorderIs) {
  const Dataset paper = Images({"  x "
                                " xx "
                                " xx "
                                "    "},
                               {.height = 4, .width = 4});
  EXPECT_EQ(ImageBackground(paper, {0}), 255.0f);
  const Dataset board = Images({"xx x"
                                "x  x"
                                "x  x"
                                "xxxx"},
                               {.height = 4, .width = 4});
  EXPECT_EQ(ImageBackground(board, {0}), 0.0f);
}

TEST(ImageBackground, LooksAtTheGivenRowsAlone) {
  const Dataset dataset = Images({"xxxx", "    ", "    "}, {.height = 2, .width = 2});
  EXPECT_EQ(ImageBackground(dataset, {0}), 0.0f);
  EXPECT_EQ(ImageBackground(dataset, {1}), 255.0f);
  EXPECT_EQ(ImageBackground(dataset, {0, 1, 2}), 255.0f);
  EXPECT_EQ(ImageBackground(dataset, {0, 1}), 0.0f);  // the lower of two medians
}

TEST(ImageBackground, OfColours) {
  const Dataset dataset = Images({"xx xx xx xx "}, {.height = 2, .width = 2, .channels = 3});
  EXPECT_EQ(ImageBackground(dataset, {0}), 0.0f);
}

}  // namespace
}  // namespace mlp
