// The bytes on the wire, encoded by hand from the protocol's field numbers: a message that our own
// code writes and reads alike would hide a wrong number.
#include <string>

#include <absl/strings/escaping.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "inference/grpc_service.pb.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;

// The message of these bytes, which has no field that we do not know and encodes to as many again.
template <typename T>
T Decoded(const std::string& hex) {
  T message;
  const std::string bytes = absl::HexStringToBytes(hex);
  EXPECT_TRUE(message.ParseFromString(bytes));
  EXPECT_EQ(message.ByteSizeLong(), bytes.size());
  T known = message;
  known.DiscardUnknownFields();
  EXPECT_EQ(known.ByteSizeLong(), bytes.size());
  return message;
}

TEST(Wire, ModelInferRequestWithRawContents) {
  const auto request = Decoded<inference::ModelInferRequest>(
      "0A016D"                                        // 1: model_name "m"
      "120132"                                        // 2: model_version "2"
      "1A0178"                                        // 3: id "x"
      "2A110A05696E7075741204465033321A020102"        // 5: "input", "FP32", packed [1, 2]
      "321E0A066F757470757412140A0E636C617373696669"  // 6: "output", {classification: int64 3}
      "636174696F6E12021003"
      "3A080000803F000000C0");  // 7: floats 1, -2
  EXPECT_EQ(request.model_name(), "m");
  EXPECT_EQ(request.model_version(), "2");
  EXPECT_EQ(request.id(), "x");
  ASSERT_EQ(request.inputs_size(), 1);
  EXPECT_EQ(request.inputs(0).name(), "input");
  EXPECT_EQ(request.inputs(0).datatype(), "FP32");
  EXPECT_THAT(request.inputs(0).shape(), ElementsAre(1, 2));
  ASSERT_EQ(request.outputs_size(), 1);
  EXPECT_EQ(request.outputs(0).name(), "output");
  EXPECT_EQ(request.outputs(0).parameters().at("classification").int64_param(), 3);
  ASSERT_EQ(request.raw_input_contents_size(), 1);
  EXPECT_EQ(request.raw_input_contents(0), std::string("\0\0\x80\x3F\0\0\0\xC0", 8));
}

TEST(Wire, EachKindOfInferParameter) {
  const auto request = Decoded<inference::ModelInferRequest>(
      "22070A016212020801"                // {b: bool true}
      "22090A0169120410C0843D"            // {i: int64 1000000}
      "22090A017312041A026869"            // {s: string "hi"}
      "220E0A0164120921000000000000F83F"  // {d: double 1.5}
      "22070A017512022803");              // {u: uint64 3}
  const auto& parameters = request.parameters();
  ASSERT_EQ(parameters.size(), 5u);
  EXPECT_TRUE(parameters.at("b").bool_param());
  EXPECT_EQ(parameters.at("i").int64_param(), 1'000'000);
  EXPECT_EQ(parameters.at("s").string_param(), "hi");
  EXPECT_EQ(parameters.at("d").double_param(), 1.5);
  EXPECT_EQ(parameters.at("u").uint64_param(), 3u);
}

TEST(Wire, EachKindOfTypedContents) {
  const auto request = Decoded<inference::ModelInferRequest>(
      "2A300A016922070A017012020801"  // 5: "i", 4: {p: bool true}
      "2A22"
      "0A0101"
      "120105"
      "1A0106"
      "220107"
      "2A0108"
      "32040000803F"
      "3A08000000000000F03F"
      "42017A");
  const auto& input = request.inputs(0);
  EXPECT_TRUE(input.parameters().at("p").bool_param());
  EXPECT_THAT(input.contents().bool_contents(), ElementsAre(true));
  EXPECT_THAT(input.contents().int_contents(), ElementsAre(5));
  EXPECT_THAT(input.contents().int64_contents(), ElementsAre(6));
  EXPECT_THAT(input.contents().uint_contents(), ElementsAre(7));
  EXPECT_THAT(input.contents().uint64_contents(), ElementsAre(8));
  EXPECT_THAT(input.contents().fp32_contents(), ElementsAre(1.0f));
  EXPECT_THAT(input.contents().fp64_contents(), ElementsAre(1.0));
  EXPECT_THAT(input.contents().bytes_contents(), ElementsAre("z"));
}

