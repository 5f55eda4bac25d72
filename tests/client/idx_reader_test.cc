#include "client/readers/idx_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/temp_folder.h"
#include "tests/client/test_files.h"

namespace mlp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Three images of 2 x 2, then their labels.
const std::string kPixels = std::string("\x01\x02\x03\x04\x10\x20\x30\x40\xff\xfe\xfd\xfc", 12);
const std::string kImages = Idx(8, {3, 2, 2}, kPixels);
const std::string kLabels = Idx(8, {3}, std::string("\x05\x02\x05", 3));

class IdxReader : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<ExampleSource>> Open(const std::string& images,
                                                      const std::string& labels,
                                                      std::vector<std::string> classes = {}) {
    return OpenIdx({.images = folder_.Write("images", images),
                    .labels = folder_.Write("labels", labels),
                    .classes = std::move(classes)});
  }

  // How opening and reading to the end turns out.
  absl::Status Try(const std::string& images, const std::string& labels) {
    auto source = Open(images, labels);
    if (!source.ok()) return source.status();
    ExampleBlock all;
    return ReadAll(**source, 2, all);
  }

  TempFolder folder_;
};

TEST_F(IdxReader, KeepsBytesAsImages) {
  auto source = Open(kImages, kLabels);
  ASSERT_TRUE(source.ok()) << source.status();
  const v1::DatasetHeader& header = (*source)->header();
  EXPECT_EQ(header.rows(), 3);
  EXPECT_EQ(header.features(), 4);
  EXPECT_EQ(header.feature_type(), v1::FEATURE_TYPE_UINT8);
  EXPECT_EQ(header.image().height(), 2);
  EXPECT_EQ(header.image().width(), 2);
  EXPECT_EQ(header.image().channels(), 1);
  EXPECT_THAT(header.class_names(), ElementsAre("2", "5"));
  ExampleBlock all;
  ASSERT_TRUE(ReadAll(**source, 2, all).ok());
  EXPECT_EQ(all.features, kPixels);
  EXPECT_THAT(all.labels, ElementsAre(1, 0, 1));
}

TEST_F(IdxReader, GivenClassesKeepTheLabelAsIndex) {
  auto source = Open(kImages, kLabels, {"a", "b", "c", "d", "e", "f"});
  ASSERT_TRUE(source.ok());
  ExampleBlock all;
  ASSERT_TRUE(ReadAll(**source, 8, all).ok());
  EXPECT_THAT(all.labels, ElementsAre(5, 2, 5));
  EXPECT_THAT(Open(kImages, kLabels, {"a", "b"}).status().message(),
              HasSubstr("label 0: expected 0 to 1, got 5"));
}

TEST_F(IdxReader, ReadsGzipTheSameAndAgainAfterRewind) {
  auto source = Open(Gzip(kImages), Gzip(kLabels));
  ASSERT_TRUE(source.ok()) << source.status();
  ExampleBlock all;
  ASSERT_TRUE(ReadAll(**source, 1, all).ok());
  EXPECT_EQ(all.features, kPixels);
  ASSERT_TRUE((*source)->Rewind().ok());
  ASSERT_TRUE(ReadAll(**source, 3, all).ok());
  EXPECT_EQ(all.features, kPixels);
}

TEST_F(IdxReader, TurnsBigEndianNumbersIntoFloats) {
  const std::string labels = Idx(8, {1}, std::string(1, '\0'));
  const auto floats = [&](int type, uint32_t columns, const std::string& data) {
    auto source = Open(Idx(type, {1, columns}, data), labels);
    EXPECT_TRUE(source.ok()) << source.status();
    EXPECT_EQ((*source)->header().feature_type(), v1::FEATURE_TYPE_FLOAT32);
    EXPECT_FALSE((*source)->header().has_image());
    ExampleBlock all;
    EXPECT_TRUE(ReadAll(**source, 8, all).ok());
    return Floats(all);
  };
  EXPECT_THAT(floats(0x09, 2, "\x01\xff"), ElementsAre(1, -1));
  EXPECT_THAT(floats(0x0B, 2, std::string("\x01\x00\xff\xfe", 4)), ElementsAre(256, -2));
  EXPECT_THAT(floats(0x0C, 1, BigEndian32(65536)), ElementsAre(65536));
  EXPECT_THAT(floats(0x0D, 1, BigEndian32(0x3FC00000)), ElementsAre(1.5f));
  EXPECT_THAT(floats(0x0E, 1, BigEndian32(0xC0040000) + BigEndian32(0)), ElementsAre(-2.5f));
}

TEST_F(IdxReader, RefusesNumbersThatFloat32CannotHold) {
  const std::string labels = Idx(8, {2}, std::string(2, '\0'));
  const std::string nan = BigEndian32(0x3F800000) + BigEndian32(0x7FC00000);
  EXPECT_THAT(Try(Idx(0x0D, {2, 1}, nan), labels).message(),
              HasSubstr("row 1, feature 0: expected a finite float32 value, got nan"));
}

