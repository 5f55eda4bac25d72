#include "tests/bench/training_scaling.h"

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>

#include "core/train/trainer.h"
#include "tests/bench/made_up_images.h"
#include "tests/bench/report.h"
#include "tests/bench/scaling_figure.h"
#include "tests/bench/straight_line.h"

namespace mlp::bench {
namespace {

constexpr int kFeatures = 400;
constexpr int kRows = 4000;
constexpr int kHidden = 100;
constexpr int kThreads = 2;
constexpr int kBatch = 128;

struct Case {
  double x = 0.0;  // what the series varies
  int64_t rows = kRows;
  std::vector<int> hidden = {kHidden};
  int threads = kThreads;
  std::vector<double> milliseconds = {};  // a round each
};

TrainingConfig Config(OptimizerKind optimizer, const Case& test, bool quick) {
  TrainingConfig config;
  config.topology.inputs = kFeatures;
  for (const int units : test.hidden) {
    config.topology.layers.push_back({units, Activation::kSigmoid});
  }
  config.topology.layers.push_back({10, Activation::kSoftmax});
  config.cost = CostKind::kSoftmaxCrossEntropy;
  config.lambda = 1.0;
  config.split = {.training = 1.0, .validation = 0.0, .test = 0.0};
  config.optimizer.kind = optimizer;
  config.optimizer.batch_size = kBatch;
  config.stopping.cost_tolerance = 0.0;
  config.stopping.gradient_tolerance = 0.0;
  config.stopping.max_iterations = OnMiniBatches(optimizer) ? 3 : (quick ? 10 : 20);
  return config;
}

// Milliseconds of an evaluation of J and its gradient with what L-BFGS makes of it, or of an epoch.
class IterationTime final : public ProgressObserver {
 public:
  explicit IterationTime(bool epochs) : epochs_(epochs) {}
  void OnProgress(const ProgressPoint& point) override {
    if (point.iteration == 0) first_ = point;
    last_ = point;
  }
  double milliseconds() const {
    const double iterations =
        epochs_ ? last_.iteration - first_.iteration
                : static_cast<double>(last_.cost_evaluations - first_.cost_evaluations);
    return 1e3 * (last_.elapsed_seconds - first_.elapsed_seconds) / iterations;
  }

 private:
  const bool epochs_;
  ProgressPoint first_;
  ProgressPoint last_;
};

double Milliseconds(OptimizerKind optimizer, const Case& test, bool quick) {
  const Dataset images = MadeUpImages(test.rows, kFeatures);
  ThreadPool pool({.threads = test.threads});
  IterationTime time(OnMiniBatches(optimizer));
  const auto outcome = Train(images, Config(optimizer, test, quick),
                             {.pool = pool, .clock = Clock::System(), .observer = &time});
  if (!outcome.ok()) {
    std::fprintf(stderr, "%s\n", outcome.status().ToString().c_str());
    std::abort();
  }
  return time.milliseconds();
}

void Measure(OptimizerKind optimizer, std::vector<Case>& cases, bool quick) {
  for (int round = 0; round < (quick ? 2 : 5); ++round) {
    for (Case& test : cases) test.milliseconds.push_back(Milliseconds(optimizer, test, quick));
  }
}

struct Axis {
  const char* name;
  std::vector<Case> cases;
};

std::vector<Axis> Axes() {
  Axis rows = {"rows", {}};
  for (const int count : {1000, 2000, 4000, 8000, 16000}) {
    rows.cases.push_back({.x = static_cast<double>(count), .rows = count});
  }
  Axis weights = {"weights", {}};
  for (const int units : {25, 50, 100, 200, 400}) {
    weights.cases.push_back(
        {.x = (kFeatures + 1.0) * units + 10.0 * (units + 1), .hidden = {units}});
  }
  Axis layers = {"layers", {}};
  for (int count = 1; count <= 4; ++count) {
    layers.cases.push_back({.x = static_cast<double>(count),
                            .hidden = std::vector<int>(static_cast<size_t>(count), kHidden)});
  }
  return {std::move(rows), std::move(weights), std::move(layers)};
}

Series MeasureSeries(OptimizerKind optimizer, Axis axis, bool quick) {
  Measure(optimizer, axis.cases, quick);
  const bool epochs = OnMiniBatches(optimizer);
  Series series = {.x_name = axis.name, .name = epochs ? "SGD, an epoch" : "L-BFGS, an evaluation"};
  for (const Case& test : axis.cases) series.points.push_back({test.x, Median(test.milliseconds)});
  const StraightLine line = FitStraightLine(series.points);
  const std::string bench =
      absl::StrCat("scaling/", axis.name, epochs ? "/sgd_epoch" : "/lbfgs_evaluation");
  for (const LinePoint& point : series.points) {
    Print({.bench = absl::StrCat(bench, "/", point.x),
           .ours = point.y,
           .against = line.At(point.x),
           .unit = "ms",
           .budget = 1.25,
           .higher_is_better = false});
  }
  Print({.bench = bench + "/r_squared",
         .ours = line.r_squared,
         .against = 1.0,
         .unit = "",
         .budget = 0.98});
  return series;
}

void MeasureThreads(OptimizerKind optimizer, bool quick) {
  std::vector<Case> cases = {{.x = 1, .threads = 1}, {.x = 2, .threads = 2}};
  Measure(optimizer, cases, quick);
  Print({.bench = OnMiniBatches(optimizer) ? "scaling/threads/sgd_epoch"
                                           : "scaling/threads/lbfgs_evaluation",
         .ours = 1.0 / Median(cases[1].milliseconds),
         .against = 1.0 / Median(cases[0].milliseconds),
         .unit = "1/ms",
         .budget = 1.6});
}

}  // namespace

bool MeasureScaling(bool quick, const std::string& plot) {
  std::vector<Series> all;
  for (const OptimizerKind optimizer : {OptimizerKind::kLbfgs, OptimizerKind::kSgd}) {
    for (Axis& axis : Axes()) all.push_back(MeasureSeries(optimizer, std::move(axis), quick));
    MeasureThreads(optimizer, quick);
  }
  return plot.empty() || DrawScaling(all, plot);
}

}  // namespace mlp::bench
