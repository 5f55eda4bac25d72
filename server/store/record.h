// How the API's messages become bytes in the database and come out again.
#pragma once

#include <string>

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>
#include <google/protobuf/message_lite.h>
#include <google/protobuf/timestamp.pb.h>

namespace mlp {

// The serialized message, then its CRC-32C in four bytes, little-endian.
std::string EncodeRecord(const google::protobuf::MessageLite& message);

// DATA_LOSS where the bytes are damaged; the message begins with `owner`, such as `job 7`.
absl::Status DecodeRecord(absl::string_view record, absl::string_view owner,
                          google::protobuf::MessageLite& message);

google::protobuf::Timestamp ToTimestamp(absl::Time time);

}  // namespace mlp
