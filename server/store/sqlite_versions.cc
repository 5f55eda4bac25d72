// Versions of models and their artifacts.
#include <algorithm>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/hash.h"
#include "core/base/status_macros.h"
#include "server/names.h"
#include "server/store/paging.h"
#include "server/store/record.h"
#include "server/store/sqlite_aliases.h"
#include "server/store/sqlite_checkpoints.h"
#include "server/store/sqlite_jobs.h"
#include "server/store/sqlite_models.h"

namespace mlp {
namespace {

// SQLite's longest value is shorter than the largest artifact, and reads stay small.
constexpr size_t kPieceBytes = size_t{1} << 20;

std::string Owner(absl::string_view model, int64_t version) {
  return absl::StrCat("model ", model, " version ", version);
}

// The version's row, with its id, or NOT_FOUND that names what is missing.
struct StoredVersion {
  int64_t id = 0;
  v1::ModelVersion record;
};

absl::Status CheckModel(SqliteConnection& connection, absl::string_view name) {
  SqliteStatement select =
      connection.Prepare("SELECT 1 FROM models WHERE name = ?1 AND record IS NOT NULL");
  select.Bind(name);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  return found ? absl::OkStatus()
               : absl::NotFoundError(absl::StrCat("model ", name, ": not found"));
}

absl::StatusOr<StoredVersion> ReadStored(SqliteConnection& connection, const SqliteStatement& row,
                                         absl::string_view model) {
  StoredVersion stored;
  stored.id = row.Int(0);
  MLP_RETURN_IF_ERROR(DecodeRecord(row.Bytes(2), Owner(model, row.Int(1)), stored.record));
  MLP_ASSIGN_OR_RETURN(const AliasMap aliases, ReadAliases(connection, model));
  for (const auto& [alias, version] : aliases) {
    if (version == row.Int(1)) stored.record.add_aliases(alias);
  }
  return stored;
}

absl::StatusOr<StoredVersion> FindVersion(SqliteConnection& connection, absl::string_view model,
                                          int64_t version) {
  MLP_RETURN_IF_ERROR(CheckModel(connection, model));
  SqliteStatement select = connection.Prepare(
      "SELECT id, version, record FROM versions WHERE model = ?1 AND version = ?2");
  select.Bind(model, version);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return absl::NotFoundError(absl::StrCat(Owner(model, version), ": not found"));
  return ReadStored(connection, select, model);
}

// What the model's name alone names.
absl::StatusOr<StoredVersion> FindServed(SqliteConnection& connection, absl::string_view model) {
  MLP_RETURN_IF_ERROR(CheckModel(connection, model));
  MLP_ASSIGN_OR_RETURN(const int64_t serving, FindAlias(connection, model, kServingAlias));
  if (serving != 0) return FindVersion(connection, model, serving);
  SqliteStatement select = connection.Prepare(
      "SELECT id, version, record FROM versions WHERE model = ?1 ORDER BY version DESC LIMIT 1");
  select.Bind(model);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return absl::NotFoundError(absl::StrCat("model ", model, ": has no versions"));
  return ReadStored(connection, select, model);
}

// Creates the model where it is new, or was deleted, and takes its next number.
absl::StatusOr<int64_t> TakeNumber(SqliteConnection& connection, const v1::ModelVersion& version) {
  v1::Model model;
  model.set_name(version.model());
  *model.mutable_create_time() = version.create_time();
  const std::string record = EncodeRecord(model);
  SqliteStatement create = connection.Prepare(
      "INSERT INTO models (name, next_version, record) VALUES (?1, 1, ?2) "
      "ON CONFLICT (name) DO UPDATE SET record = excluded.record WHERE record IS NULL");
  create.Bind(version.model(), SqliteBlob{record});
  MLP_RETURN_IF_ERROR(create.Run());
  SqliteStatement take = connection.Prepare(
      "UPDATE models SET next_version = next_version + 1 WHERE name = ?1 "
      "RETURNING next_version - 1");
  take.Bind(version.model());
  MLP_RETURN_IF_ERROR(take.Step().status());
  return take.Int(0);
}

absl::Status InsertVersion(SqliteConnection& connection, const NewVersion& made) {
  const v1::ModelVersion& version = made.version;
  absl::string_view artifact = made.artifact;
  const std::string record = EncodeRecord(version);
  SqliteStatement insert =
      connection.Prepare("INSERT INTO versions (model, version, record) VALUES (?1, ?2, ?3)");
  insert.Bind(version.model(), version.version(), SqliteBlob{record});
  MLP_RETURN_IF_ERROR(insert.Run());
  const int64_t id = connection.last_insert_id();
  for (int64_t number = 0; !artifact.empty(); ++number) {
    const absl::string_view bytes = artifact.substr(0, kPieceBytes);
    SqliteStatement piece = connection.Prepare(
        "INSERT INTO artifact_pieces (version_id, piece, bytes) VALUES (?1, ?2, ?3)");
    piece.Bind(id, number, SqliteBlob{bytes});
    MLP_RETURN_IF_ERROR(piece.Run());
    artifact.remove_prefix(bytes.size());
  }
  for (const std::string& alias : made.aliases) {
    MLP_RETURN_IF_ERROR(WriteAlias(connection, version.model(), alias, version.version()));
  }
  return absl::OkStatus();
}

// What the store says of a version, but its number.
void FillIn(const Clock& clock, NewVersion& made) {
  v1::ModelVersion& version = made.version;
  version.set_artifact_bytes(static_cast<int64_t>(made.artifact.size()));
  version.set_artifact_sha256(Sha256::Hex(made.artifact));
  version.clear_aliases();
  if (!version.has_create_time()) *version.mutable_create_time() = ToTimestamp(clock.Now());
}

absl::Status CheckQuotas(const SqliteQuotas& quotas, SqliteConnection& connection,
                         const v1::ModelVersion& version) {
  MLP_RETURN_IF_ERROR(quotas.CheckVersions(connection, version.model()));
  return quotas.CheckBytes(connection, version.artifact_bytes());
}

absl::StatusOr<v1::ModelVersion> AsStored(SqliteConnection& connection,
                                          const v1::ModelVersion& version) {
  MLP_ASSIGN_OR_RETURN(StoredVersion stored,
                       FindVersion(connection, version.model(), version.version()));
  return std::move(stored.record);
}

absl::Status Damaged(const v1::ModelVersion& version) {
  return absl::DataLossError(
      absl::StrCat(Owner(version.model(), version.version()), ": the stored artifact is damaged"));
}

absl::StatusOr<std::string> ReadPieces(SqliteConnection& connection, const StoredVersion& stored) {
  // Compared before memory is taken for it.
  SqliteStatement sum =
      connection.Prepare("SELECT sum(length(bytes)) FROM artifact_pieces WHERE version_id = ?1");
  sum.Bind(stored.id);
  MLP_RETURN_IF_ERROR(sum.Step().status());
  if (sum.Int(0) != stored.record.artifact_bytes()) return Damaged(stored.record);
  std::string artifact;
  artifact.reserve(static_cast<size_t>(sum.Int(0)));
  SqliteStatement select =
      connection.Prepare("SELECT bytes FROM artifact_pieces WHERE version_id = ?1 ORDER BY piece");
  select.Bind(stored.id);
  while (true) {
    MLP_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return artifact;
    const absl::string_view bytes = select.Bytes(0);
    artifact.append(bytes.data(), bytes.size());
  }
}

}  // namespace

absl::Status CheckVersionIsThere(SqliteConnection& connection, absl::string_view reference) {
  MLP_ASSIGN_OR_RETURN(const ModelReference parsed,
                       ParseModelReference("initial_model", reference));
  if (parsed.version == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("initial_model: expected NAME@VERSION, got ", reference));
  }
  return FindVersion(connection, parsed.model, parsed.version).status();
}

