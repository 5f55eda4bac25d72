// What Store promises of stored datasets.
#include <utility>

#include <absl/strings/str_cat.h>

#include "tests/server/store/store_contract.h"

namespace mlp::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Names(const Page<v1::Dataset>& page) {
  std::vector<std::string> names;
  names.reserve(page.items.size());
  for (const v1::Dataset& dataset : page.items) names.push_back(dataset.name());
  return names;
}

TEST_P(StoreContract, DatasetSurvivesReopening) {
  v1::DatasetHeader header = MakeHeader("a.b-c_1", 5, 12);
  header.mutable_image()->set_height(2);
  header.mutable_image()->set_width(2);
  header.mutable_image()->set_channels(3);
  const Rows rows = MakeRows(header, 7);
  const v1::Dataset committed = Upload(store(), header, rows).value();
  v1::Dataset expected = Describe(header, rows);
  *expected.mutable_create_time() = committed.create_time();
  EXPECT_THAT(committed, EqualsMessage(expected));

  Reopen();
  EXPECT_THAT(store().GetDataset("a.b-c_1").value(), EqualsMessage(expected));
  const Dataset dataset = store().ReadDataset("a.b-c_1").value();
  EXPECT_EQ(dataset.features, rows.features);
  EXPECT_EQ(dataset.labels, rows.labels);
  EXPECT_EQ(dataset.schema.features, 12);
  EXPECT_EQ(dataset.schema.feature_type, FeatureType::kUint8);
  EXPECT_THAT(dataset.schema.class_names, ElementsAre("a", "b", "c"));
  EXPECT_EQ(dataset.schema.image, (ImageShape{.height = 2, .width = 2, .channels = 3}));
}

// The hash is Python's: hashlib.sha256(bytes(range(12)) + struct.pack("<3i", 2, 0, 1)).
TEST_P(StoreContract, DatasetHasTheDocumentedHash) {
  const v1::DatasetHeader header = MakeHeader("digits", 3, 4);
  const Rows rows = {std::string("\0\1\2\3\4\5\6\7\10\11\12\13", 12), {2, 0, 1}};
  const auto upload = store().BeginDatasetUpload(header).value();
  ASSERT_THAT(upload->Append({rows.features, rows.labels}), IsOk());
  v1::Dataset dataset = Describe(header, rows);
  dataset.set_sha256("be5e1dd60bfd8bbd6b9d4a697141e113a2f62971079d144c98ba709a6c66843e");
  ASSERT_THAT(upload->Commit(dataset), IsOk());
  EXPECT_THAT(store().ReadDataset("digits"), IsOk());
}

// Of more than one piece.
TEST_P(StoreContract, DatasetKeepsTheWeightsOfItsExamples) {
  v1::DatasetHeader header = MakeHeader("digits", 4001, 784);
  header.set_weighted(true);
  const Rows rows = MakeRows(header, 1);
  const v1::Dataset stored = Upload(store(), header, rows).value();
  EXPECT_TRUE(stored.weighted());
  Reopen();
  EXPECT_EQ(store().ReadDataset("digits")->weights, rows.weights);
  const std::vector<int64_t> wanted = {0, 1337, 1338, 4000};
  EXPECT_THAT(store().ReadRows("digits", wanted)->weights, ElementsAre(0, 668.5, 669, 2000));
  EXPECT_EQ(store().ReadLabels("digits").value(), rows.labels);
}

TEST_P(StoreContract, DatasetHasAWeightForEachExampleOrForNone) {
  v1::DatasetHeader header = MakeHeader("digits", 3, 4);
  const Rows rows = MakeRows(header, 1);
  const auto plain = store().BeginDatasetUpload(header).value();
  EXPECT_THAT(plain->Append({rows.features, rows.labels, {1.0f, 1.0f, 1.0f}}),
              HasStatus(absl::StatusCode::kInvalidArgument, "weights: expected 0 for 3 rows"));
  header.set_name("weighted");
  header.set_weighted(true);
  const auto weighted = store().BeginDatasetUpload(header).value();
  EXPECT_THAT(weighted->Append({rows.features, rows.labels, {1.0f, 1.0f}}),
              HasStatus(absl::StatusCode::kInvalidArgument, "weights: expected 3 for 3 rows"));
}

TEST_P(StoreContract, DatasetWithAnotherHashThanRecordedIsDataLoss) {
  const v1::DatasetHeader header = MakeHeader("digits", 3, 4);
  const Rows rows = MakeRows(header, 1);
  const auto upload = store().BeginDatasetUpload(header).value();
  ASSERT_THAT(upload->Append({rows.features, rows.labels}), IsOk());
  v1::Dataset dataset = Describe(header, rows);
  dataset.set_sha256(Describe(header, MakeRows(header, 2)).sha256());
  ASSERT_THAT(upload->Commit(dataset), IsOk());
  EXPECT_THAT(store().ReadDataset("digits"), HasStatus(absl::StatusCode::kDataLoss, "digits"));
}

