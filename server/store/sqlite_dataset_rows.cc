// Reads the rows of stored datasets.
#include <algorithm>
#include <cstring>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/hash.h"
#include "core/base/status_macros.h"
#include "server/conversion/schema_conversion.h"
#include "server/store/sqlite_datasets.h"

namespace mlp {
namespace {

absl::Status Damaged(const v1::Dataset& record) {
  return absl::DataLossError(
      absl::StrCat("dataset ", record.name(), ": the stored rows are damaged"));
}

// Appends the values of one piece. False where the bytes are no whole values.
template <typename T>
bool AppendValues(absl::string_view bytes, std::vector<T>& values) {
  if (bytes.size() % sizeof(T) != 0) return false;
  const size_t first = values.size();
  values.resize(first + bytes.size() / sizeof(T));
  std::memcpy(values.data() + first, bytes.data(), bytes.size());
  return true;
}

// Appends the labels of one piece. False where they are no classes of the dataset: whoever counts
// by label must be able to rely on that, also where no hash is checked.
bool AppendLabels(absl::string_view bytes, const v1::Dataset& record,
                  std::vector<int32_t>& labels) {
  const size_t first = labels.size();
  return AppendValues(bytes, labels) &&
         std::all_of(labels.begin() + static_cast<ptrdiff_t>(first), labels.end(),
                     [classes = record.class_names_size()](int32_t label) {
                       return label >= 0 && label < classes;
                     });
}

// As many weights as rows, or none.
int64_t WeightBytes(const v1::Dataset& record) {
  return record.weighted() ? record.rows() * static_cast<int64_t>(sizeof(float)) : 0;
}

// Compares what is stored with the record, before memory is taken for it.
absl::Status CheckSizes(SqliteConnection& connection, const StoredDataset& stored,
                        int64_t row_bytes) {
  if (row_bytes < 1) return Damaged(stored.record);
  SqliteStatement select = connection.Prepare(
      "SELECT sum(length(labels)), sum(length(features)), sum(ifnull(length(weights), 0)) "
      "FROM dataset_pieces WHERE dataset_id = ?1");
  select.Bind(stored.id);
  MLP_RETURN_IF_ERROR(select.Step().status());
  const int64_t rows = stored.record.rows();
  const auto label_bytes = static_cast<int64_t>(sizeof(int32_t));
  const bool ok = select.Int(0) % label_bytes == 0 && select.Int(0) / label_bytes == rows &&
                  select.Int(1) % row_bytes == 0 && select.Int(1) / row_bytes == rows &&
                  select.Int(2) == WeightBytes(stored.record);
  return ok ? absl::OkStatus() : Damaged(stored.record);
}

absl::Status ReadPieces(SqliteConnection& connection, const StoredDataset& stored,
                        Dataset& dataset) {
  const int64_t row_bytes = dataset.schema.row_bytes();
  MLP_RETURN_IF_ERROR(CheckSizes(connection, stored, row_bytes));
  dataset.features.reserve(static_cast<size_t>(stored.record.rows() * row_bytes));
  dataset.labels.reserve(static_cast<size_t>(stored.record.rows()));
  if (stored.record.weighted()) dataset.weights.reserve(dataset.labels.capacity());
  SqliteStatement select = connection.Prepare(
      "SELECT labels, features, weights FROM dataset_pieces WHERE dataset_id = ?1 "
      "ORDER BY first_row");
  select.Bind(stored.id);
  while (true) {
    MLP_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    if (!AppendLabels(select.Bytes(0), stored.record, dataset.labels) ||
        !AppendValues(select.Bytes(2), dataset.weights)) {
      return Damaged(stored.record);
    }
    const absl::string_view features = select.Bytes(1);
    dataset.features.append(features.data(), features.size());
  }
}

absl::Status CheckRows(const v1::Dataset& record, absl::Span<const int64_t> rows) {
  for (const int64_t row : rows) {
    if (row >= 0 && row < record.rows()) continue;
    return absl::OutOfRangeError(absl::StrCat("dataset ", record.name(),
                                              ": expected a row from 0 to ", record.rows() - 1,
                                              ", got ", row));
  }
  return absl::OkStatus();
}

// Copies the rows from the front of `rows` that lie in the piece with the first of them. Returns
// how many those were: at least 1.
absl::StatusOr<size_t> CopyFromPiece(SqliteConnection& connection, const StoredDataset& stored,
                                     absl::Span<const int64_t> rows, Dataset& dataset) {
  SqliteStatement select = connection.Prepare(
      "SELECT first_row, labels, features, weights FROM dataset_pieces "
      "WHERE dataset_id = ?1 AND first_row <= ?2 ORDER BY first_row DESC LIMIT 1");
  select.Bind(stored.id, rows[0]);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return Damaged(stored.record);
  const int64_t first = select.Int(0);
  std::vector<int32_t> labels;
  std::vector<float> weights;
  const absl::string_view features = select.Bytes(2);
  const auto row_bytes = static_cast<size_t>(dataset.schema.row_bytes());
  if (!AppendLabels(select.Bytes(1), stored.record, labels) ||
      !AppendValues(select.Bytes(3), weights) || features.size() != labels.size() * row_bytes ||
      weights.size() != (stored.record.weighted() ? labels.size() : 0)) {
    return Damaged(stored.record);
  }
  const int64_t end = first + static_cast<int64_t>(labels.size());
  size_t copied = 0;
  while (copied < rows.size() && rows[copied] >= first && rows[copied] < end) {
    const auto index = static_cast<size_t>(rows[copied] - first);
    dataset.features.append(features.data() + index * row_bytes, row_bytes);
    dataset.labels.push_back(labels[index]);
    if (!weights.empty()) dataset.weights.push_back(weights[index]);
    ++copied;
  }
  if (copied == 0) return Damaged(stored.record);
  return copied;
}

}  // namespace

absl::StatusOr<Dataset> SqliteDatasets::Read(absl::string_view name) {
  StoredDataset stored;
  Dataset dataset;
  const absl::Status status = database_.Read([&](SqliteConnection& connection) -> absl::Status {
    MLP_ASSIGN_OR_RETURN(stored, FindDataset(connection, name));
    dataset.schema = SchemaOf(stored.record);
    return ReadPieces(connection, stored, dataset);
  });
  MLP_RETURN_IF_ERROR(status);
  Sha256 hash;
  hash.Update(dataset.features);
  hash.Update(absl::string_view(reinterpret_cast<const char*>(dataset.labels.data()),
                                dataset.labels.size() * sizeof(int32_t)));
  hash.Update(absl::string_view(reinterpret_cast<const char*>(dataset.weights.data()),
                                dataset.weights.size() * sizeof(float)));
  if (hash.FinishHex() != stored.record.sha256()) return Damaged(stored.record);
  return dataset;
}

absl::StatusOr<Dataset> SqliteDatasets::ReadRows(absl::string_view name,
                                                 absl::Span<const int64_t> rows) {
  return database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<Dataset> {
    MLP_ASSIGN_OR_RETURN(const StoredDataset stored, FindDataset(connection, name));
    Dataset dataset;
    MLP_RETURN_IF_ERROR(CheckRows(stored.record, rows));
    dataset.schema = SchemaOf(stored.record);
    dataset.features.reserve(rows.size() * static_cast<size_t>(dataset.schema.row_bytes()));
    dataset.labels.reserve(rows.size());
    absl::Span<const int64_t> left = rows;
    while (!left.empty()) {
      MLP_ASSIGN_OR_RETURN(const size_t copied, CopyFromPiece(connection, stored, left, dataset));
      left.remove_prefix(copied);
    }
    return dataset;
  });
}

absl::StatusOr<std::vector<int32_t>> SqliteDatasets::ReadLabels(absl::string_view name) {
  return database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<std::vector<int32_t>> {
    std::vector<int32_t> labels;
    MLP_ASSIGN_OR_RETURN(const StoredDataset stored, FindDataset(connection, name));
    MLP_RETURN_IF_ERROR(CheckSizes(connection, stored, SchemaOf(stored.record).row_bytes()));
    labels.reserve(static_cast<size_t>(stored.record.rows()));
    SqliteStatement select = connection.Prepare(
        "SELECT labels FROM dataset_pieces WHERE dataset_id = ?1 ORDER BY first_row");
    select.Bind(stored.id);
    while (true) {
      MLP_ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) return labels;
      if (!AppendLabels(select.Bytes(0), stored.record, labels)) return Damaged(stored.record);
    }
  });
}

}  // namespace mlp
