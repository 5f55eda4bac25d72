#include "tests/client/canned_answers.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>

namespace mlp {
namespace {

std::string LengthDelimited(int number, const std::string& bytes) {
  return std::string({static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())}) + bytes;
}

}  // namespace

std::string RetryDetails(absl::Duration delay) {
  google::protobuf::Duration message;
  message.set_seconds(absl::IDivDuration(delay, absl::Seconds(1), &delay));
  message.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(delay)));
  google::protobuf::Any detail;
  detail.set_type_url("type.googleapis.com/google.rpc.RetryInfo");
  detail.set_value(LengthDelimited(1, message.SerializeAsString()));
  return LengthDelimited(3, detail.SerializeAsString());
}

v1::ModelVersion DigitsVersion() {
  v1::ModelVersion version;
  version.set_model("digits");
  version.set_version(3);
  version.set_job_id(1);
  version.set_dataset("cells");
  version.set_parameters(27);
  version.set_feature_type(v1::FEATURE_TYPE_UINT8);
  version.mutable_image()->set_height(2);
  version.mutable_image()->set_width(2);
  version.mutable_image()->set_channels(1);
  for (const char* name : {"a", "b", "c"}) version.add_class_names(name);
  for (const int units : {4, 3, 3}) version.mutable_config()->mutable_network()->add_layers(units);
  return version;
}

v1::Evaluation CannedEvaluation(v1::DatasetPart part, bool include_curves) {
  v1::Evaluation evaluation;
  evaluation.set_part(part);
  evaluation.set_examples(4);
  evaluation.set_accuracy(0.75);
  evaluation.set_cross_entropy(0.5);
  for (const int64_t count : {2, 1, 0, 1}) evaluation.add_confusion(count);
  for (const char* name : {"a", "b"}) {
    v1::ClassEvaluation& c = *evaluation.add_classes();
    c.set_class_name(name);
    c.set_support(name[0] == 'a' ? 3 : 1);
    c.mutable_scores()->set_precision(1);
    c.mutable_scores()->set_recall(0.5);
    c.mutable_scores()->set_f1(0.6667);
    c.set_average_precision(0.875);
    c.set_roc_auc(0.9);
    c.set_best_f1(0.8);
    c.set_best_f1_threshold(0.25);
    if (!include_curves) continue;
    for (const double share : {0.5, 1.0}) {
      v1::OperatingPoint& point = *c.add_curve();
      point.set_threshold(1 - share);
      point.set_precision(1.25 - share);
      point.set_recall(share);
      point.set_false_positive_rate(share - 0.25);
    }
  }
  evaluation.mutable_macro()->set_f1(0.7333);
  evaluation.mutable_micro()->set_f1(0.75);
  evaluation.set_macro_roc_auc(0.9);
  evaluation.set_log_loss(0.625);
  evaluation.set_expected_calibration_error(0.125);
  for (const double upper : {0.5, 1.0}) {
    v1::ReliabilityBin& bin = *evaluation.add_reliability();
    bin.set_lower(upper - 0.5);
    bin.set_upper(upper);
    bin.set_examples(upper < 1 ? 0 : 4);
    bin.set_mean_confidence(upper < 1 ? 0 : 0.875);
    bin.set_accuracy(upper < 1 ? 0 : 0.75);
  }
  v1::WorstExample& worst = *evaluation.add_worst_examples();
  worst.set_row(17);
  worst.set_label(0);
  worst.set_prediction(1);
  worst.set_label_probability(0.0625f);
  worst.set_predicted_probability(0.9375f);
  return evaluation;
}

void EndJob(int iterations, v1::TrainingJob& job) {
  if (job.state() == v1::JOB_STATE_SUCCEEDED) {
    job.set_stop_reason(v1::STOP_REASON_CONVERGED);
    v1::TrainingResult& result = *job.mutable_result();
    result.set_version(3);
    result.set_iterations(iterations - 1);
    result.set_best_iteration(iterations - 1);
    result.set_initial_cost(8);
    result.set_final_cost(8.0 / iterations);
    result.set_seconds(0.5);
    result.set_parameters(27);
    result.add_evaluations()->set_part(v1::DATASET_PART_TEST);
    result.mutable_evaluations(0)->set_accuracy(0.925);
  } else if (job.state() == v1::JOB_STATE_FAILED) {
    job.set_stop_reason(v1::STOP_REASON_DIVERGED);
    job.set_message("the cost became NaN at iteration 2");
  }
}

}  // namespace mlp
