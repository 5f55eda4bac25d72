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
  const int64_t row_bytes = schema.row_bytes() + static_cast<int64_t>(sizeof(int32_t)) +
                            static_cast<int64_t>(header.weighted() ? sizeof(float) : 0);
  if (header.rows() > limits.max_dataset_bytes / row_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "header.rows: ", header.rows(), " rows of ", row_bytes, " bytes are more than the ",
        limits.max_dataset_bytes, " bytes that a dataset may have"));
  }
  return absl::OkStatus();
}

// Labels or weights of a chunk, four bytes each.
absl::Status CheckCount(absl::string_view what, int count) {
  constexpr size_t kMost = kMaxChunkBytes / sizeof(int32_t);
  if (static_cast<size_t>(count) <= kMost) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("chunk.", what, ": expected at most ", kMost, " ", what, ", got ", count));
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
  MLP_RETURN_IF_ERROR(CheckCount("labels", chunk.labels_size()));
  MLP_RETURN_IF_ERROR(CheckCount("weights", chunk.weights_size()));
  MLP_RETURN_IF_ERROR(AddFeatures(chunk.features()));
  MLP_RETURN_IF_ERROR(AddLabels(chunk));
  MLP_RETURN_IF_ERROR(AddWeights(chunk));
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

absl::Status DatasetReceiver::AddWeights(const v1::DatasetChunk& chunk) {
  const absl::Span<const float> weights(chunk.weights().data(),
                                        static_cast<size_t>(chunk.weights_size()));
  if (!header_.weighted() && !weights.empty()) {
    return absl::InvalidArgumentError("weights: expected none, as header.weighted is not set");
  }
  MLP_RETURN_IF_ERROR(CheckWeights(weights, weights_));
  weights_ += chunk.weights_size();
  if (weights_ > header_.rows()) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights: expected ", header_.rows(), ", one a row, got more"));
  }
  pending_weights_.insert(pending_weights_.end(), weights.begin(), weights.end());
  return absl::OkStatus();
}

absl::Status DatasetReceiver::FlushWholeRows() {
  size_t rows = std::min(pending_features_.size() / static_cast<size_t>(schema_.row_bytes()),
                         pending_labels_.size());
  if (header_.weighted()) rows = std::min(rows, pending_weights_.size());
  if (rows > 0) MLP_RETURN_IF_ERROR(HandOn(rows));
  const size_t pending = pending_features_.size() + pending_labels_.size() * sizeof(int32_t) +
                         pending_weights_.size() * sizeof(float);
  if (pending > kMaxPendingBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk: features, labels and weights must come together, but are ", pending,
                     " bytes apart (at most ", kMaxPendingBytes, ")"));
  }
  return absl::OkStatus();
}

absl::Status DatasetReceiver::HandOn(size_t rows) {
  const size_t feature_bytes = rows * static_cast<size_t>(schema_.row_bytes());
  const DatasetRows whole = {
      .features = absl::string_view(pending_features_).substr(0, feature_bytes),
      .labels = absl::MakeConstSpan(pending_labels_).subspan(0, rows),
      .weights = absl::MakeConstSpan(pending_weights_).subspan(0, header_.weighted() ? rows : 0)};
  if (schema_.feature_type == FeatureType::kFloat32) {
    const int64_t first_row = labels_ - static_cast<int64_t>(pending_labels_.size());
    MLP_RETURN_IF_ERROR(
        CheckFinite(whole.features, first_row * schema_.features, schema_.features));
  }
  MLP_RETURN_IF_ERROR(upload_->Append(whole));
  hash_.Update(whole.features);
  label_bytes_.append(reinterpret_cast<const char*>(whole.labels.data()), rows * sizeof(int32_t));
  weight_bytes_.append(reinterpret_cast<const char*>(whole.weights.data()),
                       whole.weights.size() * sizeof(float));
  for (const int32_t label : whole.labels) ++class_counts_[static_cast<size_t>(label)];
  pending_weights_.erase(
      pending_weights_.begin(),
      pending_weights_.begin() + static_cast<std::ptrdiff_t>(whole.weights.size()));
  pending_features_.erase(0, feature_bytes);
  pending_labels_.erase(pending_labels_.begin(),
                        pending_labels_.begin() + static_cast<std::ptrdiff_t>(rows));
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
  if (header_.weighted() && weights_ != header_.rows()) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights: expected ", header_.rows(), ", one a row, got ", weights_));
  }
  hash_.Update(label_bytes_);
  hash_.Update(weight_bytes_);

  v1::Dataset dataset;
  dataset.set_name(header_.name());
  dataset.set_rows(header_.rows());
  dataset.set_features(header_.features());
  dataset.set_feature_type(header_.feature_type());
  *dataset.mutable_class_names() = header_.class_names();
  dataset.mutable_class_counts()->Add(class_counts_.begin(), class_counts_.end());
  if (header_.has_image()) *dataset.mutable_image() = header_.image();
  dataset.set_bytes(expected_bytes +
                    static_cast<int64_t>(label_bytes_.size() + weight_bytes_.size()));
  dataset.set_weighted(header_.weighted());
  dataset.set_sha256(hash_.FinishHex());
  return upload_->Commit(dataset);
}

}  // namespace mlp
