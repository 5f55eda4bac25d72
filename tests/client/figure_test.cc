// Figures are files that others can read: PNG by libpng, SVG as XML.
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>
#include <sys/stat.h>

#include "client/commands/evaluation_figure.h"
#include "client/figure/drawing.h"
#include "client/figure/pending_file.h"
#include "tests/client/temp_folder.h"

namespace mlp {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

struct Pixels {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;

  uint32_t At(int x, int y) const {
    const size_t at =
        3 * (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x));
    return static_cast<uint32_t>(rgb[at] << 16 | rgb[at + 1] << 8 | rgb[at + 2]);
  }
};

Pixels DecodePng(const std::string& bytes) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  Pixels pixels;
  if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0) return pixels;
  image.format = PNG_FORMAT_RGB;
  pixels.width = static_cast<int>(image.width);
  pixels.height = static_cast<int>(image.height);
  pixels.rgb.resize(PNG_IMAGE_SIZE(image));
  EXPECT_NE(png_image_finish_read(&image, nullptr, pixels.rgb.data(), 0, nullptr), 0);
  return pixels;
}

v1::EvaluateModelResponse Response(int classes, const std::string& name) {
  v1::EvaluateModelResponse response;
  response.set_model("digits");
  response.set_version(3);
  v1::Evaluation& evaluation = *response.mutable_evaluation();
  evaluation.set_examples(10 * classes);
  for (int k = 0; k < classes; ++k) {
    v1::ClassEvaluation& c = *evaluation.add_classes();
    c.set_class_name(name);
    c.set_support(10);
    for (int prediction = 0; prediction < classes; ++prediction) {
      evaluation.add_confusion(prediction == k ? 10 : 0);
    }
    v1::OperatingPoint& point = *c.add_curve();
    point.set_recall(1.0);
    point.set_precision(0.5);
  }
  v1::ReliabilityBin& bin = *evaluation.add_reliability();
  bin.set_upper(1.0);
  bin.set_examples(evaluation.examples());
  bin.set_accuracy(0.5);
  return response;
}

TEST(Drawing, PngHasTwoPixelsToAPoint) {
  Drawing drawing(FigureFormat::kPng, 40, 30);
  drawing.Fill({10, 5, 20, 10}, {0x3366CC});
  const auto bytes = drawing.Finish();
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const Pixels pixels = DecodePng(*bytes);
  ASSERT_EQ(pixels.width, 80);
  ASSERT_EQ(pixels.height, 60);
  EXPECT_EQ(pixels.At(0, 0), 0xFFFFFFu);
  EXPECT_EQ(pixels.At(20, 10), 0x3366CCu);
  EXPECT_EQ(pixels.At(59, 29), 0x3366CCu);
  EXPECT_EQ(pixels.At(60, 29), 0xFFFFFFu);
}

TEST(Drawing, LeavesOutBytesThatAreNoText) {
  for (const FigureFormat format : {FigureFormat::kPng, FigureFormat::kSvg}) {
    Drawing drawing(format, 100, 100);
    for (const char* text : {"\xFF\xFE", "a\xC3", "\xE0\x80\x80", "\xED\xA0\x80",
                             "\xF4\x90\x80\x80", "\x01\x1b[0m", "<&\">", "é ￿ 𝄞", ""}) {
      drawing.Text({10, 50}, text, {.anchor = Anchor::kMiddle, .upwards = true});
    }
    EXPECT_TRUE(drawing.Finish().ok());
  }
}

TEST(Drawing, TooLargeAPageIsAnErrorAndNoCrash) {
  Drawing drawing(FigureFormat::kPng, 1'000'000, 10);
  drawing.Text({0, 0}, "text", {});
  EXPECT_EQ(drawing.Finish().status().code(), absl::StatusCode::kInternal);
}

TEST(FigureFormat, IsSaidByTheEnding) {
  EXPECT_EQ(*FigureFormatOf("a/b.png"), FigureFormat::kPng);
  EXPECT_EQ(*FigureFormatOf("B.SVG"), FigureFormat::kSvg);
  for (const char* path : {"", "png", "a.pdf", "svg.d/figure"}) {
    EXPECT_EQ(FigureFormatOf(path).status().code(), absl::StatusCode::kInvalidArgument) << path;
  }
}

TEST(EvaluationFigure, IsAPageWithFourPanels) {
  const auto bytes = DrawEvaluation(Response(2, "a"), "cells", FigureFormat::kPng);
  ASSERT_TRUE(bytes.ok());
  const Pixels pixels = DecodePng(*bytes);
  ASSERT_EQ(pixels.width, 2000);
  ASSERT_EQ(pixels.height, 2160);
  // Cells of the matrix: all of the first class right, none wrong; the reliability's bar.
  EXPECT_EQ(pixels.At(240, 220), 0x08519Cu);
  EXPECT_EQ(pixels.At(900, 220), 0xFFFFFFu);
  EXPECT_NE(pixels.At(400, 1900), 0xFFFFFFu);
}

TEST(EvaluationFigure, TakesManyClassesStrangeNamesAndNothing) {
  for (const FigureFormat format : {FigureFormat::kPng, FigureFormat::kSvg}) {
    EXPECT_TRUE(
        DrawEvaluation(Response(100, "a name that is far too long for its cell"), "cells", format)
            .ok());
    EXPECT_TRUE(DrawEvaluation(Response(3, "\xFF<&é"), "cells", format).ok());
    EXPECT_TRUE(DrawEvaluation({}, "cells", format).ok());
  }
  const auto svg = DrawEvaluation(Response(3, "<&>"), "cells", FigureFormat::kSvg);
  EXPECT_THAT(*svg, StartsWith("<?xml"));
  EXPECT_THAT(*svg, EndsWith("</svg>\n"));
}

class PendingFileTest : public testing::Test {
 protected:
  TempFolder folder_;
  const std::string path_ = folder_.Path("file");
};

TEST_F(PendingFileTest, IsThereOnceItIsCommitted) {
  {
    absl::StatusOr<PendingFile> file = PendingFile::Create(path_);
    ASSERT_TRUE(file.ok());
    EXPECT_FALSE(std::filesystem::exists(path_));
    ASSERT_TRUE(file->Commit("bytes").ok());
  }
  EXPECT_EQ(folder_.Read("file"), "bytes");
  EXPECT_EQ(folder_.entries(), 1u);
  struct stat status = {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  const mode_t mask = umask(0);
  umask(mask);
  EXPECT_EQ(status.st_mode & 0777u, 0666u & ~mask);
}

TEST_F(PendingFileTest, LeavesNothingWithoutACommit) {
  folder_.Write("file", "old");
  {
    absl::StatusOr<PendingFile> file = PendingFile::Create(path_);
    ASSERT_TRUE(file.ok());
    const PendingFile moved = *std::move(file);
    EXPECT_EQ(folder_.entries(), 2u);
  }
  EXPECT_EQ(folder_.Read("file"), "old");
  EXPECT_EQ(folder_.entries(), 1u);
}

TEST_F(PendingFileTest, SaysWhyItCannotBe) {
  EXPECT_EQ(PendingFile::Create(folder_.Path("none/file")).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(PendingFile::Create(folder_.Path(".")).status().code(),
            absl::StatusCode::kFailedPrecondition);
  folder_.Write("plain", "");
  EXPECT_THAT(PendingFile::Create(folder_.Path("plain/file")).status().message(),
              HasSubstr("cannot write "));
}

}  // namespace
}  // namespace mlp
