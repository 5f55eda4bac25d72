// Full-batch training of 3,500 handwritten digits by 400-25-10 (sigmoid hidden units, softmax
// output, lambda 1) on all cores: L-BFGS against scikit-learn's, nonlinear conjugate gradient
// against SciPy's.
//   fullbatch_bench PYTHON PEERS_FOLDER DIGIT_SHEET [--quick]
// Both sides begin at the same weights and minimize the same J. Held against each other are the
// time of an iteration, over as many iterations as scikit-learn makes by default, and the time
// until J is where the peer's iterations end.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <absl/strings/str_cat.h>
#include <cblas.h>

#include "client/readers/png_sheet.h"
#include "core/data/examples.h"
#include "core/nn/initialization.h"
#include "core/train/objective.h"
#include "core/train/trainer.h"
#include "tests/bench/piped_process.h"
#include "tests/bench/report.h"

namespace mlp::bench {
namespace {

constexpr int kPeerIterations = 200;
constexpr double kLambda = 1.0;
// Steps that SciPy's L-BFGS, which is scikit-learn's, remembers.
constexpr int kPeersHistory = 10;
constexpr std::chrono::milliseconds kPeersThreadsSleep{200};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "fullbatch_bench: %s\n", what.c_str());
  std::abort();
}

// Seven of every ten digits, scaled to [0, 1].
Dataset ReadDigits(const std::string& sheet) {
  const auto source = OpenPngSheet({.path = sheet, .cell = {20, 20}});
  if (!source.ok()) Fail(source.status().ToString());
  ExampleBlock block;
  const absl::Status read = (*source)->Read((*source)->header().rows(), block);
  if (!read.ok()) Fail(read.ToString());
  Dataset digits;
  digits.schema.features = 400;
  digits.schema.feature_type = FeatureType::kFloat32;
  for (int k = 0; k < 10; ++k) digits.schema.class_names.push_back(absl::StrCat(k));
  for (size_t row = 0; row < block.labels.size(); ++row) {
    if (row % 10 >= 7) continue;
    digits.labels.push_back(block.labels[row]);
    for (size_t j = 0; j < 400; ++j) {
      const float value =
          static_cast<float>(static_cast<uint8_t>(block.features[row * 400 + j])) / 255.0f;
      digits.features.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
  }
  return digits;
}

TrainingConfig Config(OptimizerKind optimizer) {
  TrainingConfig config;
  config.topology = {400, {{25, Activation::kSigmoid}, {10, Activation::kSoftmax}}};
  config.cost = CostKind::kSoftmaxCrossEntropy;
  config.lambda = kLambda;
  config.scaling = Scaling::kNone;
  config.optimizer.kind = optimizer;
  config.optimizer.lbfgs_history = kPeersHistory;
  config.stopping.cost_tolerance = 0.0;
  config.stopping.gradient_tolerance = 0.0;
  return config;
}

// Ends the training at the first iteration whose J is low enough, at the latest after so many.
class StopAt final : public ProgressObserver {
 public:
  StopAt(double cost, int iterations) : cost_(cost), most_iterations_(iterations) {}
  void OnProgress(const ProgressPoint& point) override {
    iterations_ = point.iteration;
    evaluations_ = point.cost_evaluations;
    if (point.cost <= cost_ || iterations_ >= most_iterations_) stop_.request_stop();
  }
  std::stop_token token() const { return stop_.get_token(); }
  int iterations() const { return iterations_; }
  int64_t evaluations() const { return evaluations_; }

 private:
  const double cost_;
  const int most_iterations_;
  std::stop_source stop_;
  int iterations_ = 0;
  int64_t evaluations_ = 0;
};

struct Run {
  double seconds = 0.0;
  int iterations = 0;
  int64_t evaluations = 0;
  Vector<double> theta;
};

class Comparison {
 public:
  Comparison(OptimizerKind optimizer, const Dataset& digits, ThreadPool& pool)
      : config_(Config(optimizer)), digits_(digits), pool_(pool) {
    for (int64_t row = 0; row < digits.rows(); ++row) split_.training.push_back(row);
    start_.scaler = FeatureScaler::Identity(digits.schema.features);
    start_.network = {.topology = config_.topology,
                      .parameters = InitialParameters(config_.topology, {}, 1).cast<float>()};
    examples_ = GatherExamples(digits, split_.training, start_.scaler);
  }

  void Against(const std::vector<std::string>& peer_command, const std::string& name, bool quick) {
    std::vector<std::string> command = peer_command;
    for (const std::string& argument :
         {absl::StrCat(digits_.rows()), TopologyName(config_.topology), absl::StrCat(kLambda),
          absl::StrCat(kPeerIterations)}) {
      command.push_back(argument);
    }
    PipedProcess peer(command, {"OMP_WAIT_POLICY=PASSIVE"});
    peer.Write(digits_.features.data(), digits_.features.size());
    peer.Write(digits_.labels.data(), digits_.labels.size() * sizeof(int32_t));
    const Vector<double> theta = start_.network.parameters.cast<double>();
    peer.Write(theta.data(), static_cast<size_t>(theta.size()) * sizeof(double));
    std::fprintf(stderr, "%s\n", peer.ReadLine().c_str());

    std::vector<double> ours_iteration, peers_iteration, ours_total, peers_total;
    const int rounds = quick ? 3 : 9;
    for (int round = 0; round < rounds + 1; ++round) {
      const Run theirs = RunPeer(peer);
      // Its threads look for more work for a while, on the cores that ours are to have.
      std::this_thread::sleep_for(kPeersThreadsSleep);
      const double target = Cost(theirs.theta);
      const Run same_iterations = Train(theirs.iterations, 0.0);
      const Run same_cost = Train(10 * theirs.iterations, target);
      const double reached = Cost(same_cost.theta);
      std::fprintf(
          stderr,
          "peer: %d iterations, %.4f s, J %.8f; ours: %d iterations, %ld evaluations, %.4f s, "
          "J %.8f; %d iterations, %.4f s to J %.8f\n",
          theirs.iterations, theirs.seconds, target, same_iterations.iterations,
          static_cast<long>(same_iterations.evaluations), same_iterations.seconds,
          Cost(same_iterations.theta), same_cost.iterations, same_cost.seconds, reached);
      // Within the float arithmetic that the training sees J through.
      if (!(reached <= target * (1.0 + 1e-5))) Fail("the peer's J was not reached");
      if (round == 0) continue;  // warm-up
      ours_iteration.push_back(same_iterations.iterations / same_iterations.seconds);
      peers_iteration.push_back(theirs.iterations / theirs.seconds);
      ours_total.push_back(same_cost.seconds);
      peers_total.push_back(theirs.seconds);
    }
    const std::string bench =
        absl::StrCat("fullbatch/3500x400-25-10/", pool_.threads(), "_threads/", name);
    Print({.bench = bench + "/iterations",
           .ours = Median(ours_iteration),
           .against = Median(peers_iteration),
           .unit = "iterations/s",
           .budget = 8.0});
    Print({.bench = bench + "/same_cost",
           .ours = 1.0 / Median(ours_total),
           .against = 1.0 / Median(peers_total),
           .unit = "trainings/s",
           .budget = 5.0});
  }

 private:
  // One training as a job runs it, but for the evaluation at its end, which the peers do not make
  // and a training that is stopped leaves out.
  Run Train(int iterations, double target_cost) {
    TrainingConfig config = config_;
    config.stopping.max_iterations = iterations + 1;
    StopAt observer(target_cost, iterations);
    const auto begin = std::chrono::steady_clock::now();
    const auto outcome = TrainOnSplit(digits_, split_, config,
                                      {.pool = pool_,
                                       .clock = Clock::System(),
                                       .stop = observer.token(),
                                       .observer = &observer,
                                       .start = &start_});
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    if (!outcome.ok()) Fail(outcome.status().ToString());
    return {.seconds = taken.count(),
            .iterations = observer.iterations(),
            .evaluations = observer.evaluations(),
            .theta = outcome->network.parameters.cast<double>()};
  }

  Run RunPeer(PipedProcess& peer) const {
    Run run;
    if (std::sscanf(peer.Ask().c_str(), "%lf %d", &run.seconds, &run.iterations) != 2) {
      Fail("the peer's answer was not understood");
    }
    run.theta.resize(start_.network.parameters.size());
    peer.Read(run.theta.data(), static_cast<size_t>(run.theta.size()) * sizeof(double));
    return run;
  }

  // J in double, whoever found Theta.
  double Cost(const Vector<double>& theta) {
    Objective<double> objective(config_.topology, config_.cost, kLambda, examples_, pool_);
    return objective.Evaluate(theta.data(), nullptr);
  }

  const TrainingConfig config_;
  const Dataset& digits_;
  ThreadPool& pool_;
  Split split_;
  WarmStart start_;
  Examples examples_;
};

int Main(const std::string& python, const std::string& peers, const std::string& sheet,
         bool quick) {
  openblas_set_num_threads(1);
  const Dataset digits = ReadDigits(sheet);
  ThreadPool pool({.threads = static_cast<int>(std::thread::hardware_concurrency())});
  Comparison(OptimizerKind::kLbfgs, digits, pool)
      .Against({python, peers + "/sklearn_lbfgs.py"}, "lbfgs_sklearn", quick);
  Comparison(OptimizerKind::kConjugateGradient, digits, pool)
      .Against({python, peers + "/scipy_cg.py"}, "conjugate_gradient_scipy", quick);
  return 0;
}

}  // namespace
}  // namespace mlp::bench

int main(int argc, char** argv) {
  const bool quick = argc == 5 && std::strcmp(argv[4], "--quick") == 0;
  if (argc != 4 && !quick) {
    std::fprintf(stderr, "usage: fullbatch_bench PYTHON PEERS_FOLDER DIGIT_SHEET [--quick]\n");
    return 2;
  }
  return mlp::bench::Main(argv[1], argv[2], argv[3], quick);
}
