// Datasets through the whole server: uploads good and bad, pages, rows read back.
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/hash.h"
#include "tests/server/server_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(ServerTest, StoresADatasetHoweverItIsCut) {
  const Rows rows = Blobs(100);
  const std::string labels(reinterpret_cast<const char*>(rows.labels.data()),
                           rows.labels.size() * sizeof(int32_t));
  for (const size_t chunk_bytes : {size_t{1} << 20, size_t{7}, size_t{35}, size_t{1000}}) {
    v1::Dataset dataset;
    const std::string name = absl::StrCat("blobs", chunk_bytes);
    const grpc::Status status = Upload(Header(name, 100), rows, &dataset, chunk_bytes);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(dataset.rows(), 100);
    EXPECT_THAT(dataset.class_counts(), ElementsAre(34, 33, 33));
    EXPECT_EQ(dataset.bytes(), 100 * 16);
    EXPECT_EQ(dataset.sha256(), Sha256::Hex(rows.features + labels));
    EXPECT_TRUE(dataset.has_create_time());
    v1::Dataset read;
    ASSERT_TRUE(GetDataset(name, &read).ok());
    EXPECT_EQ(read.SerializeAsString(), dataset.SerializeAsString());
  }
}

TEST_F(ServerTest, StoresWeightsOfExamples) {
  Rows rows = Blobs(100);
  for (int i = 0; i < 100; ++i) rows.weights.push_back(0.25f * static_cast<float>(i));
  const std::string rest(reinterpret_cast<const char*>(rows.labels.data()), 400);
  const std::string weights(reinterpret_cast<const char*>(rows.weights.data()), 400);
  v1::DatasetHeader header = Header("blobs", 100);
  header.set_weighted(true);
  for (const size_t chunk_bytes : {size_t{1} << 20, size_t{7}}) {
    header.set_name(absl::StrCat("blobs", chunk_bytes));
    v1::Dataset dataset;
    const grpc::Status status = Upload(header, rows, &dataset, chunk_bytes);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(dataset.weighted());
    EXPECT_EQ(dataset.bytes(), 100 * 20);
    EXPECT_EQ(dataset.sha256(), Sha256::Hex(rows.features + rest + weights));
  }
  v1::ReadExamplesRequest request;
  request.set_name(header.name());
  request.set_start_row(98);
  request.set_row_count(5);
  v1::ReadExamplesResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(datasets_->ReadExamples(&context, request, &response).ok());
  EXPECT_THAT(response.weights(), ElementsAre(24.5f, 24.75f));
  Train("weighted", header.name());
}