TEST(Wire, ModelInferResponse) {
  const std::string response_hex =
      "0A016D"
      "120132"
      "1A0178"
      "22070A016212020801"                                                // 4: {b: bool true}
      "2A1E0A016F1204465033321A02010122070A0170120228012A0632040000803F"  // 5: an output, typed
      "32040000803F";                                                     // 6: raw
  const auto response = Decoded<inference::ModelInferResponse>(response_hex);
  EXPECT_EQ(response.model_name(), "m");
  EXPECT_EQ(response.model_version(), "2");
  EXPECT_EQ(response.id(), "x");
  EXPECT_TRUE(response.parameters().at("b").bool_param());
  EXPECT_EQ(response.outputs(0).name(), "o");
  EXPECT_EQ(response.outputs(0).datatype(), "FP32");
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(1, 1));
  EXPECT_EQ(response.outputs(0).parameters().at("p").uint64_param(), 1u);
  EXPECT_THAT(response.outputs(0).contents().fp32_contents(), ElementsAre(1.0f));
  EXPECT_EQ(response.raw_output_contents(0), std::string("\0\0\x80\x3F", 4));

  const auto stream = Decoded<inference::ModelStreamInferResponse>(
      "0A0165"
      "1203"
      "0A016D");
  EXPECT_EQ(stream.error_message(), "e");
  EXPECT_EQ(stream.infer_response().model_name(), "m");
}

TEST(Wire, ModelStatistics) {
  const auto statistics = Decoded<inference::ModelStatistics>(
      "0A016D"
      "120132"
      "18E807"
      "200A"
      "2804"
      "3230"
      "0A0408011011"
      "120408021012"
      "1A0408031013"
      "220408041014"  // 6: count f, ns 16 + f
      "2A0408051015"
      "320408061016"
      "3A0408071017"
      "420408081018"
      "3A14"
      "0840"
      "120408011002"
      "1A0408031004"
      "220408051006");  // 7: batches of 64
  EXPECT_EQ(statistics.name(), "m");
  EXPECT_EQ(statistics.version(), "2");
  EXPECT_EQ(statistics.last_inference(), 1000u);
  EXPECT_EQ(statistics.inference_count(), 10u);
  EXPECT_EQ(statistics.execution_count(), 4u);
  const auto& requests = statistics.inference_stats();
  EXPECT_EQ(requests.success().count(), 1u);
  EXPECT_EQ(requests.success().ns(), 17u);
  EXPECT_EQ(requests.fail().count(), 2u);
  EXPECT_EQ(requests.queue().count(), 3u);
  EXPECT_EQ(requests.compute_input().count(), 4u);
  EXPECT_EQ(requests.compute_infer().count(), 5u);
  EXPECT_EQ(requests.compute_output().count(), 6u);
  EXPECT_EQ(requests.cache_hit().count(), 7u);
  EXPECT_EQ(requests.cache_miss().count(), 8u);
  ASSERT_EQ(statistics.batch_stats_size(), 1);
  EXPECT_EQ(statistics.batch_stats(0).batch_size(), 64u);
  EXPECT_EQ(statistics.batch_stats(0).compute_input().ns(), 2u);
  EXPECT_EQ(statistics.batch_stats(0).compute_infer().ns(), 4u);
  EXPECT_EQ(statistics.batch_stats(0).compute_output().ns(), 6u);
}

