// The answer to a ModelInferRequest: which tensors the caller wants, room for them in the response,
// and each row's outputs into its place there, in the form (raw or typed) that the request had.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "inference/grpc_service.pb.h"
#include "server/inference/servable_model.h"

namespace mlp {

// Largest answer: a request of one small feature a row must not ask for gigabytes of scores.
inline constexpr int64_t kMaxAnswerBytes = int64_t{64} << 20;

// Makes one answer after the other and keeps its memory. Thread-compatible, but that Write may run
// on several threads at a time for different rows.
class OutputTensors {
 public:
  // Checks what `request` asks for, then fills in the response but for the values. `rows` is N.
  // INVALID_ARGUMENT naming the field: an unknown output, one asked for twice, a bad parameter;
  // RESOURCE_EXHAUSTED over kMaxAnswerBytes. The response is untouched unless OK. `model` and
  // `response` outlive the last Write.
  absl::Status Start(const inference::ModelInferRequest& request, const ServableModel& model,
                     int64_t rows, bool raw, inference::ModelInferResponse& response);

  // Outputs [count x K] of rows [first, first + count), each row once.
  void Write(int64_t first, int64_t count, const float* outputs);

 private:
  enum class Kind { kScores, kLabels, kTop };
  struct Wanted {
    Kind kind = Kind::kScores;
    int64_t top = 0;  // kTop: how many
  };
  static constexpr int kMaxWanted = 2;  // each name once
  struct Plan {
    Wanted wanted[kMaxWanted];
    int count = 0;
  };

  static absl::StatusOr<Plan> MakePlan(const inference::ModelInferRequest& request, int classes);
  absl::Status CheckSize(const Plan& plan, const ServableModel& model, int64_t rows) const;
  // Adds the tensor of `wanted` to the response, with room for its values.
  void Add(const Wanted& wanted, bool raw);
  // The `top` largest of all rows, out of kept_scores_.
  void WriteTop();

  const ServableModel* model_ = nullptr;
  inference::ModelInferResponse* response_ = nullptr;
  int64_t rows_ = 0;
  // Where the values go; null where the tensor is not asked for.
  char* scores_ = nullptr;  // float [N x K], not aligned
  char* labels_ = nullptr;  // int64 [N], not aligned
  // Classification: texts have no fixed size, so that they are written when all scores are there.
  int64_t top_ = 0;
  std::string* top_raw_ = nullptr;
  google::protobuf::RepeatedPtrField<std::string>* top_typed_ = nullptr;
  std::vector<float> kept_scores_;  // [N x K]
  std::atomic<int64_t> rows_left_ = 0;
};

}  // namespace mlp
