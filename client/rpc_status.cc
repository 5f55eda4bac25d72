#include "client/rpc_status.h"

#include <absl/strings/cord.h>
#include <absl/strings/match.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/support/status.h>

#include "client/retry.h"

namespace mlp {
namespace {

// The details are a serialized google.rpc.Status: code = 1, message = 2, repeated Any details = 3.
void CopyRetryInfo(const std::string& details, absl::Status& status) {
  google::protobuf::Empty message;
  if (!message.ParseFromString(details)) return;
  const auto& fields = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto& field = fields.field(i);
    if (field.number() != 3 ||
        field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      continue;
    google::protobuf::Any detail;
    if (detail.ParseFromString(field.length_delimited()) &&
        absl::EndsWith(detail.type_url(), "/google.rpc.RetryInfo")) {
      status.SetPayload(kRetryInfoUrl, absl::Cord(detail.value()));
    }
  }
}

}  // namespace

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  CopyRetryInfo(status.error_details(), result);
  return result;
}

}  // namespace mlp
