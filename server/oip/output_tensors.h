// The answer to a ModelInferRequest: which tensors the caller wants, each row's outputs kept until
// all are there, and the response's bytes in the form (raw or typed) that the request had.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "inference/grpc_service.pb.h"
#include "server/inference/servable_model.h"

namespace mlp {

// Largest answer: a request of one small feature a row must not ask for gigabytes of scores.
inline constexpr int64_t kMaxAnswerBytes = int64_t{64} << 20;

// Makes one answer after the other and keeps its memory. Thread-compatible, but that Write may run
// on several threads at a time for different rows.
class OutputTensors {
 public:
  // Checks what `request` asks for, and makes room for it. `rows` is N. INVALID_ARGUMENT naming the
  // field: an unknown output, one asked for twice, a bad parameter; RESOURCE_EXHAUSTED over
  // kMaxAnswerBytes. `model` outlives the answer.
  absl::Status Start(const inference::ModelInferRequest& request, const ServableModel& model,
                     int64_t rows, bool raw);

  // Outputs [count x K] of rows [first, first + count), each row once.
  void Write(int64_t first, int64_t count, const float* outputs);

  // The inference.ModelInferResponse, byte for byte as protobuf encodes it. After all rows.
  void AppendResponse(absl::string_view id, std::string& out);

  // Forgets the answer, and gives back memory that only large ones need.
  void Clear();

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
  static absl::Status CheckSize(const Plan& plan, const ServableModel& model, int64_t rows);
  void AppendTensor(const Wanted& wanted, std::string& out);
  void AppendContents(const Wanted& wanted, std::string& out);
  void AppendRaw(const Wanted& wanted, std::string& out);
  // Calls use(text) for the `top` largest of each row.
  template <typename Use>
  void ForEachTop(int64_t top, const Use& use) const;

  const ServableModel* model_ = nullptr;
  Plan plan_;
  int64_t rows_ = 0;
  bool raw_ = false;
  std::vector<float> scores_;    // [N x K]; empty where they are not wanted
  std::vector<int64_t> labels_;  // [N]; the same
  // Parts whose length comes before them, kept for their memory.
  std::string tensor_;
  std::string contents_;
  std::string values_;
};

}  // namespace mlp
