#include "tests/server/inference/protobuf_comparison.h"

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <absl/strings/escaping.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

// Protobuf knows groups, and steps over those that the message does not have.
bool HasGroup(const google::protobuf::Message& message) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const google::protobuf::UnknownFieldSet& unknown = reflection.GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    if (unknown.field(i).type() == google::protobuf::UnknownField::TYPE_GROUP) return true;
  }
  const auto* request = message.GetDescriptor()->FindFieldByName("request");
  return request != nullptr && HasGroup(reflection.GetMessage(message, request));
}

// Protobuf refuses tags of more than five bytes; we read their lower bits.
bool MayHaveLongTag(const std::string& bytes) {
  int run = 0;
  for (const char byte : bytes) {
    run = static_cast<signed char>(byte) < 0 ? run + 1 : 0;
    if (run == 5) return true;
  }
  return false;
}

}  // namespace

std::shared_ptr<const ServableModel> OneFeature() {
  static const auto model = [] {
    Artifact artifact;
    artifact.network.topology = {1, {{3, Activation::kSigmoid}}};
    artifact.network.parameters.resize(6);
    artifact.network.parameters << 1, 2, 3, 0, 0, 0;
    artifact.scaler = FeatureScaler::Identity(1);
    artifact.schema.features = 1;
    artifact.schema.class_names = {"zero", "", "two"};
    return std::make_shared<const ServableModel>("m", 300, std::move(artifact));
  }();
  return model;
}

void ExpectRows(PredictMessage& message, const v1::PredictRequest& expected,
                const std::string& where) {
  const int features = expected.features_size();
  const auto pixels = static_cast<int>(expected.pixels().size());
  const absl::StatusOr<int64_t> rows = message.Fit(OneFeature());
  if ((features > 0) == (pixels > 0) || expected.rows() < 0 ||
      (expected.rows() > 0 && expected.rows() != features + pixels)) {
    EXPECT_EQ(rows.status().code(), absl::StatusCode::kInvalidArgument) << where;
    return;
  }
  ASSERT_TRUE(rows.ok()) << rows.status() << where;
  ASSERT_EQ(*rows, features + pixels) << where;
  std::vector<float> values;
  for (const float value : expected.features()) values.push_back(value);
  for (const char pixel : expected.pixels()) values.push_back(static_cast<uint8_t>(pixel));
  std::vector<float> together(values.size());
  message.ReadRows(0, *rows, together.data());
  EXPECT_EQ(std::memcmp(together.data(), values.data(), values.size() * sizeof(float)), 0) << where;
  for (size_t i = 0; i < values.size(); ++i) {
    float value = 0;
    message.ReadRows(static_cast<int64_t>(i), 1, &value);
    ASSERT_EQ(std::memcmp(&value, &values[i], sizeof(value)), 0) << i << where;
  }
}

std::unique_ptr<google::protobuf::Message> ReadByProtobuf(const std::string& name,
                                                          const std::string& bytes) {
  static google::protobuf::DescriptorPool pool;
  static google::protobuf::DynamicMessageFactory factory(&pool);
  static const google::protobuf::FileDescriptor* const file = [] {
    google::protobuf::FileDescriptorProto proto;
    v1::PredictRequest::descriptor()->file()->CopyTo(&proto);
    for (google::protobuf::DescriptorProto& message : *proto.mutable_message_type()) {
      if (message.name() != "PredictRequest") continue;
      message.mutable_field(0)->set_type(google::protobuf::FieldDescriptorProto::TYPE_BYTES);
    }
    return pool.BuildFile(proto);
  }();
  std::unique_ptr<google::protobuf::Message> message(
      factory.GetPrototype(file->FindMessageTypeByName(name))->New());
  return message->ParseFromString(bytes) ? std::move(message) : nullptr;
}

bool MayDiffer(const google::protobuf::Message* read, const std::string& bytes) {
  return read != nullptr ? HasGroup(*read) : MayHaveLongTag(bytes);
}

std::string Hex(const char* hex) { return absl::HexStringToBytes(hex); }

std::string Mutate(std::string bytes, std::mt19937& random) {
  const int changes = 1 + static_cast<int>(random() % 3);
  for (int i = 0; i < changes; ++i) {
    const size_t at = bytes.empty() ? 0 : random() % bytes.size();
    switch (random() % 6) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random());
        break;
      case 1:
        if (!bytes.empty()) bytes[at] ^= static_cast<char>(1 << random() % 8);
        break;
      case 2:
        if (!bytes.empty()) bytes.erase(at, 1 + random() % 4);
        break;
      case 3:
        bytes.insert(at, 1, static_cast<char>(random()));
        break;
      case 4:
        bytes.insert(at, bytes.substr(at, random() % 12));
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

}  // namespace mlp
