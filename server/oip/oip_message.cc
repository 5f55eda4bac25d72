#include "server/oip/oip_message.h"

#include "core/base/status_macros.h"
#include "server/inference/wire_format.h"
#include "server/oip/infer_parameters.h"
#include "server/oip/model_naming.h"

namespace mlp {
namespace {

// Tags of ModelStreamInferResponse.
constexpr uint32_t kInferResponse = BytesTag(2);

// Memory of a stream's response that is kept for the next one.
constexpr size_t kKeptBytes = 65536;

}  // namespace

absl::Status OipMessage::Parse(google::protobuf::io::ZeroCopyInputStream& in) {
  Clear();
  if (parser_.Parse(in)) return absl::OkStatus();
  return absl::InvalidArgumentError("request: not an inference.ModelInferRequest message");
}

absl::Status OipMessage::Check() {
  const inference::ModelInferRequest& request = parser_.request();
  MLP_RETURN_IF_ERROR(MakeReference("model_name", request.model_name(), "model_version",
                                    request.model_version(), reference_));
  MLP_ASSIGN_OR_RETURN(timeout_, ReadRequestParameters(request.parameters()));
  return absl::OkStatus();
}

absl::StatusOr<int64_t> OipMessage::Fit(const std::shared_ptr<const ServableModel>& model) {
  MLP_ASSIGN_OR_RETURN(input_, FindInputRows(parser_, model->features()));
  MLP_RETURN_IF_ERROR(
      outputs_.Start(parser_.request(), *model, input_.rows, input_.raw != nullptr));
  model_ = model;
  return input_.rows;
}

void OipMessage::ReadRows(int64_t first, int64_t count, float* out) const {
  CopyRows(input_, first, count, out);
}

absl::Status OipMessage::NotFinite(int64_t row, int64_t feature, float value) const {
  return RefuseValue(input_, row, feature, value);
}

void OipMessage::WriteOutputs(int64_t first, int64_t count, const float* outputs) {
  outputs_.Write(first, count, outputs);
}

void OipMessage::AppendResponse(const absl::Status&, std::string& out) {
  outputs_.AppendResponse(id(), out);
}

void OipMessage::Clear() {
  parser_.Clear();
  timeout_ = absl::InfiniteDuration();
  model_.reset();
  input_ = {};
  outputs_.Clear();
}

// --- OipStreamMessage ---

void OipStreamMessage::AppendResponse(const absl::Status& status, std::string& out) {
  if (status.ok()) {
    response_.clear();
    OipMessage::AppendResponse(status, response_);
    AppendBytes(kInferResponse, response_, out);
    return;
  }
  inference::ModelStreamInferResponse answer;
  answer.set_error_message(std::string(status.message()));
  // Callers tell by the id which of their requests failed.
  answer.mutable_infer_response()->set_id(id());
  answer.AppendToString(&out);
}

void OipStreamMessage::Clear() {
  OipMessage::Clear();
  if (response_.capacity() > kKeptBytes) response_ = std::string();
}

}  // namespace mlp
