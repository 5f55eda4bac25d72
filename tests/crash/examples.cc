#include "tests/crash/examples.h"

#include <memory>
#include <utility>

#include "core/base/hash.h"
#include "core/base/status_macros.h"

namespace mlp::crash {

std::string MakeBytes(uint32_t seed, size_t size) {
  std::string bytes(size, '\0');
  // Numerical Recipes' linear congruential generator; its high bits are good enough here.
  uint32_t state = seed * 2654435761u + 1;
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

ExampleDataset::ExampleDataset(const std::string& name, uint32_t seed, int64_t rows)
    : features(MakeBytes(seed, static_cast<size_t>(rows) * kFeatures)) {
  for (int64_t row = 0; row < rows; ++row) labels.push_back(static_cast<int32_t>(row % 2));
  header.set_name(name);
  header.set_request_id(name);
  header.set_rows(rows);
  header.set_features(kFeatures);
  header.set_feature_type(v1::FEATURE_TYPE_UINT8);
  header.add_class_names("a");
  header.add_class_names("b");

  dataset.set_name(name);
  dataset.set_rows(rows);
  dataset.set_features(kFeatures);
  dataset.set_feature_type(v1::FEATURE_TYPE_UINT8);
  *dataset.mutable_class_names() = header.class_names();
  dataset.add_class_counts(rows - rows / 2);
  dataset.add_class_counts(rows / 2);
  const absl::string_view label_bytes(reinterpret_cast<const char*>(labels.data()),
                                      labels.size() * sizeof(int32_t));
  dataset.set_bytes(static_cast<int64_t>(features.size() + label_bytes.size()));
  Sha256 hash;
  hash.Update(features);
  hash.Update(label_bytes);
  dataset.set_sha256(hash.FinishHex());
}

absl::Status Upload(Store& store, const ExampleDataset& example) {
  MLP_ASSIGN_OR_RETURN(const std::unique_ptr<DatasetUpload> upload,
                       store.BeginDatasetUpload(example.header));
  MLP_RETURN_IF_ERROR(upload->Append({example.features, example.labels}));
  return upload->Commit(example.dataset).status();
}

absl::StatusOr<v1::TrainingJob> CreateJob(Store& store, const std::string& model,
                                          const std::string& dataset,
                                          const std::string& request_id) {
  v1::TrainingJob job;
  job.set_model(model);
  job.set_dataset(dataset);
  return store.CreateJob(job, request_id, /*max_queued=*/1000);
}

absl::Status MoveJob(Store& store, int64_t id, v1::JobState from, v1::JobState to) {
  MLP_ASSIGN_OR_RETURN(v1::TrainingJob job, store.GetJob(id));
  job.set_state(to);
  return store.UpdateJob(job, from);
}

absl::StatusOr<v1::ModelVersion> Publish(Store& store, int64_t job_id, std::string artifact) {
  MLP_ASSIGN_OR_RETURN(v1::TrainingJob job, store.GetJob(job_id));
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  NewVersion version;
  version.version.set_model(job.model());
  version.artifact = std::move(artifact);
  return store.PublishVersion(std::move(version), std::move(job));
}

}  // namespace mlp::crash
