// Rows in and outputs out, in every form that clients use.
#include "server/oip/oip_message.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/inference/batch_runner.h"
#include "tests/server/oip/oip_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using testing::FromRawBytes;
using testing::MakeModel;
using testing::OipCall;
using testing::RawRequest;
using testing::RequestFor;
using testing::TypedRequest;

const std::vector<float> kTwoRows = {0.25f, -1.5f, 3e38f, 1e-38f, 0, 1, 2, 255};
const std::vector<float> kTwoOutputs = {0.1f, 0.7f, 0.2f, 0.5f, 0.25f, 0.5f};

TEST(OipMessage, ReadsRawAndTypedRowsOfFp32) {
  for (const auto& message : {RawRequest("FP32", kTwoRows), TypedRequest(kTwoRows)}) {
    OipCall request(message);
    ASSERT_EQ(request.Begin(MakeModel()).value(), 2);
    EXPECT_EQ(request.Rows(2), kTwoRows);
    float second[4];
    request.ReadRows(1, 1, second);
    EXPECT_THAT(second, ElementsAre(0, 1, 2, 255));
  }
}

TEST(OipMessage, NarrowsFp64AndLetsWhatDoesNotFitBeInfinity) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> values = {0.1, 1e300, -1e300, 1e-300, nan, 5, 6, 7};
  OipCall raw(RawRequest("FP64", values));
  OipCall typed(RequestFor("FP64", 2));
  typed.request.mutable_inputs(0)->mutable_contents()->mutable_fp64_contents()->Add(values.begin(),
                                                                                    values.end());
  for (OipCall* request : {&raw, &typed}) {
    ASSERT_EQ(request->Begin(MakeModel()).value(), 2);
    const std::vector<float> rows = request->Rows(2);
    EXPECT_EQ(rows[0], 0.1f);
    EXPECT_EQ(rows[1], std::numeric_limits<float>::infinity());
    EXPECT_EQ(rows[2], -std::numeric_limits<float>::infinity());
    EXPECT_EQ(rows[3], 0.0f);
    EXPECT_TRUE(std::isnan(rows[4]));
    EXPECT_EQ(rows[7], 7.0f);
    float second[4];
    request->ReadRows(1, 1, second);
    EXPECT_EQ(second[1], 5.0f);
  }
}

TEST(OipMessage, ReadsRawAndTypedRowsOfUint8) {
  const std::vector<uint8_t> values = {0, 1, 127, 128, 255, 2, 3, 4};
  OipCall raw(RawRequest("UINT8", values));
  OipCall typed(RequestFor("UINT8", 2));
  typed.request.mutable_inputs(0)->mutable_contents()->mutable_uint_contents()->Add(values.begin(),
                                                                                    values.end());
  for (OipCall* request : {&raw, &typed}) {
    ASSERT_EQ(request->Begin(MakeModel()).value(), 2);
    EXPECT_THAT(request->Rows(2), ElementsAre(0, 1, 127, 128, 255, 2, 3, 4));
    float second[4];
    request->ReadRows(1, 1, second);
    EXPECT_THAT(second, ElementsAre(255, 2, 3, 4));
  }
}

TEST(OipMessage, NamesTheInputWhereAValueIsNotFinite) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  struct Case {
    inference::ModelInferRequest request;
    std::string expected;
  };
  const Case cases[] = {
      {RawRequest<float>("FP32", {0, 1, 2, 3, 4, static_cast<float>(kNan), 6, 7}),
       "inputs[0]: row 1, feature 1: expected a finite number, got nan"},
      {RawRequest<double>("FP64", {0, 1, 2, 3, 4, 5, kNan, 7}),
       "inputs[0]: row 1, feature 2: expected a finite number, got nan"},
      {RawRequest<double>("FP64", {0, 1, 2, 3, 4, 5, 6, -1e300}),
       "inputs[0]: row 1, feature 3: expected a number in the range of FP32, got -1e+300"},
  };
  for (const Case& given : cases) {
    const auto model = MakeModel();
    OipCall call(given.request);
    ASSERT_EQ(call.Begin(model).value(), 2);
    BatchPiece pieces[] = {{.request = &call, .first = 0, .count = 2, .status = {}}};
    BatchRunner().Run(*model, absl::MakeSpan(pieces));
    EXPECT_EQ(pieces[0].status, absl::InvalidArgumentError(given.expected));
  }
}

