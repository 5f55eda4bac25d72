// Serving as a whole, on a real mlpd: streams against unary calls, a wide network against its bare
// products and against the server without batching, Predict beside a training job, and memory over
// a million requests.
//   serving_bench MLPD [--quick]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <cblas.h>

#include "client/client.h"
#include "client/load/load_run.h"
#include "core/nn/initialization.h"
#include "tests/bench/bare_products.h"
#include "tests/bench/child_process.h"
#include "tests/bench/report.h"
#include "tests/bench/train_model.h"

namespace mlp::bench {
namespace {

const std::vector<int> kSmall = {400, 25, 10};
const std::vector<int> kWide = {784, 2500, 2000, 1500, 1000, 500, 10};
constexpr int kCallers = 64;

std::string OneRow(const std::string& model, int features) {
  v1::PredictRequest request;
  request.set_model(model);
  for (int j = 0; j < features; ++j) request.add_features(static_cast<float>(j * 7 % 251));
  return request.SerializeAsString();
}

struct Figures {
  double per_second;
  double p99_us;
};

Figures Measure(LoadOptions options) {
  const absl::StatusOr<LoadResult> result =
      RunLoad(options, LoadClock::System(), {}, [](const LoadProgress&) {});
  if (!result.ok() || !result->record.errors.empty() || result->record.unanswered > 0) {
    std::fprintf(stderr, "calls failed: %s\n",
                 result.ok() ? absl::StatusCodeToString(result->record.errors.empty()
                                                            ? absl::StatusCode::kUnknown
                                                            : result->record.errors.begin()->first)
                                   .c_str()
                             : std::string(result.status().message()).c_str());
    std::abort();
  }
  const LatencyHistogram& latency = result->record.latency;
  return {static_cast<double>(result->record.completed) / result->seconds,
          1e-3 * static_cast<double>(latency.QuantileNs(0.99))};
}

class ServingBench {
 public:
  ServingBench(std::string address, int pid, bool quick)
      : address_(std::move(address)), pid_(pid), quick_(quick), rounds_(quick ? 3 : 7) {}

  void Streams() {
    LoadOptions stream = Closed("small", kSmall.front());
    stream.stream = true;
    Compare("stream_predict/1_row_64_outstanding", stream, Closed("small", kSmall.front()), 2.0);
  }

  // Interleaved with the bare products, which are computed here: the server idles meanwhile.
  void Wide() {
    Topology topology{kWide.front(), {}};
    for (size_t l = 1; l < kWide.size(); ++l) {
      topology.layers.push_back({kWide[l], Activation::kSigmoid});
    }
    const Vector<float> theta = InitialParameters(topology, {}, 1).cast<float>();
    const std::vector<float> inputs(static_cast<size_t>(kCallers * kWide.front()), 0.5f);
    openblas_set_num_threads(1);
    ThreadPool pool({.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency())),
                     .idle_priority = false});
    BareProducts bare(topology, theta.data(), kCallers, pool);
    const LoadOptions load = Closed("wide", kWide.front());
    std::vector<double> ours, products;
    for (int round = 0; round < rounds_; ++round) {
      ours.push_back(Measure(load).per_second);
      products.push_back(std::max(Rate([&] { bare.DivideRows(inputs.data()); }),
                                  Rate([&] { bare.DivideUnits(inputs.data()); })));
    }
    Print({.bench = "wide/64_callers_1_row/against_bare_products",
           .ours = Median(ours),
           .against = Median(products),
           .unit = "rows/s",
           .budget = 0.8});

    ours.clear();
    std::vector<double> unbatched;
    for (int round = 0; round < rounds_; ++round) {
      ours.push_back(Measure(load).per_second);
      SetMaxBatchRows("wide", 1);
      unbatched.push_back(Measure(load).per_second);
      SetMaxBatchRows("wide", 0);
    }
    Print({.bench = "wide/64_callers_1_row/against_batching_off",
           .ours = Median(ours),
           .against = Median(unbatched),
           .unit = "rows/s",
           .budget = 8});
  }

