#include "client/readers/weighted_source.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/dataset_chunks.h"
#include "client/readers/csv_reader.h"
#include "tests/client/temp_folder.h"
#include "tests/client/test_files.h"

namespace mlp {
namespace {

using testing::ElementsAre;

class WeightedSource : public testing::Test {
 protected:
  // Three rows of two features.
  absl::StatusOr<std::unique_ptr<ExampleSource>> Open(const std::string& weights) {
    return WithWeights(*OpenCsv({.path = folder_.Write("t.csv", "1,2,a\n3,4,b\n5,6,a\n")}),
                       folder_.Write("w.txt", weights));
  }

  // What is said about such a file of weights, without the file's name.
  std::string Error(const std::string& weights) {
    const absl::Status status = Open(weights).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    const std::string prefix = absl::StrCat(folder_.Path("w.txt"), ": ");
    EXPECT_THAT(std::string(status.message()), testing::StartsWith(prefix));
    return std::string(status.message().substr(prefix.size()));
  }

  TempFolder folder_;
};

TEST_F(WeightedSource, GivesEachRowItsWeight) {
  const auto source = Open("1\n 0.25 \n2e3\n\n");
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_TRUE((*source)->header().weighted());
  EXPECT_EQ((*source)->header().rows(), 3);
  for (const int64_t at_once : {1, 2, 8}) {
    ExampleBlock all;
    ASSERT_TRUE(ReadAll(**source, at_once, all).ok());
    EXPECT_THAT(all.weights, ElementsAre(1, 0.25, 2000));
    EXPECT_THAT(all.labels, ElementsAre(0, 1, 0));
    ASSERT_TRUE((*source)->Rewind().ok());
  }
}

TEST_F(WeightedSource, TravelsInTheChunksOfAnUpload) {
  const auto source = Open("1\n2\n3\n");
  ASSERT_TRUE(source.ok());
  DatasetChunks chunks(**source);
  v1::DatasetChunk chunk;
  ASSERT_TRUE(*chunks.Next(chunk));
  EXPECT_THAT(chunk.weights(), ElementsAre(1, 2, 3));
  EXPECT_EQ(chunk.labels_size(), 3);
  EXPECT_FALSE(*chunks.Next(chunk));
}

TEST_F(WeightedSource, RefusesWhatIsNoWeight) {
  EXPECT_EQ(Error("1\n2\n"), "expected 3 weights, one a row, got 2");
  EXPECT_EQ(Error("1\n2\n3\n4\n"), "expected 3 weights, one a row, got 4");
  EXPECT_EQ(Error("1\n-2\n3\n"), "line 2: expected a finite number of at least 0, got \"-2\"");
  EXPECT_EQ(Error("1\n2\nheavy\n"),
            "line 3: expected a finite number of at least 0, got \"heavy\"");
  EXPECT_EQ(Error("nan\n1\n1\n"), "line 1: expected a finite number of at least 0, got \"nan\"");
  EXPECT_EQ(Error("1\n\n3\n"), "line 2: expected a weight, got an empty line");
}

}  // namespace
}  // namespace mlp
