#include "server/store/record.h"

#include <cstdint>
#include <cstring>

#include <absl/strings/str_cat.h>

#include "core/base/hash.h"

namespace mlp {

std::string EncodeRecord(const google::protobuf::MessageLite& message) {
  std::string record = message.SerializeAsString();
  const uint32_t crc = Crc32c(record);
  record.append(reinterpret_cast<const char*>(&crc), sizeof(crc));
  return record;
}

absl::Status DecodeRecord(absl::string_view record, absl::string_view owner,
                          google::protobuf::MessageLite& message) {
  uint32_t crc = 0;
  if (record.size() >= sizeof(crc)) {
    const absl::string_view bytes = record.substr(0, record.size() - sizeof(crc));
    std::memcpy(&crc, bytes.data() + bytes.size(), sizeof(crc));
    if (Crc32c(bytes) == crc &&
        message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      return absl::OkStatus();
    }
  }
  return absl::DataLossError(absl::StrCat(owner, ": the stored record is damaged"));
}

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const int64_t seconds = absl::ToUnixSeconds(time);  // rounds down
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return timestamp;
}

}  // namespace mlp
