// What every benchmark prints: one JSON object a line, a ratio of two sides measured in one run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace mlp::bench {

// The middle value; of an even number the lower one of the two.
inline double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Result {
  std::string bench;
  double ours = 0.0;
  double against = 0.0;
  std::string unit;
  double budget = 0.0;
  bool higher_is_better = true;
};

// ratio = ours / against, held against the budget.
inline void Print(const Result& result) {
  const double ratio = result.ours / result.against;
  const bool ok = result.higher_is_better ? ratio >= result.budget : ratio <= result.budget;
  std::printf(
      "{\"bench\": \"%s\", \"ratio\": %.4g, \"budget\": %.4g, \"better\": \"%s\", \"ok\": %s, "
      "\"ours\": %.6g, \"against\": %.6g, \"unit\": \"%s\"}\n",
      result.bench.c_str(), ratio, result.budget, result.higher_is_better ? "higher" : "lower",
      ok ? "true" : "false", result.ours, result.against, result.unit.c_str());
  std::fflush(stdout);
}

}  // namespace mlp::bench