TEST_P(StoreContract, DatasetRowsComeAlone) {
  const v1::DatasetHeader header = MakeHeader("digits", 4001, 784);
  const Rows rows = MakeRows(header, 3);
  ASSERT_THAT(Upload(store(), header, rows), IsOk());
  const std::vector<int64_t> wanted = {0, 1, 1336, 1337, 1338, 2673, 2674, 2675, 4000};
  const Dataset dataset = store().ReadRows("digits", wanted).value();
  EXPECT_EQ(dataset.schema.features, 784);
  ASSERT_EQ(dataset.rows(), 9);
  ASSERT_EQ(dataset.features.size(), 9 * 784);
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto row = static_cast<size_t>(wanted[i]);
    EXPECT_EQ(dataset.labels[i], rows.labels[row]) << row;
    EXPECT_EQ(dataset.features.substr(i * 784, 784), rows.features.substr(row * 784, 784)) << row;
  }
  EXPECT_EQ(store().ReadRows("digits", {}).value().rows(), 0);
  EXPECT_EQ(store().ReadLabels("digits").value(), rows.labels);
}

TEST_P(StoreContract, DatasetNamesTheRowThatThereIsNot) {
  const v1::DatasetHeader header = MakeHeader("digits", 5, 4);
  ASSERT_THAT(Upload(store(), header, MakeRows(header, 3)), IsOk());
  EXPECT_THAT(store().ReadRows("digits", {0, 5}), HasStatus(absl::StatusCode::kOutOfRange, "5"));
  EXPECT_THAT(store().ReadRows("digits", {-1}), HasStatus(absl::StatusCode::kOutOfRange, "-1"));
}

TEST_P(StoreContract, DatasetThatIsUnknownIsNotFound) {
  EXPECT_THAT(store().GetDataset("digits"), HasStatus(absl::StatusCode::kNotFound, "digits"));
  EXPECT_THAT(store().ReadDataset("digits"), HasStatus(absl::StatusCode::kNotFound, "digits"));
  EXPECT_THAT(store().ReadRows("digits", {0}), HasStatus(absl::StatusCode::kNotFound, "digits"));
  EXPECT_THAT(store().ReadLabels("digits"), HasStatus(absl::StatusCode::kNotFound, "digits"));
  EXPECT_THAT(store().DeleteDataset("digits"), HasStatus(absl::StatusCode::kNotFound, "digits"));
}

TEST_P(StoreContract, DatasetIsGoneOnceDeleted) {
  v1::DatasetHeader header = MakeHeader("digits", 40'000, 784);  // more than one step of clearing
  ASSERT_THAT(Upload(store(), header, MakeRows(header, 3)), IsOk());
  ASSERT_THAT(store().DeleteDataset("digits"), IsOk());
  EXPECT_THAT(store().GetDataset("digits"), HasStatus(absl::StatusCode::kNotFound, "digits"));
  Reopen();
  EXPECT_THAT(store().ReadDataset("digits"), HasStatus(absl::StatusCode::kNotFound, "digits"));
  header.set_rows(2);
  ASSERT_THAT(Upload(store(), header, MakeRows(header, 4)), IsOk());
  EXPECT_EQ(store().ReadDataset("digits").value().rows(), 2);
}

TEST_P(StoreContract, DatasetIsKeptWhileAJobNeedsIt) {
  v1::TrainingJob job = AddJob("model");
  EXPECT_THAT(store().DeleteDataset("data"),
              HasStatus(absl::StatusCode::kFailedPrecondition, absl::StrCat("job ", job.id())));
  job.set_state(v1::JOB_STATE_RUNNING);
  ASSERT_THAT(store().UpdateJob(job, v1::JOB_STATE_QUEUED), IsOk());
  EXPECT_THAT(store().DeleteDataset("data"), HasStatus(absl::StatusCode::kFailedPrecondition, ""));
  job.set_state(v1::JOB_STATE_FAILED);
  ASSERT_THAT(store().UpdateJob(job, v1::JOB_STATE_RUNNING), IsOk());
  EXPECT_THAT(store().DeleteDataset("data"), IsOk());
  EXPECT_THAT(store().GetJob(job.id()), IsOk());
}

TEST_P(StoreContract, DatasetsAreListedByNameInPagesThatHoldStill) {
  for (const char* name : {"d", "b", "f", "a.1", "a-1", "a1"}) {
    const v1::DatasetHeader header = MakeHeader(name, 1, 1);
    ASSERT_THAT(Upload(store(), header, MakeRows(header, 1)), IsOk());
  }
  EXPECT_THAT(Names(store().ListDatasets({}).value()),
              ElementsAre("a-1", "a.1", "a1", "b", "d", "f"));
  EXPECT_EQ(store().ListDatasets({.size = 6, .after = ""}).value().next, "");

  const Page<v1::Dataset> first = store().ListDatasets({.size = 4, .after = ""}).value();
  EXPECT_THAT(Names(first), ElementsAre("a-1", "a.1", "a1", "b"));
  EXPECT_EQ(first.next, "b");
  // The item that the key names may go, others may come: nothing is seen twice or left out.
  ASSERT_THAT(store().DeleteDataset("b"), IsOk());
  ASSERT_THAT(store().DeleteDataset("a1"), IsOk());
  for (const char* name : {"a", "e"}) {
    const v1::DatasetHeader header = MakeHeader(name, 1, 1);
    ASSERT_THAT(Upload(store(), header, MakeRows(header, 1)), IsOk());
  }
  const Page<v1::Dataset> second = store().ListDatasets({.size = 4, .after = first.next}).value();
  EXPECT_THAT(Names(second), ElementsAre("d", "e", "f"));
  EXPECT_EQ(second.next, "");
  EXPECT_THAT(Names(store().ListDatasets({.size = 4, .after = "zzz"}).value()), IsEmpty());
  EXPECT_THAT(store().ListDatasets({.size = 0, .after = ""}),
              HasStatus(absl::StatusCode::kInvalidArgument, "size"));
}

}  // namespace
}  // namespace mlp::testing
