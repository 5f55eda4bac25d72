// When calls are sent and what is counted, on a clock that the tests step.

#include "client/load/load_worker.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/load/arrivals.h"

namespace mlp {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr int64_t kMs = 1'000'000;

// A server on a clock that only moves on when the worker waits: it answers one call after another,
// each in service_ns. Where that is 0 the test answers.
class FakeServer final : public LoadClock, public CallTransport {
 public:
  int64_t NowNs() override { return now_ns; }
  bool SleepUntil(int64_t ns, const std::stop_token& stop) override {
    while (!stop.stop_requested()) {
      if (outstanding.empty() || service_ns == 0 || outstanding.front().done_ns > ns) {
        now_ns = std::max(now_ns, ns);
        return true;
      }
      AnswerNext();
    }
    return false;
  }
  void Await(absl::Mutex& mutex, const absl::Condition& condition) override {
    while (!condition.Eval()) {
      mutex.Unlock();
      AnswerNext();
      mutex.Lock();
    }
  }

  bool Start(int slot, size_t request) override {
    if (gone) return false;
    const int64_t begin_ns = outstanding.empty() ? now_ns : outstanding.back().done_ns;
    sent_at_ns.push_back(now_ns);
    requests.push_back(request);
    outstanding.push_back({slot, std::max(begin_ns, now_ns) + service_ns});
    most_outstanding = std::max(most_outstanding, outstanding.size());
    now_ns += send_ns;
    return true;
  }
  void Cancel() override {}

  void Answer(absl::StatusCode code = absl::StatusCode::kOk) {
    const int slot = outstanding.front().slot;
    outstanding.pop_front();
    worker->OnAnswer({.slot = slot, .code = code, .bytes = 7});
  }
  void AnswerNext() {
    now_ns = std::max(now_ns, outstanding.front().done_ns);
    Answer();
    if (on_answered) on_answered();
  }

  struct Call {
    int slot;
    int64_t done_ns;
  };
  int64_t now_ns = 0;
  int64_t service_ns = 0;
  int64_t send_ns = 0;  // what sending a call takes
  bool gone = false;
  LoadWorker* worker = nullptr;
  std::function<void()> on_answered;
  std::vector<int64_t> sent_at_ns;
  std::vector<size_t> requests;
  std::deque<Call> outstanding;
  size_t most_outstanding = 0;
};

class LoadWorkerTest : public testing::Test {
 protected:
  std::unique_ptr<LoadWorker> Make(int slots, CallBudget& budget, int64_t measure_from_ns = 0,
                                   int64_t end_ns = INT64_MAX) {
    WorkerOptions options;
    options.slots = slots;
    options.request_bytes = {100, 200};
    options.measure_from_ns = measure_from_ns;
    options.end_ns = end_ns;
    options.on_idle = [this] { ++idle_; };
    auto worker = std::make_unique<LoadWorker>(options, budget, server_);
    server_.worker = worker.get();
    return worker;
  }

  // One every millisecond from 0.
  void RunOpenLoop(LoadWorker& worker, const std::stop_token& stop = {}) {
    ArrivalSchedule schedule({.kind = Arrivals::kConstant, .rate = 1000});
    worker.RunOpenLoop(server_, schedule, /*start_ns=*/0, stop);
  }

  FakeServer server_;
  int idle_ = 0;
};

TEST_F(LoadWorkerTest, AClosedLoopKeepsItsCallsOutstanding) {
  CallBudget budget(10);
  const auto worker = Make(3, budget);
  worker->StartClosedLoop(server_);
  EXPECT_EQ(server_.outstanding.size(), 3u);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(idle_, 0);
    server_.now_ns += kMs;
    server_.Answer();
    EXPECT_EQ(server_.outstanding.size(), static_cast<size_t>(std::min(3, 9 - i)));
  }
  EXPECT_EQ(idle_, 1);
  const LoadRecord record = worker->record();
  EXPECT_EQ(server_.sent_at_ns.size(), 10u);
  EXPECT_EQ(record.latency.count(), 10);
  EXPECT_EQ(record.latency.min_ns(), 1 * kMs);
  EXPECT_EQ(record.latency.max_ns(), 3 * kMs);
  EXPECT_EQ(record.sent_bytes, 5 * 100 + 5 * 200);  // the requests in turn
  EXPECT_EQ(record.received_bytes, 70);
  EXPECT_EQ(record.last_answer_ns, 10 * kMs);
  EXPECT_TRUE(record.errors.empty());
}

