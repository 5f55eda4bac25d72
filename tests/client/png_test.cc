#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>
#include <zlib.h>

#include "client/readers/grey_image.h"
#include "client/readers/labels.h"
#include "client/readers/png_sheet.h"
#include "tests/client/temp_folder.h"
#include "tests/client/test_files.h"

namespace mlp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PngFile : public testing::Test {
 protected:
  absl::StatusOr<GreyImage> Read(const std::string& bytes) {
    return ReadPng(folder_.Write("i.png", bytes));
  }
  TempFolder folder_;
};

TEST_F(PngFile, GreyBytesComeBackAsTheyWere) {
  const auto image = Read(Png(3, 2, PNG_FORMAT_GRAY, {0, 1, 127, 128, 254, 255}));
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->width, 3);
  EXPECT_EQ(image->height, 2);
  EXPECT_THAT(image->pixels, ElementsAre(0, 1, 127, 128, 254, 255));
}

TEST_F(PngFile, ColoursBecomeGreyByLuminance) {
  const auto image =
      Read(Png(5, 1, PNG_FORMAT_RGB, {9, 9, 9, 255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255}));
  ASSERT_TRUE(image.ok());
  EXPECT_EQ(image->pixels[0], 9);
  EXPECT_EQ(image->pixels[1], 255);
  EXPECT_GT(image->pixels[3], image->pixels[2]);  // green is lighter than red,
  EXPECT_GT(image->pixels[2], image->pixels[4]);  // and red than blue
}

TEST_F(PngFile, TransparencyShowsAGroundUnlikeTheStrokes) {
  const auto dark = Read(Png(3, 1, PNG_FORMAT_GA, {0, 0, 10, 255, 0, 0}));
  EXPECT_THAT(dark->pixels, ElementsAre(255, 10, 255));
  const auto light = Read(Png(3, 1, PNG_FORMAT_RGBA, {0, 0, 0, 0, 240, 240, 240, 255, 0, 0, 0, 0}));
  EXPECT_THAT(light->pixels, ElementsAre(0, 240, 0));
}

TEST_F(PngFile, RefusesEveryTruncation) {
  const std::string file = Png(16, 16, PNG_FORMAT_GRAY, std::vector<uint8_t>(256, 77));
  // Without its last chunk, IEND, the picture is whole; libpng takes it or leaves it.
  for (size_t size = 0; size + 12 < file.size(); ++size) {
    const auto image = Read(file.substr(0, size));
    EXPECT_EQ(image.status().code(), absl::StatusCode::kInvalidArgument) << size;
    EXPECT_THAT(image.status().message(), HasSubstr("i.png: ")) << size;
  }
}

TEST_F(PngFile, RefusesEveryByteSpoiltInTheImageData) {
  const std::string file = Png(16, 16, PNG_FORMAT_GRAY, std::vector<uint8_t>(256, 77));
  const size_t data = file.find("IDAT");
  ASSERT_NE(data, std::string::npos);
  for (size_t i = data + 4; i + 16 < file.size(); ++i) {
    std::string copy = file;
    copy[i] ^= 0x40;
    EXPECT_FALSE(Read(copy).ok()) << i;
  }
}

TEST_F(PngFile, RefusesOtherFilesAndHugeSizes) {
  EXPECT_THAT(Read("GIF89a").status().message(), HasSubstr("expected a PNG file"));
  EXPECT_EQ(ReadPng(folder_.Path("none.png")).status().code(), absl::StatusCode::kNotFound);
  // A header of 60,000 x 60,000 pixels with its right checksum.
  const std::string header = absl::StrCat("IHDR", BigEndian32(60000), BigEndian32(60000),
                                          std::string("\x08\x00\x00\x00\x00", 5));
  const auto* bytes = reinterpret_cast<const unsigned char*>(header.data());
  const auto checksum =
      static_cast<uint32_t>(crc32(0, bytes, static_cast<unsigned>(header.size())));
  const std::string real = Png(1, 1, PNG_FORMAT_GRAY, {0});
  const std::string file = absl::StrCat(real.substr(0, 8), BigEndian32(13), header,
                                        BigEndian32(checksum), real.substr(33));
  EXPECT_THAT(Read(file).status().message(), HasSubstr("got 60000 x 60000"));
}

// 2 x 2 cells of 2 x 1 pixels.
const std::string kSheet = Png(4, 2, PNG_FORMAT_GRAY, {1, 2, 3, 4, 5, 6, 7, 8});

class PngSheet : public PngFile {
 protected:
  absl::StatusOr<std::unique_ptr<ExampleSource>> Open(CellSize cell,
                                                      std::vector<std::string> classes,
                                                      const std::string& labels = "") {
    return OpenPngSheet({.path = folder_.Write("s.png", kSheet),
                         .cell = cell,
                         .classes = std::move(classes),
                         .labels = labels.empty() ? "" : folder_.Write("labels", labels)});
  }
};

