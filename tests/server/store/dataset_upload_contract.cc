// What Store promises of uploads.
#include <atomic>
#include <thread>
#include <utility>

#include <absl/strings/str_cat.h>

#include "tests/server/store/store_contract.h"

namespace mlp::testing {
namespace {

TEST_P(StoreContract, UploadInAnyPiecesComesBackWhole) {
  // About 3 MiB in appends of uneven numbers of rows, larger and smaller than any piece.
  const v1::DatasetHeader header = MakeHeader("digits", 4001, 784);
  const Rows rows = MakeRows(header, 3);
  const auto upload = store().BeginDatasetUpload(header).value();
  int64_t row = 0;
  for (const int64_t count : {1, 1336, 1337, 1338 - 400, 0, 389}) {
    const auto first = static_cast<size_t>(row);
    const auto size = static_cast<size_t>(count);
    ASSERT_THAT(upload->Append({absl::string_view(rows.features).substr(first * 784, size * 784),
                                absl::MakeConstSpan(rows.labels).subspan(first, size)}),
                IsOk());
    row += count;
  }
  ASSERT_EQ(row, 4001);
  ASSERT_THAT(upload->Commit(Describe(header, rows)), IsOk());

  const Dataset dataset = store().ReadDataset("digits").value();
  EXPECT_TRUE(dataset.features == rows.features);
  EXPECT_EQ(dataset.labels, rows.labels);
}

TEST_P(StoreContract, UploadOfRowsLargerThanAPieceComesBackWhole) {
  v1::DatasetHeader header = MakeHeader("wide", 3, 1 << 20);
  header.set_feature_type(v1::FEATURE_TYPE_FLOAT32);
  const Rows rows = MakeRows(header, 4);
  ASSERT_THAT(Upload(store(), header, rows), IsOk());
  const Dataset dataset = store().ReadDataset("wide").value();
  EXPECT_TRUE(dataset.features == rows.features);
  EXPECT_EQ(dataset.labels, rows.labels);
  EXPECT_EQ(dataset.schema.feature_type, FeatureType::kFloat32);
}

TEST_P(StoreContract, UploadIsInvisibleBeforeCommit) {
  const v1::DatasetHeader header = MakeHeader("digits", 2000, 784);
  const Rows rows = MakeRows(header, 3);
  const auto upload = store().BeginDatasetUpload(header).value();
  ASSERT_THAT(upload->Append({rows.features, rows.labels}), IsOk());
  EXPECT_THAT(store().GetDataset("digits"), HasStatus(absl::StatusCode::kNotFound, "digits"));
  EXPECT_THAT(store().ReadDataset("digits"), HasStatus(absl::StatusCode::kNotFound, "digits"));
  EXPECT_TRUE(store().ListDatasets({}).value().items.empty());
  ASSERT_THAT(upload->Commit(Describe(header, rows)), IsOk());
  EXPECT_THAT(store().GetDataset("digits"), IsOk());
}

TEST_P(StoreContract, UploadGivenUpLeavesNothing) {
  v1::DatasetHeader header = MakeHeader("digits", 2000, 784);
  header.set_request_id("r");
  {
    const Rows rows = MakeRows(header, 3);
    const auto upload = store().BeginDatasetUpload(header).value();
    ASSERT_THAT(upload->Append({rows.features, rows.labels}), IsOk());
  }
  EXPECT_THAT(store().GetDataset("digits"), HasStatus(absl::StatusCode::kNotFound, "digits"));
  EXPECT_THAT(store().FindDatasetByRequest("r"), HasStatus(absl::StatusCode::kNotFound, ""));
  header.set_rows(1);
  EXPECT_THAT(Upload(store(), header, MakeRows(header, 4)), IsOk());
}

TEST_P(StoreContract, UploadRefusesATakenName) {
  const v1::DatasetHeader header = MakeHeader("digits", 3, 4);
  const auto loser = store().BeginDatasetUpload(header).value();
  const v1::Dataset winner = Upload(store(), header, MakeRows(header, 1)).value();
  const Rows rows = MakeRows(header, 2);
  ASSERT_THAT(loser->Append({rows.features, rows.labels}), IsOk());
  EXPECT_THAT(loser->Commit(Describe(header, rows)),
              HasStatus(absl::StatusCode::kAlreadyExists, "digits"));
  EXPECT_THAT(store().BeginDatasetUpload(header).status(),
              HasStatus(absl::StatusCode::kAlreadyExists, "digits"));
  EXPECT_THAT(store().GetDataset("digits").value(), EqualsMessage(winner));
  EXPECT_THAT(store().ReadDataset("digits"), IsOk());
}

TEST_P(StoreContract, UploadRefusesWhatDoesNotFitItsHeader) {
  const v1::DatasetHeader header = MakeHeader("digits", 3, 4);
  const Rows rows = MakeRows(header, 1);
  const auto upload = store().BeginDatasetUpload(header).value();
  EXPECT_THAT(upload->Append({"12345", {0}}), HasStatus(absl::StatusCode::kInvalidArgument, "5"));
  EXPECT_THAT(upload->Append({"1234", {0, 1}}), HasStatus(absl::StatusCode::kInvalidArgument, "4"));
  ASSERT_THAT(upload->Append({absl::string_view(rows.features).substr(0, 8), {1, 2}}), IsOk());
  EXPECT_THAT(upload->Commit(Describe(header, rows)),
              HasStatus(absl::StatusCode::kInvalidArgument, "2"));
  v1::Dataset other_width = Describe(header, rows);
  other_width.set_rows(2);
  other_width.set_features(5);
  EXPECT_THAT(upload->Commit(other_width), HasStatus(absl::StatusCode::kInvalidArgument, "5"));
  EXPECT_THAT(store().GetDataset("digits"), HasStatus(absl::StatusCode::kNotFound, "digits"));
  EXPECT_THAT(store().BeginDatasetUpload(MakeHeader("digits", 3, 0)).status(),
              HasStatus(absl::StatusCode::kInvalidArgument, "features"));
}

TEST_P(StoreContract, UploadCommitsOnce) {
  const v1::DatasetHeader header = MakeHeader("digits", 3, 4);
  const Rows rows = MakeRows(header, 1);
  const auto upload = store().BeginDatasetUpload(header).value();
  ASSERT_THAT(upload->Append({rows.features, rows.labels}), IsOk());
  ASSERT_THAT(upload->Commit(Describe(header, rows)), IsOk());
  EXPECT_FALSE(upload->Commit(Describe(header, rows)).ok());
  EXPECT_FALSE(upload->Append({"1234", {0}}).ok());
  EXPECT_THAT(store().ReadDataset("digits"), IsOk());
}

TEST_P(StoreContract, UploadIsFoundByItsRequestIdUntilItIsDeleted) {
  v1::DatasetHeader header = MakeHeader("digits", 3, 4);
  header.set_request_id("request-1");
  EXPECT_THAT(store().FindDatasetByRequest("request-1"),
              HasStatus(absl::StatusCode::kNotFound, ""));
  const v1::Dataset dataset = Upload(store(), header, MakeRows(header, 1)).value();
  Reopen();
  EXPECT_THAT(store().FindDatasetByRequest("request-1").value(), EqualsMessage(dataset));
  EXPECT_THAT(store().FindDatasetByRequest("request-2"),
              HasStatus(absl::StatusCode::kNotFound, ""));

  header.set_name("letters");
  EXPECT_THAT(store().BeginDatasetUpload(header).status(),
              HasStatus(absl::StatusCode::kAlreadyExists, "digits"));
  ASSERT_THAT(store().DeleteDataset("digits"), IsOk());
  EXPECT_THAT(store().FindDatasetByRequest("request-1"),
              HasStatus(absl::StatusCode::kNotFound, ""));
  EXPECT_THAT(Upload(store(), header, MakeRows(header, 1)), IsOk());
}

TEST_P(StoreContract, UploadRepeatedAtTheSameTimeReturnsTheFirst) {
  v1::DatasetHeader header = MakeHeader("digits", 3, 4);
  header.set_request_id("request-1");
  const Rows rows = MakeRows(header, 1);
  const auto slower = store().BeginDatasetUpload(header).value();
  const v1::Dataset first = Upload(store(), header, rows).value();
  clock_.Advance(absl::Seconds(1));
  ASSERT_THAT(slower->Append({rows.features, rows.labels}), IsOk());
  EXPECT_THAT(slower->Commit(Describe(header, rows)).value(), EqualsMessage(first));
  EXPECT_THAT(Upload(store(), header, rows).value(), EqualsMessage(first));
  EXPECT_THAT(Upload(store(), header, MakeRows(header, 2)),
              HasStatus(absl::StatusCode::kAlreadyExists, "digits"));
  EXPECT_EQ(store().ListDatasets({}).value().items.size(), 1);
  EXPECT_TRUE(store().ReadDataset("digits").value().features == rows.features);
}

TEST_P(StoreContract, UploadTakesTheTimeFromTheClockWhereItHasNone) {
  const v1::DatasetHeader header = MakeHeader("digits", 3, 4);
  clock_.Advance(absl::Milliseconds(1500));
  const v1::Dataset dataset = Upload(store(), header, MakeRows(header, 1)).value();
  EXPECT_EQ(dataset.create_time().seconds(), 1'700'000'001);
  EXPECT_EQ(dataset.create_time().nanos(), 500'000'000);

  const v1::DatasetHeader other = MakeHeader("letters", 3, 4);
  const Rows rows = MakeRows(other, 1);
  const auto upload = store().BeginDatasetUpload(other).value();
  ASSERT_THAT(upload->Append({rows.features, rows.labels}), IsOk());
  v1::Dataset description = Describe(other, rows);
  description.mutable_create_time()->set_seconds(7);
  ASSERT_THAT(upload->Commit(description), IsOk());
  EXPECT_THAT(store().GetDataset("letters").value(), EqualsMessage(description));
}

TEST_P(StoreContract, UploadsAtTheSameTimeDoNotMix) {
  constexpr int kUploads = 3;
  std::vector<std::thread> threads;
  threads.reserve(kUploads);
  for (int i = 0; i < kUploads; ++i) {
    threads.emplace_back([this, i] {
      const v1::DatasetHeader header = MakeHeader(absl::StrCat("set-", i), 4000, 784);
      const Rows rows = MakeRows(header, i);
      const auto upload = store().BeginDatasetUpload(header).value();
      for (size_t row = 0; row < 4000; row += 500) {
        EXPECT_THAT(
            upload->Append({absl::string_view(rows.features).substr(row * 784, size_t{500} * 784),
                            absl::MakeConstSpan(rows.labels).subspan(row, 500)}),
            IsOk());
      }
      EXPECT_THAT(upload->Commit(Describe(header, rows)), IsOk());
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kUploads; ++i) {
    const Rows rows = MakeRows(MakeHeader("", 4000, 784), i);
    const Dataset dataset = store().ReadDataset(absl::StrCat("set-", i)).value();
    EXPECT_TRUE(dataset.features == rows.features);
    EXPECT_EQ(dataset.labels, rows.labels);
  }
}

TEST_P(StoreContract, ReadersGoOnDuringAnUpload) {
  const v1::DatasetHeader small = MakeHeader("small", 300, 784);
  const Rows small_rows = MakeRows(small, 1);
  ASSERT_THAT(Upload(store(), small, small_rows), IsOk());

  std::atomic<bool> uploaded = false;
  std::atomic<int> reads = 0;
  std::vector<std::thread> readers;
  readers.reserve(3);
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      do {
        const absl::StatusOr<Dataset> dataset = store().ReadDataset("small");
        EXPECT_THAT(dataset, IsOk());
        EXPECT_TRUE(dataset.ok() && dataset->features == small_rows.features);
        EXPECT_THAT(store().ReadRows("small", {0, 150, 299}), IsOk());
        EXPECT_LE(store().ListDatasets({}).value().items.size(), 2);
        ++reads;
      } while (!uploaded);
    });
  }
  const v1::DatasetHeader big = MakeHeader("big", 20'000, 784);
  const Rows big_rows = MakeRows(big, 2);
  EXPECT_THAT(Upload(store(), big, big_rows), IsOk());
  uploaded = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_GE(reads, 3);
  EXPECT_TRUE(store().ReadDataset("big").value().features == big_rows.features);
}

}  // namespace
}  // namespace mlp::testing
