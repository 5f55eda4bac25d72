#include "core/eval/evaluation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace mlp {
namespace {

// Points kept of the curves of all classes together, and at least of each: a curve has up to one
// point an example, which for thousands of classes would be gigabytes that nobody looks at.
constexpr size_t kMaxPoints = size_t{1} << 20;
constexpr size_t kMinPointsPerCurve = 200;

// Orders a NaN below every number: comparisons with NaN itself are no order to sort by.
float Score(float output) {
  return std::isnan(output) ? -std::numeric_limits<float>::infinity() : output;
}

double Ratio(int64_t numerator, int64_t denominator) {
  return denominator == 0 ? 0.0 : static_cast<double>(numerator) / static_cast<double>(denominator);
}

PrecisionRecall ScoresOf(int64_t true_positives, int64_t predicted, int64_t support) {
  // F1 = 2 P R / (P + R) = 2 TP / (2 TP + FP + FN), and predicted + support is that denominator.
  return {Ratio(true_positives, predicted), Ratio(true_positives, support),
          Ratio(2 * true_positives, predicted + support)};
}

struct ScoredExample {
  float score;
  bool positive;
};

// Lowers the threshold from output to output, all examples of one output at a time.
void AddCurve(std::vector<ScoredExample>& examples, size_t max_points, ClassEvaluation& result) {
  std::sort(examples.begin(), examples.end(),
            [](const ScoredExample& a, const ScoredExample& b) { return a.score > b.score; });
  std::vector<PrecisionRecallPoint> curve;
  int64_t true_positives = 0;
  double recall = 0.0;
  for (size_t i = 0; i < examples.size();) {
    const float threshold = examples[i].score;
    for (; i < examples.size() && examples[i].score == threshold; ++i) {
      true_positives += examples[i].positive ? 1 : 0;
    }
    const double precision = Ratio(true_positives, static_cast<int64_t>(i));
    const double previous_recall = recall;
    recall = Ratio(true_positives, result.support);
    result.average_precision += (recall - previous_recall) * precision;
    curve.push_back({threshold, precision, recall});
  }
  result.curve = curve.size() > max_points ? ThinCurve(curve, max_points) : std::move(curve);
}

// Accuracy, per-class, macro and micro scores from the finished confusion matrix.
void AddScores(int64_t classes, Evaluation& evaluation) {
  const std::vector<int64_t>& confusion = evaluation.confusion;
  int64_t correct = 0;
  for (int64_t k = 0; k < classes; ++k) {
    ClassEvaluation& result = evaluation.classes[static_cast<size_t>(k)];
    int64_t predicted = 0;
    for (int64_t other = 0; other < classes; ++other) {
      result.support += confusion[static_cast<size_t>(k * classes + other)];
      predicted += confusion[static_cast<size_t>(other * classes + k)];
    }
    const int64_t true_positives = confusion[static_cast<size_t>(k * classes + k)];
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

}  // namespace

int PredictedLabel(absl::Span<const float> outputs) {
  assert(!outputs.empty());
  size_t best = 0;
  for (size_t k = 1; k < outputs.size(); ++k) {
    if (Score(outputs[k]) > Score(outputs[best])) best = k;
  }
  return static_cast<int>(best);
}

Evaluation Evaluate(const MatrixF& outputs, absl::Span<const int32_t> labels,
                    double cross_entropy) {
  assert(outputs.rows() >= 1 && outputs.rows() == static_cast<Eigen::Index>(labels.size()));
  const int64_t rows = outputs.rows();
  const int64_t classes = outputs.cols();

  Evaluation evaluation;
  evaluation.examples = rows;
  evaluation.cross_entropy = cross_entropy;
  evaluation.confusion.assign(static_cast<size_t>(classes * classes), 0);
  evaluation.classes.resize(static_cast<size_t>(classes));
  for (int64_t row = 0; row < rows; ++row) {
    const int predicted =
        PredictedLabel(absl::MakeConstSpan(outputs.row(row).data(), static_cast<size_t>(classes)));
    const int64_t label = labels[static_cast<size_t>(row)];
    ++evaluation.confusion[static_cast<size_t>(label * classes + predicted)];
  }
  AddScores(classes, evaluation);

  const size_t max_points = std::max(kMinPointsPerCurve, kMaxPoints / static_cast<size_t>(classes));
  std::vector<ScoredExample> examples(labels.size());
  for (int64_t k = 0; k < classes; ++k) {
    for (size_t row = 0; row < examples.size(); ++row) {
      examples[row] = {Score(outputs(static_cast<Eigen::Index>(row), k)), labels[row] == k};
    }
    AddCurve(examples, max_points, evaluation.classes[static_cast<size_t>(k)]);
  }
  return evaluation;
}

std::vector<PrecisionRecallPoint> ThinCurve(const std::vector<PrecisionRecallPoint>& curve,
                                            size_t max_points) {
  if (curve.size() <= max_points) return curve;
  if (max_points < 2)
    return {curve.begin(), curve.begin() + static_cast<std::ptrdiff_t>(max_points)};
  std::vector<PrecisionRecallPoint> thinned;
  thinned.reserve(max_points);
  for (size_t i = 0; i < max_points; ++i) {
    thinned.push_back(curve[i * (curve.size() - 1) / (max_points - 1)]);
  }
  return thinned;
}

}  // namespace mlp