TEST(OipMessage, ReadsRowsThatAreNotAligned) {
  const std::vector<double> values = {1.5, 2.5, -3.5, 4.5};
  const std::string bytes = "xyz" + testing::RawBytes(values);
  for (int offset = 0; offset < 4; ++offset) {
    std::vector<char> buffer(bytes.size() + 8);
    std::copy(bytes.begin() + 3, bytes.end(), buffer.begin() + offset);
    InputRows input;
    input.value = InputRows::Value::kDouble;
    input.typed = buffer.data() + offset;
    input.rows = 1;
    input.features = 4;
    float row[4];
    CopyRows(input, 0, 1, row);
    EXPECT_THAT(row, ElementsAre(1.5f, 2.5f, -3.5f, 4.5f));
  }
}

TEST(OipMessage, AnswersRawRequestsRaw) {
  OipCall request(RawRequest("FP32", kTwoRows));
  request.request.set_id("call 1");
  ASSERT_TRUE(request.Begin(MakeModel()).ok());
  request.WriteOutputs(0, 2, kTwoOutputs.data());
  const inference::ModelInferResponse response = request.Response();
  EXPECT_EQ(response.model_name(), "digits");
  EXPECT_EQ(response.model_version(), "7");
  EXPECT_EQ(response.id(), "call 1");
  ASSERT_EQ(response.outputs_size(), 2);
  EXPECT_EQ(response.outputs(0).name(), "output");
  EXPECT_EQ(response.outputs(0).datatype(), "FP32");
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(2, 3));
  EXPECT_EQ(response.outputs(1).name(), "label");
  EXPECT_EQ(response.outputs(1).datatype(), "INT64");
  EXPECT_THAT(response.outputs(1).shape(), ElementsAre(2));
  EXPECT_FALSE(response.outputs(0).has_contents() || response.outputs(1).has_contents());
  ASSERT_EQ(response.raw_output_contents_size(), 2);
  EXPECT_EQ(FromRawBytes<float>(response.raw_output_contents(0)), kTwoOutputs);
  EXPECT_THAT(FromRawBytes<int64_t>(response.raw_output_contents(1)), ElementsAre(1, 0));
}

TEST(OipMessage, AnswersTypedRequestsTypedInTheOrderAskedFor) {
  OipCall request(TypedRequest(kTwoRows));
  request.request.add_outputs()->set_name("label");
  request.request.add_outputs()->set_name("output");
  ASSERT_TRUE(request.Begin(MakeModel()).ok());
  request.WriteOutputs(0, 2, kTwoOutputs.data());
  const inference::ModelInferResponse response = request.Response();
  EXPECT_EQ(response.id(), "");
  EXPECT_EQ(response.raw_output_contents_size(), 0);
  ASSERT_EQ(response.outputs_size(), 2);
  EXPECT_EQ(response.outputs(0).name(), "label");
  EXPECT_THAT(response.outputs(0).contents().int64_contents(), ElementsAre(1, 0));
  EXPECT_EQ(response.outputs(1).name(), "output");
  EXPECT_THAT(response.outputs(1).contents().fp32_contents(), ElementsAreArray(kTwoOutputs));
}

TEST(OipMessage, AnswersOneOutputAlone) {
  OipCall request(RawRequest("FP32", kTwoRows));
  request.request.add_outputs()->set_name("label");
  ASSERT_TRUE(request.Begin(MakeModel()).ok());
  request.WriteOutputs(0, 2, kTwoOutputs.data());
  const inference::ModelInferResponse response = request.Response();
  ASSERT_EQ(response.outputs_size(), 1);
  ASSERT_EQ(response.raw_output_contents_size(), 1);
  EXPECT_THAT(FromRawBytes<int64_t>(response.raw_output_contents(0)), ElementsAre(1, 0));
}

