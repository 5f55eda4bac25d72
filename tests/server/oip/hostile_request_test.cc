// Requests that must be refused: the code, and a message that names the field.
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/oip/oip_fixture.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;

using Request = inference::ModelInferRequest;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr absl::StatusCode kTooLarge = absl::StatusCode::kResourceExhausted;
constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

struct Case {
  const char* message;
  std::function<void(Request&)> spoil;  // of a good request: raw FP32 [2, 4]
  absl::StatusCode code = kInvalid;
};

void SetShape(Request& request, const std::vector<int64_t>& shape) {
  request.mutable_inputs(0)->mutable_shape()->Assign(shape.begin(), shape.end());
}

inference::InferParameter& Parameter(Request& request, const char* name) {
  return (*request.mutable_parameters())[name];
}

inference::InferParameter& OutputParameter(Request& request, const char* output, const char* name) {
  auto& requested = *request.add_outputs();
  requested.set_name(output);
  return (*requested.mutable_parameters())[name];
}

// Typed instead of raw, without values.
inference::InferTensorContents& Contents(Request& request, const char* datatype = "FP32") {
  request.clear_raw_input_contents();
  request.mutable_inputs(0)->set_datatype(datatype);
  return *request.mutable_inputs(0)->mutable_contents();
}

void ExpectRefused(const std::vector<Case>& cases) {
  const auto model = testing::MakeModel();
  for (const Case& test : cases) {
    testing::OipCall request(testing::RawRequest<float>("FP32", {1, 2, 3, 4, 5, 6, 7, 8}));
    ASSERT_TRUE(request.Begin(model).ok());
    test.spoil(request.request);
    const absl::Status status = request.Begin(model).status();
    EXPECT_EQ(status.code(), test.code) << test.message << " / " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(test.message));
    EXPECT_LT(status.message().size(), 400u);
  }
}

