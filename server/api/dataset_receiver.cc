#include "server/api/dataset_receiver.h"

#include <algorithm>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/conversion/schema_conversion.h"
#include "server/names.h"

namespace mlp {
namespace {

constexpr size_t kMaxPendingBytes = size_t{8} << 20;
constexpr size_t kMaxRequestId = 128;

absl::Status CheckHeader(const v1::DatasetHeader& header, const DatasetSchema& schema,
                         const DatasetLimits& limits) {
  MLP_RETURN_IF_ERROR(CheckName("header.name", header.name()));
  if (const absl::Status valid = ValidateSchema(schema); !valid.ok()) {
    return absl::Status(valid.code(), absl::StrCat("header.", std::string(valid.message())));
  }
  if (header.rows() < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("header.rows: expected 1 or more, got ", header.rows()));
  }
  if (header.request_id().size() > kMaxRequestId) {
    return absl::InvalidArgumentError(absl::StrCat("header.request_id: expected at most ",
                                                   kMaxRequestId, " characters, got ",
                                                   header.request_id().size()));
  }
  // A row has at most 2^22 bytes, so rows below 2^40 cannot overflow the product.
  const int64_t row_bytes = schema.row_bytes() + static_cast<int64_t>(sizeof(int32_t));
  if (header.rows() > limits.max_dataset_bytes / row_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "header.rows: ", header.rows(), " rows of ", row_bytes, " bytes are more than the ",
        limits.max_dataset_bytes, " bytes that a dataset may have"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<DatasetReceiver>> DatasetReceiver::Start(
    const v1::DatasetHeader& header, const DatasetLimits& limits, Store& store) {
  MLP_ASSIGN_OR_RETURN(DatasetSchema schema, SchemaFromHeader(header));
  MLP_RETURN_IF_ERROR(CheckHeader(header, schema, limits));
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<DatasetUpload> upload, store.BeginDatasetUpload(header));
  return std::unique_ptr<DatasetReceiver>(
      new DatasetReceiver(header, std::move(schema), std::move(upload)));
}

DatasetReceiver::DatasetReceiver(const v1::DatasetHeader& header, DatasetSchema schema,
                                 std::unique_ptr<DatasetUpload> upload)
    : header_(header),
      schema_(std::move(schema)),
      upload_(std::move(upload)),
      class_counts_(schema_.class_names.size(), 0) {}

absl::Status DatasetReceiver::Add(const v1::DatasetChunk& chunk) {
  if (chunk.features().size() > kMaxChunkBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("chunk.features: expected at most ",
                                                     kMaxChunkBytes, " bytes, got ",
                                                     chunk.features().size()));
  }
  if (static_cast<size_t>(chunk.labels_size()) > kMaxChunkBytes / sizeof(int32_t)) {
    return absl::ResourceExhaustedError(absl::StrCat("chunk.labels: expected at most ",
                                                     kMaxChunkBytes / sizeof(int32_t),
                                                     " labels, got ", chunk.labels_size()));
  }
  MLP_RETURN_IF_ERROR(AddFeatures(chunk.features()));
  MLP_RETURN_IF_ERROR(AddLabels(chunk));
  return FlushWholeRows();
}

absl::Status DatasetReceiver::AddFeatures(const std::string& features) {
  const int64_t expected = header_.rows() * schema_.row_bytes();
  feature_bytes_ += static_cast<int64_t>(features.size());
  if (feature_bytes_ > expected) {
    return absl::InvalidArgumentError(absl::StrCat("features: expected ", expected, " bytes for ",
                                                   header_.rows(), " rows of ", schema_.row_bytes(),
                                                   " bytes, got more"));
  }
  pending_features_.append(features);
  return absl::OkStatus();
}

absl::Status DatasetReceiver::AddLabels(const v1::DatasetChunk& chunk) {
  const absl::Span<const int32_t> labels(chunk.labels().data(),
                                         static_cast<size_t>(chunk.labels_size()));
  MLP_RETURN_IF_ERROR(CheckLabels(labels, labels_, schema_.classes()));
  labels_ += chunk.labels_size();
  if (labels_ > header_.rows()) {
    return absl::InvalidArgumentError(
        absl::StrCat("labels: expected ", header_.rows(), ", one a row, got more"));
  }
  pending_labels_.insert(pending_labels_.end(), labels.begin(), labels.end());
  return absl::OkStatus();
}

absl::Status DatasetReceiver::FlushWholeRows() {
  const auto row_bytes = static_cast<size_t>(schema_.row_bytes());
  const size_t rows = std::min(pending_features_.size() / row_bytes, pending_labels_.size());
  if (rows > 0) {
    const absl::string_view features(pending_features_.data(), rows * row_bytes);
    const absl::Span<const int32_t> labels(pending_labels_.data(), rows);
    if (schema_.feature_type == FeatureType::kFloat32) {
      const int64_t first_row = labels_ - static_cast<int64_t>(pending_labels_.size());
      MLP_RETURN_IF_ERROR(CheckFinite(features, first_row * schema_.features, schema_.features));
    }
    MLP_RETURN_IF_ERROR(upload_->Append(features, labels));
    hash_.Update(features);
    label_bytes_.append(reinterpret_cast<const char*>(labels.data()), rows * sizeof(int32_t));
    for (const int32_t label : labels) ++class_counts_[static_cast<size_t>(label)];
    pending_features_.erase(0, rows * row_bytes);
    pending_labels_.erase(pending_labels_.begin(),
                          pending_labels_.begin() + static_cast<std::ptrdiff_t>(rows));
  }
  const size_t pending = pending_features_.size() + pending_labels_.size() * sizeof(int32_t);
  if (pending > kMaxPendingBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk: features and labels must come together, but are ", pending,
                     " bytes apart (at most ", kMaxPendingBytes, ")"));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Dataset> DatasetReceiver::Finish() {
  const int64_t expected_bytes = header_.rows() * schema_.row_bytes();
  if (feature_bytes_ != expected_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("features: expected ", expected_bytes, " bytes for ", header_.rows(),
                     " rows of ", schema_.row_bytes(), " bytes, got ", feature_bytes_));
  }
  if (labels_ != header_.rows()) {
    return absl::InvalidArgumentError(
        absl::StrCat("labels: expected ", header_.rows(), ", one a row, got ", labels_));
  }
  hash_.Update(label_bytes_);

  v1::Dataset dataset;
  dataset.set_name(header_.name());
  dataset.set_rows(header_.rows());
  dataset.set_features(header_.features());
  dataset.set_feature_type(header_.feature_type());
  *dataset.mutable_class_names() = header_.class_names();
  dataset.mutable_class_counts()->Add(class_counts_.begin(), class_counts_.end());
  if (header_.has_image()) *dataset.mutable_image() = header_.image();
  dataset.set_bytes(expected_bytes + static_cast<int64_t>(label_bytes_.size()));
  dataset.set_sha256(hash_.FinishHex());
  return upload_->Commit(dataset);
}

}  // namespace mlp
