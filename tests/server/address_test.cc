#include "server/address.h"

#include <gtest/gtest.h>

namespace mlp {
namespace {

TEST(Address, ReadsHostAndPort) {
  absl::StatusOr<Address> address = ParseAddress("grpc-address", "127.0.0.1:8001");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->host, "127.0.0.1");
  EXPECT_EQ(address->port, 8001);
  EXPECT_EQ(address->ToString(), "127.0.0.1:8001");
  EXPECT_EQ(ParseAddress("x", "[::1]:0")->host, "[::1]");
  EXPECT_TRUE(ParseAddress("x", "0.0.0.0:65535").ok());
}

TEST(Address, RefusesWhatIsNone) {
  for (const char* bad : {"", ":", ":1", "host", "host:", "host:x", "host:-1", "host:65536",
                          "host:99999", "host:4294967296", "host:1 2"}) {
    const absl::Status status = ParseAddress("grpc-address", bad).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_EQ(status.message().find("grpc-address: expected HOST:PORT"), 0u) << status;
  }
}

}  // namespace
}  // namespace mlp
