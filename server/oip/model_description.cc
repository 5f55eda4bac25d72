#include "server/oip/model_description.h"

#include <string>

#include <absl/strings/str_cat.h>

#include "server/inference/inference_request.h"
#include "server/inference/serving_limits.h"
#include "server/oip/tensors.h"

namespace mlp {
namespace {

constexpr absl::string_view kPlatform = "mlpd_mlp";
constexpr absl::string_view kBackend = "mlpd";

using TensorMetadata = inference::ModelMetadataResponse::TensorMetadata;

void Describe(absl::string_view name, absl::string_view datatype, TensorMetadata& tensor) {
  tensor.set_name(std::string(name));
  tensor.set_datatype(std::string(datatype));
  tensor.add_shape(-1);
}

bool IsUint8(const ServableModel& model) {
  return model.artifact().schema.feature_type == FeatureType::kUint8;
}

uint64_t Unsigned(int64_t count) { return count > 0 ? static_cast<uint64_t>(count) : 0; }

void Set(int64_t count, int64_t ns, inference::StatisticDuration* duration) {
  duration->set_count(Unsigned(count));
  duration->set_ns(Unsigned(ns));
}

void Set(const CountedTime& time, inference::StatisticDuration* duration) {
  Set(time.count, time.ns, duration);
}

}  // namespace

void DescribeMetadata(const ServableModel& model, inference::ModelMetadataResponse& metadata) {
  metadata.set_name(model.name());
  metadata.set_platform(std::string(kPlatform));
  TensorMetadata& input = *metadata.add_inputs();
  Describe(kInputName, IsUint8(model) ? kUint8 : kFp32, input);
  input.add_shape(model.features());
  TensorMetadata& output = *metadata.add_outputs();
  Describe(kOutputName, kFp32, output);
  output.add_shape(model.classes());
  Describe(kLabelName, kInt64, *metadata.add_outputs());
}

void DescribeConfig(const ServableModel& model, const v1::ServingSettings& settings,
                    inference::ModelConfig& config) {
  config.set_name(model.name());
  config.set_platform(std::string(kPlatform));
  config.set_backend(std::string(kBackend));
  config.mutable_version_policy()->mutable_all();
  config.set_max_batch_size(static_cast<int32_t>(kMaxPredictRows));
  inference::ModelInput& input = *config.add_input();
  input.set_name(std::string(kInputName));
  input.set_data_type(IsUint8(model) ? inference::TYPE_UINT8 : inference::TYPE_FP32);
  input.add_dims(model.features());
  inference::ModelOutput& output = *config.add_output();
  output.set_name(std::string(kOutputName));
  output.set_data_type(inference::TYPE_FP32);
  output.add_dims(model.classes());
  inference::ModelOutput& label = *config.add_output();
  label.set_name(std::string(kLabelName));
  label.set_data_type(inference::TYPE_INT64);

  const int32_t batch_rows = settings.max_batch_rows() > 0 ? settings.max_batch_rows()
                                                           : ServingLimits::kDefaultMaxBatchRows;
  if (batch_rows == 1) return;  // batching is off
  config.mutable_dynamic_batching()->add_preferred_batch_size(batch_rows);
  config.mutable_dynamic_batching()->set_max_queue_delay_microseconds(
      Unsigned(settings.queue_delay_us()));
}

void DescribeStatistics(absl::string_view name, int64_t version, const ModelCounts& counts,
                        inference::ModelStatistics& statistics) {
  statistics.set_name(std::string(name));
  statistics.set_version(absl::StrCat(version));
  statistics.set_last_inference(Unsigned(counts.last_inference_ms));
  statistics.set_inference_count(Unsigned(counts.rows));
  statistics.set_execution_count(Unsigned(counts.executions));
  inference::InferStatistics& requests = *statistics.mutable_inference_stats();
  Set(counts.success, requests.mutable_success());
  Set(counts.fail, requests.mutable_fail());
  Set(counts.queue, requests.mutable_queue());
  Set(counts.input, requests.mutable_compute_input());
  Set(counts.infer, requests.mutable_compute_infer());
  Set(counts.output, requests.mutable_compute_output());
  requests.mutable_cache_hit();
  requests.mutable_cache_miss();
  for (const auto& [rows, times] : counts.batches) {
    inference::InferBatchStatistics& batch = *statistics.add_batch_stats();
    batch.set_batch_size(Unsigned(rows));
    Set(times.executions, times.input_ns, batch.mutable_compute_input());
    Set(times.executions, times.infer_ns, batch.mutable_compute_infer());
    Set(times.executions, times.output_ns, batch.mutable_compute_output());
  }
}

}  // namespace mlp
