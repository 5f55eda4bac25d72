// gRPC's server reflection: tells callers that have no .proto files what there is. Without gRPC
// types.
#pragma once

#include <string>
#include <vector>

#include <absl/status/status.h>
#include <google/protobuf/descriptor.h>

#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "server/rpc/method_table.h"

namespace mlp {

// Answers out of the descriptors that this program was built with. Thread-safe.
class ReflectionService final : public RpcService {
 public:
  // `services`: full names, listed in this order.
  explicit ReflectionService(std::vector<std::string> services);

  // As grpc.reflection.v1alpha and as v1, which differ in nothing but the name.
  void AddTo(MethodTable& table) override;

  // Answers each request of the stream until its end.
  absl::Status ServerReflectionInfo(RpcCall& call) const;

 private:
  // NOT_FOUND becomes an answer too.
  absl::Status Answer(const grpc::reflection::v1alpha::ServerReflectionRequest& request,
                      grpc::reflection::v1alpha::ServerReflectionResponse& response) const;
  absl::Status AnswerExtensions(const std::string& type,
                                grpc::reflection::v1alpha::ExtensionNumberResponse& response) const;

  const std::vector<std::string> services_;
  const google::protobuf::DescriptorPool& pool_;
};

}  // namespace mlp
