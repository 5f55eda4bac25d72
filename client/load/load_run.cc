#include "client/load/load_run.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include <absl/synchronization/mutex.h>
#include <grpcpp/grpcpp.h>

#include "client/channel.h"
#include "client/client.h"
#include "client/load/call_transport.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);
constexpr absl::Duration kDrainTimeout = absl::Seconds(10);
constexpr absl::Duration kTick = absl::Milliseconds(100);

absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const std::string& server) {
  ClientOptions options;
  options.server = server;
  std::shared_ptr<grpc::Channel> channel = MakeChannel(options);
  if (!channel->WaitForConnected(absl::ToChronoTime(absl::Now() + kConnectTimeout))) {
    return absl::UnavailableError("failed to connect to all addresses");
  }
  return channel;
}

// Part i of `total` in `parts` parts as equal as can be.
int Share(int total, int parts, int i) { return total / parts + (i < total % parts ? 1 : 0); }

class LoadRun {
 public:
  LoadRun(const LoadOptions& options, LoadClock& clock)
      : options_(options),
        clock_(clock),
        budget_(options.max_calls),
        running_(options.connections) {}

  absl::Status Connect() {
    for (int i = 0; i < options_.connections; ++i) {
      MLP_ASSIGN_OR_RETURN(channels_.emplace_back(), mlp::Connect(options_.server));
    }
    return absl::OkStatus();
  }

  LoadResult Run(const std::stop_token& stop,
                 const std::function<void(const LoadProgress&)>& on_progress) {
    start_ns_ = clock_.NowNs();
    measure_from_ns_ = start_ns_ + absl::ToInt64Nanoseconds(options_.warmup);
    end_ns_ = options_.duration == absl::InfiniteDuration()
                  ? INT64_MAX
                  : measure_from_ns_ + absl::ToInt64Nanoseconds(options_.duration);
    MakeWorkers();
    for (int i = 0; i < options_.connections; ++i) Begin(i, stop);
    const std::stop_callback stopped(stop, [this] { Wake(); });
    AwaitIdle(stop, end_ns_, on_progress);
    const int64_t sent_until_ns = clock_.NowNs();
    // Only a sender that waits for a slot does not know yet that the time is over.
    for (auto& worker : workers_) worker->StopSending(/*give_up=*/stop.stop_requested());
    const absl::Duration grace = options_.deadline == absl::InfiniteDuration()
                                     ? kDrainTimeout
                                     : options_.deadline + absl::Seconds(1);
    AwaitIdle(stop, sent_until_ns + absl::ToInt64Nanoseconds(grace), {});
    GiveUp();
    LoadResult result;
    result.interrupted = stop.stop_requested();
    for (const auto& worker : workers_) result.record.Merge(worker->record());
    int64_t until_ns = end_ns_;
    if (result.interrupted) {
      until_ns = std::min(until_ns, sent_until_ns);
    } else if (options_.max_calls > 0 || result.record.lost != absl::StatusCode::kOk) {
      until_ns = std::min(until_ns, result.record.last_answer_ns);
    }
    if (result.record.completed == 0 && result.record.latency.count() > 0) {
      // Calls that take longer than the measured time are a throughput too.
      result.record.completed = result.record.latency.count();
      until_ns = std::max(until_ns, result.record.last_answer_ns);
    }
    result.seconds = 1e-9 * static_cast<double>(std::max<int64_t>(0, until_ns - measure_from_ns_));
    return result;
  }