absl::Status CheckVersionIsThere(SqliteConnection& connection, absl::string_view model,
                                 int64_t version) {
  return FindVersion(connection, model, version).status();
}

absl::StatusOr<v1::ModelVersion> SqliteModels::Publish(NewVersion version, v1::TrainingJob job) {
  v1::ModelVersion& record = version.version;
  if (record.model() != job.model()) {
    return absl::InvalidArgumentError(absl::StrCat("version.model: expected ", job.model(),
                                                   " as the job has, got ", record.model()));
  }
  record.set_job_id(job.id());
  FillIn(clock_, version);
  const auto publish = [&](SqliteConnection& connection) -> absl::StatusOr<v1::ModelVersion> {
    MLP_RETURN_IF_ERROR(CheckQuotas(quotas_, connection, record));
    MLP_ASSIGN_OR_RETURN(const int64_t number, TakeNumber(connection, record));
    record.set_version(number);
    if (record.has_training()) record.mutable_training()->set_version(number);
    job.mutable_result()->set_version(number);
    // Before the artifact, as this is what can be refused.
    MLP_RETURN_IF_ERROR(ReplaceJob(connection, job, v1::JOB_STATE_RUNNING));
    MLP_RETURN_IF_ERROR(InsertVersion(connection, version));
    return AsStored(connection, record);
  };
  MLP_RETURN_IF_ERROR(database_.CheckSpace(record.artifact_bytes()));
  absl::StatusOr<v1::ModelVersion> published = database_.Write(publish);
  if (published.ok()) PurgeCheckpoints(database_).IgnoreError();  // of the job that has ended
  return published;
}

absl::StatusOr<v1::ModelVersion> SqliteModels::Import(NewVersion version) {
  FillIn(clock_, version);
  MLP_RETURN_IF_ERROR(database_.CheckSpace(version.version.artifact_bytes()));
  return database_.Write([&](SqliteConnection& connection) -> absl::StatusOr<v1::ModelVersion> {
    MLP_RETURN_IF_ERROR(CheckQuotas(quotas_, connection, version.version));
    MLP_ASSIGN_OR_RETURN(const int64_t number, TakeNumber(connection, version.version));
    version.version.set_version(number);
    MLP_RETURN_IF_ERROR(InsertVersion(connection, version));
    return AsStored(connection, version.version);
  });
}

