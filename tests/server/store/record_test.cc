#include "server/store/record.h"

#include <limits>

#include <gtest/gtest.h>

#include "mlp/v1/dataset.pb.h"

namespace mlp {
namespace {

// "123456789" is the check string of CRC-32C, 0xE3069283 (RFC 3720); here as a message: field 1,
// nine bytes long, so that the two bytes of its key change the sum.
TEST(Record, IsTheMessageAndItsChecksum) {
  v1::GetDatasetRequest message;
  message.set_name("123456789");
  const std::string record = EncodeRecord(message);
  ASSERT_EQ(record.size(), 2 + 9 + 4);
  EXPECT_EQ(record.substr(0, 11),
            "\x0a\x09"
            "123456789");

  // An empty message has an empty body and the checksum of nothing, 0.
  EXPECT_EQ(EncodeRecord(v1::GetDatasetRequest()), std::string(4, '\0'));
}

TEST(Record, ComesBack) {
  v1::GetDatasetRequest message;
  message.set_name("digits");
  v1::GetDatasetRequest decoded;
  ASSERT_TRUE(DecodeRecord(EncodeRecord(message), "dataset digits", decoded).ok());
  EXPECT_EQ(decoded.name(), "digits");
}

TEST(Record, IsDamagedByAnyChangedBit) {
  v1::GetDatasetRequest message;
  message.set_name("digits");
  const std::string record = EncodeRecord(message);
  for (size_t bit = 0; bit < record.size() * 8; ++bit) {
    std::string damaged = record;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    v1::GetDatasetRequest decoded;
    const absl::Status status = DecodeRecord(damaged, "dataset digits", decoded);
    EXPECT_EQ(status, absl::DataLossError("dataset digits: the stored record is damaged")) << bit;
  }
}

TEST(Record, IsDamagedWhereItIsCut) {
  v1::GetDatasetRequest message;
  message.set_name("digits");
  const std::string record = EncodeRecord(message);
  for (size_t size = 0; size < record.size(); ++size) {
    v1::GetDatasetRequest decoded;
    EXPECT_TRUE(absl::IsDataLoss(
        DecodeRecord(absl::string_view(record).substr(0, size), "dataset digits", decoded)))
        << size;
  }
}

TEST(Record, TimestampRoundsDownBeforeTheEpochToo) {
  const google::protobuf::Timestamp before =
      ToTimestamp(absl::UnixEpoch() - absl::Milliseconds(250));
  EXPECT_EQ(before.seconds(), -1);
  EXPECT_EQ(before.nanos(), 750'000'000);
  const google::protobuf::Timestamp after = ToTimestamp(absl::FromUnixMillis(1'700'000'000'001));
  EXPECT_EQ(after.seconds(), 1'700'000'000);
  EXPECT_EQ(after.nanos(), 1'000'000);
}

}  // namespace
}  // namespace mlp
