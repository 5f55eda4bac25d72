#include "core/eval/calibration.h"

#include <algorithm>
#include <cmath>

#include "core/eval/ratio.h"

namespace mlp {

void Calibration::Add(float confidence, bool correct) {
  const double limited = confidence > 0.0f ? std::min<double>(confidence, 1.0) : 0.0;
  // No float32 lies on an edge but 0 and 1, so the product's rounding moves none across.
  const int index = std::clamp(static_cast<int>(std::ceil(limited * kBins)) - 1, 0, kBins - 1);
  Bin& bin = bins_[static_cast<size_t>(index)];
  ++bin.examples;
  bin.correct += correct ? 1 : 0;
  bin.confidence += limited;
}

std::vector<ReliabilityBin> Calibration::Table() const {
  std::vector<ReliabilityBin> table;
  for (int b = 0; b < kBins; ++b) {
    const Bin& bin = bins_[static_cast<size_t>(b)];
    const double examples = static_cast<double>(std::max<int64_t>(bin.examples, 1));
    table.push_back({.lower = static_cast<double>(b) / kBins,
                     .upper = static_cast<double>(b + 1) / kBins,
                     .examples = bin.examples,
                     .mean_confidence = bin.confidence / examples,
                     .accuracy = Ratio(bin.correct, bin.examples)});
  }
  return table;
}

double Calibration::ExpectedError() const {
  double error = 0.0;
  int64_t examples = 0;
  for (const Bin& bin : bins_) {
    error += std::abs(static_cast<double>(bin.correct) - bin.confidence);
    examples += bin.examples;
  }
  return examples == 0 ? 0.0 : error / static_cast<double>(examples);
}

}  // namespace mlp
