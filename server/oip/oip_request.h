// One ModelInferRequest on its way through the batcher.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include "inference/grpc_service.pb.h"
#include "server/inference/servable_model.h"
#include "server/oip/input_rows.h"
#include "server/oip/output_tensors.h"

namespace mlp {

// Reads its rows out of a request and writes its answer into a response that somebody else owns and
// uses again for the next call, as it does this object:
//
//   read the request -> Start -> Fit -> ReadRows, WriteOutputs -> Release -> clear both messages
//
// With warm memory, none of it allocates for a raw FP32 row. The methods are those
// of InferenceRequest. Thread-compatible as that is.
class OipRequest {
 public:
  // Both outlive it.
  OipRequest(const inference::ModelInferRequest& request, inference::ModelInferResponse& response)
      : request_(request), response_(response) {}

  // Takes up the request that is in the message now. Checks what needs no model: INVALID_ARGUMENT
  // naming the field, for model_name, model_version and parameters. Before anything else.
  absl::Status Start();

  // The caller's parameter `timeout`, from the request's arrival; InfiniteDuration without one.
  absl::Duration timeout() const { return timeout_; }

  absl::string_view model_reference() const { return reference_; }
  absl::StatusOr<int64_t> Fit(const std::shared_ptr<const ServableModel>& model);
  void ReadRows(int64_t first, int64_t count, float* out) const;
  void WriteOutputs(int64_t first, int64_t count, const float* outputs);

  // Lets go of the model. When nothing is written any more.
  void Release() { model_.reset(); }

 private:
  const inference::ModelInferRequest& request_;
  inference::ModelInferResponse& response_;
  std::string reference_;
  absl::Duration timeout_ = absl::InfiniteDuration();
  std::shared_ptr<const ServableModel> model_;
  InputRows input_;
  OutputTensors outputs_;
};

}  // namespace mlp
