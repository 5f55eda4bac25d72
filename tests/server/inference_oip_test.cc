// ModelInfer and ModelStreamInfer of the whole server: batched with one another and with Predict,
// cancelled, expired, refused, and errors in a stream that say whose they are.

#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/synchronization/blocking_counter.h>

#include "inference/grpc_service.grpc.pb.h"
#include "tests/server/inference_fixture.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;
using Stub = inference::GRPCInferenceService::Stub;
using Stream =
    grpc::ClientReaderWriter<inference::ModelInferRequest, inference::ModelStreamInferResponse>;

template <typename T>
std::vector<T> Values(const std::string& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

class InferenceOipTest : public InferenceFixture {
 protected:
  // The same rows as UINT8 or as FP32, raw.
  static inference::ModelInferRequest AsOip(const Asked& asked) {
    inference::ModelInferRequest request;
    request.set_model_name(asked.request.model());
    auto& input = *request.add_inputs();
    input.set_name("input");
    input.add_shape(static_cast<int64_t>(asked.rows.size()));
    input.add_shape(kShapes[asked.model].features);
    if (asked.request.pixels().empty()) {
      input.set_datatype("FP32");
      const auto& features = asked.request.features();
      request.add_raw_input_contents(std::string(reinterpret_cast<const char*>(features.data()),
                                                 features.size() * sizeof(float)));
    } else {
      input.set_datatype("UINT8");
      request.add_raw_input_contents(asked.request.pixels());
    }
    return request;
  }

  // Mistake of an answer with the tensors "output" and "label".
  std::string Wrong(const Asked& asked, const inference::ModelInferResponse& response) const {
    if (response.raw_output_contents_size() != 2) {
      return absl::StrCat("outputs: ", response.raw_output_contents_size());
    }
    v1::PredictResponse same;
    same.set_version(std::stoi(response.model_version()));
    for (const float output : Values<float>(response.raw_output_contents(0))) {
      same.add_outputs(output);
    }
    for (const int64_t label : Values<int64_t>(response.raw_output_contents(1))) {
      same.add_labels(static_cast<int32_t>(label));
      same.add_class_names(absl::StrCat("class", label));
    }
    return Mistake(asked, same);
  }

  static void SetTimeout(std::chrono::microseconds timeout, inference::ModelInferRequest& request) {
    (*request.mutable_parameters())["timeout"].set_int64_param(timeout.count());
  }

  const std::unique_ptr<Stub> stub_ = inference::GRPCInferenceService::NewStub(channel_);
};

// A ModelInfer that does not block its caller.
struct OipInfer {
  grpc::ClientContext context;
  InferenceFixture::Asked asked;
  inference::ModelInferRequest request;
  inference::ModelInferResponse response;
  grpc::Status status;
  bool expires = false;
  bool cancelled = false;

  void Start(Stub& stub, const std::function<void()>& done) {
    context.set_deadline(std::chrono::system_clock::now() + 2 * kLong);
    stub.async()->ModelInfer(&context, &request, &response, [this, done](grpc::Status ended) {
      status = std::move(ended);
      done();
    });
  }
};

TEST_F(InferenceOipTest, EveryCallerOfModelInferGetsTheAnswerToItsOwnRows) {
  constexpr int kCalls = 2000;  // all outstanding at the same time
  std::mt19937 random(kSeed);
  std::vector<std::unique_ptr<OipInfer>> calls;
  absl::BlockingCounter ended(kCalls);
  for (int i = 0; i < kCalls; ++i) {
    OipInfer& call = *calls.emplace_back(std::make_unique<OipInfer>());
    call.asked = Ask(random() % 3, 1 + static_cast<int>(random() % 20), random);
    call.request = AsOip(call.asked);
    call.request.set_id(absl::StrCat(i));
    call.expires = random() % 8 == 0;
    call.cancelled = !call.expires && random() % 8 == 0;
    if (call.expires) SetTimeout(std::chrono::microseconds(1), call.request);
  }
  for (const auto& call : calls) {
    call->Start(*stub_, [&ended] { ended.DecrementCount(); });
    if (call->cancelled) call->context.TryCancel();
  }
  ended.Wait();
  int answered = 0, expired = 0, cancelled = 0;
  for (const auto& call : calls) {
    if (call->status.ok()) {
      ++answered;
      EXPECT_EQ(Wrong(call->asked, call->response), "");
      EXPECT_EQ(call->response.id(), call->request.id());
    } else if (call->expires) {
      ++expired;
      EXPECT_EQ(call->status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    } else {
      ++cancelled;
      EXPECT_TRUE(call->cancelled) << call->status.error_message();
      EXPECT_EQ(call->status.error_code(), grpc::StatusCode::CANCELLED);
    }
  }
  EXPECT_GT(answered, kCalls / 2);
  EXPECT_GT(expired, 0);
  EXPECT_GT(cancelled, 0);
  ExpectHealthy();
}

TEST_F(InferenceOipTest, SharesBatchesWithPredict) {
  v1::SetServingSettingsRequest settings;
  settings.set_model("middle");
  settings.mutable_settings()->set_max_batch_rows(5);
  settings.mutable_settings()->set_queue_delay_us(1'000'000);  // none runs until it is full
  v1::Model model;
  grpc::ClientContext settings_context;
  ASSERT_TRUE(models_->SetServingSettings(&settings_context, settings, &model).ok());
  std::mt19937 random(kSeed);
  absl::BlockingCounter ended(2);
  OipInfer infer;
  infer.asked = Ask(1, 2, random);
  infer.request = AsOip(infer.asked);
  infer.Start(*stub_, [&ended] { ended.DecrementCount(); });
  const Asked asked = Ask(1, 3, random);
  v1::PredictResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kLong);
  grpc::Status status;
  prediction_->async()->Predict(&context, &asked.request, &response, [&](grpc::Status predicted) {
    status = std::move(predicted);
    ended.DecrementCount();
  });
  ended.Wait();
  ASSERT_TRUE(infer.status.ok()) << infer.status.error_message();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(Wrong(infer.asked, infer.response), "");
  EXPECT_EQ(Mistake(asked, response), "");

  inference::ModelStatisticsRequest about;
  about.set_name("middle");
  inference::ModelStatisticsResponse statistics;
  grpc::ClientContext about_context;
  ASSERT_TRUE(stub_->ModelStatistics(&about_context, about, &statistics).ok());
  int64_t together = 0;
  for (const auto& batch : statistics.model_stats(0).batch_stats()) {
    if (batch.batch_size() == 5) together += static_cast<int64_t>(batch.compute_infer().count());
  }
  EXPECT_EQ(together, 1);
}

TEST_F(InferenceOipTest, AFullQueueRefusesModelInferWithARetryDelay) {
  SetQueue("wide", 2);
  constexpr int kCalls = 64;
  std::mt19937 random(kSeed);
  int refused = 0;
  for (int round = 0; round < 20 && refused == 0; ++round) {
    std::vector<std::unique_ptr<OipInfer>> calls;
    absl::BlockingCounter ended(kCalls);
    for (int i = 0; i < kCalls; ++i) {
      OipInfer& call = *calls.emplace_back(std::make_unique<OipInfer>());
      call.asked = Ask(2, 40, random);
      call.request = AsOip(call.asked);
      call.Start(*stub_, [&ended] { ended.DecrementCount(); });
    }
    ended.Wait();
    for (const auto& call : calls) {
      if (call->status.ok()) {
        EXPECT_EQ(Wrong(call->asked, call->response), "");
        continue;
      }
      ++refused;
      EXPECT_EQ(call->status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
      EXPECT_THAT(call->status.error_details(), HasSubstr("google.rpc.RetryInfo"));
    }
  }
  EXPECT_GT(refused, 0);
}

// --- ModelStreamInfer ---

class InferenceOipStreamTest : public InferenceOipTest {
 protected:
  InferenceOipStreamTest() {
    context_.set_deadline(std::chrono::system_clock::now() + 2 * kLong);
    stream_ = stub_->ModelStreamInfer(&context_);
  }

  void Write(const std::string& id, inference::ModelInferRequest request) {
    request.set_id(id);
    ASSERT_TRUE(stream_->Write(request));
  }

  // Half-closes; the answers by their ids.
  std::map<std::string, inference::ModelStreamInferResponse> ReadAll() {
    stream_->WritesDone();
    std::map<std::string, inference::ModelStreamInferResponse> answers;
    inference::ModelStreamInferResponse response;
    while (stream_->Read(&response)) {
      EXPECT_TRUE(answers.emplace(response.infer_response().id(), response).second)
          << response.infer_response().id();
    }
    const grpc::Status status = stream_->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return answers;
  }

  grpc::ClientContext context_;
  std::unique_ptr<Stream> stream_;
};

TEST_F(InferenceOipStreamTest, EveryIdIsAnsweredOnceAndRight) {
  constexpr int kRequests = 300;
  std::mt19937 random(kSeed);
  std::vector<Asked> asked;
  for (int i = 0; i < kRequests; ++i) {
    asked.push_back(Ask(random() % 3, 1 + static_cast<int>(random() % 5), random));
    Write(absl::StrCat(i), AsOip(asked.back()));
  }
  const auto answers = ReadAll();
  ASSERT_EQ(answers.size(), asked.size());
  for (const auto& [id, answer] : answers) {
    EXPECT_EQ(answer.error_message(), "");
    EXPECT_EQ(Wrong(asked[static_cast<size_t>(std::stoi(id))], answer.infer_response()), "");
  }
}

TEST_F(InferenceOipStreamTest, AnErrorSaysWhoseItIsAndTheStreamGoesOn) {
  std::mt19937 random(kSeed);
  const Asked asked = Ask(1, 3, random);
  const inference::ModelInferRequest good = AsOip(asked);
  inference::ModelInferRequest narrow = good;
  narrow.mutable_inputs(0)->set_shape(1, 39);
  inference::ModelInferRequest unknown = good;
  unknown.set_model_name("nobody");
  inference::ModelInferRequest unchecked = good;
  unchecked.set_model_version("x");
  inference::ModelInferRequest huge = good;
  huge.mutable_inputs(0)->set_datatype("FP64");
  const std::vector<double> values(3 * 40, 1e300);
  huge.set_raw_input_contents(
      0, std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)));
  Write("before", good);
  Write("narrow", narrow);
  Write("unknown", unknown);
  Write("unchecked", unchecked);
  Write("huge", huge);
  Write("after", good);
  const auto answers = ReadAll();
  ASSERT_EQ(answers.size(), 6u);
  EXPECT_EQ(Wrong(asked, answers.at("before").infer_response()), "");
  EXPECT_EQ(Wrong(asked, answers.at("after").infer_response()), "");
  EXPECT_THAT(answers.at("narrow").error_message(), HasSubstr("inputs[0].shape"));
  EXPECT_THAT(answers.at("unknown").error_message(), HasSubstr("model nobody"));
  EXPECT_THAT(answers.at("unchecked").error_message(), HasSubstr("model_version"));
  EXPECT_THAT(answers.at("huge").error_message(),
              HasSubstr("inputs[0]: row 0, feature 0: expected a number in the range of FP32"));
}

