// What the crash tests put into a store: all bytes follow from a seed.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "server/store/store.h"

namespace mlp::crash {

// `size` bytes that look random.
std::string MakeBytes(uint32_t seed, size_t size);

// Rows of kFeatures bytes with two classes, cut from MakeBytes.
struct ExampleDataset {
  static constexpr int kFeatures = 64;

  ExampleDataset(const std::string& name, uint32_t seed, int64_t rows);

  v1::DatasetHeader header;  // its request id is the name
  v1::Dataset dataset;
  std::string features;
  std::vector<int32_t> labels;
};

absl::Status Upload(Store& store, const ExampleDataset& example);

// Creates a job on `dataset`, whose request id is `request_id`. QUEUED.
absl::StatusOr<v1::TrainingJob> CreateJob(Store& store, const std::string& model,
                                          const std::string& dataset,
                                          const std::string& request_id);

// Takes a job from one state to the next.
absl::Status MoveJob(Store& store, int64_t id, v1::JobState from, v1::JobState to);

// Publishes what a RUNNING job trained.
absl::StatusOr<v1::ModelVersion> Publish(Store& store, int64_t job_id, std::string artifact);

}  // namespace mlp::crash
