#include "server/oip/oip_request.h"

#include "core/base/status_macros.h"
#include "server/oip/infer_parameters.h"
#include "server/oip/model_naming.h"

namespace mlp {

absl::Status OipRequest::Start() {
  MLP_RETURN_IF_ERROR(MakeReference("model_name", request_.model_name(), "model_version",
                                    request_.model_version(), reference_));
  MLP_ASSIGN_OR_RETURN(timeout_, ReadRequestParameters(request_.parameters()));
  return absl::OkStatus();
}

absl::StatusOr<int64_t> OipRequest::Fit(const std::shared_ptr<const ServableModel>& model) {
  MLP_ASSIGN_OR_RETURN(input_, FindInputRows(request_, model->features()));
  MLP_RETURN_IF_ERROR(outputs_.Start(request_, *model, input_.rows, input_.raw, response_));
  model_ = model;
  return input_.rows;
}

void OipRequest::ReadRows(int64_t first, int64_t count, float* out) const {
  CopyRows(input_, first, count, out);
}

void OipRequest::WriteOutputs(int64_t first, int64_t count, const float* outputs) {
  outputs_.Write(first, count, outputs);
}

}  // namespace mlp
