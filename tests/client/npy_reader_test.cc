#include "client/readers/npy_reader.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/temp_folder.h"
#include "tests/client/test_files.h"

namespace mlp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Dictionary(const std::string& descr, const std::string& shape,
                       const std::string& fortran = "False") {
  return absl::StrCat("{'descr': '", descr, "', 'fortran_order': ", fortran, ", 'shape': ", shape,
                      ", }");
}

const std::string kLabels = Npy(Dictionary("<i8", "(2,)"), Bytes<int64_t>({7, 3}));

class NpyReader : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<ExampleSource>> Open(const std::string& features,
                                                      const std::string& labels = kLabels) {
    return OpenNpy({.features = folder_.Write("f.npy", features),
                    .labels = folder_.Write("l", labels),
                    .classes = {}});
  }

  absl::Status Try(const std::string& features, const std::string& labels = kLabels) {
    auto source = Open(features, labels);
    if (!source.ok()) return source.status();
    ExampleBlock all;
    return ReadAll(**source, 2, all);
  }

  std::vector<float> ReadFloats(const std::string& features) {
    auto source = Open(features);
    EXPECT_TRUE(source.ok()) << source.status();
    if (!source.ok()) return {};
    ExampleBlock all;
    EXPECT_TRUE(ReadAll(**source, 1, all).ok());
    return Floats(all);
  }

  TempFolder folder_;
};

TEST_F(NpyReader, ReadsFloat32Rows) {
  const std::string data = Bytes<float>({1, 2, 3, 4, 5, 6});
  auto source = Open(Npy(Dictionary("<f4", "(2, 3)"), data));
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ((*source)->header().rows(), 2);
  EXPECT_EQ((*source)->header().features(), 3);
  EXPECT_FALSE((*source)->header().has_image());
  EXPECT_THAT((*source)->header().class_names(), ElementsAre("3", "7"));
  ExampleBlock all;
  ASSERT_TRUE(ReadAll(**source, 1, all).ok());
  EXPECT_EQ(all.features, data);
  EXPECT_THAT(all.labels, ElementsAre(1, 0));
}

TEST_F(NpyReader, ReadsEveryTypeAndVersion) {
  EXPECT_THAT(ReadFloats(Npy(Dictionary("<f8", "(2, 1)"), Bytes<double>({0.5, -2}))),
              ElementsAre(0.5f, -2));
  EXPECT_THAT(ReadFloats(Npy(Dictionary("|i1", "(2, 1)"), Bytes<int8_t>({-1, 5}))),
              ElementsAre(-1, 5));
  EXPECT_THAT(ReadFloats(Npy(Dictionary("<u2", "(2, 1)"), Bytes<uint16_t>({65535, 5}))),
              ElementsAre(65535, 5));
  EXPECT_THAT(ReadFloats(Npy(Dictionary("<i4", "(2, 1)"), Bytes<int32_t>({-70000, 5}))),
              ElementsAre(-70000, 5));
  EXPECT_THAT(ReadFloats(Npy(Dictionary("<i8", "(2, 1)"), Bytes<int64_t>({-7, 5}), 2)),
              ElementsAre(-7, 5));
  EXPECT_THAT(ReadFloats(Npy(Dictionary(">i2", "(2, 1)"), std::string("\x01\x00\x00\x02", 4), 3)),
              ElementsAre(256, 2));
}

TEST_F(NpyReader, BytesOfThreeDimensionsAreImages) {
  auto source = Open(Npy(Dictionary("|u1", "(2, 1, 3)"), "abcdef"));
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ((*source)->header().feature_type(), v1::FEATURE_TYPE_UINT8);
  EXPECT_EQ((*source)->header().image().height(), 1);
  EXPECT_EQ((*source)->header().image().width(), 3);
  ExampleBlock all;
  ASSERT_TRUE(ReadAll(**source, 5, all).ok());
  EXPECT_EQ(all.features, "abcdef");
  source = Open(Npy(Dictionary("|u1", "(2, 1, 1, 3)"), "abcdef"));
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ((*source)->header().image().channels(), 3);
}