absl::StatusOr<v1::ModelVersion> SqliteModels::GetAliasedVersion(absl::string_view model,
                                                                 absl::string_view alias) {
  return database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<v1::ModelVersion> {
    MLP_RETURN_IF_ERROR(CheckModel(connection, model));
    MLP_ASSIGN_OR_RETURN(const int64_t version, FindAlias(connection, model, alias));
    if (version == 0) {
      return absl::NotFoundError(absl::StrCat("model ", model, ": no alias ", alias));
    }
    MLP_ASSIGN_OR_RETURN(StoredVersion stored, FindVersion(connection, model, version));
    return std::move(stored.record);
  });
}

absl::StatusOr<v1::ModelVersion> SqliteModels::AnnotateVersion(const v1::ModelVersion& version) {
  return database_.Write([&](SqliteConnection& connection) -> absl::StatusOr<v1::ModelVersion> {
    MLP_ASSIGN_OR_RETURN(StoredVersion stored,
                         FindVersion(connection, version.model(), version.version()));
    v1::ModelVersion record = stored.record;
    record.set_note(version.note());
    *record.mutable_tags() = version.tags();
    record.clear_aliases();
    const std::string bytes = EncodeRecord(record);
    SqliteStatement update = connection.Prepare("UPDATE versions SET record = ?2 WHERE id = ?1");
    update.Bind(stored.id, SqliteBlob{bytes});
    MLP_RETURN_IF_ERROR(update.Run());
    *record.mutable_aliases() = stored.record.aliases();
    return record;
  });
}

absl::StatusOr<v1::ModelVersion> SqliteModels::GetVersion(absl::string_view model,
                                                          int64_t version) {
  return database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<v1::ModelVersion> {
    MLP_ASSIGN_OR_RETURN(StoredVersion stored, version == 0
                                                   ? FindServed(connection, model)
                                                   : FindVersion(connection, model, version));
    return std::move(stored.record);
  });
}

absl::StatusOr<Page<v1::ModelVersion>> SqliteModels::ListVersions(absl::string_view model,
                                                                  const PageRequest& page) {
  MLP_RETURN_IF_ERROR(CheckPageSize(page));
  MLP_ASSIGN_OR_RETURN(const int64_t bound, NumberBound(page));
  return database_.Read(
      [&](SqliteConnection& connection) -> absl::StatusOr<Page<v1::ModelVersion>> {
        Page<v1::ModelVersion> versions;
        MLP_RETURN_IF_ERROR(CheckModel(connection, model));
        SqliteStatement select = connection.Prepare(
            "SELECT id, version, record FROM versions WHERE model = ?1 AND version < ?2 "
            "ORDER BY version DESC LIMIT ?3");
        select.Bind(model, bound, int64_t{page.size} + 1);
        while (true) {
          MLP_ASSIGN_OR_RETURN(const bool row, select.Step());
          if (!row) break;
          MLP_ASSIGN_OR_RETURN(StoredVersion stored, ReadStored(connection, select, model));
          versions.items.push_back(std::move(stored.record));
        }
        FinishPage(
            page, [](const v1::ModelVersion& item) { return absl::StrCat(item.version()); },
            versions);
        return versions;
      });
}

absl::Status SqliteModels::DeleteVersion(absl::string_view model, int64_t version) {
  const absl::Status status = database_.Write([&](SqliteConnection& connection) -> absl::Status {
    MLP_RETURN_IF_ERROR(CheckModel(connection, model));
    MLP_RETURN_IF_ERROR(CheckNoAlias(connection, model, version));
    MLP_RETURN_IF_ERROR(CheckNoJobStartsFrom(connection, model, version));
    SqliteStatement update =
        connection.Prepare("UPDATE versions SET model = NULL WHERE model = ?1 AND version = ?2");
    update.Bind(model, version);
    MLP_RETURN_IF_ERROR(update.Run());
    if (connection.changes() > 0) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat(Owner(model, version), ": not found"));
  });
  MLP_RETURN_IF_ERROR(status);
  Purge().IgnoreError();  // as in Delete
  return absl::OkStatus();
}

absl::StatusOr<std::string> SqliteModels::ReadArtifact(absl::string_view model, int64_t version) {
  StoredVersion stored;
  absl::StatusOr<std::string> artifact =
      database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<std::string> {
        MLP_ASSIGN_OR_RETURN(stored, FindVersion(connection, model, version));
        return ReadPieces(connection, stored);
      });
  if (artifact.ok() && Sha256::Hex(*artifact) != stored.record.artifact_sha256()) {
    return Damaged(stored.record);
  }
  return artifact;
}

}  // namespace mlp
