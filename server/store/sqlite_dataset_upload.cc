#include "server/store/sqlite_dataset_upload.h"

#include <algorithm>
#include <bit>
#include <optional>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "core/data/dataset.h"
#include "server/store/record.h"
#include "server/store/sqlite_datasets.h"

namespace mlp {
namespace {

static_assert(std::endian::native == std::endian::little,
              "labels and weights are stored as they are in memory");

constexpr int64_t kPieceBytes = int64_t{1} << 20;

// v1::DatasetHeader and v1::Dataset name these fields alike.
template <typename Message>
int64_t RowBytes(const Message& message) {
  const FeatureType type = message.feature_type() == v1::FEATURE_TYPE_UINT8 ? FeatureType::kUint8
                                                                            : FeatureType::kFloat32;
  return int64_t{message.features()} * FeatureBytes(type);
}

template <typename T>
absl::string_view BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// The stored dataset that this name and request id are both of; nothing where both are free.
// ALREADY_EXISTS where one of them is taken.
absl::StatusOr<std::optional<StoredDataset>> FindRepeated(SqliteConnection& connection,
                                                          absl::string_view name,
                                                          absl::string_view request_id) {
  absl::StatusOr<StoredDataset> stored = FindDataset(connection, name);
  if (stored.ok()) {
    if (!request_id.empty() && stored->request_id == request_id) return *std::move(stored);
    return absl::AlreadyExistsError(absl::StrCat("dataset ", name, ": exists already"));
  }
  if (!absl::IsNotFound(stored.status())) return stored.status();
  if (request_id.empty()) return std::nullopt;
  stored = FindDatasetWithRequestId(connection, request_id);
  if (absl::IsNotFound(stored.status())) return std::nullopt;
  MLP_RETURN_IF_ERROR(stored.status());
  return absl::AlreadyExistsError(
      absl::StrCat("request id: was used for dataset ", stored->record.name(), " before"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteDatasetUpload>> SqliteDatasetUpload::Begin(
    const v1::DatasetHeader& header, SqliteDatabase& database, const SqliteQuotas& quotas,
    const Clock& clock) {
  std::unique_ptr<SqliteDatasetUpload> upload(
      new SqliteDatasetUpload(header, database, quotas, clock));
  if (upload->row_bytes_ < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("features: expected 1 or more, got ", header.features()));
  }
  const absl::StatusOr<int64_t> id =
      database.WriteUnflushed([&](SqliteConnection& connection) -> absl::StatusOr<int64_t> {
        MLP_ASSIGN_OR_RETURN(const std::optional<StoredDataset> earlier,
                             FindRepeated(connection, upload->name_, upload->request_id_));
        if (!earlier) MLP_RETURN_IF_ERROR(quotas.CheckDatasets(connection));
        MLP_RETURN_IF_ERROR(connection.Prepare("INSERT INTO datasets DEFAULT VALUES").Run());
        return connection.last_insert_id();
      });
  MLP_RETURN_IF_ERROR(id.status());
  upload->id_ = *id;
  return upload;
}

SqliteDatasetUpload::SqliteDatasetUpload(const v1::DatasetHeader& header, SqliteDatabase& database,
                                         const SqliteQuotas& quotas, const Clock& clock)
    : database_(database),
      quotas_(quotas),
      clock_(clock),
      name_(header.name()),
      request_id_(header.request_id()),
      weighted_(header.weighted()),
      row_bytes_(RowBytes(header)),
      rows_per_piece_(row_bytes_ < 1 ? 1 : std::max<int64_t>(kPieceBytes / row_bytes_, 1)) {}

SqliteDatasetUpload::~SqliteDatasetUpload() {
  // What cannot be cleared now is cleared at the next start.
  if (id_ != 0 && !named_) PurgeDataset(database_, id_).IgnoreError();
}

absl::Status SqliteDatasetUpload::Append(const DatasetRows& rows) {
  MLP_RETURN_IF_ERROR(failed_);
  const auto row_bytes = static_cast<size_t>(row_bytes_);
  const size_t count = rows.labels.size();
  if (rows.features.size() % row_bytes != 0 || rows.features.size() / row_bytes != count) {
    return absl::InvalidArgumentError(absl::StrCat("features: expected ", count, " rows of ",
                                                   row_bytes_, " bytes, got ", rows.features.size(),
                                                   " bytes"));
  }
  if (rows.weights.size() != (weighted_ ? count : 0)) {
    return absl::InvalidArgumentError(absl::StrCat("weights: expected ", weighted_ ? count : 0,
                                                   " for ", count, " rows, got ",
                                                   rows.weights.size()));
  }
  failed_ = AppendPieces(rows);
  return failed_;
}

absl::Status SqliteDatasetUpload::AppendPieces(DatasetRows rows) {
  const auto row_bytes = static_cast<size_t>(row_bytes_);
  const auto rows_per_piece = static_cast<size_t>(rows_per_piece_);
  while (!rows.labels.empty()) {
    const size_t count = std::min(rows_per_piece - labels_.size(), rows.labels.size());
    const auto labels = rows.labels.subspan(0, count);
    const auto weights = rows.weights.subspan(0, count);
    features_.append(rows.features.data(), count * row_bytes);
    labels_.insert(labels_.end(), labels.begin(), labels.end());
    weights_.insert(weights_.end(), weights.begin(), weights.end());
    rows.features.remove_prefix(count * row_bytes);
    rows.labels.remove_prefix(labels.size());
    rows.weights.remove_prefix(weights.size());
    if (labels_.size() < rows_per_piece) return absl::OkStatus();

    MLP_RETURN_IF_ERROR(database_.CheckSpace(static_cast<int64_t>(features_.size())));
    MLP_RETURN_IF_ERROR(database_.WriteUnflushed(
        [&](SqliteConnection& connection) { return WriteBuffer(connection); }));
    written_rows_ += rows_per_piece_;
    features_.clear();
    labels_.clear();
    weights_.clear();
  }
  return absl::OkStatus();
}

absl::Status SqliteDatasetUpload::WriteBuffer(SqliteConnection& connection) {
  MLP_RETURN_IF_ERROR(quotas_.CheckBytes(
      connection,
      static_cast<int64_t>(BytesOf(labels_).size() + features_.size() + BytesOf(weights_).size())));
  SqliteStatement insert = connection.Prepare(
      "INSERT INTO dataset_pieces (dataset_id, first_row, labels, features, weights) "
      "VALUES (?1, ?2, ?3, ?4, nullif(?5, x''))");
  insert.Bind(id_, written_rows_, SqliteBlob{BytesOf(labels_)}, SqliteBlob{features_},
              SqliteBlob{BytesOf(weights_)});
  return insert.Run();
}

absl::Status SqliteDatasetUpload::CheckComplete(const v1::Dataset& dataset) const {
  const int64_t rows = written_rows_ + static_cast<int64_t>(labels_.size());
  if (dataset.rows() != rows) {
    return absl::InvalidArgumentError(
        absl::StrCat("rows: expected the ", rows, " that were appended, got ", dataset.rows()));
  }
  if (RowBytes(dataset) != row_bytes_) {
    return absl::InvalidArgumentError(absl::StrCat("features: expected rows of ", row_bytes_,
                                                   " bytes, got rows of ", RowBytes(dataset)));
  }
  if (dataset.weighted() != weighted_) {
    return absl::InvalidArgumentError(
        absl::StrCat("weighted: expected ", weighted_, ", got ", dataset.weighted()));
  }
  if (dataset.name() != name_) {
    return absl::InvalidArgumentError(
        absl::StrCat("name: expected ", name_, ", got ", dataset.name()));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Dataset> SqliteDatasetUpload::Commit(const v1::Dataset& dataset) {
  MLP_RETURN_IF_ERROR(failed_);
  MLP_RETURN_IF_ERROR(CheckComplete(dataset));
  v1::Dataset stored = dataset;
  if (!stored.has_create_time()) *stored.mutable_create_time() = ToTimestamp(clock_.Now());
  const std::string record = EncodeRecord(stored);
  bool repeated = false;
  MLP_RETURN_IF_ERROR(database_.CheckSpace(static_cast<int64_t>(features_.size())));
  const absl::Status status = database_.Write([&](SqliteConnection& connection) -> absl::Status {
    MLP_ASSIGN_OR_RETURN(std::optional<StoredDataset> earlier,
                         FindRepeated(connection, name_, request_id_));
    if (earlier) {
      // Another attempt of the same upload was faster.
      if (earlier->record.sha256() != dataset.sha256()) {
        return absl::AlreadyExistsError(
            absl::StrCat("dataset ", name_, ": exists already, with other rows"));
      }
      stored = std::move(earlier->record);
      repeated = true;
      return absl::OkStatus();
    }
    MLP_RETURN_IF_ERROR(quotas_.CheckDatasets(connection));
    if (!labels_.empty()) MLP_RETURN_IF_ERROR(WriteBuffer(connection));
    SqliteStatement update = connection.Prepare(
        "UPDATE datasets SET name = ?1, request_id = nullif(?2, ''), record = ?3 WHERE id = ?4");
    update.Bind(name_, request_id_, SqliteBlob{record}, id_);
    return update.Run();
  });
  // Ended either way: a second Commit is a mistake of the caller.
  failed_ = status.ok() ? absl::FailedPreconditionError("the upload was committed before") : status;
  MLP_RETURN_IF_ERROR(status);
  named_ = !repeated;
  return stored;
}

}  // namespace mlp
