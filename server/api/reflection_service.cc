#include "server/api/reflection_service.h"

#include <utility>

#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/descriptor.pb.h>

#include "core/base/status_macros.h"
#include "server/end_of_call.h"

namespace mlp {
namespace {

using google::protobuf::FileDescriptor;
using grpc::reflection::v1alpha::FileDescriptorResponse;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

// `file`, then all that it needs, each once.
absl::Status AddWithDependencies(const FileDescriptor* file, FileDescriptorResponse& response) {
  if (file == nullptr) return absl::NotFoundError("no such file, symbol or extension");
  std::vector<const FileDescriptor*> files = {file};
  absl::flat_hash_set<const FileDescriptor*> seen = {file};
  for (size_t next = 0; next < files.size(); ++next) {
    google::protobuf::FileDescriptorProto proto;
    files[next]->CopyTo(&proto);
    proto.SerializeToString(response.add_file_descriptor_proto());
    for (int i = 0; i < files[next]->dependency_count(); ++i) {
      const FileDescriptor* const dependency = files[next]->dependency(i);
      if (seen.insert(dependency).second) files.push_back(dependency);
    }
  }
  return absl::OkStatus();
}

}  // namespace

ReflectionService::ReflectionService(std::vector<std::string> services)
    : services_(std::move(services)), pool_(*google::protobuf::DescriptorPool::generated_pool()) {}

void ReflectionService::AddTo(MethodTable& table) {
  for (const char* service :
       {"grpc.reflection.v1alpha.ServerReflection", "grpc.reflection.v1.ServerReflection"}) {
    table.Add(service, "ServerReflectionInfo",
              [this](RpcCall& call) { return ServerReflectionInfo(call); });
  }
}

absl::Status ReflectionService::ServerReflectionInfo(RpcCall& call) const {
  while (true) {
    ServerReflectionRequest request;
    MLP_ASSIGN_OR_RETURN(const bool sent, call.Read(request));
    if (!sent) return absl::OkStatus();
    ServerReflectionResponse response;
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    const absl::Status status = Answer(request, response);
    if (!status.ok()) {
      response.mutable_error_response()->set_error_code(static_cast<int>(status.code()));
      response.mutable_error_response()->set_error_message(std::string(status.message()));
    }
    if (!call.Write(response)) return CallerGone();
  }
}

absl::Status ReflectionService::Answer(const ServerReflectionRequest& request,
                                       ServerReflectionResponse& response) const {
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kListServices:
      for (const std::string& service : services_) {
        response.mutable_list_services_response()->add_service()->set_name(service);
      }
      return absl::OkStatus();
    case ServerReflectionRequest::kFileByFilename:
      return AddWithDependencies(pool_.FindFileByName(request.file_by_filename()),
                                 *response.mutable_file_descriptor_response());
    case ServerReflectionRequest::kFileContainingSymbol:
      return AddWithDependencies(pool_.FindFileContainingSymbol(request.file_containing_symbol()),
                                 *response.mutable_file_descriptor_response());
    case ServerReflectionRequest::kFileContainingExtension: {
      const auto& wanted = request.file_containing_extension();
      const auto* const type = pool_.FindMessageTypeByName(wanted.containing_type());
      const auto* const extension =
          type == nullptr ? nullptr : pool_.FindExtensionByNumber(type, wanted.extension_number());
      return AddWithDependencies(extension == nullptr ? nullptr : extension->file(),
                                 *response.mutable_file_descriptor_response());
    }
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
      return AnswerExtensions(request.all_extension_numbers_of_type(),
                              *response.mutable_all_extension_numbers_response());
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("message_request: expected one, got none");
}

absl::Status ReflectionService::AnswerExtensions(
    const std::string& type, grpc::reflection::v1alpha::ExtensionNumberResponse& response) const {
  const auto* const found = pool_.FindMessageTypeByName(type);
  if (found == nullptr) return absl::NotFoundError("no such message");
  std::vector<const google::protobuf::FieldDescriptor*> extensions;
  pool_.FindAllExtensions(found, &extensions);
  response.set_base_type_name(type);
  for (const auto* extension : extensions) response.add_extension_number(extension->number());
  return absl::OkStatus();
}

}  // namespace mlp