TEST_F(ServerTest, RefusesABadUploadAndKeepsNothingOfIt) {
  const Rows good = Blobs(10);
  const auto float_at = [](Rows rows, size_t index, float value) {
    std::memcpy(rows.features.data() + index * sizeof(float), &value, sizeof(value));
    return rows;
  };
  struct Case {
    const char* message;
    v1::DatasetHeader header;
    Rows rows;
    grpc::StatusCode code = grpc::StatusCode::INVALID_ARGUMENT;
  };
  std::vector<Case> cases = {
      {"header.name: expected a name", Header("../x", 10), good},
      {"header.name: expected a name", Header(".x", 10), good},
      {"header.rows: expected 1 or more, got 0", Header("x", 0), good},
      {"header.rows: expected 1 or more, got -5", Header("x", -5), good},
      {"features: expected 132 bytes for 11 rows of 12 bytes, got 120", Header("x", 11), good},
      {"features: expected 108 bytes for 9 rows of 12 bytes, got more", Header("x", 9), good},
      {"features: row 3, feature 1: expected a finite number, got", Header("x", 10),
       float_at(good, 10, std::numeric_limits<float>::quiet_NaN())},
      {"features: row 9, feature 2: expected a finite number, got", Header("x", 10),
       float_at(good, 29, -std::numeric_limits<float>::infinity())},
      {"header.rows: ", Header("x", int64_t{1} << 62), good, grpc::StatusCode::RESOURCE_EXHAUSTED},
  };
  Case labels = {"labels: row 4", Header("x", 10), good};
  labels.rows.labels[4] = 3;
  cases.push_back(labels);
  labels.rows.labels[4] = -1;
  cases.push_back(labels);
  Case too_few_labels = {"labels: expected 10, one a row, got 9", Header("x", 10), good};
  too_few_labels.rows.labels.pop_back();
  cases.push_back(too_few_labels);
  Case too_many_labels = {"labels: expected 10, one a row, got more", Header("x", 10), good};
  too_many_labels.rows.labels.push_back(0);
  cases.push_back(too_many_labels);
  Case unannounced = {"weights: expected none, as header.weighted is not set", Header("x", 10),
                      good};
  unannounced.rows.weights.assign(10, 1.0f);
  cases.push_back(unannounced);
  Case weights = {"weights: row 4: expected a finite number of at least 0, got -1", Header("x", 10),
                  good};
  weights.header.set_weighted(true);
  weights.rows.weights.assign(10, 1.0f);
  weights.rows.weights[4] = -1.0f;
  cases.push_back(weights);
  weights.message = "weights: row 4: expected a finite number of at least 0, got nan";
  weights.rows.weights[4] = std::numeric_limits<float>::quiet_NaN();
  cases.push_back(weights);
  weights.message = "weights: expected 10, one a row, got 9";
  weights.rows.weights.assign(9, 1.0f);
  cases.push_back(weights);
  weights.message = "weights: expected 10, one a row, got more";
  weights.rows.weights.assign(11, 1.0f);
  cases.push_back(weights);
  Case type = {"header.feature_type: expected", Header("x", 10), good};
  type.header.set_feature_type(static_cast<v1::FeatureType>(9));
  cases.push_back(type);
  Case width = {"features: expected", Header("x", 10), good};
  width.header.set_features(4);
  cases.push_back(width);
  width.header.set_features(0);
  cases.push_back(width);
  Case classes = {"class", Header("x", 10), good};
  classes.header.clear_class_names();
  cases.push_back(classes);
  Case image = {"image", Header("x", 10), good};
  image.header.mutable_image()->set_height(2);
  image.header.mutable_image()->set_width(2);
  image.header.mutable_image()->set_channels(1);
  cases.push_back(image);
  image.message = "header.image.channels: expected 1 (grey) or 3 (colour), got 2";
  image.header.set_features(2);
  image.header.mutable_image()->set_height(1);
  image.header.mutable_image()->set_width(1);
  image.header.mutable_image()->set_channels(2);
  cases.push_back(image);

  for (const Case& test : cases) {
    const grpc::Status status = Upload(test.header, test.rows);
    EXPECT_EQ(status.error_code(), test.code) << test.message << " / " << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(test.message));
    EXPECT_EQ(CountDatasets(), 0) << test.message;
  }
  EXPECT_TRUE(Upload(Header("x", 10), good).ok());
}

TEST_F(ServerTest, RefusesAnUploadOutOfOrderOrOversized) {
  v1::Dataset dataset;
  {
    grpc::ClientContext context;
    const auto writer = datasets_->UploadDataset(&context, &dataset);
    writer->WritesDone();
    EXPECT_THAT(writer->Finish().error_message(), HasSubstr("expected the header"));
  }
  v1::UploadDatasetRequest header, chunk;
  *header.mutable_header() = Header("x", 1000000);
  chunk.mutable_chunk()->set_features(std::string((1 << 20) + 4, '\0'));
  {
    grpc::ClientContext context;
    const auto writer = datasets_->UploadDataset(&context, &dataset);
    writer->Write(chunk);
    EXPECT_THAT(writer->Finish().error_message(), HasSubstr("expected the header"));
  }
  {
    grpc::ClientContext context;
    const auto writer = datasets_->UploadDataset(&context, &dataset);
    writer->Write(header);
    writer->Write(chunk);
    const grpc::Status status = writer->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(status.error_message(), HasSubstr("chunk.features: expected at most 1048576"));
  }
  {
    grpc::ClientContext context;
    const auto writer = datasets_->UploadDataset(&context, &dataset);
    writer->Write(header);
    writer->Write(header);
    EXPECT_THAT(writer->Finish().error_message(), HasSubstr("expected a chunk"));
  }
  EXPECT_EQ(CountDatasets(), 0);
}