TEST(HostileRequest, NamesNoModel) {
  ExpectRefused({
      {"model_name: expected a name", [](Request& r) { r.set_model_name(""); }},
      {"model_name: expected a name", [](Request& r) { r.set_model_name("../digits"); }},
      {"got \"digits@1\"", [](Request& r) { r.set_model_name("digits@1"); }},
      {"\\n\\000", [](Request& r) { r.set_model_name(std::string("a\n\0b", 4)); }},
      {"100000 characters", [](Request& r) { r.set_model_name(std::string(100'000, 'a')); }},
      {"model_version: expected nothing or a number of 1 or more, got \"-1\"",
       [](Request& r) { r.set_model_version("-1"); }},
      {"model_version", [](Request& r) { r.set_model_version("0"); }},
      {"model_version", [](Request& r) { r.set_model_version("latest"); }},
      {"model_version", [](Request& r) { r.set_model_version(" 1"); }},
      {"model_version", [](Request& r) { r.set_model_version("1@1"); }},
      {"model_version", [](Request& r) { r.set_model_version("9223372036854775808"); }},
      {"...\"", [](Request& r) { r.set_model_version(std::string(100'000, '9')); }},
  });
}

TEST(HostileRequest, HasAnotherInputThanTheModel) {
  ExpectRefused({
      {"inputs: expected 1, \"input\", got 0", [](Request& r) { r.clear_inputs(); }},
      {"inputs: expected 1, \"input\", got 2", [](Request& r) { *r.add_inputs() = r.inputs(0); }},
      {"inputs[0].name: expected \"input\", got \"\"",
       [](Request& r) { r.mutable_inputs(0)->clear_name(); }},
      {"inputs[0].name: expected \"input\", got \"x\\001\"",
       [](Request& r) { r.mutable_inputs(0)->set_name("x\x01"); }},
      {"inputs[0].datatype: expected FP32, FP64 or UINT8, got \"FP16\"",
       [](Request& r) { r.mutable_inputs(0)->set_datatype("FP16"); }},
      {"inputs[0].datatype", [](Request& r) { r.mutable_inputs(0)->set_datatype("fp32"); }},
      {"inputs[0].datatype", [](Request& r) { r.mutable_inputs(0)->set_datatype(""); }},
      {"inputs[0].datatype: expected FP32, FP64 or UINT8, got \"BYTES\"",
       [](Request& r) { r.mutable_inputs(0)->set_datatype("BYTES"); }},
  });
}

TEST(HostileRequest, HasAShapeThatIsNotNRowsOfD) {
  ExpectRefused({
      {"inputs[0].shape: expected [N, 4] with N of 1 or more, got []",
       [](Request& r) { SetShape(r, {}); }},
      {"got [8]", [](Request& r) { SetShape(r, {8}); }},
      {"got [4]", [](Request& r) { SetShape(r, {4}); }},
      {"got [2, 3]",
       [](Request& r) {
         SetShape(r, {2, 3});
       }},
      {"got [4, 2]",
       [](Request& r) {
         SetShape(r, {4, 2});
       }},
      {"got [2, 2, 2]",
       [](Request& r) {
         SetShape(r, {2, 2, 2});
       }},
      {"got [0, 4]",
       [](Request& r) {
         SetShape(r, {0, 4});
       }},
      {"got [-1, 4]",
       [](Request& r) {
         SetShape(r, {-1, 4});
       }},
      {"got [2, -4]",
       [](Request& r) {
         SetShape(r, {2, -4});
       }},
      {"got [-2, -4]",
       [](Request& r) {
         SetShape(r, {-2, -4});
       }},
      {"got [9223372036854775807, 9223372036854775807]",
       [](Request& r) {
         SetShape(r, {kHuge, kHuge});
       }},
      {"got [4611686018427387904, 2]",
       [](Request& r) {
         SetShape(r, {kHuge / 2 + 1, 2});
       }},
      {"got [1, 1, 1, 1, 1, 1, 1, 1, ... of 100000]",
       [](Request& r) { SetShape(r, std::vector<int64_t>(100'000, 1)); }},
      // 2^62 x 4 is 0 in 64 bits, 2^60 x 16 bytes too.
      {"inputs[0].shape: expected at most 65536 rows a call, got 4611686018427387904",
       [](Request& r) {
         SetShape(r, {kHuge / 2 + 1, 4});
       },
       kTooLarge},
      {"got 1152921504606846976",
       [](Request& r) {
         SetShape(r, {int64_t{1} << 60, 4});
       },
       kTooLarge},
      {"got 65537",
       [](Request& r) {
         SetShape(r, {65'537, 4});
       },
       kTooLarge},
  });
}

TEST(HostileRequest, HasRawContentsOfAnotherSize) {
  ExpectRefused({
      {"raw_input_contents[0]: expected 16 bytes for FP32 [1, 4], got 32",
       [](Request& r) {
         SetShape(r, {1, 4});
       }},
      {"expected 1048576 bytes for FP32 [65536, 4], got 32",
       [](Request& r) {
         SetShape(r, {65'536, 4});
       }},
      {"raw_input_contents[0]: expected 32 bytes for FP32 [2, 4], got 31",
       [](Request& r) { r.mutable_raw_input_contents(0)->pop_back(); }},
      {"got 33", [](Request& r) { r.mutable_raw_input_contents(0)->push_back('x'); }},
      {"got 0", [](Request& r) { r.mutable_raw_input_contents(0)->clear(); }},
      {"expected 64 bytes for FP64 [2, 4], got 32",
       [](Request& r) { r.mutable_inputs(0)->set_datatype("FP64"); }},
      {"expected 8 bytes for UINT8 [2, 4], got 32",
       [](Request& r) { r.mutable_inputs(0)->set_datatype("UINT8"); }},
      {"raw_input_contents: expected 1 buffer, that of inputs[0], got 2",
       [](Request& r) { r.add_raw_input_contents("x"); }},
      {"expected values in one of them, got both (fp32_contents)",
       [](Request& r) { r.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1); }},
      {"got both (bytes_contents)",
       [](Request& r) { r.mutable_inputs(0)->mutable_contents()->add_bytes_contents("x"); }},
  });
}

TEST(HostileRequest, HasTypedContentsOfAnotherKindOrSize) {
  const auto add_floats = [](Request& r, int count) {
    Contents(r).mutable_fp32_contents()->Resize(count, 0.5f);
  };
  ExpectRefused({
      {"inputs[0].contents.fp32_contents: expected 8 values for FP32 [2, 4], got 0",
       [](Request& r) { r.clear_raw_input_contents(); }},
      {"inputs[0].contents.fp32_contents: expected 8 values for FP32 [2, 4], got 7",
       [&](Request& r) { add_floats(r, 7); }},
      {"inputs[0].contents.fp32_contents: expected 8 values for FP32 [2, 4], got 9",
       [&](Request& r) { add_floats(r, 9); }},
      {"inputs[0].contents.fp64_contents: expected no values, for FP32 is in fp32_contents, got 1",
       [&](Request& r) {
         add_floats(r, 8);
         Contents(r).add_fp64_contents(1);
       }},
      {"inputs[0].contents.bool_contents: expected no values",
       [](Request& r) { Contents(r).add_bool_contents(true); }},
      {"inputs[0].contents.fp32_contents: expected no values, for FP64 is in fp64_contents, got 8",
       [](Request& r) { Contents(r, "FP64").mutable_fp32_contents()->Resize(8, 1); }},
      {"inputs[0].contents.int_contents: expected no values, for UINT8 is in uint_contents, got 8",
       [](Request& r) { Contents(r, "UINT8").mutable_int_contents()->Resize(8, 1); }},
      {"inputs[0].contents.uint_contents: expected 8 values for UINT8 [2, 4], got 2",
       [](Request& r) { Contents(r, "UINT8").mutable_uint_contents()->Resize(2, 1); }},
      {"inputs[0].contents.uint_contents[7]: expected 0 to 255, got 256",
       [](Request& r) {
         Contents(r, "UINT8").mutable_uint_contents()->Resize(8, 255);
         Contents(r, "UINT8").set_uint_contents(7, 256);
       }},
      {"inputs[0].contents.bytes_contents: expected no values",
       [](Request& r) { Contents(r, "UINT8").add_bytes_contents("12345678"); }},
  });
}

TEST(HostileRequest, AsksForOutputsThatThereAreNot) {
  ExpectRefused({
      {"outputs[0].name: expected \"output\" or \"label\", got \"\"",
       [](Request& r) { r.add_outputs(); }},
      {"outputs[1].name: expected \"output\" or \"label\", got \"scores\"",
       [](Request& r) {
         r.add_outputs()->set_name("label");
         r.add_outputs()->set_name("scores");
       }},
      {"outputs[1].name: \"output\" is in outputs[0] already",
       [](Request& r) {
         r.add_outputs()->set_name("output");
         r.add_outputs()->set_name("output");
       }},
      {"outputs[2].name: \"output\" is in outputs[1] already",
       [](Request& r) {
         r.add_outputs()->set_name("label");
         for (int i = 0; i < 100'000; ++i) r.add_outputs()->set_name("output");
       }},
  });
}

TEST(HostileRequest, HasParametersOfOutputsThatAreNotKnown) {
  ExpectRefused({
      {"outputs[0].parameters: expected only \"classification\", got \"binary_data\"",
       [](Request& r) { OutputParameter(r, "output", "binary_data").set_bool_param(true); }},
      {"got \"shared_memory_region\"",
       [](Request& r) { OutputParameter(r, "label", "shared_memory_region"); }},
      {"outputs[0].parameters[classification]: expected an int64_param from 1 to 3, got "
       "int64_param 0",
       [](Request& r) { OutputParameter(r, "output", "classification").set_int64_param(0); }},
      {"got int64_param 4",
       [](Request& r) { OutputParameter(r, "output", "classification").set_int64_param(4); }},
      {"got int64_param -9223372036854775808",
       [](Request& r) {
         OutputParameter(r, "output", "classification").set_int64_param(-kHuge - 1);
       }},
      {"got uint64_param 2",
       [](Request& r) { OutputParameter(r, "output", "classification").set_uint64_param(2); }},
      {"got string_param \"2\"",
       [](Request& r) { OutputParameter(r, "output", "classification").set_string_param("2"); }},
      {"got nothing", [](Request& r) { OutputParameter(r, "output", "classification"); }},
      {"outputs[0].parameters[classification]: expected only for \"output\"",
       [](Request& r) { OutputParameter(r, "label", "classification").set_int64_param(1); }},
  });
}

TEST(HostileRequest, HasParametersThatCannotBeHonoured) {
  ExpectRefused({
      {"parameters[timeout]: expected an int64_param of 0 or more microseconds, got uint64_param 5",
       [](Request& r) { Parameter(r, "timeout").set_uint64_param(5); }},
      {"got int64_param -1", [](Request& r) { Parameter(r, "timeout").set_int64_param(-1); }},
      {"parameters[timeout]", [](Request& r) { Parameter(r, "timeout"); }},
      {"parameters[priority]: expected a uint64_param, got double_param 1.5",
       [](Request& r) { Parameter(r, "priority").set_double_param(1.5); }},
      {"parameters[priority]", [](Request& r) { Parameter(r, "priority").set_int64_param(-1); }},
      {"parameters[sequence_id]: expected none, as models have no state, got uint64_param 9",
       [](Request& r) { Parameter(r, "sequence_id").set_uint64_param(9); }},
      {"got string_param \"s\"",
       [](Request& r) { Parameter(r, "sequence_id").set_string_param("s"); }},
      {"parameters[sequence_start]: expected none, as models have no state, got bool_param true",
       [](Request& r) { Parameter(r, "sequence_start").set_bool_param(true); }},
      {"parameters[sequence_end]",
       [](Request& r) { Parameter(r, "sequence_end").set_int64_param(1); }},
      {"parameters[binary_data_output]: expected none",
       [](Request& r) { Parameter(r, "binary_data_output").set_bool_param(true); }},
      {"inputs[0].parameters[\"shared_memory_byte_size\"]",
       [](Request& r) {
         (*r.mutable_inputs(0)->mutable_parameters())["shared_memory_byte_size"].set_int64_param(1);
       }},
  });
}

TEST(HostileRequest, AsksForAnAnswerOfGigabytes) {
  // One byte a row, 10,000 classes: 64 KiB would be answered with 2.6 GB.
  std::vector<std::string> names;
  for (int i = 0; i < 10'000; ++i) names.push_back(std::to_string(i));
  const auto model =
      std::make_shared<const ServableModel>("digits", 1, testing::MakeArtifact(1, names));
  testing::OipCall request(testing::RequestFor("UINT8", 65'536, 1));
  request.request.add_raw_input_contents(std::string(65'536, 'x'));
  absl::Status status = request.Begin(model).status();
  EXPECT_EQ(status.code(), kTooLarge);
  EXPECT_THAT(std::string(status.message()), HasSubstr("outputs: expected at most 67108864 bytes"));

  OutputParameter(request.request, "output", "classification").set_int64_param(10'000);
  status = request.Begin(model).status();
  EXPECT_EQ(status.code(), kTooLarge);

  request.request.clear_outputs();
  request.request.add_outputs()->set_name("label");
  EXPECT_TRUE(request.Begin(model).ok());
}

}  // namespace
}  // namespace mlp
