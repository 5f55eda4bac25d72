#include "core/eval/evaluation.h"

#include <cassert>
#include <cmath>
#include <limits>

#include "core/eval/log_loss.h"
#include "core/eval/ratio.h"

namespace mlp {
namespace {

constexpr int kTopKs[] = {2, 3, 5};

// Orders a NaN below every number: comparisons with NaN itself are no order to sort by.
float Score(float output) {
  return std::isnan(output) ? -std::numeric_limits<float>::infinity() : output;
}

PrecisionRecall ScoresOf(int64_t true_positives, int64_t predicted, int64_t support) {
  // F1 = 2 P R / (P + R) = 2 TP / (2 TP + FP + FN), and predicted + support is that denominator.
  return {Ratio(true_positives, predicted), Ratio(true_positives, support),
          Ratio(2 * true_positives, predicted + support)};
}

// Classes that come before the label's by falling output.
int RankOf(absl::Span<const float> outputs, int32_t label) {
  const auto own = static_cast<size_t>(label);
  const float score = Score(outputs[own]);
  int rank = 0;
  for (size_t k = 0; k < outputs.size(); ++k) {
    rank += Score(outputs[k]) > score || (k < own && Score(outputs[k]) == score) ? 1 : 0;
  }
  return rank;
}

// What is read off example by example.
void AddExamples(const MatrixF& outputs, absl::Span<const int32_t> labels, size_t worst_examples,
                 Evaluation& evaluation) {
  const auto classes = static_cast<size_t>(outputs.cols());
  Calibration calibration;
  WorstExamples worst(worst_examples);
  std::vector<int64_t> in_top(std::size(kTopKs), 0);
  double log_loss = 0.0;
  for (size_t row = 0; row < labels.size(); ++row) {
    const auto of_row = absl::MakeConstSpan(
        outputs.data() + static_cast<Eigen::Index>(row) * outputs.cols(), classes);
    const int32_t label = labels[row];
    const int32_t prediction = PredictedLabel(of_row);
    ++evaluation.confusion[static_cast<size_t>(label) * classes + static_cast<size_t>(prediction)];
    const int rank = RankOf(of_row, label);
    for (size_t i = 0; i < in_top.size(); ++i) in_top[i] += rank < kTopKs[i] ? 1 : 0;
    log_loss += LogLoss(of_row, label);
    const float confidence = of_row[static_cast<size_t>(prediction)];
    calibration.Add(confidence, prediction == label);
    const float label_output = of_row[static_cast<size_t>(label)];
    worst.Add({.row = static_cast<int64_t>(row),
               .label = label,
               .prediction = prediction,
               .label_probability = std::isnan(label_output) ? 0.0f : label_output,
               .predicted_probability = std::isnan(confidence) ? 0.0f : confidence});
  }
  for (size_t i = 0; i < in_top.size(); ++i) {
    if (outputs.cols() <= kTopKs[i]) break;
    evaluation.top_k.push_back({kTopKs[i], Ratio(in_top[i], evaluation.examples)});
  }
  evaluation.log_loss = log_loss / static_cast<double>(evaluation.examples);
  evaluation.expected_calibration_error = calibration.ExpectedError();
  evaluation.reliability = calibration.Table();
  evaluation.worst = worst.Take();
}

// Accuracy, per-class, macro and micro scores from the finished confusion matrix.
void AddScores(Evaluation& evaluation) {
  const std::vector<int64_t>& confusion = evaluation.confusion;
  const size_t classes = evaluation.classes.size();
  int64_t correct = 0;
  for (size_t k = 0; k < classes; ++k) {
    ClassEvaluation& result = evaluation.classes[k];
    int64_t predicted = 0;
    for (size_t other = 0; other < classes; ++other) {
      result.support += confusion[k * classes + other];
      predicted += confusion[other * classes + k];
    }
    const int64_t true_positives = confusion[k * classes + k];
    correct += true_positives;
    result.scores = ScoresOf(true_positives, predicted, result.support);
    evaluation.macro.precision += result.scores.precision / static_cast<double>(classes);
    evaluation.macro.recall += result.scores.recall / static_cast<double>(classes);
    evaluation.macro.f1 += result.scores.f1 / static_cast<double>(classes);
  }
  evaluation.accuracy = Ratio(correct, evaluation.examples);
  // Every example is predicted once and has one label, so both sums over classes are N.
  evaluation.micro = ScoresOf(correct, evaluation.examples, evaluation.examples);
}

void AddRankings(const MatrixF& outputs, absl::Span<const int32_t> labels, size_t max_curve_points,
                 Evaluation& evaluation) {
  double sum = 0.0;
  int counted = 0;
  for (size_t k = 0; k < evaluation.classes.size(); ++k) {
    ClassRanking& ranking = evaluation.classes[k].ranking;
    ranking = RankClass(outputs, labels, static_cast<int32_t>(k), max_curve_points);
    sum += ranking.roc_auc.value_or(0.0);
    counted += ranking.roc_auc ? 1 : 0;
  }
  if (counted > 0) evaluation.macro_roc_auc = sum / counted;
}

}  // namespace

int PredictedLabel(absl::Span<const float> outputs) {
  assert(!outputs.empty());
  size_t best = 0;
  for (size_t k = 1; k < outputs.size(); ++k) {
    if (Score(outputs[k]) > Score(outputs[best])) best = k;
  }
  return static_cast<int>(best);
}

Evaluation Evaluate(const MatrixF& outputs, absl::Span<const int32_t> labels, double cross_entropy,
                    const EvaluationOptions& options) {
  assert(outputs.rows() >= 1 && outputs.rows() == static_cast<Eigen::Index>(labels.size()));
  const auto classes = static_cast<size_t>(outputs.cols());
  Evaluation evaluation;
  evaluation.examples = outputs.rows();
  evaluation.cross_entropy = cross_entropy;
  evaluation.confusion.assign(classes * classes, 0);
  evaluation.classes.resize(classes);
  AddExamples(outputs, labels, options.worst_examples, evaluation);
  AddScores(evaluation);
  AddRankings(outputs, labels, options.max_curve_points, evaluation);
  return evaluation;
}

}  // namespace mlp