TEST_F(LoadWorkerTest, WarmUpAndWhatBeginsAfterTheEndLeaveNoTrace) {
  CallBudget budget(0);
  const auto worker = Make(1, budget, /*measure_from_ns=*/5 * kMs, /*end_ns=*/9 * kMs);
  worker->StartClosedLoop(server_);
  while (!server_.outstanding.empty()) {
    server_.now_ns += 2 * kMs;
    server_.Answer();
  }
  // Sent at 0, 2, 4 (warm-up), 6 and 8, which is answered after the end.
  EXPECT_EQ(server_.sent_at_ns.size(), 5u);
  EXPECT_EQ(worker->record().latency.count(), 2);
  EXPECT_EQ(worker->record().last_answer_ns, 10 * kMs);
  EXPECT_EQ(idle_, 1);
}

TEST_F(LoadWorkerTest, CountsErrorsByCodeAndKeepsThemOutOfTheLatency) {
  CallBudget budget(4);
  const auto worker = Make(1, budget);
  worker->StartClosedLoop(server_);
  server_.now_ns = kMs;
  server_.Answer();
  server_.Answer(absl::StatusCode::kResourceExhausted);
  server_.Answer(absl::StatusCode::kDeadlineExceeded);
  server_.Answer(absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(worker->record().latency.count(), 1);
  EXPECT_EQ(worker->answered(), 4);
  EXPECT_THAT(worker->record().errors, ElementsAre(Pair(absl::StatusCode::kDeadlineExceeded, 1),
                                                   Pair(absl::StatusCode::kResourceExhausted, 2)));
  EXPECT_EQ(worker->record().lost, absl::StatusCode::kOk);
}

TEST_F(LoadWorkerTest, AServerThatIsGoneEndsTheLoad) {
  CallBudget budget(0);
  const auto worker = Make(2, budget);
  worker->StartClosedLoop(server_);
  while (!server_.outstanding.empty()) {
    ASSERT_LT(server_.sent_at_ns.size(), 1000u);
    server_.Answer(absl::StatusCode::kUnavailable);
  }
  EXPECT_EQ(worker->record().lost, absl::StatusCode::kUnavailable);
  EXPECT_EQ(idle_, 1);
}

TEST_F(LoadWorkerTest, AConnectionThatIsGoneEndsTheLoad) {
  CallBudget budget(0);
  const auto worker = Make(2, budget);
  worker->StartClosedLoop(server_);
  server_.gone = true;
  server_.Answer();
  server_.Answer();
  EXPECT_EQ(worker->record().lost, absl::StatusCode::kUnavailable);
  EXPECT_EQ(worker->record().latency.count(), 2);
  EXPECT_THAT(worker->record().errors, ElementsAre(Pair(absl::StatusCode::kUnavailable, 1)));
  EXPECT_EQ(worker->record().sent_bytes, 300);
  EXPECT_EQ(idle_, 1);
}

TEST_F(LoadWorkerTest, CallsGivenUpAreNoErrors) {
  CallBudget budget(0);
  const auto worker = Make(2, budget);
  worker->StartClosedLoop(server_);
  worker->StopSending(/*give_up=*/true);
  server_.Answer(absl::StatusCode::kCancelled);
  server_.Answer();
  EXPECT_EQ(worker->record().unanswered, 1);
  EXPECT_EQ(worker->record().latency.count(), 1);
  EXPECT_TRUE(worker->record().errors.empty());
  EXPECT_EQ(idle_, 1);
}

TEST_F(LoadWorkerTest, AnOpenLoopSendsWhateverTheServerDoes) {
  CallBudget budget(5);
  const auto worker = Make(100, budget);
  ArrivalSchedule schedule({.kind = Arrivals::kConstant, .rate = 1000, .first_ns = kMs / 4});
  worker->RunOpenLoop(server_, schedule, /*start_ns=*/kMs, {});
  EXPECT_THAT(server_.sent_at_ns,
              ElementsAre(1'250'000, 2'250'000, 3'250'000, 4'250'000, 5'250'000));
  EXPECT_EQ(idle_, 0);  // nothing is answered yet
  server_.now_ns = 10 * kMs;
  while (!server_.outstanding.empty()) server_.Answer();
  EXPECT_EQ(idle_, 1);
  EXPECT_EQ(worker->record().latency.max_ns(), 10 * kMs - 1'250'000);
  EXPECT_EQ(worker->record().late, 0);
  EXPECT_EQ(worker->record().unsent, 0);
}

TEST_F(LoadWorkerTest, AnOpenLoopCountsTheWaitForASlowServer) {
  CallBudget budget(0);
  server_.service_ns = 3 * kMs;
  const auto worker = Make(1, budget, 0, /*end_ns=*/12 * kMs);
  RunOpenLoop(*worker);
  // Due at 0, 1, 2 and 3 ms, answered at 3, 6, 9 and 12 ms; for those due at 4 to 11 it is too
  // late.
  EXPECT_THAT(server_.sent_at_ns, ElementsAre(0, 3 * kMs, 6 * kMs, 9 * kMs));
  const LoadRecord record = worker->record();
  EXPECT_EQ(record.latency.count(), 4);
  EXPECT_EQ(record.latency.min_ns(), 3 * kMs);
  EXPECT_EQ(record.latency.max_ns(), 9 * kMs);
  EXPECT_EQ(record.latency.mean_ns(), 6 * kMs);  // 3, 5, 7, 9: a closed loop would say 3
  EXPECT_EQ(record.late, 3);
  EXPECT_EQ(record.unsent, 8);
  EXPECT_EQ(server_.most_outstanding, 1u);
  EXPECT_EQ(idle_, 1);
}

TEST_F(LoadWorkerTest, AnOpenLoopThatCatchesUpIsLateForAWhileOnly) {
  CallBudget budget(40);
  server_.service_ns = kMs / 2;
  const auto worker = Make(2, budget);
  // The server stands still for 10 ms after its first answer.
  bool first = true;
  server_.on_answered = [this, &first] {
    if (first) server_.now_ns += 10 * kMs;
    first = false;
  };
  RunOpenLoop(*worker);
  while (!server_.outstanding.empty()) server_.AnswerNext();
  const LoadRecord record = worker->record();
  EXPECT_EQ(record.latency.count(), 40);
  EXPECT_EQ(record.unsent, 0);
  EXPECT_LE(record.late, 20);
  EXPECT_GE(record.latency.max_ns(), 9 * kMs);
  EXPECT_EQ(record.latency.min_ns(), kMs / 2);
}

TEST_F(LoadWorkerTest, WarmUpOfAnOpenLoopLeavesNoBacklog) {
  CallBudget budget(0);
  server_.service_ns = 2 * kMs;
  const auto worker = Make(1, budget, /*measure_from_ns=*/4 * kMs, /*end_ns=*/10 * kMs);
  RunOpenLoop(*worker);
  // Due at 0 and 1: warm-up. Those due at 2 and 3 find no slot before it is over. Then those due at
  // 4, 5 and 6; for the rest it is too late.
  EXPECT_THAT(server_.sent_at_ns, ElementsAre(0, 2 * kMs, 4 * kMs, 6 * kMs, 8 * kMs));
  const LoadRecord record = worker->record();
  EXPECT_EQ(record.latency.count(), 3);
  EXPECT_EQ(record.latency.min_ns(), 2 * kMs);
  EXPECT_EQ(record.latency.max_ns(), 4 * kMs);
  EXPECT_EQ(record.late, 2);
  EXPECT_EQ(record.unsent, 3);
  EXPECT_EQ(record.due(), 6);
}

TEST_F(LoadWorkerTest, PastItsCapacityAServersThroughputIsItsCapacity) {
  CallBudget budget(0);
  server_.service_ns = kMs;  // 1,000 a second, of 4,000
  const auto worker = Make(20, budget, /*measure_from_ns=*/100 * kMs, /*end_ns=*/300 * kMs);
  ArrivalSchedule schedule({.kind = Arrivals::kConstant, .rate = 4000});
  worker->RunOpenLoop(server_, schedule, /*start_ns=*/0, {});
  while (!server_.outstanding.empty()) server_.AnswerNext();
  const LoadRecord record = worker->record();
  EXPECT_EQ(record.completed, 200);  // of 200 ms, the warm-up's last 20 among them
  EXPECT_EQ(record.received_bytes, 200 * 7);
  EXPECT_EQ(record.due(), 800);
  EXPECT_NEAR(static_cast<double>(record.latency.count()), 200, 1);
  EXPECT_EQ(record.unsent, 800 - record.latency.count());
  // The last one sent was due when a quarter of the time had passed.
  EXPECT_NEAR(static_cast<double>(record.latency.max_ns()), 170.0 * kMs, 2.0 * kMs);
}

TEST_F(LoadWorkerTest, ASenderThatIsTooSlowIsNotTheServersFault) {
  CallBudget budget(0);
  const auto worker = Make(100, budget, 0, /*end_ns=*/20 * kMs);
  server_.send_ns = 4 * kMs;
  RunOpenLoop(*worker);
  while (!server_.outstanding.empty()) server_.Answer();
  const LoadRecord record = worker->record();
  // Sent at 0, 4, 8, 12 and 16 ms, of one every millisecond.
  EXPECT_EQ(record.latency.count(), 5);
  EXPECT_EQ(record.late, 0);
  EXPECT_EQ(record.tardy, 4);
  EXPECT_EQ(record.unsent, 15);
}

TEST_F(LoadWorkerTest, AStopEndsAnOpenLoopWithoutCallsNotSent) {
  CallBudget budget(0);
  server_.service_ns = 3 * kMs;
  const auto worker = Make(1, budget);
  std::stop_source stop;
  int answers = 0;
  server_.on_answered = [&] {
    if (++answers < 2) return;
    stop.request_stop();
    worker->StopSending(/*give_up=*/true);
  };
  RunOpenLoop(*worker, stop.get_token());
  EXPECT_EQ(server_.sent_at_ns.size(), 2u);
  EXPECT_EQ(worker->record().unsent, 0);
  EXPECT_EQ(idle_, 1);
}

TEST(CallBudget, IsUsedUpOnceOverAllThreads) {
  CallBudget budget(1000);
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (budget.Take()) ++taken;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 1000);
  CallBudget endless(0);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(endless.Take());
}