  // The load generator that keeps to a schedule needs as much of the cores as the server: at a
  // quarter of the closed loop's rate both together keep them half busy.
  void BesideTraining() {
    LoadOptions half = Closed("small", kSmall.front());
    half.rate = Measure(half).per_second / 4;
    half.open_loop = true;
    half.concurrency = 1024;
    std::vector<double> idle, busy;
    for (int round = 0; round < rounds_; ++round) {
      idle.push_back(Measure(half).p99_us);
      const LongTraining training(address_, "long" + std::to_string(round));
      busy.push_back(Measure(half).p99_us);
    }
    Print({.bench = "beside_training/half_load/p99",
           .ours = Median(busy),
           .against = Median(idle),
           .unit = "us",
           .budget = 1.5,
           .higher_is_better = false});
  }

  // The resident set after many requests against after the first of them: at most 8 MiB more.
  void Memory() {
    LoadOptions load = Closed("small", kSmall.front());
    load.duration = absl::InfiniteDuration();
    load.max_calls = 20000;
    Measure(load);
    const double before = ResidentMiB();
    load.max_calls = quick_ ? 100000 : 1000000;
    Measure(load);
    Print({.bench = "memory/" + std::to_string(load.max_calls) + "_requests",
           .ours = ResidentMiB() - before,
           .against = 8,
           .unit = "MiB",
           .budget = 1,
           .higher_is_better = false});
  }

 private:
  LoadOptions Closed(const std::string& model, int features) const {
    LoadOptions options;
    options.server = address_;
    options.requests = {OneRow(model, features)};
    options.concurrency = kCallers;
    options.warmup = absl::Milliseconds(200);
    options.duration = quick_ ? absl::Milliseconds(500) : absl::Seconds(1);
    return options;
  }

  void Compare(const std::string& name, const LoadOptions& ours, const LoadOptions& against,
               double budget) {
    std::vector<double> our_rate, their_rate;
    for (int round = 0; round < rounds_; ++round) {
      our_rate.push_back(Measure(ours).per_second);
      their_rate.push_back(Measure(against).per_second);
    }
    Print({.bench = name,
           .ours = Median(our_rate),
           .against = Median(their_rate),
           .unit = "requests/s",
           .budget = budget});
  }

  // Rows a second of `products`, which are of kCallers rows.
  static double Rate(const std::function<void()>& products) {
    products();
    constexpr int kRepeats = 10;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kRepeats; ++i) products();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    return kRepeats * kCallers / elapsed.count();
  }

  void SetMaxBatchRows(const std::string& model, int rows) {
    v1::SetServingSettingsRequest request;
    request.set_model(model);
    request.mutable_settings()->set_max_batch_rows(rows);
    ClientOptions options;
    options.server = address_;
    if (Client(options).SetServingSettings(request).ok()) return;
    std::fprintf(stderr, "cannot set the serving settings\n");
    std::abort();
  }

  double ResidentMiB() const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
    double total = 0, resident = 0;
    file >> total >> resident;
    return resident * 4096 / (1 << 20);
  }

  const std::string address_;
  const int pid_;
  const bool quick_;
  const int rounds_;
};

int Run(const std::string& mlpd, bool quick) {
  const TemporaryFolder folder;
  const ChildProcess server({mlpd, "--data-dir", folder.path() + "/data", "--grpc-address",
                             "127.0.0.1:0", "--metrics-address", "", "--addresses-file",
                             folder.path() + "/mlpd"});
  const std::string address = WaitForAddress(folder.path() + "/mlpd", "grpc");
  TrainModel(address, "small", kSmall);
  TrainModel(address, "wide", kWide);
  ServingBench bench(address, server.pid(), quick);
  bench.Streams();
  bench.Wide();
  bench.BesideTraining();
  bench.Memory();
  return 0;
}

}  // namespace
}  // namespace mlp::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: serving_bench MLPD [--quick]\n");
    return 2;
  }
  return mlp::bench::Run(argv[1], argc > 2 && std::strcmp(argv[2], "--quick") == 0);
}
