// Checkpoints of running jobs, and weights that ended ones kept, in SQLite: one row each in
// `checkpoints`, their bytes in `checkpoint_pieces`.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "server/store/sqlite_database.h"

namespace mlp {

// As stored: never renumbered.
enum class CheckpointKind {
  kToGoOn = 0,
  kKeptWeights = 1,
};

// Inside a transaction of the caller's: takes the job's checkpoints away from it, complete or not,
// but for weights that it keeps. PurgeCheckpoints then clears them.
absl::Status RetireCheckpoints(SqliteConnection& connection, int64_t job_id, bool keep_weights);

// Inside a transaction of the caller's: NOT_FOUND where there is no such job, or it kept none.
absl::Status CheckWeightsAreKept(SqliteConnection& connection, int64_t job_id);

// Deletes the checkpoints that no job has any more, in small transactions, so that nobody waits
// long for the writer.
absl::Status PurgeCheckpoints(SqliteDatabase& database);

// The checkpoint part of Store: see there. Thread-safe. `database` outlives it.
class SqliteCheckpoints {
 public:
  explicit SqliteCheckpoints(SqliteDatabase& database) : database_(database) {}

  // Deletes what was left half written, or half deleted. Before anything else is called.
  absl::Status Recover();

  absl::Status Save(int64_t job_id, CheckpointKind kind, absl::string_view bytes);
  absl::StatusOr<std::string> Read(int64_t job_id, CheckpointKind kind, int age);

 private:
  SqliteDatabase& database_;
};

}  // namespace mlp
