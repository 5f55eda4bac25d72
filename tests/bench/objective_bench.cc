// One evaluation of cost and gradient, 3,500 x 400-25-10, against the bare matrix products in it on
// the same threads; and the time of one L-BFGS iteration around it.
//   objective_bench [--quick]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <cblas.h>

#include "core/nn/initialization.h"
#include "core/optim/optimizer.h"
#include "core/train/objective.h"
#include "tests/bench/report.h"

namespace mlp::bench {
namespace {

constexpr int kRows = 3500;
constexpr int kFeatures = 400;
constexpr int kHidden = 25;
constexpr int kClasses = 10;

double Seconds(absl::FunctionRef<void()> body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Examples MadeUpDigits() {
  Examples examples;
  examples.features.resize(kRows, kFeatures);
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kFeatures; ++j) {
      examples.features(i, j) = static_cast<float>((i * 31 + j * 7 + i * j % 13) % 251) / 251.0f;
    }
    examples.labels.push_back(i % kClasses);
  }
  return examples;
}

// The products of one evaluation, cut into as many row blocks as there are threads.
class BareProducts {
 public:
  explicit BareProducts(const Examples& examples)
      : x_(examples.features),
        w1_(MatrixF::Random(kHidden, kFeatures)),
        w2_(MatrixF::Random(kClasses, kHidden)),
        h_(kRows, kHidden),
        z_(kRows, kClasses) {}

  void Run(ThreadPool& pool) {
    const int threads = pool.threads();
    gradients_.resize(static_cast<size_t>(threads));
    pool.ParallelFor(threads, [&](int index, int) {
      const int begin = kRows * index / threads;
      const int n = kRows * (index + 1) / threads - begin;
      const float* x = x_.data() + begin * kFeatures;
      float* h = h_.data() + begin * kHidden;
      float* z = z_.data() + begin * kClasses;
      std::vector<float>& gradient = gradients_[static_cast<size_t>(index)];
      gradient.resize(kHidden * kFeatures + kClasses * kHidden);
      constexpr auto kR = CblasRowMajor;
      constexpr auto kN = CblasNoTrans;
      constexpr auto kT = CblasTrans;
      cblas_sgemm(kR, kN, kT, n, kHidden, kFeatures, 1, x, kFeatures, w1_.data(), kFeatures, 0, h,
                  kHidden);
      cblas_sgemm(kR, kN, kT, n, kClasses, kHidden, 1, h, kHidden, w2_.data(), kHidden, 0, z,
                  kClasses);
      cblas_sgemm(kR, kT, kN, kClasses, kHidden, n, 1, z, kClasses, h, kHidden, 0,
                  gradient.data() + kHidden * kFeatures, kHidden);
      cblas_sgemm(kR, kN, kN, n, kHidden, kClasses, 1, z, kClasses, w2_.data(), kHidden, 0, h,
                  kHidden);
      cblas_sgemm(kR, kT, kN, kHidden, kFeatures, n, 1, h, kHidden, x, kFeatures, 0,
                  gradient.data(), kFeatures);
    });
  }

 private:
  const MatrixF& x_;
  MatrixF w1_, w2_, h_, z_;
  std::vector<std::vector<float>> gradients_;
};

int Run(bool quick) {
  openblas_set_num_threads(1);
  const Topology topology{kFeatures,
                          {{kHidden, Activation::kSigmoid}, {kClasses, Activation::kSigmoid}}};
  const Examples examples = MadeUpDigits();
  const Vector<double> theta = InitialParameters(topology, {}, 1);
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const int rounds = quick ? 5 : 31;

  for (const int threads : {1, cores}) {
    ThreadPool pool({.threads = threads, .idle_priority = false});
    Objective<float> objective(topology, CostKind::kSigmoidCrossEntropy, 1.0, examples, pool);
    BareProducts bare(examples);
    Vector<double> gradient(objective.size());
    std::vector<double> ours, against;
    for (int round = 0; round < rounds + 2; ++round) {
      constexpr int kRepeats = 20;
      const double a = Seconds([&] {
        for (int i = 0; i < kRepeats; ++i) objective.Evaluate(theta.data(), gradient.data());
      });
      const double b = Seconds([&] {
        for (int i = 0; i < kRepeats; ++i) bare.Run(pool);
      });
      if (round < 2) continue;  // warm-up
      ours.push_back(1e3 * a / kRepeats);
      against.push_back(1e3 * b / kRepeats);
    }
    Print({.bench = "objective/3500x400-25-10/" + std::to_string(threads) + "_threads",
           .ours = Median(ours),
           .against = Median(against),
           .unit = "ms",
           .budget = 1.5,
           .higher_is_better = false});

    std::vector<double> iteration, evaluation;
    for (int round = 0; round < (quick ? 1 : 5); ++round) {
      const auto optimizer = MakeOptimizer({}, Clock::System());
      StoppingOptions stopping;
      stopping.max_iterations = 100;
      stopping.cost_tolerance = 1e-12;
      OptimizerResult result;
      const double seconds = Seconds([&] {
        result = optimizer->Minimize(objective, {.theta = theta}, stopping, {}, nullptr);
      });
      iteration.push_back(1e3 * seconds / std::max(1, result.iterations));
      evaluation.push_back(Median(ours) * static_cast<double>(result.cost_evaluations) /
                           std::max(1, result.iterations));
    }
    Print({.bench = "lbfgs_iteration/3500x400-25-10/" + std::to_string(threads) + "_threads",
           .ours = Median(iteration),
           .against = Median(evaluation),
           .unit = "ms",
           .budget = 1.5,
           .higher_is_better = false});
    if (cores == 1) break;
  }
  return 0;
}

}  // namespace
}  // namespace mlp::bench

int main(int argc, char** argv) {
  return mlp::bench::Run(argc > 1 && std::strcmp(argv[1], "--quick") == 0);
}
