// What ModelMetadata, ModelConfig and ModelStatistics say about a model version.
#pragma once

#include <cstdint>

#include <absl/strings/string_view.h>

#include "inference/grpc_service.pb.h"
#include "mlp/v1/model.pb.h"
#include "server/inference/model_statistics.h"
#include "server/inference/servable_model.h"

namespace mlp {

// All but the versions.
void DescribeMetadata(const ServableModel& model, inference::ModelMetadataResponse& metadata);

// `settings` are those of the model, as stored: 0 means the default.
void DescribeConfig(const ServableModel& model, const v1::ServingSettings& settings,
                    inference::ModelConfig& config);

void DescribeStatistics(absl::string_view name, int64_t version, const ModelCounts& counts,
                        inference::ModelStatistics& statistics);

}  // namespace mlp
