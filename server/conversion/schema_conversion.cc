#include "server/conversion/schema_conversion.h"

#include <absl/strings/str_cat.h>

namespace mlp {
namespace {

// v1::DatasetHeader and v1::Dataset name these fields alike.
template <typename Message>
DatasetSchema ToSchema(const Message& message) {
  DatasetSchema schema;
  schema.features = message.features();
  schema.feature_type = message.feature_type() == v1::FEATURE_TYPE_UINT8 ? FeatureType::kUint8
                                                                         : FeatureType::kFloat32;
  schema.class_names.assign(message.class_names().begin(), message.class_names().end());
  if (message.has_image()) {
    schema.image =
        ImageShape{message.image().height(), message.image().width(), message.image().channels()};
  }
  return schema;
}

}  // namespace

absl::StatusOr<DatasetSchema> SchemaFromHeader(const v1::DatasetHeader& header) {
  if (header.feature_type() != v1::FEATURE_TYPE_UINT8 &&
      header.feature_type() != v1::FEATURE_TYPE_FLOAT32) {
    return absl::InvalidArgumentError(
        absl::StrCat("header.feature_type: expected FEATURE_TYPE_UINT8 (1) or "
                     "FEATURE_TYPE_FLOAT32 (2), got ",
                     static_cast<int>(header.feature_type())));
  }
  return ToSchema(header);
}

DatasetSchema SchemaOf(const v1::Dataset& dataset) { return ToSchema(dataset); }

v1::FeatureType FeatureTypeToApi(FeatureType type) {
  return type == FeatureType::kUint8 ? v1::FEATURE_TYPE_UINT8 : v1::FEATURE_TYPE_FLOAT32;
}

v1::ImageShape ImageToApi(const ImageShape& image) {
  v1::ImageShape message;
  message.set_height(image.height);
  message.set_width(image.width);
  message.set_channels(image.channels);
  return message;
}

}  // namespace mlp
