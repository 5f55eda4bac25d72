// What the API says about features and classes <-> core's DatasetSchema.
#pragma once

#include <absl/status/statusor.h>

#include "core/data/dataset.h"
#include "mlp/v1/dataset.pb.h"

namespace mlp {

// INVALID_ARGUMENT for an unknown feature type; the rest is for ValidateSchema.
absl::StatusOr<DatasetSchema> SchemaFromHeader(const v1::DatasetHeader& header);
// Of a stored dataset, which was checked when it came in.
DatasetSchema SchemaOf(const v1::Dataset& dataset);

v1::FeatureType FeatureTypeToApi(FeatureType type);
v1::ImageShape ImageToApi(const ImageShape& image);

}  // namespace mlp
