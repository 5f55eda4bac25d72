#include "server/api/reflection_service.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/descriptor_database.h>
#include <gtest/gtest.h>

#include "inference/grpc_service.pb.h"
#include "mlp/v1/model.pb.h"
#include "tests/server/api/fake_rpc_call.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSupersetOf;

using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
using Response = grpc::reflection::v1alpha::ServerReflectionResponse;

// A static library's file descriptors are linked in where something uses its messages.
const void* const kLinked[] = {inference::ModelInferRequest::descriptor(), v1::Model::descriptor()};

// The answers to `requests`, sent on one stream.
std::vector<Response> Ask(const std::vector<Request>& requests) {
  ReflectionService service({"mlp.v1.ModelService", "inference.GRPCInferenceService"});
  testing::FakeRpcCall call;
  for (const Request& request : requests) call.Send(request);
  EXPECT_TRUE(service.ServerReflectionInfo(call).ok());
  return call.Responses<Response>();
}

Response AskOne(const Request& request) {
  const std::vector<Response> responses = Ask({request});
  EXPECT_EQ(responses.size(), 1u);
  EXPECT_EQ(responses[0].original_request().SerializeAsString(), request.SerializeAsString());
  EXPECT_EQ(responses[0].valid_host(), request.host());
  return responses[0];
}

std::vector<std::string> FileNames(const Response& response) {
  std::vector<std::string> names;
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    EXPECT_TRUE(file.ParseFromString(bytes));
    names.push_back(file.name());
  }
  return names;
}

TEST(ReflectionService, HasSomethingToShow) {
  for (const void* descriptor : kLinked) EXPECT_NE(descriptor, nullptr);
}

TEST(ReflectionService, ListsTheServices) {
  Request request;
  request.set_host("example");
  request.set_list_services("*");
  const Response response = AskOne(request);
  ASSERT_EQ(response.list_services_response().service_size(), 2);
  EXPECT_EQ(response.list_services_response().service(0).name(), "mlp.v1.ModelService");
  EXPECT_EQ(response.list_services_response().service(1).name(), "inference.GRPCInferenceService");
}

TEST(ReflectionService, SendsTheFileOfASymbolWithAllThatItNeeds) {
  for (const char* symbol : {"inference.GRPCInferenceService", "inference.InferParameter",
                             "inference.GRPCInferenceService.ModelInfer",
                             "inference.ModelInferRequest.InferInputTensor"}) {
    Request request;
    request.set_file_containing_symbol(symbol);
    EXPECT_THAT(FileNames(AskOne(request)),
                ElementsAre("inference/grpc_service.proto", "inference/model_config.proto"));
  }
}

TEST(ReflectionService, SendsWhatBuildsAPoolOfItsOwn) {
  Request request;
  request.set_file_by_filename("mlp/v1/model.proto");
  const Response response = AskOne(request);
  const std::vector<std::string> names = FileNames(response);
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(names[0], "mlp/v1/model.proto");
  EXPECT_THAT(names, IsSupersetOf({"mlp/v1/training.proto", "google/protobuf/timestamp.proto"}));
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());

  google::protobuf::SimpleDescriptorDatabase database;
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(bytes));
    database.Add(file);
  }
  google::protobuf::DescriptorPool pool(&database);
  const auto* const service = pool.FindServiceByName("mlp.v1.ModelService");
  ASSERT_NE(service, nullptr);
  EXPECT_NE(service->FindMethodByName("GetModel"), nullptr);
}

TEST(ReflectionService, ShowsTheCallsThatAreNotOffered) {
  const auto* const pool = google::protobuf::DescriptorPool::generated_pool();
  EXPECT_NE(pool->FindMethodByName("inference.GRPCInferenceService.LogSettings"), nullptr);
}

TEST(ReflectionService, SaysWhatThereIsNotAndGoesOn) {
  std::vector<Request> requests(7);
  requests[0].set_file_containing_symbol("mlp.v1.Nothing");
  requests[1].set_file_by_filename("../../etc/passwd");
  requests[2].mutable_file_containing_extension()->set_containing_type("mlp.v1.Model");
  requests[3].mutable_file_containing_extension()->set_containing_type("Nothing");
  requests[4].set_all_extension_numbers_of_type("Nothing");
  requests[6].set_list_services("");
  const std::vector<Response> responses = Ask(requests);
  ASSERT_EQ(responses.size(), 7u);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(responses[i].error_response().error_code(), 5) << i;
    EXPECT_FALSE(responses[i].error_response().error_message().empty()) << i;
  }
  EXPECT_EQ(responses[5].error_response().error_code(), 3);
  EXPECT_EQ(responses[6].list_services_response().service_size(), 2);
}

TEST(ReflectionService, KnowsThatProto3MessagesHaveNoExtensions) {
  Request request;
  request.set_all_extension_numbers_of_type("mlp.v1.Model");
  const Response response = AskOne(request);
  ASSERT_TRUE(response.has_all_extension_numbers_response());
  EXPECT_EQ(response.all_extension_numbers_response().base_type_name(), "mlp.v1.Model");
  EXPECT_EQ(response.all_extension_numbers_response().extension_number_size(), 0);
}

TEST(ReflectionService, AnswersUnderBothOfItsNames) {
  ReflectionService service({});
  Metrics metrics;
  MethodTable table(metrics);
  service.AddTo(table);
  for (const char* path : {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                           "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"}) {
    const RpcMethod* method = table.Find(path);
    ASSERT_NE(method, nullptr) << path;
    testing::FakeRpcCall call;
    Request request;
    request.set_list_services("");
    call.Send(request);
    EXPECT_TRUE(method->handler(call).ok());
    EXPECT_EQ(call.Responses<Response>().size(), 1u);
  }
}

TEST(ReflectionService, EndsWhereTheCallerIsGone) {
  ReflectionService service({});
  testing::FakeRpcCall call;
  call.Send(Request());
  call.Leave();
  EXPECT_EQ(service.ServerReflectionInfo(call).code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace mlp
