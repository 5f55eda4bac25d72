// Loads against a real gRPC server.

#include "client/load/load_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mlp/v1/prediction.pb.h"
#include "tests/client/fake_mlpd.h"

namespace mlp {
namespace {

using testing::ElementsAre;
using testing::Pair;

class LoadRunTest : public testing::Test {
 protected:
  LoadOptions Options(int64_t calls) {
    v1::PredictRequest request;
    request.set_model("digits@3");
    request.set_pixels(std::string(4, '\1'));
    request.set_rows(1);
    LoadOptions options;
    options.server = server_.address();
    options.requests = {request.SerializeAsString()};
    options.concurrency = 4;
    options.warmup = absl::ZeroDuration();
    options.duration = absl::InfiniteDuration();
    options.max_calls = calls;
    return options;
  }

  LoadResult Run(const LoadOptions& options, const std::stop_token& stop = {}) {
    const auto result = RunLoad(options, LoadClock::System(), stop, {});
    EXPECT_TRUE(result.ok()) << result.status();
    return result.value_or(LoadResult());
  }

  FakeMlpd server_;
};

TEST_F(LoadRunTest, AUnaryClosedLoopHasSoManyCallsOutstanding) {
  server_.Gather(4);
  const LoadResult result = Run(Options(40));
  EXPECT_EQ(result.record.latency.count(), 40);
  EXPECT_TRUE(result.record.errors.empty());
  EXPECT_EQ(server_.calls("Predict"), 40);
  EXPECT_EQ(server_.most_at_once(), 4);
  EXPECT_GT(result.seconds, 0);
  EXPECT_GT(result.record.received_bytes, 40);
  EXPECT_EQ(result.record.sent_bytes, static_cast<int64_t>(40 * Options(1).requests[0].size()));
}

TEST_F(LoadRunTest, ConnectionsShareTheCalls) {
  server_.Gather(5);
  LoadOptions options = Options(50);
  options.concurrency = 5;
  options.connections = 2;
  EXPECT_EQ(Run(options).record.latency.count(), 50);
  EXPECT_EQ(server_.most_at_once(), 5);
}

TEST_F(LoadRunTest, AStreamAnswersEveryCallWhateverTheOrder) {
  server_.ScriptStream({.reverse = 4});
  LoadOptions options = Options(400);
  options.stream = true;
  options.deadline = absl::Milliseconds(2500);
  const LoadResult result = Run(options);
  EXPECT_EQ(result.record.latency.count(), 400);
  EXPECT_TRUE(result.record.errors.empty());
  EXPECT_EQ(server_.calls("StreamPredict"), 1);
  EXPECT_EQ(server_.timeouts_us().at(0), 2'500'000);
}

TEST_F(LoadRunTest, AnOpenLoopSendsThemAll) {
  for (const bool stream : {false, true}) {
    for (const Arrivals arrivals : {Arrivals::kConstant, Arrivals::kPoisson}) {
      LoadOptions options = Options(50);
      options.open_loop = true;
      options.rate = 2000;
      options.arrivals = arrivals;
      options.concurrency = 50;
      options.connections = 2;
      options.stream = stream;
      const LoadResult result = Run(options);
      EXPECT_EQ(result.record.latency.count(), 50);
      EXPECT_EQ(result.record.unsent, 0);
    }
  }
}

TEST_F(LoadRunTest, FailedCallsAreCountedByCodeAndNotRepeated) {
  server_.FailNext("Predict", 3, absl::ResourceExhaustedError("queue full"), absl::Seconds(1));
  LoadResult result = Run(Options(20));
  EXPECT_EQ(result.record.latency.count(), 17);
  EXPECT_THAT(result.record.errors, ElementsAre(Pair(absl::StatusCode::kResourceExhausted, 3)));
  EXPECT_EQ(server_.calls("Predict"), 20);

  server_.FailNext("StreamPredict/request", 2, absl::DeadlineExceededError("late"));
  LoadOptions options = Options(20);
  options.stream = true;
  result = Run(options);
  EXPECT_EQ(result.record.latency.count(), 18);
  EXPECT_THAT(result.record.errors, ElementsAre(Pair(absl::StatusCode::kDeadlineExceeded, 2)));
}

TEST_F(LoadRunTest, ACallThatHangsEndsAtItsDeadline) {
  server_.Hang("Predict");
  LoadOptions options = Options(4);
  options.deadline = absl::Milliseconds(30);
  EXPECT_THAT(Run(options).record.errors,
              ElementsAre(Pair(absl::StatusCode::kDeadlineExceeded, 4)));
}

TEST_F(LoadRunTest, AStopGivesUpWhatIsOutstanding) {
  server_.Hang("Predict");
  server_.Hang("StreamPredict/request");
  for (const bool stream : {false, true}) {
    LoadOptions options = Options(100);
    options.stream = stream;
    std::stop_source stop;
    stop.request_stop();
    const LoadResult result = Run(options, stop.get_token());
    EXPECT_TRUE(result.interrupted);
    EXPECT_EQ(result.record.unanswered, 4);
    EXPECT_EQ(result.record.latency.count(), 0);
    EXPECT_TRUE(result.record.errors.empty());
  }
}

TEST_F(LoadRunTest, AStreamThatBreaksEndsTheLoad) {
  server_.ScriptStream({.break_after = 10});
  LoadOptions options = Options(1'000'000);
  options.stream = true;
  const LoadResult result = Run(options);
  EXPECT_EQ(result.record.lost, absl::StatusCode::kUnavailable);
  EXPECT_EQ(result.record.latency.count(), 10);
  EXPECT_GE(result.record.errors.at(absl::StatusCode::kUnavailable), 1);
}

TEST_F(LoadRunTest, AnswersToNothingAreNotCounted) {
  server_.ScriptStream({.add_to_ids = 1000});
  LoadOptions options = Options(100);
  options.stream = true;
  const LoadResult result = Run(options);
  EXPECT_EQ(result.record.latency.count(), 0);
  EXPECT_EQ(result.record.lost, absl::StatusCode::kCancelled);
}

TEST_F(LoadRunTest, TheDurationBoundsTheLoad) {
  LoadOptions options = Options(0);
  options.warmup = absl::Milliseconds(20);
  options.duration = absl::Milliseconds(60);
  int ticks = 0;
  const auto result =
      RunLoad(options, LoadClock::System(), {}, [&](const LoadProgress&) { ++ticks; });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_GT(result->record.latency.count(), 0);
  EXPECT_GE(result->seconds, 0.06);
}

}  // namespace
}  // namespace mlp
