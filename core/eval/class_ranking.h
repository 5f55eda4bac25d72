// How well one output tells its class from the others, at every threshold: the sweep behind the
// precision-recall curve, the ROC curve and the areas under them.
//
// A threshold is a cut-off for Predict's outputs: an example counts as positive where its output,
// a float32, is >= it. A NaN is >= nothing, so no threshold counts it as positive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <absl/types/span.h>

#include "core/base/matrix.h"

namespace mlp {

// What one threshold gives. A rate is 0 where its denominator is 0.
struct OperatingPoint {
  float threshold = 0.0f;            // an output of at least one example
  double precision = 0.0;            // TP / (TP + FP)
  double recall = 0.0;               // TP / (TP + FN): the ROC curve's y
  double false_positive_rate = 0.0;  // FP / (FP + TN): its x
};

struct ClassRanking {
  // Sum over all thresholds, falling, of (R_n - R_{n-1}) * P_n, without interpolation (Manning,
  // Raghavan and Schuetze, "Introduction to Information Retrieval", 8.4); 0 without positives.
  double average_precision = 0.0;
  // The share of pairs of a positive and a negative that the outputs order rightly, ties counted by
  // half (Mann-Whitney U; Fawcett, "An introduction to ROC analysis", 2006). A NaN is below every
  // number here. Unset without positives or without negatives.
  std::optional<double> roc_auc;
  // The largest F1 of all thresholds and the highest threshold that gives it; unset, and 0, where
  // no threshold finds a positive.
  std::optional<float> best_f1_threshold;
  double best_f1 = 0.0;
  // By falling threshold: a point for each distinct output, or some of them, chosen so that both
  // curves keep their shape; always the first and the last.
  std::vector<OperatingPoint> curve;
};

// Ranks by outputs(_, k) what is positive where labels[i] == k. outputs [N x K], labels [N]. At
// most `max_curve_points` of the curve: 0 for none of it, otherwise 2 or more. Sorts once: O(N log
// N) time, 8 N bytes.
ClassRanking RankClass(const MatrixF& outputs, absl::Span<const int32_t> labels, int32_t k,
                       size_t max_curve_points);

}  // namespace mlp
