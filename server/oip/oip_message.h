// ModelInferRequest and ModelInferResponse as the messages of ModelInfer and of ModelStreamInfer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include "server/inference/inference_message.h"
#include "server/inference/servable_model.h"
#include "server/oip/infer_request_parser.h"
#include "server/oip/input_rows.h"
#include "server/oip/output_tensors.h"

namespace mlp {

// A message of ModelInfer. With warm memory, none of it allocates for a raw row. Thread-compatible
// but for what InferenceRequest says.
class OipMessage : public InferenceMessage {
 public:
  absl::Status Parse(google::protobuf::io::ZeroCopyInputStream& in) override;
  // INVALID_ARGUMENT naming the field, for model_name, model_version and parameters.
  absl::Status Check() override;
  // The caller's parameter `timeout`, from the request's arrival; InfiniteDuration without one.
  absl::Duration timeout() const override { return timeout_; }

  absl::string_view model_reference() const override { return reference_; }
  absl::StatusOr<int64_t> Fit(const std::shared_ptr<const ServableModel>& model) override;
  void ReadRows(int64_t first, int64_t count, float* out) const override;
  absl::Status NotFinite(int64_t row, int64_t feature, float value) const override;
  void WriteOutputs(int64_t first, int64_t count, const float* outputs) override;

  void AppendResponse(const absl::Status& status, std::string& out) override;
  void Clear() override;

 protected:
  const std::string& id() const { return parser_.request().id(); }

 private:
  InferRequestParser parser_;
  std::string reference_;
  absl::Duration timeout_ = absl::InfiniteDuration();
  std::shared_ptr<const ServableModel> model_;
  InputRows input_;
  OutputTensors outputs_;
};

// A message of ModelStreamInfer: errors are answers.
class OipStreamMessage final : public OipMessage {
 public:
  void AppendResponse(const absl::Status& status, std::string& out) override;
  void Clear() override;

 private:
  std::string response_;  // kept for its memory
};

}  // namespace mlp