inference::ModelInferRequest WithTop(inference::ModelInferRequest request, int64_t top) {
  auto& output = *request.add_outputs();
  output.set_name("output");
  (*output.mutable_parameters())["classification"].set_int64_param(top);
  return request;
}

TEST(OipMessage, ClassifiesByFallingValueAndOfEqualOnesTheLowestFirst) {
  OipCall request(WithTop(TypedRequest(kTwoRows), 3));
  ASSERT_TRUE(request.Begin(MakeModel()).ok());
  request.WriteOutputs(0, 2, kTwoOutputs.data());
  const inference::ModelInferResponse response = request.Response();
  ASSERT_EQ(response.outputs_size(), 1);
  const auto& output = response.outputs(0);
  EXPECT_EQ(output.name(), "output");
  EXPECT_EQ(output.datatype(), "BYTES");
  EXPECT_THAT(output.shape(), ElementsAre(2, 3));
  EXPECT_THAT(output.contents().bytes_contents(),
              ElementsAre("0.7:1:one", "0.2:2:two", "0.1:0:zero",  //
                          "0.5:0:zero", "0.5:2:two", "0.25:1:one"));
}

TEST(OipMessage, PutsTheLengthBeforeEachTextOfARawClassification) {
  OipCall request(WithTop(RawRequest("FP32", kTwoRows), 1));
  request.request.add_outputs()->set_name("label");
  ASSERT_TRUE(request.Begin(MakeModel()).ok());
  request.WriteOutputs(1, 1, kTwoOutputs.data() + 3);  // the later row first
  request.WriteOutputs(0, 1, kTwoOutputs.data());
  const inference::ModelInferResponse response = request.Response();
  ASSERT_EQ(response.raw_output_contents_size(), 2);
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(2, 1));
  EXPECT_EQ(response.raw_output_contents(0), std::string("\x09\0\0\0"
                                                         "0.7:1:one"
                                                         "\x0A\0\0\0"
                                                         "0.5:0:zero",
                                                         27));
  EXPECT_THAT(FromRawBytes<int64_t>(response.raw_output_contents(1)), ElementsAre(1, 0));
}

TEST(OipMessage, ClassifiesOutputsThatAreNoNumbers) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> outputs = {nan, -infinity, infinity};
  OipCall request(WithTop(TypedRequest({1, 2, 3, 4}), 3));
  ASSERT_TRUE(request.Begin(MakeModel()).ok());
  request.WriteOutputs(0, 1, outputs.data());
  EXPECT_THAT(request.Response().outputs(0).contents().bytes_contents(),
              ElementsAre("inf:2:two", "nan:0:zero", "-inf:1:one"));
}

TEST(OipMessage, KeepsFloatsInTheirTextExact) {
  const std::vector<float> outputs = {0.1f + 0.2f, 1e-30f, 16777216};
  OipCall request(WithTop(TypedRequest({1, 2, 3, 4}), 3));
  ASSERT_TRUE(request.Begin(MakeModel()).ok());
  request.WriteOutputs(0, 1, outputs.data());
  const inference::ModelInferResponse response = request.Response();
  const auto& texts = response.outputs(0).contents().bytes_contents();
  EXPECT_EQ(std::stof(texts[0]), 16777216.0f);
  EXPECT_EQ(std::stof(texts[1]), 0.1f + 0.2f);
  EXPECT_EQ(std::stof(texts[2]), 1e-30f);
}

