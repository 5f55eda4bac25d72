#include "client/dataset_chunks.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

// Rows of bytes that tell their place.
class CountingSource final : public ExampleSource {
 public:
  CountingSource(int64_t rows, int32_t features) {
    header_.set_rows(rows);
    header_.set_features(features);
    header_.set_feature_type(v1::FEATURE_TYPE_UINT8);
  }
  const v1::DatasetHeader& header() const override { return header_; }
  absl::Status Read(int64_t max_rows, ExampleBlock& block) override {
    block = {};
    for (; max_rows > 0 && row_ < header_.rows(); --max_rows, ++row_) {
      for (int i = 0; i < header_.features(); ++i) block.features.push_back(At(row_, i));
      block.labels.push_back(static_cast<int32_t>(row_));
    }
    return absl::OkStatus();
  }
  absl::Status Rewind() override {
    row_ = 0;
    return absl::OkStatus();
  }
  static char At(int64_t row, int feature) {
    return static_cast<char>(row * 31 + feature * 7 + feature / 251);
  }

 private:
  v1::DatasetHeader header_;
  int64_t row_ = 0;
};

void ExpectWhole(int64_t rows, int32_t features) {
  CountingSource source(rows, features);
  DatasetChunks chunks(source);
  v1::DatasetChunk chunk;
  std::string all;
  int64_t labels = 0;
  while (true) {
    const auto more = chunks.Next(chunk);
    ASSERT_TRUE(more.ok());
    if (!*more) break;
    ASSERT_LE(chunk.ByteSizeLong(), kMaxUploadChunkBytes + 32);
    ASSERT_LE(chunk.features().size() + 4 * static_cast<size_t>(chunk.labels_size()),
              kMaxUploadChunkBytes);
    all += chunk.features();
    for (const int32_t label : chunk.labels()) ASSERT_EQ(label, labels++);
  }
  ASSERT_EQ(labels, rows);
  ASSERT_EQ(static_cast<int64_t>(all.size()), rows * features);
  for (int64_t i = 0; i < rows * features; ++i) {
    ASSERT_EQ(all[static_cast<size_t>(i)],
              CountingSource::At(i / features, static_cast<int>(i % features)));
  }
  EXPECT_EQ(chunks.rows(), rows);
}

TEST(DatasetChunks, AreAtMostOneMebibyteAndKeepEveryRow) {
  ExpectWhole(1, 1);
  ExpectWhole(5000, 400);
  ExpectWhole(300'000, 1);    // as many labels as features
  ExpectWhole(3, 1'048'576);  // a row longer than a chunk
  ExpectWhole(3, 1'048'571);  // a row as long as a chunk, with its label
  ExpectWhole(3, 1'048'572);
}

}  // namespace
}  // namespace mlp
