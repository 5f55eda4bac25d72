#include "server/store/sqlite_checkpoints.h"

#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/hash.h"
#include "core/base/status_macros.h"
#include "mlp/v1/training.pb.h"
#include "server/store/sqlite_jobs.h"
#include "server/store/store.h"

namespace mlp {
namespace {

// A transaction each, so that others get their turn in between.
constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr int64_t kPiecesPerPurge = 16;

struct StoredCheckpoint {
  int64_t id = 0;
  int64_t bytes = 0;
  int64_t crc = 0;
};

std::string Owner(int64_t job_id) { return absl::StrCat("job ", job_id); }

absl::Status CheckRunning(SqliteConnection& connection, int64_t job_id) {
  SqliteStatement select = connection.Prepare("SELECT state FROM jobs WHERE id = ?1");
  select.Bind(job_id);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return absl::NotFoundError(absl::StrCat(Owner(job_id), ": not found"));
  if (select.Int(0) == v1::JOB_STATE_RUNNING) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(Owner(job_id), ": expected a job that runs, got one in state ",
                   v1::JobState_Name(static_cast<v1::JobState>(select.Int(0)))));
}

// The row of a checkpoint that is not complete yet. Returns its id.
absl::StatusOr<int64_t> Begin(SqliteConnection& connection, int64_t job_id, CheckpointKind kind,
                              absl::string_view bytes) {
  MLP_RETURN_IF_ERROR(CheckRunning(connection, job_id));
  SqliteStatement insert = connection.Prepare(
      "INSERT INTO checkpoints (job_id, kind, complete, bytes, crc) VALUES (?1, ?2, 0, ?3, ?4)");
  insert.Bind(job_id, static_cast<int64_t>(kind), static_cast<int64_t>(bytes.size()),
              int64_t{Crc32c(bytes)});
  MLP_RETURN_IF_ERROR(insert.Run());
  return connection.last_insert_id();
}

// Where the job has ended meanwhile, its checkpoint is not there any more: nothing is inserted.
absl::Status AddPiece(SqliteConnection& connection, int64_t id, int64_t number,
                      absl::string_view bytes) {
  SqliteStatement insert = connection.Prepare(
      "INSERT INTO checkpoint_pieces (checkpoint_id, piece, bytes) "
      "SELECT id, ?2, ?3 FROM checkpoints WHERE id = ?1 AND job_id IS NOT NULL");
  insert.Bind(id, number, SqliteBlob{bytes});
  return insert.Run();
}

// Makes the checkpoint its job's newest one, and takes the oldest away. The job has come on.
absl::Status Complete(SqliteConnection& connection, int64_t job_id, CheckpointKind kind,
                      int64_t id) {
  MLP_RETURN_IF_ERROR(CheckRunning(connection, job_id));
  SqliteStatement complete =
      connection.Prepare("UPDATE checkpoints SET complete = 1 WHERE id = ?1");
  complete.Bind(id);
  MLP_RETURN_IF_ERROR(complete.Run());
  MLP_RETURN_IF_ERROR(ForgetCrashes(connection, job_id));
  SqliteStatement retire = connection.Prepare(
      "UPDATE checkpoints SET job_id = NULL WHERE job_id = ?1 AND kind = ?2 AND complete = 1 "
      "AND id NOT IN (SELECT id FROM checkpoints WHERE job_id = ?1 AND kind = ?2 AND complete = 1 "
      "ORDER BY id DESC LIMIT ?3)");
  retire.Bind(job_id, static_cast<int64_t>(kind),
              kind == CheckpointKind::kToGoOn ? kKeptCheckpoints : 1);
  return retire.Run();
}

absl::StatusOr<StoredCheckpoint> Find(SqliteConnection& connection, int64_t job_id,
                                      CheckpointKind kind, int age) {
  SqliteStatement select = connection.Prepare(
      "SELECT id, bytes, crc FROM checkpoints WHERE job_id = ?1 AND kind = ?2 AND complete = 1 "
      "ORDER BY id DESC LIMIT 1 OFFSET ?3");
  select.Bind(job_id, static_cast<int64_t>(kind), age);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found && kind == CheckpointKind::kKeptWeights) {
    return absl::NotFoundError(absl::StrCat(Owner(job_id), ": has kept no weights"));
  }
  if (!found) {
    return absl::NotFoundError(absl::StrCat(Owner(job_id), ": has no checkpoint of age ", age));
  }
  return StoredCheckpoint{select.Int(0), select.Int(1), select.Int(2)};
}

absl::Status Damaged(int64_t job_id) {
  return absl::DataLossError(absl::StrCat(Owner(job_id), ": the stored checkpoint is damaged"));
}

