// Health, step by step: a fake caller makes the next change when it gets the one before.
#include "server/api/health_service.h"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/api/fake_rpc_call.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Response = grpc::health::v1::HealthCheckResponse;

class HealthServiceTest : public ::testing::Test {
 protected:
  HealthServiceTest() { state_.SetServing(true); }

  absl::StatusOr<Response::ServingStatus> Check(const std::string& name) {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(name);
    Response response;
    const absl::Status status = service_.Check(request, response);
    if (!status.ok()) return status;
    return response.status();
  }

  // Watches `name`; step(n) runs after the n-th message.
  absl::Status Watch(const std::string& name, std::function<void(size_t)> step) {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(name);
    call_.Send(request);
    call_.OnWrite(std::move(step));
    return service_.Watch(call_);
  }

  std::vector<Response::ServingStatus> Seen() const {
    std::vector<Response::ServingStatus> seen;
    for (const Response& response : call_.Responses<Response>()) seen.push_back(response.status());
    return seen;
  }

  HealthState state_;
  std::map<std::string, absl::StatusOr<ModelCondition>, std::less<>> models_;
  testing::FakeRpcCall call_;
  HealthService service_{state_,
                         [this](absl::string_view name) -> absl::StatusOr<ModelCondition> {
                           const auto found = models_.find(std::string(name));
                           if (found == models_.end())
                             return absl::NotFoundError("model nobody: not found");
                           return found->second;
                         },
                         // So long that a test which waits for it is seen.
                         {.services = {"mlp.v1.ModelService"}, .poll = absl::Seconds(60)}};
};

TEST_F(HealthServiceTest, ShowsTheServerAndItsServicesAlike) {
  for (const bool serving : {true, false}) {
    state_.SetServing(serving);
    const auto expected = serving ? Response::SERVING : Response::NOT_SERVING;
    EXPECT_EQ(Check("").value(), expected);
    EXPECT_EQ(Check("mlp.v1.ModelService").value(), expected);
  }
}

TEST_F(HealthServiceTest, ShowsWhetherAModelWouldAnswer) {
  models_.emplace("a", ModelCondition::kReady);
  models_.emplace("b@2", ModelCondition::kStored);
  models_.emplace("c", ModelCondition::kLoading);
  models_.emplace("d", ModelCondition::kUnloaded);
  models_.emplace("e", ModelCondition::kDamaged);
  models_.emplace("f", absl::UnavailableError("database is busy"));
  EXPECT_EQ(Check("a").value(), Response::SERVING);
  EXPECT_EQ(Check("b@2").value(), Response::SERVING);
  EXPECT_EQ(Check("c").value(), Response::SERVING);
  EXPECT_EQ(Check("d").value(), Response::NOT_SERVING);
  EXPECT_EQ(Check("e").value(), Response::NOT_SERVING);
  EXPECT_EQ(Check("f").value(), Response::UNKNOWN);
  state_.SetServing(false);
  EXPECT_EQ(Check("a").value(), Response::NOT_SERVING);
}

TEST_F(HealthServiceTest, DoesNotFindWhatThereIsNot) {
  EXPECT_EQ(Check("nobody").status().code(), absl::StatusCode::kNotFound);
  models_.emplace("No.Such/Service", absl::InvalidArgumentError("model: expected a name"));
  const absl::Status status = Check("No.Such/Service").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("service: expected"));
}

TEST_F(HealthServiceTest, WatchWritesTheStatusThenEachChange) {
  const absl::Status status = Watch("", [this](size_t step) {
    if (step == 1) state_.SetServing(false);
    if (step == 2) state_.SetServing(true);
    if (step == 3) call_.Leave();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(Seen(), ElementsAre(Response::SERVING, Response::NOT_SERVING, Response::SERVING));
}

TEST_F(HealthServiceTest, WatchWritesNothingWhereTheStatusIsTheSame) {
  models_.emplace("m", ModelCondition::kStored);
  int looks = 0;
  call_.OnCancelled([&] {
    ++looks;
    if (looks == 1) models_.at("m") = ModelCondition::kLoading;
    if (looks == 2) models_.at("m") = ModelCondition::kReady;
    state_.Changed();
    return looks == 3;
  });
  EXPECT_EQ(Watch("m", nullptr).code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(Seen(), ElementsAre(Response::SERVING));
}

TEST_F(HealthServiceTest, WatchFollowsAModelThatComesAndGoes) {
  const absl::Status status = Watch("m", [this](size_t step) {
    if (step == 1) models_.emplace("m", ModelCondition::kStored);
    if (step == 2) models_.at("m") = ModelCondition::kUnloaded;
    if (step == 3) models_.erase("m");
    if (step == 4) call_.Leave();
    state_.Changed();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(Seen(), ElementsAre(Response::SERVICE_UNKNOWN, Response::SERVING,
                                  Response::NOT_SERVING, Response::SERVICE_UNKNOWN));
}

TEST_F(HealthServiceTest, WatchLooksAgainWithoutBeingTold) {
  HealthService polling(state_,
                        [this](absl::string_view /*name*/) -> absl::StatusOr<ModelCondition> {
                          return models_.at("m");
                        },
                        {.services = {}, .poll = absl::Milliseconds(1)});
  models_.emplace("m", ModelCondition::kReady);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service("m");
  call_.Send(request);
  call_.OnWrite([this](size_t step) {
    if (step == 1) models_.at("m") = ModelCondition::kDamaged;
    if (step == 2) call_.Leave();
  });
  EXPECT_EQ(polling.Watch(call_).code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(Seen(), ElementsAre(Response::SERVING, Response::NOT_SERVING));
}

TEST_F(HealthServiceTest, WatchEndsWhenTheServerStops) {
  const absl::Status status = Watch("mlp.v1.ModelService", [this](size_t step) {
    if (step == 1) state_.Stop();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Seen(), ElementsAre(Response::SERVING, Response::NOT_SERVING));
}

TEST_F(HealthServiceTest, WatchEndsWhereTheCallerIsGone) {
  call_.Leave();
  EXPECT_EQ(Watch("", nullptr).code(), absl::StatusCode::kCancelled);
  testing::FakeRpcCall silent;
  EXPECT_EQ(service_.Watch(silent).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(HealthServiceTest, IsInTheTableUnderItsNamesOnTheWire) {
  Metrics metrics;
  MethodTable table(metrics);
  service_.AddTo(table);
  const RpcMethod* check = table.Find("/grpc.health.v1.Health/Check");
  ASSERT_NE(check, nullptr);
  call_.Send(grpc::health::v1::HealthCheckRequest());
  EXPECT_TRUE(check->handler(call_).ok());
  EXPECT_THAT(Seen(), ElementsAre(Response::SERVING));
  EXPECT_NE(table.Find("/grpc.health.v1.Health/Watch"), nullptr);
}

}  // namespace
}  // namespace mlp
