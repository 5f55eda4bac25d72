#include "client/retry.h"

#include <absl/strings/cord.h>
#include <gmock/gmock.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include "client/rpc_status.h"
#include "tests/client/fake_environment.h"

namespace mlp {
namespace {

using testing::ElementsAre;

// A serialized message of one length-delimited field of less than 128 bytes.
std::string Field(int number, const std::string& bytes) {
  return std::string({static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())}) + bytes;
}

std::string RetryInfo(int64_t seconds, int32_t nanos = 0) {
  google::protobuf::Duration delay;
  delay.set_seconds(seconds);
  delay.set_nanos(nanos);
  return Field(1, delay.SerializeAsString());
}

absl::Status Full(const std::string& retry_info) {
  absl::Status status = absl::ResourceExhaustedError("queue full");
  status.SetPayload(kRetryInfoUrl, absl::Cord(retry_info));
  return status;
}

TEST(Retry, WaitsTwiceAsLongEachTimeAndThenGivesUp) {
  FakeEnvironment environment;
  int attempts = 0;
  const absl::Status status =
      CallWithRetries({.max_attempts = 5, .max_backoff = absl::Milliseconds(300)}, environment,
                      absl::InfiniteFuture(), [&] {
                        ++attempts;
                        return absl::UnavailableError("down");
                      });
  EXPECT_EQ(status.message(), "down");
  EXPECT_EQ(attempts, 5);
  EXPECT_THAT(environment.sleeps, ElementsAre(absl::Milliseconds(100), absl::Milliseconds(200),
                                              absl::Milliseconds(300), absl::Milliseconds(300)));
}

TEST(Retry, JitterStretchesAndShortens) {
  FakeEnvironment environment;
  environment.uniform = 0;
  EXPECT_EQ(Backoff({}, environment).Next(absl::UnavailableError("")), absl::Milliseconds(80));
  environment.uniform = 0.9999999;
  EXPECT_NEAR(absl::ToDoubleSeconds(*Backoff({}, environment).Next(absl::UnavailableError(""))),
              0.12, 1e-6);
}

TEST(Retry, ReturnsTheFirstSuccess) {
  FakeEnvironment environment;
  int attempts = 0;
  EXPECT_TRUE(CallWithRetries({}, environment, absl::InfiniteFuture(), [&] {
                return ++attempts < 3 ? absl::UnavailableError("") : absl::OkStatus();
              }).ok());
  EXPECT_EQ(attempts, 3);
}

TEST(Retry, NeverRepeatsWhatWaitingDoesNotCure) {
  for (const absl::Status& error :
       {absl::InvalidArgumentError(""), absl::NotFoundError(""), absl::DeadlineExceededError(""),
        absl::InternalError(""), absl::ResourceExhaustedError("too large")}) {
    FakeEnvironment environment;
    int attempts = 0;
    EXPECT_EQ(CallWithRetries({}, environment, absl::InfiniteFuture(),
                              [&] {
                                ++attempts;
                                return error;
                              })
                  .code(),
              error.code());
    EXPECT_EQ(attempts, 1) << error;
  }
}

TEST(Retry, DoesNotWaitBeyondTheDeadline) {
  FakeEnvironment environment;
  int attempts = 0;
  EXPECT_TRUE(absl::IsUnavailable(CallWithRetries({.max_attempts = 100}, environment,
                                                  environment.now + absl::Milliseconds(350), [&] {
                                                    ++attempts;
                                                    return absl::UnavailableError("");
                                                  })));
  EXPECT_EQ(attempts, 3);
  EXPECT_THAT(environment.sleeps, ElementsAre(absl::Milliseconds(100), absl::Milliseconds(200)));
}

TEST(Retry, WaitsAsLongAsTheServerAsks) {
  FakeEnvironment environment;
  EXPECT_EQ(Backoff({}, environment).Next(Full(RetryInfo(2, 500'000'000))), absl::Seconds(2.75));
  EXPECT_EQ(Backoff({}, environment).Next(Full(RetryInfo(0))), absl::Milliseconds(100));
  EXPECT_EQ(Backoff({}, environment).Next(Full(RetryInfo(3600))), std::nullopt);
  EXPECT_EQ(Backoff({}, environment).Next(Full("\xff\xff")), std::nullopt);
}

TEST(Retry, TheServersDelayIsStretchedButNeverShortened) {
  FakeEnvironment environment;
  environment.uniform = 0;
  EXPECT_EQ(Backoff({}, environment).Next(Full(RetryInfo(0, 2'000'000))), absl::Milliseconds(2));
  environment.uniform = 0.9999999;
  EXPECT_NEAR(absl::ToDoubleSeconds(*Backoff({}, environment).Next(Full(RetryInfo(10)))), 12, 1e-5);
}

TEST(Retry, BacksOffFromTheServersDelay) {
  FakeEnvironment environment;
  environment.uniform = 0;
  Backoff backoff({.max_attempts = 9, .max_backoff = absl::Milliseconds(20)}, environment);
  std::vector<absl::Duration> waits;
  for (int i = 0; i < 4; ++i) waits.push_back(*backoff.Next(Full(RetryInfo(0, 3'000'000))));
  EXPECT_THAT(waits, ElementsAre(absl::Milliseconds(3), absl::Milliseconds(6),
                                 absl::Milliseconds(12), absl::Milliseconds(20)));
}

TEST(Retry, ResetForgetsFailures) {
  FakeEnvironment environment;
  Backoff backoff({.max_attempts = 2}, environment);
  EXPECT_TRUE(backoff.Next(absl::UnavailableError("")).has_value());
  backoff.Reset();
  EXPECT_TRUE(backoff.Next(absl::UnavailableError("")).has_value());
  EXPECT_FALSE(backoff.Next(absl::UnavailableError("")).has_value());
}

TEST(RpcStatus, KeepsCodeMessageAndRetryInfo) {
  EXPECT_TRUE(FromGrpcStatus(grpc::Status::OK).ok());
  google::protobuf::Any other;
  other.set_type_url("type.googleapis.com/google.rpc.BadRequest");
  google::protobuf::Any detail;
  detail.set_type_url("type.googleapis.com/google.rpc.RetryInfo");
  detail.set_value(RetryInfo(7));
  // google.rpc.Status: code, message, two details.
  const std::string details = std::string("\x08\x08") + Field(2, "queue full") +
                              Field(3, other.SerializeAsString()) +
                              Field(3, detail.SerializeAsString());
  const absl::Status status =
      FromGrpcStatus(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "queue full", details));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "queue full");
  EXPECT_EQ(ServerRetryDelay(status), absl::Seconds(7));
  for (size_t size = 0; size < details.size(); ++size) {
    const grpc::Status cut(grpc::StatusCode::INTERNAL, "x", details.substr(0, size));
    EXPECT_EQ(FromGrpcStatus(cut).message(), "x");
  }
}

}  // namespace
}  // namespace mlp
