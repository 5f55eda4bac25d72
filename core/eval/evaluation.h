// How well a network answers labelled examples.
//
// Accuracy, precision, recall and F1 from the confusion matrix; the precision-recall curve of class
// k takes output k as the score of "is class k". Definitions as in Manning, Raghavan and Schuetze,
// "Introduction to Information Retrieval", chapter 8; average precision is the sum over the curve
// of (R_n - R_{n-1}) * P_n, without interpolation.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/types/span.h>

#include "core/base/matrix.h"

namespace mlp {

// 0 where a denominator is 0.
struct PrecisionRecall {
  double precision = 0.0;
  double recall = 0.0;
  double f1 = 0.0;
};

struct PrecisionRecallPoint {
  double threshold = 0.0;  // positive where the output is >= this
  double precision = 0.0;
  double recall = 0.0;
};

struct ClassEvaluation {
  int64_t support = 0;
  PrecisionRecall scores;
  double average_precision = 0.0;
  // One point a distinct output, by falling threshold; thinned where all curves together would have
  // over 2^20 points, but never to less than 200 (the average precision is of the full curve).
  std::vector<PrecisionRecallPoint> curve;
};

struct Evaluation {
  int64_t examples = 0;
  double accuracy = 0.0;
  double cross_entropy = 0.0;      // mean over examples, without regularization
  std::vector<int64_t> confusion;  // [K x K] row-major: row = label, column = prediction
  std::vector<ClassEvaluation> classes;
  PrecisionRecall macro;  // unweighted mean over classes
  PrecisionRecall micro;  // from summed counts
};

// The class with the largest output; the lowest one of several equal. A NaN counts as minus
// infinity here and in Evaluate. `outputs` is not empty.
int PredictedLabel(absl::Span<const float> outputs);

// `outputs` [N x K] as the network gives them, labels [N] in [0, K), N >= 1. `cross_entropy` is
// passed through, for it is computed from logits where the network is run.
Evaluation Evaluate(const MatrixF& outputs, absl::Span<const int32_t> labels, double cross_entropy);

// At most `max_points` points of `curve`, evenly by index, the first and last one kept (the first
// alone where max_points is 1).
std::vector<PrecisionRecallPoint> ThinCurve(const std::vector<PrecisionRecallPoint>& curve,
                                            size_t max_points);

}  // namespace mlp