TEST(Arrivals, ConstantOnesDoNotDrift) {
  ArrivalSchedule schedule({.kind = Arrivals::kConstant, .rate = 3, .first_ns = 5});
  int64_t last = 0;
  for (int i = 0; i <= 3000; ++i) last = schedule.Next();
  EXPECT_EQ(last, 1'000'000'000'000 + 5);
}

TEST(Arrivals, PoissonOnesHaveTheRateAndTheSpreadOfExponentials) {
  ArrivalSchedule schedule({.kind = Arrivals::kPoisson, .rate = 1000, .seed = 3});
  constexpr int kCalls = 100'000;
  double sum = 0;
  double squares = 0;
  int64_t last = 0;
  for (int i = 0; i < kCalls; ++i) {
    const int64_t next = schedule.Next();
    ASSERT_GE(next, last);
    const auto distance = static_cast<double>(next - last);
    sum += distance;
    squares += distance * distance;
    last = next;
  }
  const double mean = sum / kCalls;
  EXPECT_NEAR(mean, 1e6, 1e4);
  EXPECT_NEAR(std::sqrt(squares / kCalls - mean * mean) / mean, 1, 0.02);
}

TEST(Arrivals, TheSeedFixesThem) {
  const auto first_three = [](uint64_t seed) {
    ArrivalSchedule schedule({.rate = 10, .seed = seed});
    return std::vector<int64_t>{schedule.Next(), schedule.Next(), schedule.Next()};
  };
  EXPECT_EQ(first_three(1), first_three(1));
  EXPECT_NE(first_three(1), first_three(2));
}

}  // namespace
}  // namespace mlp
