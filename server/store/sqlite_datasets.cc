#include "server/store/sqlite_datasets.h"

#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/store/paging.h"
#include "server/store/record.h"
#include "server/store/sqlite_dataset_upload.h"

namespace mlp {
namespace {

// Of about 1 MiB each.
constexpr int64_t kPiecesPerPurge = 16;

// Reads the columns id, name, request_id, record.
absl::StatusOr<StoredDataset> ReadStored(const SqliteStatement& row) {
  StoredDataset stored;
  stored.id = row.Int(0);
  stored.request_id = std::string(row.Bytes(2));
  MLP_RETURN_IF_ERROR(
      DecodeRecord(row.Bytes(3), absl::StrCat("dataset ", row.Bytes(1)), stored.record));
  return stored;
}

absl::Status CheckNoJobNeeds(SqliteConnection& connection, absl::string_view name) {
  SqliteStatement select = connection.Prepare(
      "SELECT id FROM jobs WHERE state IN (?1, ?2) AND dataset = ?3 ORDER BY id LIMIT 1");
  select.Bind(v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING, name);
  MLP_ASSIGN_OR_RETURN(const bool needed, select.Step());
  if (!needed) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("dataset ", name, ": job ", select.Int(0), " needs it and has not ended yet"));
}

}  // namespace

absl::StatusOr<StoredDataset> FindDataset(SqliteConnection& connection, absl::string_view name) {
  SqliteStatement select =
      connection.Prepare("SELECT id, name, request_id, record FROM datasets WHERE name = ?1");
  select.Bind(name);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return absl::NotFoundError(absl::StrCat("dataset ", name, ": not found"));
  return ReadStored(select);
}

absl::StatusOr<StoredDataset> FindDatasetWithRequestId(SqliteConnection& connection,
                                                       absl::string_view request_id) {
  SqliteStatement select =
      connection.Prepare("SELECT id, name, request_id, record FROM datasets WHERE request_id = ?1");
  select.Bind(request_id);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return absl::NotFoundError("request id: no dataset was made with it");
  return ReadStored(select);
}

absl::Status PurgeDataset(SqliteDatabase& database, int64_t id) {
  bool done = false;
  while (!done) {
    const absl::Status status =
        database.WriteUnflushed([&](SqliteConnection& connection) -> absl::Status {
          SqliteStatement pieces = connection.Prepare(
              "DELETE FROM dataset_pieces WHERE rowid IN "
              "(SELECT rowid FROM dataset_pieces WHERE dataset_id = ?1 LIMIT ?2)");
          pieces.Bind(id, kPiecesPerPurge);
          MLP_RETURN_IF_ERROR(pieces.Run());
          done = connection.changes() < kPiecesPerPurge;
          if (!done) return absl::OkStatus();
          SqliteStatement dataset = connection.Prepare("DELETE FROM datasets WHERE id = ?1");
          dataset.Bind(id);
          return dataset.Run();
        });
    MLP_RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

absl::Status SqliteDatasets::Purge() {
  std::vector<int64_t> ids;
  const absl::Status status = database_.Read([&](SqliteConnection& connection) -> absl::Status {
    SqliteStatement select = connection.Prepare("SELECT id FROM datasets WHERE name IS NULL");
    while (true) {
      MLP_ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) return absl::OkStatus();
      ids.push_back(select.Int(0));
    }
  });
  MLP_RETURN_IF_ERROR(status);
  for (const int64_t id : ids) MLP_RETURN_IF_ERROR(PurgeDataset(database_, id));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<DatasetUpload>> SqliteDatasets::BeginUpload(
    const v1::DatasetHeader& header) {
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatasetUpload> upload,
                       SqliteDatasetUpload::Begin(header, database_, quotas_, clock_));
  return upload;
}

absl::StatusOr<v1::Dataset> SqliteDatasets::FindByRequest(absl::string_view request_id) {
  return database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<v1::Dataset> {
    MLP_ASSIGN_OR_RETURN(StoredDataset stored, FindDatasetWithRequestId(connection, request_id));
    return std::move(stored.record);
  });
}

absl::StatusOr<v1::Dataset> SqliteDatasets::Get(absl::string_view name) {
  return database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<v1::Dataset> {
    MLP_ASSIGN_OR_RETURN(StoredDataset stored, FindDataset(connection, name));
    return std::move(stored.record);
  });
}

absl::StatusOr<Page<v1::Dataset>> SqliteDatasets::List(const PageRequest& page) {
  MLP_RETURN_IF_ERROR(CheckPageSize(page));
  return database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<Page<v1::Dataset>> {
    Page<v1::Dataset> datasets;
    SqliteStatement select = connection.Prepare(
        "SELECT id, name, request_id, record FROM datasets WHERE name > ?1 ORDER BY name LIMIT ?2");
    select.Bind(page.after, int64_t{page.size} + 1);
    while (true) {
      MLP_ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) break;
      MLP_ASSIGN_OR_RETURN(StoredDataset stored, ReadStored(select));
      datasets.items.push_back(std::move(stored.record));
    }
    FinishPage(
        page, [](const v1::Dataset& dataset) { return dataset.name(); }, datasets);
    return datasets;
  });
}

absl::Status SqliteDatasets::Delete(absl::string_view name) {
  const absl::StatusOr<int64_t> id =
      database_.Write([&](SqliteConnection& connection) -> absl::StatusOr<int64_t> {
        // Without a look at the record: a dataset whose record is damaged can be deleted too.
        SqliteStatement select = connection.Prepare("SELECT id FROM datasets WHERE name = ?1");
        select.Bind(name);
        MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
        if (!found) return absl::NotFoundError(absl::StrCat("dataset ", name, ": not found"));
        const int64_t found_id = select.Int(0);
        MLP_RETURN_IF_ERROR(CheckNoJobNeeds(connection, name));
        SqliteStatement update = connection.Prepare(
            "UPDATE datasets SET name = NULL, request_id = NULL, record = NULL WHERE id = ?1");
        update.Bind(found_id);
        MLP_RETURN_IF_ERROR(update.Run());
        return found_id;
      });
  MLP_RETURN_IF_ERROR(id.status());
  // The dataset is gone. What cannot be cleared now, on a full disk for one, is cleared at the next
  // start.
  PurgeDataset(database_, *id).IgnoreError();
  return absl::OkStatus();
}

}  // namespace mlp
