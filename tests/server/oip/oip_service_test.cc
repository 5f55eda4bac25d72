// The calls beside inference, over a real store in a temporary folder.
#include "server/oip/oip_service.h"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/build_info.h"
#include "server/inference/batcher.h"
#include "tests/server/api/fake_rpc_call.h"
#include "tests/server/oip/oip_fixture.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/temporary_store.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MakeArtifact;
using ::testing::UnorderedElementsAre;

class OipServiceTest : public ::testing::Test {
 protected:
  // `response` of a call that is to succeed.
  template <typename Request, typename Response>
  Response Get(absl::Status (OipService::*method)(const Request&, Response&),
               const Request& request) {
    Response response;
    const absl::Status status = (service_.*method)(request, response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }

  template <typename Request, typename Response>
  absl::Status Fail(absl::Status (OipService::*method)(const Request&, Response&),
                    const Request& request) {
    Response response;
    return (service_.*method)(request, response);
  }

  template <typename Request>
  static Request Named(const std::string& name, const std::string& version = "") {
    Request request;
    request.set_name(name);
    request.set_version(version);
    return request;
  }

  // "name@version STATE reason" of each.
  std::vector<std::string> Index(bool only_ready = false) {
    inference::RepositoryIndexRequest request;
    request.set_ready(only_ready);
    std::vector<std::string> index;
    const auto response = Get(&OipService::RepositoryIndex, request);
    for (const auto& model : response.models()) {
      index.push_back(model.name() + "@" + model.version() + " " + model.state() + " " +
                      model.reason());
    }
    return index;
  }

  absl::Status Load(const std::string& name) {
    inference::RepositoryModelLoadRequest request;
    request.set_model_name(name);
    return Fail(&OipService::RepositoryModelLoad, request);
  }

  absl::Status Unload(const std::string& name) {
    inference::RepositoryModelUnloadRequest request;
    request.set_model_name(name);
    (*request.mutable_parameters())["unload_dependents"].set_bool_param(false);
    return Fail(&OipService::RepositoryModelUnload, request);
  }

  bool Ready(const std::string& name, const std::string& version = "") {
    return Get(&OipService::ModelReady, Named<inference::ModelReadyRequest>(name, version)).ready();
  }

  testing::TemporaryStore store_;
  ResidentModels models_{*store_, {}};
  bool ready_ = true;
  OipService service_{*store_, models_, [this] { return ready_; }};
};

TEST_F(OipServiceTest, SaysThatTheServerLivesAndWhetherItIsReady) {
  EXPECT_TRUE(Get(&OipService::ServerLive, {}).live());
  EXPECT_TRUE(Get(&OipService::ServerReady, {}).ready());
  ready_ = false;
  EXPECT_TRUE(Get(&OipService::ServerLive, {}).live());
  EXPECT_FALSE(Get(&OipService::ServerReady, {}).ready());
}

TEST_F(OipServiceTest, SaysWhatTheServerIs) {
  const auto metadata = Get(&OipService::ServerMetadata, {});
  EXPECT_EQ(metadata.name(), "mlpd");
  EXPECT_EQ(metadata.version(), BuildVersion());
  EXPECT_THAT(metadata.extensions(),
              UnorderedElementsAre("classification", "model_repository", "model_configuration",
                                   "binary_tensor_data", "statistics", "parameters"));
}

TEST_F(OipServiceTest, AModelIsReadyUnlessItWasUnloaded) {
  store_.Publish("m", MakeArtifact(2, {"a", "b"}));
  EXPECT_TRUE(Ready("m"));
  EXPECT_TRUE(Ready("m", "1"));
  ASSERT_TRUE(Unload("m").ok());
  EXPECT_FALSE(Ready("m"));
  EXPECT_FALSE(Ready("m", "1"));
  ASSERT_TRUE(Load("m").ok());
  EXPECT_TRUE(Ready("m"));
  ready_ = false;
  EXPECT_FALSE(Ready("m"));
}

TEST_F(OipServiceTest, DescribesTheTensorsOfAModel) {
  store_.Publish("m", MakeArtifact(4, {"zero", "one", "two"}));
  store_.Publish("m", MakeArtifact(4, {"zero", "one", "two"}));
  const auto metadata =
      Get(&OipService::ModelMetadata, Named<inference::ModelMetadataRequest>("m"));
  EXPECT_EQ(metadata.name(), "m");
  EXPECT_THAT(metadata.versions(), ElementsAre("1", "2"));
  EXPECT_EQ(metadata.platform(), "mlpd_mlp");
  ASSERT_EQ(metadata.inputs_size(), 1);
  EXPECT_EQ(metadata.inputs(0).name(), "input");
  EXPECT_EQ(metadata.inputs(0).datatype(), "FP32");
  EXPECT_THAT(metadata.inputs(0).shape(), ElementsAre(-1, 4));
  ASSERT_EQ(metadata.outputs_size(), 2);
  EXPECT_EQ(metadata.outputs(0).name(), "output");
  EXPECT_EQ(metadata.outputs(0).datatype(), "FP32");
  EXPECT_THAT(metadata.outputs(0).shape(), ElementsAre(-1, 3));
  EXPECT_EQ(metadata.outputs(1).name(), "label");
  EXPECT_EQ(metadata.outputs(1).datatype(), "INT64");
  EXPECT_THAT(metadata.outputs(1).shape(), ElementsAre(-1));
}

TEST_F(OipServiceTest, DescribesModelsOfPixelsAsUint8) {
  store_.Publish("m", MakeArtifact(4, {"a", "b"}, FeatureType::kUint8));
  const auto metadata =
      Get(&OipService::ModelMetadata, Named<inference::ModelMetadataRequest>("m", "1"));
  EXPECT_EQ(metadata.inputs(0).datatype(), "UINT8");
  const auto config =
      Get(&OipService::ModelConfig, Named<inference::ModelConfigRequest>("m", "1")).config();
  EXPECT_EQ(config.input(0).data_type(), inference::TYPE_UINT8);
}

TEST_F(OipServiceTest, ConfiguresABatchDimensionBeforeTheDims) {
  store_.Publish("m", MakeArtifact(4, {"zero", "one", "two"}));
  const auto config =
      Get(&OipService::ModelConfig, Named<inference::ModelConfigRequest>("m")).config();
  EXPECT_EQ(config.name(), "m");
  EXPECT_EQ(config.backend(), "mlpd");
  EXPECT_EQ(config.max_batch_size(), 65'536);
  EXPECT_EQ(config.input(0).name(), "input");
  EXPECT_EQ(config.input(0).data_type(), inference::TYPE_FP32);
  EXPECT_THAT(config.input(0).dims(), ElementsAre(4));
  ASSERT_EQ(config.output_size(), 2);
  EXPECT_EQ(config.output(0).name(), "output");
  EXPECT_THAT(config.output(0).dims(), ElementsAre(3));
  EXPECT_EQ(config.output(0).label_filename(), "");
  EXPECT_EQ(config.output(1).name(), "label");
  EXPECT_EQ(config.output(1).data_type(), inference::TYPE_INT64);
  EXPECT_EQ(config.output(1).dims_size(), 0);
  EXPECT_THAT(config.dynamic_batching().preferred_batch_size(), ElementsAre(1024));
  EXPECT_EQ(config.dynamic_batching().max_queue_delay_microseconds(), 0u);
}

TEST_F(OipServiceTest, ConfiguresBatchingAsTheModelIsServed) {
  store_.Publish("m", MakeArtifact(4, {"a", "b"}));
  const auto config = [this] {
    return Get(&OipService::ModelConfig, Named<inference::ModelConfigRequest>("m")).config();
  };
  v1::ServingSettings settings;
  settings.set_max_batch_rows(64);
  settings.set_queue_delay_us(500);
  ASSERT_TRUE(store_->SetServingSettings("m", settings).ok());
  EXPECT_THAT(config().dynamic_batching().preferred_batch_size(), ElementsAre(64));
  EXPECT_EQ(config().dynamic_batching().max_queue_delay_microseconds(), 500u);
  settings.set_max_batch_rows(1);
  ASSERT_TRUE(store_->SetServingSettings("m", settings).ok());
  EXPECT_FALSE(config().has_dynamic_batching());
}

TEST_F(OipServiceTest, ReportsStatisticsOfWhatWasInMemory) {
  store_.Publish("a", MakeArtifact(2, {"x", "y"}));
  store_.Publish("b", MakeArtifact(2, {"x", "y"}));
  store_.Publish("b", MakeArtifact(2, {"x", "y"}));
  EXPECT_EQ(Get(&OipService::ModelStatistics, {}).model_stats_size(), 0);
  ASSERT_TRUE(models_.Load("b@1").ok());
  ASSERT_TRUE(models_.Load("a").ok());
  const auto all = Get(&OipService::ModelStatistics, {});
  ASSERT_EQ(all.model_stats_size(), 2);
  EXPECT_EQ(all.model_stats(0).name(), "a");
  EXPECT_EQ(all.model_stats(1).name(), "b");
  EXPECT_EQ(all.model_stats(1).version(), "1");
  const auto of = [this](const char* name, const char* version) {
    return Get(&OipService::ModelStatistics,
               Named<inference::ModelStatisticsRequest>(name, version));
  };
  EXPECT_EQ(of("b", "").model_stats_size(), 1);
  ASSERT_EQ(of("b", "2").model_stats_size(), 1);  // never in memory: all 0
  EXPECT_EQ(of("b", "2").model_stats(0).version(), "2");
  EXPECT_EQ(of("b", "2").model_stats(0).inference_count(), 0u);
}

// An OIP request on its way through a batcher.
class BatchedCall final : public InferenceCaller {
 public:
  explicit BatchedCall(int rows) : message_(testing::RequestFor("UINT8", rows, 2)) {
    message_.request.set_model_name("m");
    message_.request.add_raw_input_contents(std::string(static_cast<size_t>(2 * rows), '\1'));
    message_.set_caller(*this);
    EXPECT_TRUE(message_.Read().ok());
  }
  InferenceMessage& message() { return message_; }
  absl::Status Waiting() const override { return waiting; }
  void Answered(InferenceMessage&, const absl::Status& ended) override { status = ended; }

  absl::Status waiting;
  absl::Status status = absl::UnknownError("not answered");

 private:
  testing::OipCall message_;
};

TEST_F(OipServiceTest, StatisticsAddUp) {
  store_.Publish("m", MakeArtifact(2, {"x", "y"}));
  ASSERT_TRUE(models_.Load("m").ok());
  v1::ServingSettings limits;
  limits.set_max_batch_rows(4);
  models_.Apply("m", limits);
  FakeClock clock;
  Metrics metrics;
  Batcher batcher(
      {}, models_, metrics, clock,
      {.run_elsewhere = [](const std::function<void()>&) { return false; }, .wake = [] {}});
  Batcher::Worker worker;
  // Batches of 1 + 2 + 1 rows and of the other 4; one request is gone before.
  BatchedCall one(1), two(2), five(5), gone(3);
  gone.waiting = absl::CancelledError("gone");
  for (BatchedCall* call : {&one, &gone, &two, &five}) batcher.Submit(call->message());
  clock.Advance(absl::Microseconds(1));
  while (batcher.RunReady(worker) == absl::ZeroDuration()) clock.Advance(absl::Microseconds(4));
  for (const BatchedCall* call : {&one, &two, &five}) EXPECT_TRUE(call->status.ok());

  const auto response =
      Get(&OipService::ModelStatistics, Named<inference::ModelStatisticsRequest>("m"));
  ASSERT_EQ(response.model_stats_size(), 1);
  const inference::ModelStatistics& statistics = response.model_stats(0);
  EXPECT_EQ(statistics.name(), "m");
  EXPECT_EQ(statistics.version(), "1");
  EXPECT_EQ(statistics.last_inference(),
            static_cast<uint64_t>(absl::ToUnixMillis(FakeClock().Now())));
  EXPECT_EQ(statistics.inference_count(), 8u);  // rows
  EXPECT_EQ(statistics.execution_count(), 2u);  // batches

  ASSERT_EQ(statistics.batch_stats_size(), 1);
  const inference::InferBatchStatistics& batches = statistics.batch_stats(0);
  EXPECT_EQ(batches.batch_size(), 4u);
  EXPECT_EQ(batches.compute_input().count(), 2u);
  EXPECT_EQ(batches.compute_infer().count(), 2u);
  EXPECT_EQ(batches.compute_output().count(), 2u);

  const inference::InferStatistics& requests = statistics.inference_stats();
  EXPECT_EQ(requests.success().count(), 3u);
  EXPECT_EQ(requests.queue().count(), 3u);
  EXPECT_EQ(requests.compute_input().count(), 3u);
  EXPECT_EQ(requests.compute_infer().count(), 3u);
  EXPECT_EQ(requests.compute_output().count(), 3u);
  // Until their first batch, and until their last: a microsecond each, and 4 more for the large
  // one.
  EXPECT_EQ(requests.queue().ns(), 3 * 1000u);
  EXPECT_EQ(requests.success().ns(), 3 * 1000u + 4000u);
  // The large one waited for both batches, the other two for the first.
  EXPECT_GT(requests.compute_infer().ns(), batches.compute_infer().ns());
  EXPECT_LT(requests.compute_infer().ns(), 3 * batches.compute_infer().ns());
  EXPECT_EQ(requests.fail().count(), 1u);
  EXPECT_EQ(requests.fail().ns(), 1000u);
  EXPECT_TRUE(requests.has_cache_hit() && requests.has_cache_miss());
  EXPECT_EQ(requests.cache_hit().count(), 0u);
}

TEST_F(OipServiceTest, IndexesEveryVersionWithItsState) {
  EXPECT_THAT(Index(), ElementsAre());
  store_.Publish("a", MakeArtifact(2, {"x", "y"}));
  store_.Publish("a", MakeArtifact(2, {"x", "y"}));
  store_.Publish("b", MakeArtifact(2, {"x", "y"}));
  store_.Publish("c", MakeArtifact(2, {"x", "y"}));
  ASSERT_TRUE(store_->DeleteVersion("c", 1).ok());
  ASSERT_TRUE(Unload("b").ok());
  EXPECT_THAT(Index(), ElementsAre("a@1 READY ", "a@2 READY ", "b@1 UNAVAILABLE unloaded",
                                   "c@ UNAVAILABLE it has no versions"));
  EXPECT_THAT(Index(true), ElementsAre("a@1 READY ", "a@2 READY "));
  ASSERT_TRUE(Load("b").ok());
  EXPECT_THAT(Index(true), ElementsAre("a@1 READY ", "a@2 READY ", "b@1 READY "));
}

TEST_F(OipServiceTest, RefusesTheUseOfAnUnloadedModel) {
  store_.Publish("m", MakeArtifact(2, {"x", "y"}));
  ASSERT_TRUE(Unload("m").ok());
  EXPECT_EQ(Fail(&OipService::ModelMetadata, Named<inference::ModelMetadataRequest>("m")).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(Fail(&OipService::ModelConfig, Named<inference::ModelConfigRequest>("m", "1")).code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(OipServiceTest, SaysWhichNameIsWrong) {
  store_.Publish("m", MakeArtifact(2, {"x", "y"}));
  struct Case {
    const char* name;
    const char* version;
    absl::StatusCode code;
    const char* message;
  };
  const auto invalid = absl::StatusCode::kInvalidArgument;
  const auto missing = absl::StatusCode::kNotFound;
  for (const Case& test : std::vector<Case>{{"nobody", "", missing, "nobody"},
                                            {"m", "9", missing, "9"},
                                            {"m", "0", invalid, "version: expected"},
                                            {"m", "-1", invalid, "version: expected"},
                                            {"m", "x", invalid, "version: expected"},
                                            {"m@1", "", invalid, "name: expected"},
                                            {"../m", "", invalid, "name: expected"}}) {
    const auto expect = [&test](const absl::Status& status) {
      EXPECT_EQ(status.code(), test.code) << test.name << " " << test.version << ": " << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(test.message));
    };
    const std::string name = test.name;
    expect(Fail(&OipService::ModelReady, Named<inference::ModelReadyRequest>(name, test.version)));
    expect(Fail(&OipService::ModelMetadata,
                Named<inference::ModelMetadataRequest>(name, test.version)));
    expect(
        Fail(&OipService::ModelConfig, Named<inference::ModelConfigRequest>(name, test.version)));
    expect(Fail(&OipService::ModelStatistics,
                Named<inference::ModelStatisticsRequest>(name, test.version)));
  }
  EXPECT_EQ(Fail(&OipService::ModelReady, {}).code(), invalid);
  EXPECT_EQ(
      Fail(&OipService::ModelStatistics, Named<inference::ModelStatisticsRequest>("", "1")).code(),
      invalid);
}

TEST_F(OipServiceTest, RefusesToLoadWhatIsNotStored) {
  store_.Publish("m", MakeArtifact(2, {"x", "y"}));
  EXPECT_EQ(Load("nobody").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Unload("nobody").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Load("m@1").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Unload("").code(), absl::StatusCode::kInvalidArgument);
  inference::RepositoryModelLoadRequest load;
  load.set_model_name("m");
  (*load.mutable_parameters())["config"].set_string_param("{}");
  absl::Status status = Fail(&OipService::RepositoryModelLoad, load);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"config\""));
  load.clear_parameters();
  load.set_repository_name("other");
  status = Fail(&OipService::RepositoryModelLoad, load);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("repository_name"));
  inference::RepositoryIndexRequest index;
  index.set_repository_name("other");
  EXPECT_EQ(Fail(&OipService::RepositoryIndex, index).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(OipServiceTest, HasEveryMethodOfTheServiceInTheTable) {
  Metrics metrics;
  MethodTable table(metrics);
  service_.AddTo(table);
  const auto* const service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
      std::string(OipService::kName));
  ASSERT_NE(service, nullptr);
  int offered = 0;
  for (int i = 0; i < service->method_count(); ++i) {
    const std::string name = service->method(i)->name();
    const RpcMethod* method = table.Find("/inference.GRPCInferenceService/" + name);
    if (name == "ModelInfer" || name == "ModelStreamInfer") {
      EXPECT_EQ(method, nullptr);  // the batcher's
      continue;
    }
    ASSERT_NE(method, nullptr) << name;
    testing::FakeRpcCall call;
    call.Send(inference::ServerLiveRequest());
    const absl::Status status = method->handler(call);
    if (!absl::IsUnimplemented(status)) {
      ++offered;
      continue;
    }
    EXPECT_EQ(status.message(), name + ": not offered by this server");
  }
  EXPECT_EQ(offered, 10);
}

}  // namespace
}  // namespace mlp
