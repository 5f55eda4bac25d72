#include "server/store/sqlite_schema.h"

#include <iterator>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

constexpr int64_t kApplicationId = 0x6D6C7064;  // "mlpd"

// What others must not see yet, or no longer, has NULL in the column that names its owner: an
// upload under way and a deleted dataset have no name, a deleted version has no model, a checkpoint
// that is not needed any more has no job. Such rows are emptied piece by piece (see Purge in
// sqlite_datasets.h, sqlite_models.h and sqlite_checkpoints.h).
//
// A model that was deleted leaves its row with a NULL record, so that its version numbers go on.
//
// `record` columns hold what record.h makes of the API's message; the other columns are what
// queries need of it. In dataset_pieces the labels stand before the features because SQLite reads a
// long row from its beginning: reading labels alone touches none of the features.
constexpr const char* kMigrations[] = {
    // 1
    R"sql(
CREATE TABLE datasets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  request_id TEXT UNIQUE,
  record BLOB
);
CREATE TABLE dataset_pieces (
  dataset_id INTEGER NOT NULL REFERENCES datasets (id),
  first_row INTEGER NOT NULL,
  labels BLOB NOT NULL,
  features BLOB NOT NULL,
  PRIMARY KEY (dataset_id, first_row)
);
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  request_id TEXT UNIQUE,
  model TEXT NOT NULL,
  dataset TEXT NOT NULL,
  state INTEGER NOT NULL,
  newest_iteration INTEGER,
  record BLOB NOT NULL
);
CREATE INDEX jobs_by_model ON jobs (model);
CREATE INDEX jobs_by_state ON jobs (state);
CREATE TABLE progress (
  job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  iteration INTEGER NOT NULL,
  record BLOB NOT NULL,
  PRIMARY KEY (job_id, iteration)
) WITHOUT ROWID;
CREATE TABLE models (
  name TEXT NOT NULL PRIMARY KEY,
  next_version INTEGER NOT NULL,
  record BLOB
) WITHOUT ROWID;
CREATE TABLE versions (
  id INTEGER PRIMARY KEY,
  model TEXT REFERENCES models (name),
  version INTEGER NOT NULL,
  record BLOB NOT NULL,
  UNIQUE (model, version)
);
CREATE TABLE artifact_pieces (
  version_id INTEGER NOT NULL REFERENCES versions (id),
  piece INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (version_id, piece)
);
)sql",
    // 2: where a job starts from, its log, and the checkpoints it goes on from. A checkpoint
    // without a job is deleted; one that is not complete is being written.
    R"sql(
ALTER TABLE jobs ADD COLUMN initial_model TEXT;
ALTER TABLE jobs ADD COLUMN log BLOB;
CREATE TABLE checkpoints (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id INTEGER REFERENCES jobs (id) ON DELETE SET NULL,
  complete INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  crc INTEGER NOT NULL
);
CREATE INDEX checkpoints_by_job ON checkpoints (job_id);
CREATE TABLE checkpoint_pieces (
  checkpoint_id INTEGER NOT NULL REFERENCES checkpoints (id),
  piece INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (checkpoint_id, piece)
);
)sql",
    // 3: how much each example counts; NULL where all count alike.
    R"sql(
ALTER TABLE dataset_pieces ADD COLUMN weights BLOB;
)sql",
    // 4: what a checkpoint is for, a CheckpointKind.
    R"sql(
ALTER TABLE checkpoints ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
)sql",
    // 5: names for versions. Those of a model or version that was deleted are gone with it.
    R"sql(
CREATE TABLE aliases (
  model TEXT NOT NULL REFERENCES models (name),
  alias TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (model, alias),
  FOREIGN KEY (model, version) REFERENCES versions (model, version)
) WITHOUT ROWID;
CREATE INDEX aliases_by_version ON aliases (model, version);
)sql",
    // 6: how much there is, for quotas: counted as pieces come and go, for adding up the lengths of
    // all would take too long.
    R"sql(
CREATE TABLE stored_bytes (kind TEXT NOT NULL PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO stored_bytes SELECT 'datasets', coalesce(
  sum(length(labels) + length(features) + coalesce(length(weights), 0)), 0) FROM dataset_pieces;
INSERT INTO stored_bytes SELECT 'versions', coalesce(sum(length(bytes)), 0) FROM artifact_pieces;
CREATE TRIGGER dataset_piece_comes AFTER INSERT ON dataset_pieces BEGIN
  UPDATE stored_bytes SET bytes = bytes + length(new.labels) + length(new.features) +
    coalesce(length(new.weights), 0) WHERE kind = 'datasets';
END;
CREATE TRIGGER dataset_piece_goes AFTER DELETE ON dataset_pieces BEGIN
  UPDATE stored_bytes SET bytes = bytes - length(old.labels) - length(old.features) -
    coalesce(length(old.weights), 0) WHERE kind = 'datasets';
END;
CREATE TRIGGER artifact_piece_comes AFTER INSERT ON artifact_pieces BEGIN
  UPDATE stored_bytes SET bytes = bytes + length(new.bytes) WHERE kind = 'versions';
END;
CREATE TRIGGER artifact_piece_goes AFTER DELETE ON artifact_pieces BEGIN
  UPDATE stored_bytes SET bytes = bytes - length(old.bytes) WHERE kind = 'versions';
END;
)sql",
};

constexpr auto kSchemaVersion = static_cast<int64_t>(std::size(kMigrations));

}  // namespace

absl::Status CheckDatabaseIsOurs(SqliteConnection& connection) {
  const absl::StatusOr<int64_t> id = connection.QueryInt("PRAGMA application_id");
  if (absl::IsDataLoss(id.status())) {
    return absl::FailedPreconditionError("store: mlpd.db is not a database");
  }
  MLP_RETURN_IF_ERROR(id.status());
  MLP_ASSIGN_OR_RETURN(const int64_t version, connection.QueryInt("PRAGMA user_version"));
  MLP_ASSIGN_OR_RETURN(const int64_t tables,
                       connection.QueryInt("SELECT count(*) FROM sqlite_schema"));
  const bool is_empty = *id == 0 && version == 0 && tables == 0;
  if (!is_empty && *id != kApplicationId) {
    return absl::FailedPreconditionError("store: mlpd.db is the database of another application");
  }
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("store: mlpd.db is of a newer server: expected a schema up to ",
                     kSchemaVersion, ", got ", version));
  }
  return absl::OkStatus();
}

absl::Status Migrate(SqliteConnection& connection) {
  MLP_ASSIGN_OR_RETURN(const int64_t version, connection.QueryInt("PRAGMA user_version"));
  for (int64_t next = version; next < kSchemaVersion; ++next) {
    SqliteTransaction transaction(connection);
    MLP_RETURN_IF_ERROR(transaction.Begin(SqliteTransaction::Kind::kWrite));
    MLP_RETURN_IF_ERROR(connection.Execute(kMigrations[next]));
    MLP_RETURN_IF_ERROR(connection.Execute(absl::StrCat("PRAGMA application_id = ", kApplicationId,
                                                        "; PRAGMA user_version = ", next + 1)));
    MLP_RETURN_IF_ERROR(transaction.Commit());
  }
  return absl::OkStatus();
}

}  // namespace mlp