TEST_F(IdxReader, RefusesEveryTruncation) {
  for (size_t size = 0; size < kImages.size(); ++size) {
    const absl::Status status = Try(kImages.substr(0, size), kLabels);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << size;
    EXPECT_THAT(status.message(), HasSubstr("/images: expected")) << size;
  }
  for (size_t size = 0; size < kLabels.size(); ++size) {
    EXPECT_THAT(Try(kImages, kLabels.substr(0, size)).message(), HasSubstr("/labels: expected"))
        << size;
  }
  EXPECT_THAT(Try(kImages.substr(0, 20), kLabels).message(),
              HasSubstr("expected 28 bytes as its header says, got 20"));
}

TEST_F(IdxReader, RefusesEveryTruncationOfGzip) {
  const std::string zipped = Gzip(kImages);
  for (size_t size = 0; size < zipped.size(); ++size) {
    EXPECT_EQ(Try(zipped.substr(0, size), kLabels).code(), absl::StatusCode::kInvalidArgument)
        << size;
  }
}

TEST_F(IdxReader, RefusesDamagedGzip) {
  std::string pixels(4 * 1000, '\0');
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<char>(i * i / 7);
  const std::string labels = Idx(8, {1000}, std::string(1000, '\1'));
  std::string zipped = Gzip(Idx(8, {1000, 2, 2}, pixels));
  ASSERT_TRUE(Try(zipped, labels).ok());
  zipped[zipped.size() - 6] ^= 0x55;  // in the checksum: all the pixels are there
  EXPECT_THAT(Try(zipped, labels).message(), HasSubstr("gzip data is damaged"));
  zipped = Gzip(Idx(8, {1000, 2, 2}, pixels));
  for (size_t i = zipped.size() / 2; i < zipped.size() / 2 + 40; ++i) zipped[i] ^= 0x55;
  EXPECT_EQ(Try(zipped, labels).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(IdxReader, RefusesMoreBytesThanTheHeaderSays) {
  EXPECT_THAT(Try(kImages + "x", kLabels).message(),
              HasSubstr("expected 28 bytes as its header says, got 29"));
  EXPECT_THAT(Try(Gzip(kImages + "x"), kLabels).message(),
              HasSubstr("expected 28 bytes as its header says, got more"));
  EXPECT_THAT(Try(kImages, Gzip(kLabels + "x")).message(),
              HasSubstr("expected 11 bytes as its header says, got more"));
}

TEST_F(IdxReader, RefusesAnotherMagic) {
  EXPECT_THAT(Try("\x89PNG0000", kLabels).message(),
              HasSubstr("expected an IDX file, which begins with 00 00"));
  EXPECT_THAT(Try(Idx(0x0A, {3, 2, 2}, kPixels), kLabels).message(), HasSubstr("got 00 00 0a 03"));
}

TEST_F(IdxReader, RefusesAnotherNumberOfLabels) {
  EXPECT_THAT(Try(kImages, Idx(8, {2}, std::string(2, '\1'))).message(),
              testing::AllOf(HasSubstr("expected 3 labels"), HasSubstr("got 2")));
}

TEST_F(IdxReader, RefusesShapesThatHoldNoExamples) {
  EXPECT_THAT(Try(kLabels, kLabels).message(), HasSubstr("got 3"));
  EXPECT_THAT(Try(Idx(8, {0, 2, 2}, ""), Idx(8, {0}, "")).message(),
              HasSubstr("expected at least 1 row, got the shape 0 x 2 x 2"));
  EXPECT_THAT(Try(Idx(8, {1, 0, 2}, ""), kLabels).message(), HasSubstr("expected 1 to 1048576"));
  EXPECT_THAT(Try(kImages, kImages).message(), HasSubstr("expected one dimension of integers"));
}

TEST_F(IdxReader, HugeHeaderAllocatesNothing) {
  EXPECT_THAT(Try(Idx(8, {0xFFFFFFFF, 1024, 1024}, "abc"), kLabels).message(),
              HasSubstr("bytes as its header says, got 19"));
  EXPECT_THAT(Try(Idx(0x0E, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, "abc"), kLabels).message(),
              HasSubstr("expected 1 to 1048576 features"));
}

TEST_F(IdxReader, NamesAFileThatIsNotThere) {
  const auto source = OpenIdx({.images = folder_.Path("none"), .labels = ""});
  EXPECT_EQ(source.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(source.status().message(), HasSubstr(folder_.Path("none")));
  EXPECT_THAT(OpenIdx({.images = folder_.Path("."), .labels = ""}).status().message(),
              HasSubstr("expected a file, got a folder"));
}

}  // namespace
}  // namespace mlp
