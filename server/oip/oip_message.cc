#include "server/oip/oip_message.h"

namespace mlp {
namespace {

// Memory of a message that is kept for the next one.
constexpr size_t kKeptBytes = size_t{1} << 18;

template <typename Message>
void ClearKeepingLittle(Message& message) {
  if (message.SpaceUsedLong() > kKeptBytes) {
    Message().Swap(&message);
  } else {
    message.Clear();
  }
}

}  // namespace

absl::Status OipMessage::Parse(google::protobuf::io::ZeroCopyInputStream& in) {
  if (request_.ParseFromZeroCopyStream(&in)) return absl::OkStatus();
  return absl::InvalidArgumentError("request: not an inference.ModelInferRequest message");
}

void OipMessage::AppendResponse(const absl::Status&, std::string& out) {
  response_.AppendToString(&out);
}

void OipMessage::Clear() {
  rows_.Release();
  ClearKeepingLittle(request_);
  ClearKeepingLittle(response_);
}

void OipStreamMessage::AppendResponse(const absl::Status& status, std::string& out) {
  inference::ModelStreamInferResponse answer;
  if (status.ok()) {
    answer.mutable_infer_response()->Swap(&response());
  } else {
    answer.set_error_message(std::string(status.message()));
    // Callers tell by the id which of their requests failed.
    answer.mutable_infer_response()->set_id(request().id());
  }
  answer.AppendToString(&out);
}

}  // namespace mlp
