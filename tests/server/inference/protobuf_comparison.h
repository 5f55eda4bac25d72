// What the tests of PredictMessage and StreamPredictMessage share: how protobuf reads the same
// bytes, and bytes that it may refuse.
#pragma once

#include <memory>
#include <random>
#include <string>

#include <absl/status/status.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>

#include "mlp/v1/prediction.pb.h"
#include "server/inference/predict_message.h"

namespace mlp {

// D = 1, so that every value is a row and any number of values fits.
std::shared_ptr<const ServableModel> OneFeature();

// What `message` says of `bytes`, which come in blocks of `block` bytes; -1: in one.
template <typename Message>
absl::Status ParseBytes(const std::string& bytes, int block, Message& message) {
  google::protobuf::io::ArrayInputStream in(bytes.data(), static_cast<int>(bytes.size()), block);
  return message.Parse(in);
}

// The rows of a parsed message, read one by one and compared with those read together; bit for bit,
// as they may be NaN.
void ExpectRows(PredictMessage& message, const v1::PredictRequest& expected,
                const std::string& where);

// What protobuf reads from `bytes` as the message `name`, were PredictRequest.model not a string
// but bytes: whether it is UTF-8 then does not matter. Null where it refuses them.
std::unique_ptr<google::protobuf::Message> ReadByProtobuf(const std::string& name,
                                                          const std::string& bytes);

// Whether protobuf and we may differ on `bytes`, of which it has `read`, null where it refuses
// them: we refuse groups, and read the lower bits of tags of more than five bytes.
bool MayDiffer(const google::protobuf::Message* read, const std::string& bytes);

std::string Hex(const char* hex);

// A message with some bytes changed, left out, put in, or doubled.
std::string Mutate(std::string bytes, std::mt19937& random);

}  // namespace mlp
