#include "server/conversion/evaluation_conversion.h"

#include <cassert>

namespace mlp {
namespace {

void ScoresToApi(const PrecisionRecall& scores, v1::PrecisionRecall& message) {
  message.set_precision(scores.precision);
  message.set_recall(scores.recall);
  message.set_f1(scores.f1);
}

void ClassToApi(const ClassEvaluation& evaluation, const std::string& name,
                v1::ClassEvaluation& message) {
  const ClassRanking& ranking = evaluation.ranking;
  message.set_class_name(name);
  message.set_support(evaluation.support);
  ScoresToApi(evaluation.scores, *message.mutable_scores());
  message.set_average_precision(ranking.average_precision);
  if (ranking.roc_auc) message.set_roc_auc(*ranking.roc_auc);
  if (ranking.best_f1_threshold) message.set_best_f1_threshold(*ranking.best_f1_threshold);
  message.set_best_f1(ranking.best_f1);
  for (const OperatingPoint& point : ranking.curve) {
    v1::OperatingPoint& added = *message.add_curve();
    added.set_threshold(point.threshold);
    added.set_precision(point.precision);
    added.set_recall(point.recall);
    added.set_false_positive_rate(point.false_positive_rate);
  }
}

void CalibrationToApi(const Evaluation& evaluation, v1::Evaluation& message) {
  message.set_expected_calibration_error(evaluation.expected_calibration_error);
  for (const ReliabilityBin& bin : evaluation.reliability) {
    v1::ReliabilityBin& added = *message.add_reliability();
    added.set_lower(bin.lower);
    added.set_upper(bin.upper);
    added.set_examples(bin.examples);
    added.set_mean_confidence(bin.mean_confidence);
    added.set_accuracy(bin.accuracy);
  }
}

void WorstToApi(const std::vector<WorstExample>& worst, v1::Evaluation& message) {
  for (const WorstExample& example : worst) {
    v1::WorstExample& added = *message.add_worst_examples();
    added.set_row(example.row);
    added.set_label(example.label);
    added.set_prediction(example.prediction);
    added.set_label_probability(example.label_probability);
    added.set_predicted_probability(example.predicted_probability);
  }
}

}  // namespace

v1::StopReason StopReasonToApi(StopReason reason) {
  switch (reason) {
    case StopReason::kConverged:
      return v1::STOP_REASON_CONVERGED;
    case StopReason::kMaxIterations:
      return v1::STOP_REASON_MAX_ITERATIONS;
    case StopReason::kTimeLimit:
      return v1::STOP_REASON_TIME_LIMIT;
    case StopReason::kCancelled:
      return v1::STOP_REASON_CANCELLED;
    case StopReason::kDiverged:
      return v1::STOP_REASON_DIVERGED;
  }
  return v1::STOP_REASON_UNSPECIFIED;
}

v1::ProgressPoint ProgressPointToApi(const ProgressPoint& point) {
  v1::ProgressPoint message;
  message.set_iteration(point.iteration);
  message.set_cost(point.cost);
  if (point.validation_cost) message.set_validation_cost(*point.validation_cost);
  message.set_gradient_norm(point.gradient_norm);
  message.set_step(point.step);
  message.set_cost_evaluations(point.cost_evaluations);
  message.set_elapsed_seconds(point.elapsed_seconds);
  return message;
}

ProgressPoint ProgressPointFromApi(const v1::ProgressPoint& message) {
  ProgressPoint point;
  point.iteration = message.iteration();
  point.cost = message.cost();
  if (message.has_validation_cost()) point.validation_cost = message.validation_cost();
  point.gradient_norm = message.gradient_norm();
  point.step = message.step();
  point.cost_evaluations = message.cost_evaluations();
  point.elapsed_seconds = message.elapsed_seconds();
  return point;
}

v1::Evaluation EvaluationToApi(const Evaluation& evaluation, v1::DatasetPart part,
                               absl::Span<const std::string> class_names) {
  assert(class_names.size() == evaluation.classes.size());
  v1::Evaluation message;
  message.set_part(part);
  message.set_examples(evaluation.examples);
  message.set_accuracy(evaluation.accuracy);
  message.set_cross_entropy(evaluation.cross_entropy);
  message.mutable_confusion()->Add(evaluation.confusion.begin(), evaluation.confusion.end());
  for (size_t k = 0; k < evaluation.classes.size(); ++k) {
    ClassToApi(evaluation.classes[k], class_names[k], *message.add_classes());
  }
  ScoresToApi(evaluation.macro, *message.mutable_macro());
  ScoresToApi(evaluation.micro, *message.mutable_micro());
  for (const TopKAccuracy& top : evaluation.top_k) {
    v1::TopKAccuracy& added = *message.add_top_k();
    added.set_k(top.k);
    added.set_accuracy(top.accuracy);
  }
  if (evaluation.macro_roc_auc) message.set_macro_roc_auc(*evaluation.macro_roc_auc);
  message.set_log_loss(evaluation.log_loss);
  CalibrationToApi(evaluation, message);
  WorstToApi(evaluation.worst, message);
  return message;
}

}  // namespace mlp