TEST(Wire, ModelConfig) {
  const auto config = Decoded<inference::ModelConfigResponse>(
                          "0A35"
                          "0A016D"
                          "120170"
                          "1A021200"
                          "20808004"
                          "2A0B0A0169100B180122029003"
                          "320B0A016F10091A010A220166"
                          "5A070A02800810F403"
                          "8A010162")
                          .config();
  EXPECT_EQ(config.name(), "m");
  EXPECT_EQ(config.platform(), "p");
  EXPECT_TRUE(config.version_policy().has_all());
  EXPECT_EQ(config.max_batch_size(), 65'536);
  EXPECT_EQ(config.input(0).name(), "i");
  EXPECT_EQ(config.input(0).data_type(), inference::TYPE_FP32);
  EXPECT_EQ(config.input(0).format(), inference::ModelInput::FORMAT_NHWC);
  EXPECT_THAT(config.input(0).dims(), ElementsAre(400));
  EXPECT_EQ(config.output(0).name(), "o");
  EXPECT_EQ(config.output(0).data_type(), inference::TYPE_INT64);
  EXPECT_THAT(config.output(0).dims(), ElementsAre(10));
  EXPECT_EQ(config.output(0).label_filename(), "f");
  EXPECT_THAT(config.dynamic_batching().preferred_batch_size(), ElementsAre(1024));
  EXPECT_EQ(config.dynamic_batching().max_queue_delay_microseconds(), 500u);
  EXPECT_EQ(config.backend(), "b");
}

TEST(Wire, MetadataAndRepository) {
  const auto server = Decoded<inference::ServerMetadataResponse>(
      "0A016D"
      "120132"
      "1A0165"
      "1A0166");
  EXPECT_EQ(server.name(), "m");
  EXPECT_EQ(server.version(), "2");
  EXPECT_THAT(server.extensions(), ElementsAre("e", "f"));

  const auto model = Decoded<inference::ModelMetadataResponse>(
      "0A016D"
      "120132"
      "1A0170"
      "2217"
      "0A0169"
      "120446503332"
      "1A0CFFFFFFFFFFFFFFFFFF019003"  // [-1, 400]
      "2A03"
      "0A016F");
  EXPECT_EQ(model.name(), "m");
  EXPECT_THAT(model.versions(), ElementsAre("2"));
  EXPECT_EQ(model.platform(), "p");
  EXPECT_EQ(model.inputs(0).name(), "i");
  EXPECT_EQ(model.inputs(0).datatype(), "FP32");
  EXPECT_THAT(model.inputs(0).shape(), ElementsAre(-1, 400));
  EXPECT_EQ(model.outputs(0).name(), "o");

  EXPECT_TRUE(Decoded<inference::RepositoryIndexRequest>("0A0172"
                                                         "1001")
                  .ready());
  const auto index = Decoded<inference::RepositoryIndexResponse>(
      "0A0C"
      "0A016D"
      "120132"
      "1A0173"
      "220172");
  EXPECT_EQ(index.models(0).state(), "s");
  EXPECT_EQ(index.models(0).reason(), "r");
  const auto load = Decoded<inference::RepositoryModelLoadRequest>(
      "0A0172"
      "12016D"
      "1A070A016212020801"
      "1A080A0163120322017A");
  EXPECT_EQ(load.repository_name(), "r");
  EXPECT_EQ(load.model_name(), "m");
  EXPECT_TRUE(load.parameters().at("b").bool_param());
  EXPECT_EQ(load.parameters().at("c").bytes_param(), "z");
  EXPECT_TRUE(Decoded<inference::ServerLiveResponse>("0801").live());
  EXPECT_TRUE(Decoded<inference::ServerReadyResponse>("0801").ready());
  EXPECT_TRUE(Decoded<inference::ModelReadyResponse>("0801").ready());
}

TEST(Wire, Health) {
  EXPECT_EQ(Decoded<grpc::health::v1::HealthCheckRequest>("0A0161").service(), "a");
  EXPECT_EQ(Decoded<grpc::health::v1::HealthCheckResponse>("0803").status(),
            grpc::health::v1::HealthCheckResponse::SERVICE_UNKNOWN);
}

TEST(Wire, Reflection) {
  using grpc::reflection::v1alpha::ServerReflectionRequest;
  using grpc::reflection::v1alpha::ServerReflectionResponse;
  EXPECT_EQ(Decoded<ServerReflectionRequest>("0A0168"
                                             "1A0166")
                .file_by_filename(),
            "f");
  EXPECT_EQ(Decoded<ServerReflectionRequest>("220173").file_containing_symbol(), "s");
  const auto extension = Decoded<ServerReflectionRequest>(
      "2A05"
      "0A0174"
      "1009");
  EXPECT_EQ(extension.file_containing_extension().containing_type(), "t");
  EXPECT_EQ(extension.file_containing_extension().extension_number(), 9);
  EXPECT_EQ(Decoded<ServerReflectionRequest>("320174").all_extension_numbers_of_type(), "t");
  EXPECT_EQ(Decoded<ServerReflectionRequest>("3A0161").list_services(), "a");

  const auto files = Decoded<ServerReflectionResponse>(
      "0A0168"
      "1203"
      "3A0161"
      "2203"
      "0A0162");
  EXPECT_EQ(files.valid_host(), "h");
  EXPECT_EQ(files.original_request().list_services(), "a");
  EXPECT_THAT(files.file_descriptor_response().file_descriptor_proto(), ElementsAre("b"));
  const auto numbers = Decoded<ServerReflectionResponse>(
      "2A06"
      "0A0174"
      "120109");
  EXPECT_EQ(numbers.all_extension_numbers_response().base_type_name(), "t");
  EXPECT_THAT(numbers.all_extension_numbers_response().extension_number(), ElementsAre(9));
  const auto list = Decoded<ServerReflectionResponse>(
      "3205"
      "0A03"
      "0A0173");
  EXPECT_EQ(list.list_services_response().service(0).name(), "s");
  const auto error = Decoded<ServerReflectionResponse>(
      "3A05"
      "0805"
      "120165");
  EXPECT_EQ(error.error_response().error_code(), 5);
  EXPECT_EQ(error.error_response().error_message(), "e");
}

}  // namespace
}  // namespace mlp
