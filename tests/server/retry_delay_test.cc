#include "server/retry_delay.h"

#include <gtest/gtest.h>

namespace mlp {
namespace {

TEST(RetryDelay, IsKeptThroughAStatus) {
  const absl::Status plain = absl::ResourceExhaustedError("full");
  EXPECT_EQ(RetryDelay(plain), absl::ZeroDuration());
  const absl::Status status = WithRetryDelay(plain, absl::Milliseconds(1500));
  EXPECT_EQ(RetryDelay(status), absl::Milliseconds(1500));
  EXPECT_EQ(status.message(), "full");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
}

TEST(RetryDelay, IsAtLeastAMillisecond) {
  EXPECT_EQ(RetryDelay(WithRetryDelay(absl::ResourceExhaustedError("full"), absl::ZeroDuration())),
            absl::Milliseconds(1));
}

TEST(RetryDelay, AStatusWithoutOneHasNoDetails) {
  EXPECT_EQ(StatusDetails(absl::ResourceExhaustedError("full")), "");
}

// google.rpc.Status{code: 8, message: "full", details: [Any{type_url, value: RetryInfo{retry_delay:
// {seconds: 1, nanos: 500,000,000}}}]}, put together by hand from the fields' numbers.
TEST(RetryDelay, DetailsAreTheMessageThatGrpcClientsKnow) {
  const std::string url = "type.googleapis.com/google.rpc.RetryInfo";
  const std::string retry_info("\x0A\x08\x08\x01\x10\x80\xCA\xB5\xEE\x01", 10);
  const std::string any = "\x0A\x28" + url + "\x12\x0A" + retry_info;
  const std::string expected = std::string("\x08\x08\x12\x04") + "full" + "\x1A\x36" + any;
  EXPECT_EQ(
      StatusDetails(WithRetryDelay(absl::ResourceExhaustedError("full"), absl::Milliseconds(1500))),
      expected);
}

}  // namespace
}  // namespace mlp
