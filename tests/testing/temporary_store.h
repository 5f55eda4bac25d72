// A store in a temporary folder that goes with it, and a short way to publish a model.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/artifact/artifact.h"
#include "core/base/clock.h"
#include "server/store/sqlite_store.h"
#include "server/store/store.h"

namespace mlp::testing {

class TemporaryStore {
 public:
  TemporaryStore() {
    folder_ = ::testing::TempDir() + "mlpd-store-XXXXXX";
    if (mkdtemp(folder_.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    store_ = OpenSqliteStore(folder_, Clock::System()).value();
  }
  ~TemporaryStore() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  Store& operator*() { return *store_; }
  Store* operator->() { return store_.get(); }

  // Stores a tiny dataset under `name`: `rows` rows of 2 float features, classes "first", "second".
  v1::Dataset AddDataset(const std::string& name, int rows = 4) {
    v1::DatasetHeader header;
    header.set_name(name);
    header.set_rows(rows);
    header.set_features(2);
    header.set_feature_type(v1::FEATURE_TYPE_FLOAT32);
    header.add_class_names("first");
    header.add_class_names("second");
    std::string features(static_cast<size_t>(rows) * 2 * sizeof(float), '\0');
    const std::vector<int32_t> labels(static_cast<size_t>(rows), 0);
    auto upload = store_->BeginDatasetUpload(header).value();
    EXPECT_TRUE(upload->Append({features, labels}).ok());
    v1::Dataset dataset;
    dataset.set_name(name);
    dataset.set_rows(rows);
    dataset.set_features(2);
    dataset.set_feature_type(v1::FEATURE_TYPE_FLOAT32);
    *dataset.mutable_class_names() = header.class_names();
    return upload->Commit(dataset).value();
  }

  // Publishes `artifact` as the next version of `model`, through a job as training would.
  v1::ModelVersion Publish(const std::string& model, const Artifact& artifact) {
    if (!store_->GetDataset("data").ok()) AddDataset("data");
    v1::TrainingJob job;
    job.set_model(model);
    job.set_dataset("data");
    job.set_state(v1::JOB_STATE_QUEUED);
    job = store_->CreateJob(job, "", 1000).value();
    job.set_state(v1::JOB_STATE_RUNNING);
    EXPECT_TRUE(store_->UpdateJob(job, v1::JOB_STATE_QUEUED).ok());
    job.set_state(v1::JOB_STATE_SUCCEEDED);
    NewVersion version;
    version.version.set_model(model);
    version.artifact = WriteArtifact(artifact);
    return store_->PublishVersion(std::move(version), job).value();
  }

 private:
  std::string folder_;
  std::unique_ptr<Store> store_;
};

}  // namespace mlp::testing