TEST_F(NpyReader, TakesLabelsFromText) {
  auto source = Open(Npy(Dictionary("|u1", "(2, 2)"), "abcd"), "cat\r\n ant \n\n");
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_THAT((*source)->header().class_names(), ElementsAre("ant", "cat"));
}

TEST_F(NpyReader, RefusesWhatItCannotRead) {
  EXPECT_THAT(Try(Npy(Dictionary("<f4", "(2, 1)", "True"), Bytes<float>({1, 2}))).message(),
              HasSubstr("got Fortran order"));
  EXPECT_THAT(Try(Npy(Dictionary("<f2", "(2, 1)"), "abcd")).message(), HasSubstr("got \"<f2\""));
  EXPECT_THAT(Try(Npy(Dictionary("<c8", "(2, 1)"), "abcd")).message(), HasSubstr("got \"<c8\""));
  EXPECT_THAT(
      Try(Npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2,), }", "")).message(),
      HasSubstr("got one of structures"));
  EXPECT_THAT(Try(Npy(Dictionary("<f4", "(2, 1)"), Bytes<float>({1, 2}), 4)).message(),
              HasSubstr("expected NPY version 1 to 3, got 4"));
  EXPECT_THAT(Try("PK\x03\x04 zipped archive").message(), HasSubstr("expected an NPY file"));
  EXPECT_THAT(Try(Npy(Dictionary("<f4", "(2,)"), Bytes<float>({1, 2}))).message(),
              HasSubstr("expected the shape rows x features"));
  EXPECT_THAT(Try(Npy(Dictionary("|u1", "(2, 1, 1, 2)"), "abcd")).message(),
              HasSubstr("got 2 x 1 x 1 x 2"));
  EXPECT_THAT(Try(Npy(Dictionary("|u1", "(2, 9223372036854775807)"), "")).message(),
              HasSubstr("expected 1 to 1048576 features"));
  EXPECT_THAT(Try(Npy(Dictionary("|u1", "(9223372036854775807, 2)"), "")).message(),
              HasSubstr("expected at least 1 row"));
}

TEST_F(NpyReader, RefusesLabelsThatDoNotFit) {
  const std::string features = Npy(Dictionary("|u1", "(2, 2)"), "abcd");
  ASSERT_TRUE(Try(features).ok());
  EXPECT_THAT(Try(features, Npy(Dictionary("<i4", "(3,)"), Bytes<int32_t>({1, 2, 3}))).message(),
              HasSubstr("expected 2 labels"));
  EXPECT_THAT(Try(features, Npy(Dictionary("<f4", "(2,)"), Bytes<float>({1, 2}))).message(),
              HasSubstr("got floating-point numbers"));
  EXPECT_THAT(Try(features, "a\nb\nc\n").message(), HasSubstr("expected 2 labels"));
  EXPECT_THAT(Try(features, "a\n\nc\n").message(),
              HasSubstr("line 2: expected a label, got an empty line"));
}

TEST_F(NpyReader, RefusesEveryTruncation) {
  const std::string file = Npy(Dictionary("<f4", "(2, 3)"), Bytes<float>({1, 2, 3, 4, 5, 6}));
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_EQ(Try(file.substr(0, size)).code(), absl::StatusCode::kInvalidArgument) << size;
  }
}

TEST_F(NpyReader, SurvivesEveryByteOfTheHeaderSpoilt) {
  const std::string file = Npy(Dictionary("<f4", "(2, 3)"), Bytes<float>({1, 2, 3, 4, 5, 6}));
  for (size_t i = 0; i < file.size() - 24; ++i) {
    for (const char spoilt : {'\0', '(', '\'', '9', ',', '\xff'}) {
      std::string copy = file;
      copy[i] = spoilt;
      const absl::Status status = Try(copy);
      EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << i << ": " << status;
    }
  }
}

}  // namespace
}  // namespace mlp
