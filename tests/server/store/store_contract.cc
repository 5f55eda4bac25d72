#include "tests/server/store/store_contract.h"

#include <utility>

#include "core/base/hash.h"
#include "core/base/status_macros.h"

namespace mlp::testing {

v1::DatasetHeader MakeHeader(const std::string& name, int64_t rows, int features) {
  v1::DatasetHeader header;
  header.set_name(name);
  header.set_rows(rows);
  header.set_features(features);
  header.set_feature_type(v1::FEATURE_TYPE_UINT8);
  for (const char* class_name : {"a", "b", "c"}) header.add_class_names(class_name);
  return header;
}

Rows MakeRows(const v1::DatasetHeader& header, int seed) {
  const int value_bytes = header.feature_type() == v1::FEATURE_TYPE_UINT8 ? 1 : 4;
  Rows rows;
  rows.features.resize(static_cast<size_t>(header.rows() * header.features() * value_bytes));
  uint32_t state = static_cast<uint32_t>(seed) * 2654435761u + 1;
  for (char& byte : rows.features) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  for (int64_t i = 0; i < header.rows(); ++i) {
    rows.labels.push_back(static_cast<int32_t>((i + seed) % header.class_names_size()));
    if (header.weighted()) rows.weights.push_back(0.5f * static_cast<float>(i));
  }
  return rows;
}

v1::Dataset Describe(const v1::DatasetHeader& header, const Rows& rows) {
  v1::Dataset dataset;
  dataset.set_name(header.name());
  dataset.set_rows(header.rows());
  dataset.set_features(header.features());
  dataset.set_feature_type(header.feature_type());
  *dataset.mutable_class_names() = header.class_names();
  if (header.has_image()) *dataset.mutable_image() = header.image();
  dataset.mutable_class_counts()->Resize(header.class_names_size(), 0);
  for (const int32_t label : rows.labels) ++dataset.mutable_class_counts()->at(label);
  const absl::string_view labels(reinterpret_cast<const char*>(rows.labels.data()),
                                 rows.labels.size() * sizeof(int32_t));
  const absl::string_view weights(reinterpret_cast<const char*>(rows.weights.data()),
                                  rows.weights.size() * sizeof(float));
  dataset.set_weighted(header.weighted());
  dataset.set_bytes(static_cast<int64_t>(rows.features.size() + labels.size() + weights.size()));
  Sha256 hash;
  hash.Update(rows.features);
  hash.Update(labels);
  hash.Update(weights);
  dataset.set_sha256(hash.FinishHex());
  return dataset;
}

absl::StatusOr<v1::Dataset> Upload(Store& store, const v1::DatasetHeader& header,
                                   const Rows& rows) {
  MLP_ASSIGN_OR_RETURN(const std::unique_ptr<DatasetUpload> upload,
                       store.BeginDatasetUpload(header));
  MLP_RETURN_IF_ERROR(upload->Append({rows.features, rows.labels, rows.weights}));
  return upload->Commit(Describe(header, rows));
}

ProgressPoint MakePoint(int iteration, double cost) {
  ProgressPoint point;
  point.iteration = iteration;
  point.cost = cost;
  return point;
}

StoreContract::StoreContract() : place_(GetParam()()), store_(place_->Open(clock_)) {}

void StoreContract::Reopen() {
  store_.reset();
  store_ = place_->Open(clock_);
}

void StoreContract::AddData() {
  if (store().GetDataset("data").ok()) return;
  const v1::DatasetHeader header = MakeHeader("data", 5, 4);
  ASSERT_THAT(Upload(store(), header, MakeRows(header, 1)), IsOk());
}

v1::TrainingJob StoreContract::AddJob(const std::string& model, v1::JobState state) {
  AddData();
  v1::TrainingJob job;
  job.set_model(model);
  job.set_dataset("data");
  job = store().CreateJob(job, "", 1000).value();
  if (state == v1::JOB_STATE_QUEUED) return job;
  job.set_state(state);
  EXPECT_THAT(store().UpdateJob(job, v1::JOB_STATE_QUEUED), IsOk());
  return job;
}

void StoreContract::PublishThree() {
  for (const char* artifact : {"one", "two", "three"}) {
    ASSERT_THAT(Publish("digits", artifact), IsOk());
  }
}

absl::StatusOr<v1::ModelVersion> StoreContract::Publish(const std::string& model,
                                                        const std::string& artifact) {
  v1::TrainingJob job = AddJob(model, v1::JOB_STATE_RUNNING);
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  NewVersion version;
  version.version.set_model(model);
  version.artifact = artifact;
  return store().PublishVersion(std::move(version), std::move(job));
}

}  // namespace mlp::testing
