#include "tests/bench/training_peak.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <absl/strings/str_cat.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/train/row_blocks.h"
#include "core/train/trainer.h"
#include "core/train/training_memory.h"
#include "tests/bench/made_up_images.h"
#include "tests/bench/report.h"

namespace mlp::bench {
namespace {

constexpr int kRows = 60'000;
constexpr int kFeatures = 784;
constexpr int kThreads = 2;
constexpr double kMiB = 1 << 20;

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "training_bench: %s\n", what.c_str());
  std::abort();
}

struct TrainingCase {
  const char* name;
  OptimizerKind optimizer;
  int iterations;  // until all memory that it takes is taken
};

TrainingConfig Config(const TrainingCase& test) {
  TrainingConfig config;
  config.topology = {kFeatures, {{800, Activation::kRelu}, {10, Activation::kSoftmax}}};
  config.cost = CostKind::kSoftmaxCrossEntropy;
  config.initialization.kind = InitializationKind::kHe;
  config.lambda = 1.0;
  config.optimizer.kind = test.optimizer;
  config.optimizer.learning_rate = 0.01;
  config.stopping.max_iterations = test.iterations;
  config.stopping.cost_tolerance = 0.0;
  config.stopping.gradient_tolerance = 0.0;
  config.split = {.training = 0.8, .validation = 0.1, .test = 0.1};
  return config;
}

// One checkpoint, as soon as there can be one.
class OneCheckpoint final : public CheckpointSink {
 public:
  bool Due() override { return bytes_ == 0; }
  void Save(std::string bytes) override { bytes_ = bytes.size(); }

 private:
  size_t bytes_ = 0;
};

// "VmRSS" or "VmHWM" of this process in bytes.
double StatusBytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kibibytes = 0.0;
    if (word == field + ":" && status >> kibibytes) return 1024.0 * kibibytes;
  }
  Fail("no " + field + " in /proc/self/status");
}

// Bytes of the dataset and the training at their peak, above what the process has without them.
double PeakBytes(const TrainingCase& test) {
  ThreadPool pool({.threads = kThreads});
  malloc_trim(0);
  const double before = StatusBytes("VmRSS");
  const Dataset images = MadeUpImages(kRows, kFeatures);
  std::ofstream("/proc/self/clear_refs") << "5";  // VmHWM begins anew
  OneCheckpoint checkpoints;
  const auto outcome = Train(images, Config(test),
                             {.pool = pool, .clock = Clock::System(), .checkpoints = &checkpoints});
  if (!outcome.ok()) Fail(outcome.status().ToString());
  return StatusBytes("VmHWM") - before;
}

// PeakBytes in a process of its own: what one training leaves with the allocator is not the next
// one's.
double PeakBytesOfChild(const TrainingCase& test) {
  int ends[2];
  if (pipe(ends) != 0) Fail("no pipe");
  const pid_t child = fork();
  if (child < 0) Fail("no process");
  if (child == 0) {
    const double bytes = PeakBytes(test);
    _exit(write(ends[1], &bytes, sizeof(bytes)) == sizeof(bytes) ? 0 : 1);
  }
  close(ends[1]);
  double bytes = 0.0;
  if (read(ends[0], &bytes, sizeof(bytes)) != sizeof(bytes)) Fail("the training ended early");
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return bytes;
}

void MeasurePeak(const TrainingCase& test) {
  const TrainingConfig config = Config(test);
  DatasetSchema schema;
  schema.features = kFeatures;
  schema.feature_type = FeatureType::kUint8;
  int64_t units = 0;
  for (const LayerSpec& layer : config.topology.layers) units += layer.units;
  const double dataset = kRows * (static_cast<double>(schema.row_bytes()) + sizeof(int32_t));
  const double weights =
      static_cast<double>(ParameterCount(config.topology)) * static_cast<double>(sizeof(float));
  // Activations and their deltas.
  const double block = 2.0 * static_cast<double>(units) * sizeof(float) *
                       RowBlocks(config.topology, kRows).max_rows();
  const double budget = dataset + 4.0 * weights + kThreads * block + 64.0 * kMiB;
  const double peak = PeakBytesOfChild(test);
  std::fprintf(stderr,
               "%s: %.1f MiB at the peak; dataset %.1f, weights %.1f, block %.1f a thread: budget "
               "%.1f MiB\n",
               test.name, peak / kMiB, dataset / kMiB, weights / kMiB, block / kMiB, budget / kMiB);
  const std::string bench = absl::StrCat("training_memory/60000x784-800-10/", test.name);
  Print({.bench = bench + "/budget",
         .ours = peak,
         .against = budget,
         .unit = "bytes",
         .budget = 1.0,
         .higher_is_better = false});
  Print({.bench = bench + "/admitted",
         .ours = peak,
         .against = static_cast<double>(TrainingMemory(config, schema, kRows, kThreads)),
         .unit = "bytes",
         .budget = 1.0,
         .higher_is_better = false});
}

}  // namespace

void MeasurePeaks(bool quick) {
  MeasurePeak({"sgd", OptimizerKind::kSgd, 1});
  MeasurePeak({"adam", OptimizerKind::kAdam, 1});
  MeasurePeak({"adamw", OptimizerKind::kAdamW, 1});
  MeasurePeak({"conjugate_gradient", OptimizerKind::kConjugateGradient, quick ? 2 : 4});
  // More than the steps that it remembers.
  MeasurePeak({"lbfgs", OptimizerKind::kLbfgs, quick ? 5 : 22});
}

}  // namespace mlp::bench