TEST_F(InferenceOipStreamTest, ARequestThatExpiresFailsAlone) {
  v1::SetServingSettingsRequest settings;
  settings.set_model("small");
  settings.mutable_settings()->set_queue_delay_us(2000);  // longer than the one waits
  v1::Model model;
  grpc::ClientContext settings_context;
  ASSERT_TRUE(models_->SetServingSettings(&settings_context, settings, &model).ok());
  std::mt19937 random(kSeed);
  const Asked asked = Ask(0, 2, random);
  inference::ModelInferRequest expiring = AsOip(asked);
  SetTimeout(std::chrono::microseconds(1), expiring);
  Write("expiring", expiring);
  Write("patient", AsOip(asked));
  const auto answers = ReadAll();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_THAT(answers.at("expiring").error_message(), HasSubstr("deadline"));
  EXPECT_EQ(Wrong(asked, answers.at("patient").infer_response()), "");
}

TEST_F(InferenceOipStreamTest, AFullQueueIsAnErrorOfTheRequestsThatItRefuses) {
  SetQueue("wide", 2);
  constexpr int kRequests = 200;
  std::mt19937 random(kSeed);
  std::vector<Asked> asked;
  for (int i = 0; i < kRequests; ++i) {
    asked.push_back(Ask(2, 40, random));
    Write(absl::StrCat(i), AsOip(asked.back()));
  }
  const auto answers = ReadAll();
  ASSERT_EQ(answers.size(), asked.size());
  int refused = 0;
  for (const auto& [id, answer] : answers) {
    if (answer.error_message().empty()) {
      EXPECT_EQ(Wrong(asked[static_cast<size_t>(std::stoi(id))], answer.infer_response()), "");
    } else {
      ++refused;
      EXPECT_THAT(answer.error_message(), HasSubstr("expected at most 2 requests to wait"));
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, kRequests);
}

TEST_F(InferenceOipStreamTest, ACancelledStreamLeavesTheServerHealthy) {
  std::mt19937 random(kSeed);
  for (int i = 0; i < 200; ++i) Write(absl::StrCat(i), AsOip(Ask(2, 20, random)));
  inference::ModelStreamInferResponse response;
  ASSERT_TRUE(stream_->Read(&response));
  context_.TryCancel();
  while (stream_->Read(&response)) {
  }
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::CANCELLED);
  ExpectHealthy();
}

}  // namespace
}  // namespace mlp
