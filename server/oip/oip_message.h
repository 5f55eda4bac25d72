// ModelInferRequest and ModelInferResponse as the messages of ModelInfer and of ModelStreamInfer.
#pragma once

#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include "inference/grpc_service.pb.h"
#include "server/inference/inference_message.h"
#include "server/oip/oip_request.h"

namespace mlp {

// A message of ModelInfer. Thread-compatible but for what InferenceRequest says.
class OipMessage : public InferenceMessage {
 public:
  absl::Status Parse(google::protobuf::io::ZeroCopyInputStream& in) override;
  absl::Status Check() override { return rows_.Start(); }
  absl::Duration timeout() const override { return rows_.timeout(); }

  absl::string_view model_reference() const override { return rows_.model_reference(); }
  absl::StatusOr<int64_t> Fit(const std::shared_ptr<const ServableModel>& model) override {
    return rows_.Fit(model);
  }
  void ReadRows(int64_t first, int64_t count, float* out) const override {
    rows_.ReadRows(first, count, out);
  }
  void WriteOutputs(int64_t first, int64_t count, const float* outputs) override {
    rows_.WriteOutputs(first, count, outputs);
  }

  void AppendResponse(const absl::Status& status, std::string& out) override;
  void Clear() override;

 protected:
  const inference::ModelInferRequest& request() const { return request_; }
  inference::ModelInferResponse& response() { return response_; }

 private:
  inference::ModelInferRequest request_;
  inference::ModelInferResponse response_;
  OipRequest rows_{request_, response_};
};

// A message of ModelStreamInfer: errors are answers.
class OipStreamMessage final : public OipMessage {
 public:
  void AppendResponse(const absl::Status& status, std::string& out) override;
};

}  // namespace mlp