TEST_F(PngSheet, CutsCellsInRowsAndDividesThemEvenly) {
  auto source = Open({2, 1}, {"a", "b"});
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ((*source)->header().rows(), 4);
  EXPECT_EQ((*source)->header().image().width(), 2);
  EXPECT_EQ((*source)->header().image().height(), 1);
  ExampleBlock all;
  ASSERT_TRUE(ReadAll(**source, 3, all).ok());
  EXPECT_EQ(all.features, "\1\2\3\4\5\6\7\10");
  EXPECT_THAT(all.labels, ElementsAre(0, 0, 1, 1));
}

TEST_F(PngSheet, CellsMayBeSeveralPixelsHigh) {
  auto source = Open({2, 2}, {"a", "b"});
  ExampleBlock all;
  ASSERT_TRUE(ReadAll(**source, 1, all).ok());
  EXPECT_EQ(all.features, "\1\2\5\6\3\4\7\10");
}

TEST_F(PngSheet, TakesLabelsFromAFile) {
  auto source = Open({2, 1}, {}, "8\n9\n9\n10\n");
  ASSERT_TRUE(source.ok());
  EXPECT_THAT((*source)->header().class_names(), ElementsAre("8", "9", "10"));
  EXPECT_THAT(Open({2, 1}, {}, "8\n9\n").status().message(), HasSubstr("expected 4 labels"));
}

TEST_F(PngSheet, RefusesSizesThatDoNotFit) {
  EXPECT_THAT(Open({3, 1}, {}).status().message(),
              HasSubstr("expected a size that is a multiple of the cell, 3 x 1, got 4 x 2"));
  EXPECT_THAT(Open({2, 1}, {}).status().message(), HasSubstr("10 classes, got 4"));
}

TEST(CellSize, ParsesWidthAndHeight) {
  EXPECT_EQ(ParseCellSize("20x30")->width, 20);
  EXPECT_EQ(ParseCellSize("20x30")->height, 30);
  for (const char* bad : {"", "20", "20x", "x20", "0x20", "-1x20", "20x20x1", "2000x1", "ax1"}) {
    EXPECT_FALSE(ParseCellSize(bad).ok()) << bad;
  }
}

TEST(Classes, ParsesListsAndRanges) {
  EXPECT_THAT(*ParseClasses("0..2"), ElementsAre("0", "1", "2"));
  EXPECT_THAT(*ParseClasses("-1..1"), ElementsAre("-1", "0", "1"));
  EXPECT_THAT(*ParseClasses("cat, dog"), ElementsAre("cat", "dog"));
  for (const char* bad : {"", "a", "a,a", "a,,b", "3..1", "a..b", "0..99999999", "1..1"}) {
    EXPECT_FALSE(ParseClasses(bad).ok()) << bad;
  }
}

TEST(GreyImage, FitAveragesAreas) {
  const GreyImage image{4, 2, {0, 100, 10, 30, 100, 200, 50, 70}};
  EXPECT_THAT(Fit(image, 2, 1).pixels, ElementsAre(100, 40));
  EXPECT_THAT(Fit(image, 4, 2).pixels, testing::ElementsAreArray(image.pixels));
  // 3 to 2: each target takes one and a half source pixels.
  EXPECT_THAT(Fit({3, 1, {30, 60, 90}}, 2, 1).pixels, ElementsAre(40, 80));
  EXPECT_THAT(Fit({1, 1, {7}}, 2, 2).pixels, ElementsAre(7, 7, 7, 7));
}

TEST(GreyImage, FitKeepsTheAspectRatioAndFillsWithTheBorder) {
  const GreyImage wide{4, 2, {10, 10, 10, 10, 10, 10, 10, 10}};
  const GreyImage fitted = Fit(wide, 2, 3);
  EXPECT_EQ(fitted.width, 2);
  EXPECT_EQ(fitted.height, 3);
  GreyImage square{3, 3, {0, 0, 0, 0, 255, 0, 0, 0, 0}};
  EXPECT_THAT(Fit(square, 5, 3).pixels, ElementsAre(0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0));
}

TEST(GreyImage, TellsDarkStrokesOnALightGround) {
  GreyImage image{4, 4, std::vector<uint8_t>(16, 250)};
  for (const size_t i : {5u, 6u, 9u, 10u}) image.pixels[i] = 3;
  EXPECT_TRUE(HasLightGround(image));
  EXPECT_FALSE(HasLightGround(Invert(image)));
  EXPECT_EQ(Invert(image).pixels[0], 5);
  EXPECT_FALSE(HasLightGround({1, 1, {9}}));
}

}  // namespace
}  // namespace mlp
