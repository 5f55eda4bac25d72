// Answers a batch of Predict requests: resolves each one's model, checks its rows, runs one forward
// propagation per model version over the rows of all its requests, and gives every request exactly
// its own rows back. Knows nothing of gRPC.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <absl/status/status.h>
#include <absl/types/span.h>

#include "mlp/v1/prediction.pb.h"
#include "server/inference/resident_models.h"
#include "server/telemetry/metrics.h"

namespace mlp {

// One request on its way through. `status` says how it ended; the response is filled only when OK.
struct PredictTask {
  const v1::PredictRequest* request = nullptr;
  v1::PredictResponse* response = nullptr;
  absl::Status status;
};

inline constexpr int64_t kMaxPredictRows = 65536;

// Thread-compatible: one a thread, for it keeps its buffers from batch to batch.
class Predictor {
 public:
  // Both outlive it.
  Predictor(ResidentModels& models, Metrics& metrics);

  // Runs all tasks to their end. See prediction.proto for the errors.
  void Run(absl::Span<PredictTask> tasks);

 private:
  // A task whose rows were found good, and where they lie.
  struct Checked {
    PredictTask* task;
    std::shared_ptr<const ServableModel> model;
    int64_t rows;
  };

  absl::StatusOr<Checked> Check(PredictTask& task);
  // Consecutive rows of a block that belong to one response.
  struct Piece {
    v1::PredictResponse* response;
    int64_t rows;
  };

  // `group` shares one model. Its rows are cut into blocks, so that memory stays bounded and a
  // block stays in the cache from scaling to answers.
  void RunGroup(absl::Span<const Checked> group);
  // Answers the pieces of one block of `rows` scaled rows.
  void RunBlock(const ServableModel& model, int64_t rows);

  ResidentModels& models_;
  Metrics& metrics_;
  std::vector<Checked> checked_;
  std::vector<float> inputs_;   // [kBlockRows x D] scaled
  std::vector<float> outputs_;  // [kBlockRows x K]
  std::vector<Piece> pieces_;
};

}  // namespace mlp
