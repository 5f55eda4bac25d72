// Forward propagation alone, in rows/s: on one thread against the best of OpenBLAS and Eigen called
// by hand on the same shape; of a large network on all cores against the bare products of it.
//   forward_bench [--quick]
#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <cblas.h>

#include "core/nn/forward_propagation.h"
#include "core/nn/initialization.h"
#include "core/nn/parallel_forward.h"
#include "core/nn/vector_math.h"
#include "tests/bench/bare_products.h"
#include "tests/bench/eigen_layer.h"
#include "tests/bench/report.h"

namespace mlp::bench {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(const std::function<void()>& body, int repeats) {
  const auto start = Clock::now();
  for (int i = 0; i < repeats; ++i) body();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The median rows/s of each of `sides`, measured in turns.
std::vector<double> Compare(const std::vector<std::function<void()>>& sides, int64_t rows,
                            int rounds, double round_seconds) {
  std::vector<int> repeats;
  for (const auto& side : sides) {
    side();  // warm-up
    repeats.push_back(std::max(1, static_cast<int>(round_seconds / Seconds(side, 1))));
  }
  std::vector<std::vector<double>> rates(sides.size());
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < sides.size(); ++i) {
      rates[i].push_back(static_cast<double>(rows) * repeats[i] / Seconds(sides[i], repeats[i]));
    }
  }
  std::vector<double> medians;
  for (const std::vector<double>& side : rates) medians.push_back(Median(side));
  return medians;
}

std::vector<float> MadeUp(int64_t count) {
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<float>((i * 31 + i / 7) % 251) / 251.0f);
  }
  return values;
}

Topology SigmoidTopology(const std::vector<int>& units) {
  Topology topology{.inputs = units.front(), .layers = {}};
  for (size_t l = 1; l < units.size(); ++l) topology.layers.push_back({.units = units[l]});
  return topology;
}

// The same network by hand: a function for the weighted sums, and our own sigmoid.
class ByHand {
 public:
  using Sums = void (*)(const float* weights, const float* biases, int64_t units, int64_t features,
                        const float* inputs, int64_t rows, float* sums);

  ByHand(const Topology& topology, const float* theta, int64_t rows)
      : layout_(topology), theta_(theta) {
    for (const LayerSpec& layer : topology.layers) {
      values_.emplace_back(static_cast<size_t>(rows * layer.units));
    }
  }

  void Run(Sums sums, const float* inputs, int64_t rows) {
    const float* below = inputs;
    for (size_t l = 0; l < values_.size(); ++l) {
      const ParameterLayout::Layer& layer = layout_.layers[l];
      float* values = values_[l].data();
      sums(theta_ + layer.weights, theta_ + layer.biases, layer.outputs, layer.inputs, below, rows,
           values);
      VectorSigmoid(values, rows * layer.outputs);
      below = values;
    }
  }

 private:
  const ParameterLayout layout_;
  const float* const theta_;
  std::vector<std::vector<float>> values_;
};

void OpenBlasSums(const float* weights, const float* biases, int64_t units, int64_t features,
                  const float* inputs, int64_t rows, float* sums) {
  const auto m = static_cast<blasint>(rows);
  const auto n = static_cast<blasint>(units);
  const auto k = static_cast<blasint>(features);
  for (int64_t i = 0; i < rows; ++i) std::copy_n(biases, units, sums + i * units);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, inputs, k, weights, k, 1, sums,
              n);
}

void OpenBlasVectorSums(const float* weights, const float* biases, int64_t units, int64_t features,
                        const float* inputs, int64_t rows, float* sums) {
  const auto n = static_cast<blasint>(units);
  const auto k = static_cast<blasint>(features);
  for (int64_t i = 0; i < rows; ++i) {
    std::copy_n(biases, units, sums + i * units);
    cblas_sgemv(CblasRowMajor, CblasNoTrans, n, k, 1, weights, k, inputs + i * k, 1, 1,
                sums + i * n, 1);
  }
}

void CompareOneThread(const std::vector<int>& units, bool quick) {
  const Topology topology = SigmoidTopology(units);
  const Vector<float> theta = InitialParameters(topology, {}, 1).cast<float>();
  const ForwardPropagation propagation(topology, theta.data());
  for (const int64_t rows : {1, 8, 64, 512, 4096}) {
    const std::vector<float> inputs = MadeUp(rows * topology.inputs);
    std::vector<float> outputs(static_cast<size_t>(rows * topology.outputs()));
    PropagationScratch scratch;
    ByHand by_hand(topology, theta.data(), rows);
    const std::vector<double> rates =
        Compare({[&] { propagation.Run(inputs.data(), rows, outputs.data(), scratch); },
                 [&] { by_hand.Run(OpenBlasSums, inputs.data(), rows); },
                 [&] { by_hand.Run(OpenBlasVectorSums, inputs.data(), rows); },
                 [&] { by_hand.Run(EigenWeightedSums, inputs.data(), rows); }},
                rows, quick ? 7 : 31, quick ? 0.004 : 0.01);
    Print({.bench = "forward/" + TopologyName(topology) + "/" + std::to_string(rows) + "_rows",
           .ours = rates[0],
           .against = *std::max_element(rates.begin() + 1, rates.end()),
           .unit = "rows/s",
           .budget = 0.9});
  }
}

void CompareAllCores(const std::vector<int>& units, int64_t rows, bool quick) {
  const Topology topology = SigmoidTopology(units);
  const Vector<float> theta = InitialParameters(topology, {}, 1).cast<float>();
  const ForwardPropagation propagation(topology, theta.data());
  const std::vector<float> inputs = MadeUp(rows * topology.inputs);
  std::vector<float> outputs(static_cast<size_t>(rows * topology.outputs()));
  PropagationScratch scratch;
  ThreadPool pool({.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency())),
                   .idle_priority = false});
  BareProducts bare(topology, theta.data(), rows, pool);
  const int rounds = quick ? 7 : 31;
  std::vector<double> rates = Compare(
      {[&] { ParallelForward(propagation, inputs.data(), rows, outputs.data(), pool, scratch); },
       [&] { bare.DivideRows(inputs.data()); }, [&] { bare.DivideUnits(inputs.data()); }},
      rows, rounds, 0.03);
  // Last and by itself: OpenBLAS's threads go on spinning for a while after their work.
  rates.push_back(Compare({[&] { bare.LetOpenBlas(inputs.data()); }}, rows, rounds, 0.03).front());
  Print({.bench =
             "forward/" + TopologyName(topology) + "/" + std::to_string(rows) + "_rows_all_cores",
         .ours = rates[0],
         .against = *std::max_element(rates.begin() + 1, rates.end()),
         .unit = "rows/s",
         .budget = 0.8});
}

int Run(bool quick) {
  openblas_set_num_threads(1);
  CompareOneThread({400, 25, 10}, quick);
  CompareOneThread({784, 800, 10}, quick);
  CompareAllCores({784, 2500, 2000, 1500, 1000, 500, 10}, 64, quick);
  return 0;
}

}  // namespace
}  // namespace mlp::bench

int main(int argc, char** argv) {
  return mlp::bench::Run(argc > 1 && std::strcmp(argv[1], "--quick") == 0);
}
