// A small model, and requests for it as clients send them.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <absl/strings/escaping.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include "core/artifact/artifact.h"
#include "inference/grpc_service.pb.h"
#include "server/inference/servable_model.h"
#include "server/oip/oip_message.h"

namespace mlp::testing {

// D features, a class for each name; the weights are 0.
inline Artifact MakeArtifact(int features, std::vector<std::string> class_names,
                             FeatureType type = FeatureType::kFloat32) {
  Artifact artifact;
  const int classes = static_cast<int>(class_names.size());
  artifact.network.topology = {features, {{classes, Activation::kSigmoid}}};
  artifact.network.parameters.setZero((features + 1) * classes);
  artifact.scaler = FeatureScaler::Identity(features);
  artifact.schema.features = features;
  artifact.schema.feature_type = type;
  artifact.schema.class_names = std::move(class_names);
  return artifact;
}

// Version 7 of "digits": D = 4, K = 3.
inline std::shared_ptr<const ServableModel> MakeModel() {
  return std::make_shared<const ServableModel>("digits", 7,
                                               MakeArtifact(4, {"zero", "one", "two"}));
}

// Values as raw contents hold them.
template <typename T>
std::string RawBytes(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <typename T>
std::vector<T> FromRawBytes(const std::string& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

// For "digits", without values.
inline inference::ModelInferRequest RequestFor(const std::string& datatype, int64_t rows,
                                               int64_t features = 4) {
  inference::ModelInferRequest request;
  request.set_model_name("digits");
  auto& input = *request.add_inputs();
  input.set_name("input");
  input.set_datatype(datatype);
  input.add_shape(rows);
  input.add_shape(features);
  return request;
}

template <typename T>
inference::ModelInferRequest RawRequest(const std::string& datatype, const std::vector<T>& values) {
  inference::ModelInferRequest request =
      RequestFor(datatype, static_cast<int64_t>(values.size()) / 4);
  request.add_raw_input_contents(RawBytes(values));
  return request;
}

// In fp32_contents.
inline inference::ModelInferRequest TypedRequest(const std::vector<float>& values) {
  inference::ModelInferRequest request =
      RequestFor("FP32", static_cast<int64_t>(values.size()) / 4);
  request.mutable_inputs(0)->mutable_contents()->mutable_fp32_contents()->Add(values.begin(),
                                                                              values.end());
  return request;
}

// A message of ModelInfer, with its request as a client fills it in.
class OipCall : public OipMessage {
 public:
  OipCall() = default;
  explicit OipCall(inference::ModelInferRequest filled) : request(std::move(filled)) {}

  // Parse and Check of `request`, in blocks of `block` bytes; -1: in one.
  absl::Status Read(int block = -1) {
    Clear();
    bytes_ = request.SerializeAsString();
    google::protobuf::io::ArrayInputStream in(bytes_.data(), static_cast<int>(bytes_.size()),
                                              block);
    const absl::Status parsed = Parse(in);
    return parsed.ok() ? Check() : parsed;
  }

  // Read and Fit.
  absl::StatusOr<int64_t> Begin(const std::shared_ptr<const ServableModel>& model) {
    absl::Status read = Read();
    if (!read.ok()) return read;
    return Fit(model);
  }

  // All rows.
  std::vector<float> Rows(int64_t rows, int64_t features = 4) const {
    std::vector<float> values(static_cast<size_t>(rows * features));
    ReadRows(0, rows, values.data());
    return values;
  }

  // The answer, whose bytes are those that protobuf makes of it.
  inference::ModelInferResponse Response() {
    std::string bytes;
    AppendResponse(absl::OkStatus(), bytes);
    inference::ModelInferResponse response;
    EXPECT_TRUE(response.ParseFromString(bytes));
    EXPECT_EQ(absl::BytesToHexString(bytes), absl::BytesToHexString(response.SerializeAsString()));
    return response;
  }

  inference::ModelInferRequest request;

 private:
  std::string bytes_;
};

}  // namespace mlp::testing