 private:
  void MakeWorkers() {
    WorkerOptions worker;
    for (const std::string& request : options_.requests) {
      worker.request_bytes.push_back(static_cast<int64_t>(request.size()));
    }
    worker.measure_from_ns = measure_from_ns_;
    worker.end_ns = end_ns_;
    worker.on_idle = [this] {
      absl::MutexLock lock(&mutex_);
      --running_;
    };
    for (int i = 0; i < options_.connections; ++i) {
      worker.slots = Share(options_.concurrency, options_.connections, i);
      workers_.push_back(std::make_unique<LoadWorker>(worker, budget_, clock_));
      TransportOptions transport = {
          .channel = channels_[static_cast<size_t>(i)],
          .slots = worker.slots,
          .requests = &options_.requests,
          .deadline = options_.deadline,
          .on_answer = [to = workers_.back().get()](const CallAnswer& answer) {
            to->OnAnswer(answer);
          }};
      transports_.push_back(options_.stream ? MakeStreamTransport(std::move(transport))
                                            : MakeUnaryTransport(std::move(transport)));
    }
  }

  void Begin(int i, const std::stop_token& stop) {
    LoadWorker& worker = *workers_[static_cast<size_t>(i)];
    CallTransport& transport = *transports_[static_cast<size_t>(i)];
    if (!options_.open_loop) {
      worker.StartClosedLoop(transport);
      return;
    }
    const ArrivalOptions arrivals = {.kind = options_.arrivals,
                                     .rate = options_.rate / options_.connections,
                                     .seed = options_.seed + static_cast<uint64_t>(i),
                                     .first_ns = static_cast<int64_t>(1e9 * i / options_.rate)};
    senders_.emplace_back([this, &worker, &transport, arrivals, stop] {
      ArrivalSchedule schedule(arrivals);
      worker.RunOpenLoop(transport, schedule, start_ns_, stop);
    });
  }

  void Wake() {
    absl::MutexLock lock(&mutex_);
    woken_ = true;
  }

  bool IdleOrWokenLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return woken_ || running_ == 0;
  }
  bool IdleLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return running_ == 0; }

  // Until no connection has anything to do, the clock reaches until_ns, or a stop.
  void AwaitIdle(const std::stop_token& stop, int64_t until_ns,
                 const std::function<void(const LoadProgress&)>& on_progress) {
    while (!stop.stop_requested()) {
      const int64_t now_ns = clock_.NowNs();
      if (now_ns >= until_ns) return;
      const absl::Duration wait = std::min(kTick, absl::Nanoseconds(until_ns - now_ns));
      {
        absl::MutexLock lock(&mutex_);
        if (mutex_.AwaitWithTimeout(absl::Condition(this, &LoadRun::IdleOrWokenLocked), wait)) {
          return;
        }
      }
      if (on_progress) on_progress(Progress());
    }
  }

  LoadProgress Progress() const {
    LoadProgress progress;
    const int64_t now_ns = clock_.NowNs();
    progress.warming_up = now_ns < measure_from_ns_;
    progress.elapsed_seconds =
        1e-9 * static_cast<double>(now_ns - (progress.warming_up ? start_ns_ : measure_from_ns_));
    for (const auto& worker : workers_) progress.answered += worker->answered();
    return progress;
  }

  // Ends what is still outstanding, all threads included.
  void GiveUp() {
    for (auto& worker : workers_) worker->StopSending(/*give_up=*/true);
    for (auto& transport : transports_) transport->Cancel();
    for (std::thread& sender : senders_) sender.join();
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &LoadRun::IdleLocked));
    }
    transports_.clear();
  }

  const LoadOptions& options_;
  LoadClock& clock_;
  CallBudget budget_;
  int64_t start_ns_ = 0;
  int64_t measure_from_ns_ = 0;
  int64_t end_ns_ = 0;
  absl::Mutex mutex_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  int running_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<std::unique_ptr<LoadWorker>> workers_;
  std::vector<std::unique_ptr<CallTransport>> transports_;
  std::vector<std::thread> senders_;
};

}  // namespace

absl::StatusOr<LoadResult> RunLoad(const LoadOptions& options, LoadClock& clock,
                                   const std::stop_token& stop,
                                   const std::function<void(const LoadProgress&)>& on_progress) {
  LoadRun run(options, clock);
  MLP_RETURN_IF_ERROR(run.Connect());
  return run.Run(stop, on_progress);
}

}  // namespace mlp
