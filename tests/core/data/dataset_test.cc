#include "core/data/dataset.h"

#include <climits>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

DatasetSchema ValidSchema() {
  DatasetSchema schema;
  schema.features = 6;
  schema.class_names = {"no", "yes"};
  schema.image = ImageShape{2, 3, 1};
  return schema;
}

void ExpectInvalid(const DatasetSchema& schema, const std::string& message) {
  EXPECT_EQ(ValidateSchema(schema), absl::InvalidArgumentError(message));
}

std::string BytesOf(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

TEST(DatasetSchema, KnowsItsRowBytes) {
  DatasetSchema schema = ValidSchema();
  schema.feature_type = FeatureType::kFloat32;
  EXPECT_EQ(schema.row_bytes(), 24);
  schema.feature_type = FeatureType::kUint8;
  EXPECT_EQ(schema.row_bytes(), 6);
}

TEST(ValidateSchema, AcceptsTheLimits) {
  DatasetSchema schema = ValidSchema();
  EXPECT_TRUE(ValidateSchema(schema).ok());
  schema.image.reset();
  schema.features = 1;
  EXPECT_TRUE(ValidateSchema(schema).ok());
  schema.features = 1 << 20;
  schema.image = ImageShape{1 << 10, 1 << 10, 1};
  EXPECT_TRUE(ValidateSchema(schema).ok());
  schema.class_names[0] = std::string(128, 'x');
  EXPECT_TRUE(ValidateSchema(schema).ok());
  schema.class_names.clear();
  for (int k = 0; k < 10'000; ++k) schema.class_names.push_back(absl::StrCat(k));
  EXPECT_TRUE(ValidateSchema(schema).ok());
}

TEST(ValidateSchema, RejectsFeaturesOutOfRange) {
  for (const int features : {0, -1, INT_MIN, (1 << 20) + 1, INT_MAX}) {
    DatasetSchema schema = ValidSchema();
    schema.features = features;
    ExpectInvalid(schema, absl::StrCat("features: expected 1 to 1048576 features, got ", features));
  }
}

TEST(ValidateSchema, RejectsTooFewOrTooManyClasses) {
  DatasetSchema schema = ValidSchema();
  schema.class_names.pop_back();
  ExpectInvalid(schema, "class_names: expected 2 to 10000 names, got 1");
  schema.class_names.clear();
  ExpectInvalid(schema, "class_names: expected 2 to 10000 names, got 0");
  for (int k = 0; k < 10'001; ++k) schema.class_names.push_back(absl::StrCat(k));
  ExpectInvalid(schema, "class_names: expected 2 to 10000 names, got 10001");
}

TEST(ValidateSchema, RejectsBadClassNames) {
  DatasetSchema schema = ValidSchema();
  schema.class_names = {"a", ""};
  ExpectInvalid(schema, "class_names[1]: expected 1 to 128 bytes, got 0");
  schema.class_names = {std::string(129, 'x'), "a"};
  ExpectInvalid(schema, "class_names[0]: expected 1 to 128 bytes, got 129");
  schema.class_names = {"a", "b", "a"};
  ExpectInvalid(schema,
                "class_names[2]: expected a name of its own, got \"a\" as in class_names[0]");
}

// From the table of RFC 3629, section 4.
TEST(ValidateSchema, AcceptsUtf8) {
  DatasetSchema schema = ValidSchema();
  for (const char* name : {"\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                           "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
                           "z\xC3\xA9ro", "\xE2\x82\xAC\xF0\x9F\x98\x80!"}) {
    schema.class_names[1] = name;
    EXPECT_TRUE(ValidateSchema(schema).ok()) << name;
  }
}

TEST(ValidateSchema, RejectsWhatIsNotUtf8) {
  DatasetSchema schema = ValidSchema();
  for (const char* name :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x7F", "\xC2\xC0", "\xE0\x9F\xBF",
        "\xE1\x80", "\xE1\x80\x7F", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF1\x80\x80",
        "\xF1\x80\x80\xC0", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "ok\xC3"}) {
    schema.class_names[1] = name;
    const absl::Status status = ValidateSchema(schema);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("class_names[1]: expected UTF-8, got \""));
  }
}

TEST(ValidateSchema, RejectsAnImageThatIsNotTheFeatures) {
  DatasetSchema schema = ValidSchema();
  schema.image = ImageShape{2, 2, 1};
  ExpectInvalid(schema,
                "image: expected height * width * channels to be 6 (features), got 2 x 2 x 1");
  schema.image = ImageShape{2, 3, 2};
  ExpectInvalid(schema,
                "image: expected height * width * channels to be 6 (features), got 2 x 3 x 2");
  schema.image = ImageShape{1, 3, 2};
  ExpectInvalid(schema, "image.channels: expected 1 (grey) or 3 (colour), got 2");
  schema.image = ImageShape{-2, -3, 1};
  ExpectInvalid(schema, "image: expected height, width and channels of 1 or more, got -2 x -3 x 1");
}

TEST(ValidateSchema, RejectsAnImageWhoseSizeOverflows) {
  for (const ImageShape& image :
       {ImageShape{INT_MAX, INT_MAX, INT_MAX}, ImageShape{1 << 30, 4, 1}, ImageShape{6, 1, INT_MAX},
        // 2^32 + 6 pixels when wrapped to 32 bits are 6.
        ImageShape{2, INT_MAX, 3}}) {
    DatasetSchema schema = ValidSchema();
    schema.image = image;
    EXPECT_EQ(ValidateSchema(schema).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(CheckFinite, AcceptsEveryFiniteNumber) {
  using Limits = std::numeric_limits<float>;
  EXPECT_TRUE(CheckFinite("", 0, 3).ok());
  EXPECT_TRUE(CheckFinite(BytesOf({0.0f, -0.0f, 1.0f, -1.0f, Limits::max(), Limits::lowest(),
                                   Limits::min(), Limits::denorm_min(), -Limits::denorm_min()}),
                          0, 3)
                  .ok());
}

TEST(CheckFinite, NamesRowAndFeature) {
  std::vector<float> values(1600, 0.5f);  // 4 rows of 400
  values[3 * 400 + 17] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(
      CheckFinite(BytesOf(values), 0, 400),
      absl::InvalidArgumentError("features: row 3, feature 17: expected a finite number, got nan"));
  values[2 * 400 + 399] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(CheckFinite(BytesOf(values), 4000, 400),
            absl::InvalidArgumentError(
                "features: row 12, feature 399: expected a finite number, got -inf"));
}

// Longer than a block of the search, so that blocks' first, last and odd values are all tried.
TEST(CheckFinite, FindsTheOneBadValueAnywhere) {
  std::vector<float> values(10'001, 1.0f);
  for (const size_t bad : {0, 1, 4095, 4096, 8191, 8192, 9999, 10'000}) {
    values[bad] = std::numeric_limits<float>::infinity();
    EXPECT_EQ(CheckFinite(BytesOf(values), 0, 1),
              absl::InvalidArgumentError(absl::StrCat(
                  "features: row ", bad, ", feature 0: expected a finite number, got inf")));
    values[bad] = 1.0f;
  }
}

TEST(CheckFinite, FindsEveryKindOfNan) {
  for (const uint32_t bits : {0x7F800001u, 0x7FC00000u, 0x7FFFFFFFu, 0xFF800001u, 0xFFFFFFFFu}) {
    const absl::string_view bytes(reinterpret_cast<const char*>(&bits), sizeof(bits));
    EXPECT_THAT(std::string(CheckFinite(bytes, 0, 1).message()), HasSubstr("got nan"));
  }
}

TEST(CheckFinite, NeedsNoAlignment) {
  const std::string bytes = "x" + BytesOf({1.0f, std::numeric_limits<float>::infinity()});
  EXPECT_FALSE(CheckFinite(absl::string_view(bytes).substr(1), 0, 2).ok());
}

TEST(CheckLabels, AcceptsEveryClass) {
  EXPECT_TRUE(CheckLabels({0, 1, 2, 1, 0}, 0, 3).ok());
  EXPECT_TRUE(CheckLabels({}, 0, 3).ok());
}

TEST(CheckLabels, NamesTheRow) {
  EXPECT_EQ(CheckLabels({0, 1, 3}, 0, 3),
            absl::InvalidArgumentError("labels: row 2: expected 0 to 2, got 3"));
  EXPECT_EQ(CheckLabels({-1}, 70, 3),
            absl::InvalidArgumentError("labels: row 70: expected 0 to 2, got -1"));
  EXPECT_FALSE(CheckLabels({INT32_MIN}, 0, 3).ok());
  EXPECT_FALSE(CheckLabels({INT32_MAX}, 0, 3).ok());
}

TEST(CopyRow, CopiesFloats) {
  Dataset dataset;
  dataset.schema.features = 2;
  dataset.features = BytesOf({1.5f, -2.0f, 3.0f, 4.25f});
  dataset.labels = {0, 1};
  std::vector<float> row(2);
  CopyRow(dataset, 1, absl::MakeSpan(row));
  EXPECT_THAT(row, ElementsAre(3.0f, 4.25f));
}

TEST(CopyRow, CopiesBytesAsUnsigned) {
  Dataset dataset;
  dataset.schema.features = 3;
  dataset.schema.feature_type = FeatureType::kUint8;
  dataset.features = std::string("\x00\x01\x02\x7F\x80\xFF", 6);
  dataset.labels = {0, 1};
  std::vector<float> row(3);
  CopyRow(dataset, 1, absl::MakeSpan(row));
  EXPECT_THAT(row, ElementsAre(127.0f, 128.0f, 255.0f));
}

}  // namespace
}  // namespace mlp
