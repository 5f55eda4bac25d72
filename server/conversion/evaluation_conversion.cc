#include "server/conversion/evaluation_conversion.h"

#include <cassert>

namespace mlp {
namespace {

constexpr size_t kMaxCurvePoints = 200;

void ScoresToApi(const PrecisionRecall& scores, v1::PrecisionRecall& message) {
  message.set_precision(scores.precision);
  message.set_recall(scores.recall);
  message.set_f1(scores.f1);
}

void CurveToApi(const ClassEvaluation& evaluation, v1::ClassEvaluation& message) {
  for (const PrecisionRecallPoint& point : ThinCurve(evaluation.curve, kMaxCurvePoints)) {
    v1::PrecisionRecallPoint& added = *message.add_curve();
    added.set_threshold(point.threshold);
    added.set_precision(point.precision);
    added.set_recall(point.recall);
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
    case StopReason::kEarlyStopped:
      return v1::STOP_REASON_EARLY_STOPPED;
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
  message.set_examples_per_second(point.examples_per_second);
  if (point.seconds_left) message.set_seconds_left(*point.seconds_left);
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
  point.examples_per_second = message.examples_per_second();
  if (message.has_seconds_left()) point.seconds_left = message.seconds_left();
  return point;
}

v1::Evaluation EvaluationToApi(const Evaluation& evaluation, v1::DatasetPart part,
                               absl::Span<const std::string> class_names, bool include_curves) {
  assert(class_names.size() == evaluation.classes.size());
  v1::Evaluation message;
  message.set_part(part);
  message.set_examples(evaluation.examples);
  message.set_accuracy(evaluation.accuracy);
  message.set_cross_entropy(evaluation.cross_entropy);
  message.mutable_confusion()->Add(evaluation.confusion.begin(), evaluation.confusion.end());
  for (size_t k = 0; k < evaluation.classes.size(); ++k) {
    const ClassEvaluation& of_class = evaluation.classes[k];
    v1::ClassEvaluation& added = *message.add_classes();
    added.set_class_name(class_names[k]);
    added.set_support(of_class.support);
    ScoresToApi(of_class.scores, *added.mutable_scores());
    added.set_average_precision(of_class.average_precision);
    if (include_curves) CurveToApi(of_class, added);
  }
  ScoresToApi(evaluation.macro, *message.mutable_macro());
  ScoresToApi(evaluation.micro, *message.mutable_micro());
  return message;
}

}  // namespace mlp
