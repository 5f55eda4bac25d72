// One epoch of mini-batch training, 60,000 x 784-800-10, batches of 128, SGD with momentum, on all
// cores, against PyTorch's: of digits, most of whose pixels are 0, and of their negatives, where
// none are to speak of (epoch_dense); those against the bare matrix products in it too.
//   epoch_bench PYTHON TORCH_SCRIPT [--quick] [--mnist DIR]
// Without MNIST's files the digits are made up, with as many zeros: the work is the same.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <cblas.h>

#include "core/base/random.h"
#include "core/data/examples.h"
#include "core/nn/initialization.h"
#include "core/train/mini_batch_step.h"
#include "tests/bench/bare_step.h"
#include "tests/bench/epoch_examples.h"
#include "tests/bench/piped_process.h"
#include "tests/bench/report.h"

namespace mlp::bench {
namespace {

constexpr int kFeatures = 784;
constexpr int kClasses = 10;
constexpr int64_t kBatch = 128;
constexpr double kRate = 0.1;
constexpr double kMomentum = 0.9;
// The peer's threads look for more work for a while, on the cores that ours are to have.
constexpr std::chrono::milliseconds kPeersThreadsSleep{200};
// Rows that are gathered at a time: they are still in the cache when they are used.
constexpr int64_t kRowsAhead = 8 * kBatch;

double Seconds(absl::FunctionRef<void()> body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TrainingConfig Config() {
  TrainingConfig config;
  config.topology = {kFeatures, {{800, Activation::kRelu}, {kClasses, Activation::kSoftmax}}};
  config.cost = CostKind::kSoftmaxCrossEntropy;
  config.initialization.kind = InitializationKind::kHe;
  config.optimizer.kind = OptimizerKind::kSgd;
  config.optimizer.batch_size = static_cast<int>(kBatch);
  config.optimizer.momentum = kMomentum;
  return config;
}

class Training {
 public:
  Training(const TrainingConfig& config, const Examples& examples, ThreadPool& pool)
      : examples_(examples), pool_(pool), step_(config, examples.features.rows(), pool) {
    state_ =
        step_.Start(InitialParameters(config.topology, config.initialization, 1).cast<float>());
    order_.resize(examples.labels.size());
    std::iota(order_.begin(), order_.end(), 0);
    inputs_.resize(kRowsAhead, kFeatures);
    labels_.resize(static_cast<size_t>(kRowsAhead));
  }

  // Returns the mean cost over the epoch's steps.
  double RunEpoch() {
    random_.Shuffle(order_);
    const auto rows = static_cast<int64_t>(order_.size());
    double cost = 0.0;
    for (int64_t row = 0; row < rows; row += kBatch) {
      if (row % kRowsAhead == 0) Gather(row, std::min(kRowsAhead, rows - row));
      const int64_t at = row % kRowsAhead;
      const auto count = static_cast<size_t>(std::min(kBatch, rows - row));
      cost +=
          step_
              .Run({.inputs = inputs_.data() + at * kFeatures,
                    .labels = absl::MakeConstSpan(labels_).subspan(static_cast<size_t>(at), count),
                    .weights = {}},
                   kRate, state_)
              .cost_sum;
    }
    return cost / static_cast<double>(rows);
  }

  const float* theta() const { return state_.theta.data(); }

 private:
  void Gather(int64_t first, int64_t rows) {
    constexpr int64_t kRowsPerTask = 16;
    pool_.ParallelFor(
        static_cast<int>((rows + kRowsPerTask - 1) / kRowsPerTask), [&](int task, int) {
          const int64_t end = std::min((task + 1) * kRowsPerTask, rows);
          for (int64_t i = task * kRowsPerTask; i < end; ++i) {
            const int64_t from = order_[static_cast<size_t>(first + i)];
            inputs_.row(i) = examples_.features.row(from);
            labels_[static_cast<size_t>(i)] = examples_.labels[static_cast<size_t>(from)];
          }
        });
  }

  const Examples& examples_;
  ThreadPool& pool_;
  MiniBatchStep step_;
  MiniBatchState state_;
  Random random_{1, 1};
  std::vector<int64_t> order_;
  MatrixF inputs_;
  std::vector<int32_t> labels_;
};

// The fastest of the ways to divide the products.
double BareSeconds(BareStep& bare, const Examples& examples) {
  double best = 1e9;
  for (const auto division :
       {BareStep::Division::kRows, BareStep::Division::kColumns, BareStep::Division::kOpenBlas}) {
    best =
        std::min(best, Seconds([&] {
                   for (int64_t row = 0; row < examples.features.rows(); row += kBatch) {
                     bare.Run(examples.features.data() + row * kFeatures,
                              std::min<int64_t>(kBatch, examples.features.rows() - row), division);
                   }
                 }));
  }
  return best;
}

// Epochs per second, one entry a round.
struct Speeds {
  std::vector<double> ours, torchs, products;
};

Speeds Measure(PipedProcess& torch, const Examples& examples, ThreadPool& pool, int rounds) {
  const TrainingConfig config = Config();
  Training training(config, examples, pool);
  BareStep bare(config.topology, training.theta(), kBatch, pool);
  Speeds speeds;
  for (int round = 0; round < rounds + 1; ++round) {
    double cost = 0.0;
    const double a = Seconds([&] { cost = training.RunEpoch(); });
    const double b = BareSeconds(bare, examples);
    const std::string answer = torch.Ask();
    std::this_thread::sleep_for(kPeersThreadsSleep);
    const double c = std::strtod(answer.c_str(), nullptr);
    std::fprintf(stderr, "ours %.3f s, J %.6f; products %.3f s; PyTorch's seconds and J: %s\n", a,
                 cost, b, answer.c_str());
    if (round == 0) continue;  // warm-up
    speeds.ours.push_back(1.0 / a);
    speeds.products.push_back(1.0 / b);
    speeds.torchs.push_back(1.0 / c);
  }
  return speeds;
}

struct BenchOptions {
  std::string python;
  std::string script;
  bool quick = false;
  std::string mnist;  // empty: made up
};

Speeds MeasureAgainstTorch(const BenchOptions& options, const Examples& examples,
                           ThreadPool& pool) {
  // OpenBLAS has threads of its own in PyTorch; those of OpenMP would spin in their way.
  PipedProcess torch({options.python, options.script, std::to_string(pool.threads()),
                      std::to_string(examples.features.rows()), std::to_string(kBatch),
                      "784-800-10", "relu", std::to_string(kRate), std::to_string(kMomentum)},
                     {"OMP_WAIT_POLICY=PASSIVE"});
  torch.Write(examples.features.data(),
              static_cast<size_t>(examples.features.size()) * sizeof(float));
  torch.Write(examples.labels.data(), examples.labels.size() * sizeof(int32_t));
  std::fprintf(stderr, "%s\nOpenBLAS's kernel: %s\n", torch.ReadLine().c_str(),
               openblas_get_corename());
  return Measure(torch, examples, pool, options.quick ? 3 : 9);
}

void PrintAgainst(const std::string& name, const Speeds& speeds, const std::vector<double>& against,
                  double budget) {
  Print({.bench = name,
         .ours = Median(speeds.ours),
         .against = Median(against),
         .unit = "epochs/s",
         .budget = budget});
}

int Run(const BenchOptions& options) {
  openblas_set_num_threads(1);
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const std::string shape = "/60000x784-800-10/" + std::to_string(cores) + "_threads/";
  ThreadPool pool({.threads = cores});
  Examples examples = options.mnist.empty() ? MadeUpDigits() : ReadMnist(options.mnist);
  const double zeros = (examples.features.array() == 0.0f).cast<double>().mean();
  std::fprintf(stderr, "digits, %.1f %% zeros\n", 100.0 * zeros);
  const Speeds sparse = MeasureAgainstTorch(options, examples, pool);
  PrintAgainst("epoch" + shape + "torch", sparse, sparse.torchs, /*budget=*/5.0);

  examples = NegativesOf(examples);
  std::fprintf(stderr, "their negatives\n");
  const Speeds dense = MeasureAgainstTorch(options, examples, pool);
  PrintAgainst("epoch_dense" + shape + "products", dense, dense.products, /*budget=*/0.75);
  PrintAgainst("epoch_dense" + shape + "torch", dense, dense.torchs, /*budget=*/0.0);
  return 0;
}

}  // namespace
}  // namespace mlp::bench

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: epoch_bench PYTHON TORCH_SCRIPT [--quick] [--mnist DIR]\n");
    return 2;
  }
  mlp::bench::BenchOptions options;
  options.python = argv[1];
  options.script = argv[2];
  for (int i = 3; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) options.quick = true;
    if (std::strcmp(argv[i], "--mnist") == 0 && i + 1 < argc) options.mnist = argv[++i];
  }
  return mlp::bench::Run(options);
}
