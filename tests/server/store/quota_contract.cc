// Quotas: what would exceed one is refused, by name, and goes through when there is room again.
#include <string>

#include "tests/server/store/store_contract.h"

namespace mlp::testing {
namespace {

constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;

// 5 rows of 4 bytes, with a label of 4 bytes each.
constexpr int64_t kDatasetBytes = 40;

absl::Status Add(Store& store, const std::string& name, const std::string& request_id = "") {
  v1::DatasetHeader header = MakeHeader(name, 5, 4);
  header.set_request_id(request_id);
  return Upload(store, header, MakeRows(header, 1)).status();
}

absl::StatusOr<v1::TrainingJob> CreateJob(Store& store, const std::string& model,
                                          const std::string& request_id = "") {
  v1::TrainingJob job;
  job.set_model(model);
  job.set_dataset("data");
  return store.CreateJob(job, request_id, 100);
}

absl::Status Import(Store& store, const std::string& model, const std::string& artifact) {
  NewVersion made;
  made.version.set_model(model);
  made.artifact = artifact;
  return store.ImportVersion(made).status();
}

TEST_P(StoreContract, AQuotaLimitsTheNumberOfDatasets) {
  store().SetQuotas({.datasets = 2});
  ASSERT_THAT(Add(store(), "a"), IsOk());
  ASSERT_THAT(Add(store(), "b", "id"), IsOk());
  EXPECT_THAT(Add(store(), "c"), HasStatus(kExhausted, "datasets: 2 of at most 2 are stored"));
  EXPECT_THAT(Add(store(), "b", "id"), IsOk());  // the same upload once more
  ASSERT_THAT(store().DeleteDataset("a"), IsOk());
  EXPECT_THAT(Add(store(), "c"), IsOk());
}

TEST_P(StoreContract, AQuotaLetsOneOfTwoUploadsHaveTheLastPlace) {
  store().SetQuotas({.datasets = 1});
  const v1::DatasetHeader header = MakeHeader("a", 5, 4);
  const Rows rows = MakeRows(header, 1);
  const auto first = store().BeginDatasetUpload(header).value();
  ASSERT_THAT(Add(store(), "b"), IsOk());
  ASSERT_THAT(first->Append({rows.features, rows.labels}), IsOk());
  EXPECT_THAT(first->Commit(Describe(header, rows)), HasStatus(kExhausted, "datasets: 1 of"));
  EXPECT_THAT(store().GetDataset("a"), HasStatus(absl::StatusCode::kNotFound, ""));
}

TEST_P(StoreContract, AQuotaLimitsTheBytesOfDatasetsAndVersionsTogether) {
  ASSERT_THAT(Add(store(), "a"), IsOk());
  store().SetQuotas({.bytes = kDatasetBytes + 10});
  EXPECT_THAT(Import(store(), "m", std::string(11, 'x')),
              HasStatus(kExhausted, "bytes: 40 of at most 50 are stored, and 11 more would be"));
  ASSERT_THAT(Import(store(), "m", std::string(10, 'x')), IsOk());
  EXPECT_THAT(Add(store(), "b"), HasStatus(kExhausted, "bytes: 50 of at most 50"));
  ASSERT_THAT(store().DeleteVersion("m", 1), IsOk());
  ASSERT_THAT(store().DeleteDataset("a"), IsOk());
  EXPECT_THAT(Add(store(), "b"), IsOk());
  // As many as were counted the first time.
  EXPECT_THAT(Import(store(), "m", std::string(11, 'x')), HasStatus(kExhausted, "bytes: 40 of"));
  Reopen();
  store().SetQuotas({.bytes = kDatasetBytes + 10});
  EXPECT_THAT(Import(store(), "m", std::string(11, 'x')), HasStatus(kExhausted, "bytes: 40 of"));
}

TEST_P(StoreContract, AQuotaStopsAnUploadAtItsFirstPieceTooMany) {
  store().SetQuotas({.bytes = int64_t{5} << 20});
  const v1::DatasetHeader header = MakeHeader("large", 10'000, 1000);
  const Rows rows = MakeRows(header, 1);
  {
    const auto upload = store().BeginDatasetUpload(header).value();
    EXPECT_THAT(upload->Append({rows.features, rows.labels}), HasStatus(kExhausted, "bytes: "));
    EXPECT_THAT(upload->Commit(Describe(header, rows)), HasStatus(kExhausted, "bytes: "));
  }
  // It took nothing with it.
  store().SetQuotas({.bytes = kDatasetBytes});
  EXPECT_THAT(Add(store(), "small"), IsOk());
}

TEST_P(StoreContract, AQuotaLimitsTheNumberOfJobs) {
  ASSERT_THAT(Add(store(), "data"), IsOk());
  store().SetQuotas({.jobs = 2});
  v1::TrainingJob first = CreateJob(store(), "m").value();
  ASSERT_THAT(CreateJob(store(), "m", "id"), IsOk());
  EXPECT_THAT(CreateJob(store(), "m"), HasStatus(kExhausted, "jobs: 2 of at most 2 are stored"));
  EXPECT_THAT(CreateJob(store(), "m", "id"), IsOk());  // the same request once more
  first.set_state(v1::JOB_STATE_CANCELLED);
  ASSERT_THAT(store().UpdateJob(first, v1::JOB_STATE_QUEUED), IsOk());
  EXPECT_THAT(CreateJob(store(), "m"), HasStatus(kExhausted, "jobs: "));
  ASSERT_THAT(store().DeleteJob(first.id()), IsOk());
  EXPECT_THAT(CreateJob(store(), "m"), IsOk());
}

TEST_P(StoreContract, AQuotaLimitsTheVersionsOfEachModel) {
  ASSERT_THAT(Add(store(), "data"), IsOk());
  store().SetQuotas({.versions = 1});
  ASSERT_THAT(Import(store(), "m", "x"), IsOk());
  EXPECT_THAT(Import(store(), "m", "x"),
              HasStatus(kExhausted, "versions of model m: 1 of at most 1"));
  EXPECT_THAT(Import(store(), "other", "x"), IsOk());
  // Refused before it is trained, not after.
  EXPECT_THAT(CreateJob(store(), "m"),
              HasStatus(kExhausted, "versions of model m: 1 of at most 1"));
  ASSERT_THAT(store().DeleteVersion("m", 1), IsOk());
  ASSERT_THAT(CreateJob(store(), "m"), IsOk());
  EXPECT_THAT(Import(store(), "m", "x"), IsOk());
}

TEST_P(StoreContract, AQuotaPublishesNothingOfAJobThatFindsNoRoom) {
  AddData();
  const v1::TrainingJob job = AddJob("digits", v1::JOB_STATE_RUNNING);
  ASSERT_THAT(Import(store(), "digits", "x"), IsOk());
  store().SetQuotas({.versions = 1});
  v1::TrainingJob ended = job;
  ended.set_state(v1::JOB_STATE_SUCCEEDED);
  NewVersion made;
  made.version.set_model("digits");
  made.artifact = "y";
  EXPECT_THAT(store().PublishVersion(made, ended), HasStatus(kExhausted, "versions of model"));
  EXPECT_EQ(store().GetJob(job.id()).value().state(), v1::JOB_STATE_RUNNING);
  store().SetQuotas({});
  EXPECT_EQ(store().PublishVersion(made, ended).value().version(), 2);
}

}  // namespace
}  // namespace mlp::testing
