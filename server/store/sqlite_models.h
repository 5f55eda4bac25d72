// Models in SQLite: names and next numbers in `models`, records in `versions`, the files that
// training made in `artifact_pieces`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "core/base/clock.h"
#include "server/store/sqlite_database.h"
#include "server/store/sqlite_quotas.h"
#include "server/store/store.h"

namespace mlp {

// Inside a transaction of the caller's. `reference` is NAME@VERSION: INVALID_ARGUMENT where it is
// something else, NOT_FOUND names what is missing.
absl::Status CheckVersionIsThere(SqliteConnection& connection, absl::string_view reference);

// The same for a model and a number.
absl::Status CheckVersionIsThere(SqliteConnection& connection, absl::string_view model,
                                 int64_t version);

// Inside a transaction of the caller's: FAILED_PRECONDITION where a queued or running job starts
// from this version; of any version of the model where `version` is 0.
absl::Status CheckNoJobStartsFrom(SqliteConnection& connection, absl::string_view model,
                                  int64_t version);

// The model part of Store: see there. Thread-safe. All arguments outlive it.
class SqliteModels {
 public:
  SqliteModels(SqliteDatabase& database, const SqliteQuotas& quotas, const Clock& clock)
      : database_(database), quotas_(quotas), clock_(clock) {}

  // Deletes the artifacts of versions that were deleted, in small transactions, so that nobody
  // waits long for the writer.
  absl::Status Purge();

  absl::StatusOr<v1::Model> Get(absl::string_view name);
  absl::StatusOr<Page<v1::Model>> List(const PageRequest& page);
  absl::StatusOr<v1::Model> SetServing(absl::string_view name, const v1::ServingSettings& settings);
  absl::StatusOr<v1::Model> SetRetention(absl::string_view name, const v1::Retention& retention);
  absl::StatusOr<v1::Model> SetAlias(absl::string_view model, absl::string_view alias,
                                     int64_t version, std::optional<int64_t> expected);
  absl::StatusOr<v1::Model> DeleteAlias(absl::string_view model, absl::string_view alias);
  absl::Status Delete(absl::string_view name);

  // sqlite_versions.cc
  absl::StatusOr<v1::ModelVersion> Publish(NewVersion version, v1::TrainingJob job);
  absl::StatusOr<v1::ModelVersion> Import(NewVersion version);
  absl::StatusOr<v1::ModelVersion> GetVersion(absl::string_view model, int64_t version);
  absl::StatusOr<v1::ModelVersion> GetAliasedVersion(absl::string_view model,
                                                     absl::string_view alias);
  absl::StatusOr<v1::ModelVersion> AnnotateVersion(const v1::ModelVersion& version);
  absl::StatusOr<Page<v1::ModelVersion>> ListVersions(absl::string_view model,
                                                      const PageRequest& page);
  absl::Status DeleteVersion(absl::string_view model, int64_t version);
  absl::StatusOr<std::string> ReadArtifact(absl::string_view model, int64_t version);

 private:
  SqliteDatabase& database_;
  const SqliteQuotas& quotas_;
  const Clock& clock_;
};

}  // namespace mlp