TEST(OipMessage, TakesRowsFromSeveralThreads) {
  constexpr int64_t kRows = 4096;
  const std::vector<float> rows(kRows * 4, 1.0f);
  for (const bool raw : {false, true}) {
    OipCall request(WithTop(raw ? RawRequest("FP32", rows) : TypedRequest(rows), 1));
    request.request.add_outputs()->set_name("label");
    ASSERT_EQ(request.Begin(MakeModel()).value(), kRows);
    std::vector<std::thread> threads;
    for (int64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&request, t] {
        float row[3];
        for (int64_t i = t; i < kRows; i += 4) {
          for (int k = 0; k < 3; ++k) row[k] = i % 3 == k ? 1.0f : 0.0f;
          request.WriteOutputs(i, 1, row);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    const inference::ModelInferResponse response = request.Response();
    std::vector<int64_t> expected;
    for (int64_t i = 0; i < kRows; ++i) expected.push_back(i % 3);
    if (raw) {
      EXPECT_EQ(FromRawBytes<int64_t>(response.raw_output_contents(1)), expected);
      continue;
    }
    EXPECT_THAT(response.outputs(1).contents().int64_contents(), ElementsAreArray(expected));
    const char* texts[] = {"1:0:zero", "1:1:one", "1:2:two"};
    for (int i = 0; i < kRows; ++i) {
      ASSERT_EQ(response.outputs(0).contents().bytes_contents(i), texts[i % 3]);
    }
  }
}

TEST(OipMessage, NamesTheModelVersionAsAReference) {
  OipCall request;
  request.request.set_model_name("digits");
  ASSERT_TRUE(request.Read().ok());
  EXPECT_EQ(request.model_reference(), "digits");
  request.request.set_model_version("12");
  ASSERT_TRUE(request.Read().ok());
  EXPECT_EQ(request.model_reference(), "digits@12");
  request.request.set_model_version("0012");
  ASSERT_TRUE(request.Read().ok());
  EXPECT_EQ(request.model_reference(), "digits@12");
}

TEST(OipMessage, HonoursTheTimeoutAndPassesHintsOver) {
  OipCall request(RawRequest("FP32", kTwoRows));
  ASSERT_TRUE(request.Begin(MakeModel()).ok());
  EXPECT_EQ(request.timeout(), absl::InfiniteDuration());

  auto& parameters = *request.request.mutable_parameters();
  parameters["timeout"].set_int64_param(1500);
  parameters["priority"].set_uint64_param(3);
  parameters["sequence_id"].set_int64_param(0);
  parameters["sequence_start"].set_bool_param(false);
  parameters["content_type"].set_string_param("np");
  (*request.request.mutable_inputs(0)->mutable_parameters())["content_type"].set_string_param("np");
  request.request.mutable_inputs(0)->mutable_contents();  // empty: no values
  const absl::Status status = request.Begin(MakeModel()).status();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(request.timeout(), absl::Microseconds(1500));

  parameters["timeout"].set_int64_param(std::numeric_limits<int64_t>::max());
  ASSERT_TRUE(request.Read().ok());
  EXPECT_GT(request.timeout(), absl::Hours(1'000'000));

  parameters["timeout"].set_int64_param(0);
  ASSERT_TRUE(request.Read().ok());
  EXPECT_EQ(request.timeout(), absl::InfiniteDuration());
}

TEST(OipMessage, ForgetsTheCallBefore) {
  OipCall request(WithTop(RawRequest("FP32", kTwoRows), 2));
  (*request.request.mutable_parameters())["timeout"].set_int64_param(1);
  ASSERT_TRUE(request.Begin(MakeModel()).ok());
  request.WriteOutputs(0, 2, kTwoOutputs.data());
  request.Clear();

  request.request = TypedRequest({1, 2, 3, 4});
  ASSERT_EQ(request.Begin(MakeModel()).value(), 1);
  request.WriteOutputs(0, 1, kTwoOutputs.data());
  EXPECT_EQ(request.timeout(), absl::InfiniteDuration());

  OipCall fresh(TypedRequest({1, 2, 3, 4}));
  ASSERT_EQ(fresh.Begin(MakeModel()).value(), 1);
  fresh.WriteOutputs(0, 1, kTwoOutputs.data());
  EXPECT_EQ(request.Response().SerializeAsString(), fresh.Response().SerializeAsString());
}

TEST(OipMessage, KeepsTheModelUntilItIsCleared) {
  auto model = MakeModel();
  const std::weak_ptr<const ServableModel> held = model;
  OipCall request(TypedRequest({1, 2, 3, 4}));
  ASSERT_TRUE(request.Begin(model).ok());
  model.reset();
  EXPECT_FALSE(held.expired());
  request.WriteOutputs(0, 1, kTwoOutputs.data());
  request.Clear();
  EXPECT_TRUE(held.expired());
}

}  // namespace
}  // namespace mlp
