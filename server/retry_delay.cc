#include "server/retry_delay.h"

#include <algorithm>
#include <cstdint>

#include <absl/strings/cord.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

namespace mlp {
namespace {

constexpr char kRetryInfoUrl[] = "type.googleapis.com/google.rpc.RetryInfo";

// A field of wire type 2: Debian ships no google.rpc protos, so its two messages are put together
// here from their field numbers.
void WriteBytes(int field, const std::string& bytes, google::protobuf::io::CodedOutputStream& out) {
  out.WriteTag(static_cast<uint32_t>(field) << 3 | 2);
  out.WriteVarint32(static_cast<uint32_t>(bytes.size()));
  out.WriteString(bytes);
}

}  // namespace

absl::Status WithRetryDelay(absl::Status error, absl::Duration delay) {
  const int64_t ms = std::max<int64_t>(1, absl::ToInt64Milliseconds(delay));
  google::protobuf::Duration duration;
  duration.set_seconds(ms / 1000);
  duration.set_nanos(static_cast<int32_t>(ms % 1000 * 1000000));
  std::string retry_info;
  {
    google::protobuf::io::StringOutputStream stream(&retry_info);
    google::protobuf::io::CodedOutputStream out(&stream);
    WriteBytes(1, duration.SerializeAsString(), out);  // RetryInfo.retry_delay
  }
  error.SetPayload(kRetryInfoUrl, absl::Cord(retry_info));
  return error;
}

absl::Duration RetryDelay(const absl::Status& error) {
  const absl::optional<absl::Cord> payload = error.GetPayload(kRetryInfoUrl);
  if (!payload) return absl::ZeroDuration();
  const std::string bytes(*payload);
  // Made by WithRetryDelay: a tag and a length, of a byte each, then the Duration.
  google::protobuf::Duration duration;
  duration.ParseFromString(bytes.substr(2));
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

std::string StatusDetails(const absl::Status& error) {
  const absl::optional<absl::Cord> payload = error.GetPayload(kRetryInfoUrl);
  if (!payload) return "";
  google::protobuf::Any detail;
  detail.set_type_url(kRetryInfoUrl);
  detail.set_value(std::string(*payload));
  std::string details;
  {
    google::protobuf::io::StringOutputStream stream(&details);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.WriteTag(1 << 3);  // Status.code
    out.WriteVarint32(static_cast<uint32_t>(error.raw_code()));
    WriteBytes(2, std::string(error.message()), out);
    WriteBytes(3, detail.SerializeAsString(), out);
  }
  return details;
}

}  // namespace mlp
