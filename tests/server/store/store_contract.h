// The contract tests of Store: what every implementation promises (server/store/store.h). They are
// the *_contract.cc files beside this one, of the parameterised suite StoreContract; an
// implementation compiles them into its test program and instantiates the suite with its
// StorePlace.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/store/store.h"
#include "tests/testing/fake_clock.h"

namespace mlp::testing {

// A place that keeps what its stores stored.
class StorePlace {
 public:
  virtual ~StorePlace() = default;
  // Opens a store here. The one opened before is gone.
  virtual std::unique_ptr<Store> Open(const Clock& clock) = 0;
};

using MakeStorePlace = std::unique_ptr<StorePlace> (*)();

// Rows to upload.
struct Rows {
  std::string features;
  std::vector<int32_t> labels;
  std::vector<float> weights = {};
};

// `seed` decides the features; labels go round the classes; the weight of row i, where the header
// says weighted, is i / 2.
Rows MakeRows(const v1::DatasetHeader& header, int seed);

// Uint8 features, classes "a", "b" and "c".
v1::DatasetHeader MakeHeader(const std::string& name, int64_t rows, int features);

// What the receiver of an upload tells the store of it.
v1::Dataset Describe(const v1::DatasetHeader& header, const Rows& rows);

// Uploads `rows` and commits them.
absl::StatusOr<v1::Dataset> Upload(Store& store, const v1::DatasetHeader& header, const Rows& rows);

ProgressPoint MakePoint(int iteration, double cost);

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// Of an absl::Status or absl::StatusOr.
MATCHER_P2(HasStatus, code, text, "") {
  *result_listener << StatusOf(arg);
  return StatusOf(arg).code() == code && StatusOf(arg).ToString().find(text) != std::string::npos;
}
MATCHER(IsOk, "") {
  *result_listener << StatusOf(arg);
  return StatusOf(arg).ok();
}
MATCHER_P(EqualsMessage, expected, "") {
  *result_listener << arg.ShortDebugString() << "\nagainst " << expected.ShortDebugString();
  return arg.SerializeAsString() == expected.SerializeAsString();
}

class StoreContract : public ::testing::TestWithParam<MakeStorePlace> {
 protected:
  StoreContract();

  // Closes the store and opens it again.
  void Reopen();
  Store& store() { return *store_; }

  // Stores the small dataset that jobs of these tests train on, where it is not there yet.
  void AddData();
  // Creates a job on it, in the given state.
  v1::TrainingJob AddJob(const std::string& model, v1::JobState state = v1::JOB_STATE_QUEUED);
  // Publishes through a new job.
  absl::StatusOr<v1::ModelVersion> Publish(const std::string& model, const std::string& artifact);

  // Versions 1 to 3 of model digits.
  void PublishThree();

  FakeClock clock_;

 private:
  const std::unique_ptr<StorePlace> place_;
  std::unique_ptr<Store> store_;
};

}  // namespace mlp::testing