absl::StatusOr<std::string> ReadPieces(SqliteConnection& connection, int64_t job_id,
                                       const StoredCheckpoint& stored) {
  // Compared before memory is taken for it.
  SqliteStatement sum = connection.Prepare(
      "SELECT coalesce(sum(length(bytes)), 0) FROM checkpoint_pieces WHERE checkpoint_id = ?1");
  sum.Bind(stored.id);
  MLP_RETURN_IF_ERROR(sum.Step().status());
  if (sum.Int(0) != stored.bytes) return Damaged(job_id);
  std::string bytes;
  bytes.reserve(static_cast<size_t>(stored.bytes));
  SqliteStatement select = connection.Prepare(
      "SELECT bytes FROM checkpoint_pieces WHERE checkpoint_id = ?1 ORDER BY piece");
  select.Bind(stored.id);
  while (true) {
    MLP_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return bytes;
    bytes.append(select.Bytes(0).data(), select.Bytes(0).size());
  }
}

}  // namespace

absl::Status RetireCheckpoints(SqliteConnection& connection, int64_t job_id, bool keep_weights) {
  SqliteStatement retire = connection.Prepare(
      "UPDATE checkpoints SET job_id = NULL WHERE job_id = ?1 "
      "AND NOT (?2 AND kind = ?3 AND complete = 1)");
  retire.Bind(job_id, keep_weights, static_cast<int64_t>(CheckpointKind::kKeptWeights));
  return retire.Run();
}

absl::Status CheckWeightsAreKept(SqliteConnection& connection, int64_t job_id) {
  return Find(connection, job_id, CheckpointKind::kKeptWeights, 0).status();
}

absl::Status PurgeCheckpoints(SqliteDatabase& database) {
  bool done = false;
  while (!done) {
    const absl::Status status =
        database.WriteUnflushed([&](SqliteConnection& connection) -> absl::Status {
          SqliteStatement pieces = connection.Prepare(
              "DELETE FROM checkpoint_pieces WHERE rowid IN "
              "(SELECT checkpoint_pieces.rowid FROM checkpoints "
              "JOIN checkpoint_pieces ON checkpoint_pieces.checkpoint_id = checkpoints.id "
              "WHERE checkpoints.job_id IS NULL LIMIT ?1)");
          pieces.Bind(kPiecesPerPurge);
          MLP_RETURN_IF_ERROR(pieces.Run());
          done = connection.changes() < kPiecesPerPurge;
          if (!done) return absl::OkStatus();
          return connection.Prepare("DELETE FROM checkpoints WHERE job_id IS NULL").Run();
        });
    MLP_RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

absl::Status SqliteCheckpoints::Recover() {
  MLP_RETURN_IF_ERROR(database_.Write([](SqliteConnection& connection) {
    return connection.Prepare("UPDATE checkpoints SET job_id = NULL WHERE complete = 0").Run();
  }));
  return PurgeCheckpoints(database_);
}

absl::Status SqliteCheckpoints::Save(int64_t job_id, CheckpointKind kind, absl::string_view bytes) {
  const absl::StatusOr<int64_t> id = database_.WriteUnflushed(
      [&](SqliteConnection& connection) { return Begin(connection, job_id, kind, bytes); });
  MLP_RETURN_IF_ERROR(id.status());
  absl::Status status;
  absl::string_view left = bytes;
  for (int64_t number = 0; status.ok() && !left.empty(); ++number) {
    const absl::string_view piece = left.substr(0, kPieceBytes);
    status = database_.CheckSpace(static_cast<int64_t>(piece.size()));
    if (!status.ok()) break;
    status = database_.WriteUnflushed(
        [&](SqliteConnection& connection) { return AddPiece(connection, *id, number, piece); });
    left.remove_prefix(piece.size());
  }
  if (status.ok()) {
    status = database_.Write(
        [&](SqliteConnection& connection) { return Complete(connection, job_id, kind, *id); });
  }
  if (!status.ok()) {
    // Where even this fails, Recover clears it.
    database_
        .WriteUnflushed([&](SqliteConnection& connection) -> absl::Status {
          SqliteStatement retire =
              connection.Prepare("UPDATE checkpoints SET job_id = NULL WHERE id = ?1");
          retire.Bind(*id);
          return retire.Run();
        })
        .IgnoreError();
  }
  // Neither what failed nor what is old is worth an error.
  PurgeCheckpoints(database_).IgnoreError();
  return status;
}

absl::StatusOr<std::string> SqliteCheckpoints::Read(int64_t job_id, CheckpointKind kind, int age) {
  StoredCheckpoint stored;
  absl::StatusOr<std::string> bytes =
      database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<std::string> {
        MLP_ASSIGN_OR_RETURN(stored, Find(connection, job_id, kind, age));
        return ReadPieces(connection, job_id, stored);
      });
  if (bytes.ok() && Crc32c(*bytes) != stored.crc) return Damaged(job_id);
  return bytes;
}

}  // namespace mlp
