// How well a network answers labelled examples.
//
// Accuracy, precision, recall and F1 from the confusion matrix (Manning, Raghavan and Schuetze,
// "Introduction to Information Retrieval", chapter 8); what thresholds on the outputs give
// (class_ranking.h); whether the outputs are honest (calibration.h, log_loss.h); which examples are
// worst (worst_examples.h). All but the log-loss takes the outputs as Predict replies them. A NaN
// counts as less than every number.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <absl/types/span.h>

#include "core/base/matrix.h"
#include "core/eval/calibration.h"
#include "core/eval/class_ranking.h"
#include "core/eval/worst_examples.h"

namespace mlp {

// 0 where a denominator is 0.
struct PrecisionRecall {
  double precision = 0.0;
  double recall = 0.0;
  double f1 = 0.0;
};

struct ClassEvaluation {
  int64_t support = 0;
  PrecisionRecall scores;
  ClassRanking ranking;
};

struct TopKAccuracy {
  int k = 0;
  double accuracy = 0.0;
};

struct Evaluation {
  int64_t examples = 0;
  double accuracy = 0.0;
  // How often the label is among the k largest outputs (of equal ones the lower class is first): k
  // = 2, 3 and 5, where there are more classes than that.
  std::vector<TopKAccuracy> top_k;
  double cross_entropy = 0.0;  // mean over examples, without regularization
  double log_loss = 0.0;       // mean over examples
  double expected_calibration_error = 0.0;
  std::vector<ReliabilityBin> reliability;
  std::vector<int64_t> confusion;  // [K x K] row-major: row = label, column = prediction
  std::vector<ClassEvaluation> classes;
  PrecisionRecall macro;  // unweighted mean over classes
  PrecisionRecall micro;  // from summed counts
  // Unweighted mean over the classes that have one.
  std::optional<double> macro_roc_auc;
  std::vector<WorstExample> worst;  // the worst first
};

struct EvaluationOptions {
  // Points of each class's curve at most; 0 leaves the curves out, otherwise 2 or more.
  size_t max_curve_points = 0;
  size_t worst_examples = 5;
};

// The class with the largest output; the lowest one of several equal. `outputs` is not empty.
int PredictedLabel(absl::Span<const float> outputs);

// `outputs` [N x K] as the network gives them, labels [N] in [0, K), N >= 1. `cross_entropy` is
// passed through, for it is computed from logits where the network is run. WorstExample::row is the
// row of `outputs`. O(N K log N).
Evaluation Evaluate(const MatrixF& outputs, absl::Span<const int32_t> labels, double cross_entropy,
                    const EvaluationOptions& options = {});

}  // namespace mlp
