// What training costs as it grows, in time and in memory.
//   training_bench scaling [--plot FILE] [--quick]
//   training_bench memory [--quick]
#include <cstdio>
#include <cstring>
#include <string>

#include "tests/bench/training_peak.h"
#include "tests/bench/training_scaling.h"

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  bool quick = false;
  std::string plot;
  for (int i = 2; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) quick = true;
    if (std::strcmp(argv[i], "--plot") == 0 && i + 1 < argc) plot = argv[++i];
  }
  if (what == "scaling") return mlp::bench::MeasureScaling(quick, plot) ? 0 : 1;
  if (what == "memory") {
    mlp::bench::MeasurePeaks(quick);
    return 0;
  }
  std::fprintf(stderr, "usage: training_bench scaling [--plot FILE] | memory, then [--quick]\n");
  return 2;
}