TEST_F(ServerTest, AnUploadThatIsCutOffLeavesNothing) {
  const Rows rows = Blobs(1000);
  for (int i = 0; i < 3; ++i) {
    v1::Dataset dataset;
    grpc::ClientContext context;
    const auto writer = datasets_->UploadDataset(&context, &dataset);
    v1::UploadDatasetRequest message;
    *message.mutable_header() = Header("x", 2000);
    writer->Write(message);
    message.Clear();
    message.mutable_chunk()->set_features(rows.features);
    message.mutable_chunk()->mutable_labels()->Add(rows.labels.begin(), rows.labels.end());
    writer->Write(message);
    context.TryCancel();
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_EQ(CountDatasets(), 0);
  EXPECT_TRUE(Upload(Header("x", 1000), rows).ok());
}

TEST_F(ServerTest, ARepeatedUploadIsTheSameDatasetWhereItsRequestIdSaysSo) {
  v1::DatasetHeader header = Header("x", 10);
  header.set_request_id("upload-1");
  v1::Dataset first, second;
  ASSERT_TRUE(Upload(header, Blobs(10), &first).ok());
  const grpc::Status repeated = Upload(header, Blobs(10), &second);
  ASSERT_TRUE(repeated.ok()) << repeated.error_message();
  EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());
  EXPECT_EQ(Upload(Header("x", 10), Blobs(10)).error_code(), grpc::StatusCode::ALREADY_EXISTS);
  v1::DatasetHeader other_classes = header;
  other_classes.set_class_names(0, "rot");
  EXPECT_EQ(Upload(other_classes, Blobs(10)).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  header.set_name("y");
  EXPECT_EQ(Upload(header, Blobs(10)).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServerTest, PagesThroughDatasets) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Upload(Header(absl::StrCat("d", i), 10), Blobs(10)).ok());
  std::vector<std::string> names;
  v1::ListDatasetsRequest request;
  request.set_page_size(2);
  do {
    grpc::ClientContext context;
    v1::ListDatasetsResponse response;
    ASSERT_TRUE(datasets_->ListDatasets(&context, request, &response).ok());
    EXPECT_LE(response.datasets_size(), 2);
    for (const v1::Dataset& dataset : response.datasets()) names.push_back(dataset.name());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names, ElementsAre("d0", "d1", "d2", "d3", "d4"));
  request.set_page_token("made-up");
  grpc::ClientContext context;
  v1::ListDatasetsResponse response;
  EXPECT_EQ(datasets_->ListDatasets(&context, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServerTest, ReadsExamplesBackByRowAndByPart) {
  const Rows rows = Blobs(50);
  ASSERT_TRUE(Upload(Header("blobs", 50), rows).ok());
  Train("m", "blobs");
  v1::ReadExamplesRequest request;
  request.set_name("blobs");
  request.set_start_row(48);
  request.set_row_count(10);
  v1::ReadExamplesResponse response;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(datasets_->ReadExamples(&context, request, &response).ok());
  }
  EXPECT_THAT(response.rows(), ElementsAre(48, 49));
  EXPECT_THAT(response.labels(), ElementsAre(0, 1));
  EXPECT_EQ(response.features(), rows.features.substr(48 * 12));

  request.set_start_row(0);
  request.set_row_count(1024);
  request.set_model("m");
  request.set_part(v1::DATASET_PART_TEST);
  v1::ReadExamplesResponse test;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(datasets_->ReadExamples(&context, request, &test).ok());
  }
  EXPECT_EQ(test.rows_size(), 15);
  for (int i = 0; i < test.rows_size(); ++i) {
    const auto row = static_cast<size_t>(test.rows(i));
    EXPECT_EQ(test.labels(i), rows.labels[row]);
    EXPECT_EQ(test.features().substr(static_cast<size_t>(i) * 12, 12),
              rows.features.substr(row * 12, 12));
  }

  const auto refused = [&](auto change) {
    v1::ReadExamplesRequest bad;
    bad.set_name("blobs");
    bad.set_row_count(1);
    change(bad);
    grpc::ClientContext context;
    v1::ReadExamplesResponse ignored;
    return datasets_->ReadExamples(&context, bad, &ignored).error_code();
  };
  EXPECT_EQ(refused([](auto& r) { r.set_start_row(50); }), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(refused([](auto& r) { r.set_start_row(-1); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(refused([](auto& r) { r.set_row_count(0); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(refused([](auto& r) { r.set_row_count(1025); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(refused([](auto& r) { r.set_name("nobody"); }), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(refused([](auto& r) { r.set_part(v1::DATASET_PART_TEST); }),
            grpc::StatusCode::INVALID_ARGUMENT);
  for (const char* missing : {"m@stable", "m@7", "nobody"}) {
    EXPECT_EQ(refused([missing](auto& r) {
                r.set_part(v1::DATASET_PART_TEST);
                r.set_model(missing);
              }),
              grpc::StatusCode::NOT_FOUND)
        << missing;
  }
}

}  // namespace
}  // namespace mlp
