#include "server/store/sqlite_models.h"

#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/store/paging.h"
#include "server/store/record.h"

namespace mlp {
namespace {

// Of about 1 MiB each.
constexpr int64_t kPiecesPerPurge = 16;

constexpr char kSelectModels[] =
    "SELECT name, record, "
    "(SELECT max(version) FROM versions WHERE versions.model = models.name), "
    "(SELECT count(*) FROM versions WHERE versions.model = models.name) "
    "FROM models WHERE record IS NOT NULL ";

// Reads a row of kSelectModels.
absl::StatusOr<v1::Model> ReadModel(const SqliteStatement& row) {
  v1::Model model;
  MLP_RETURN_IF_ERROR(DecodeRecord(row.Bytes(1), absl::StrCat("model ", row.Bytes(0)), model));
  model.set_latest_version(row.Int(2));  // NULL reads as 0
  model.set_version_count(row.Int(3));
  return model;
}

absl::StatusOr<v1::Model> FindModel(SqliteConnection& connection, absl::string_view name) {
  SqliteStatement select = connection.Prepare(absl::StrCat(kSelectModels, "AND name = ?1"));
  select.Bind(name);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return absl::NotFoundError(absl::StrCat("model ", name, ": not found"));
  return ReadModel(select);
}

}  // namespace

absl::Status CheckNoJobStartsFrom(SqliteConnection& connection, absl::string_view model,
                                  int64_t version) {
  // Names have no '@': what stands before it is the whole name.
  const std::string start =
      version == 0 ? absl::StrCat(model, "@") : absl::StrCat(model, "@", version);
  SqliteStatement select = connection.Prepare(
      version == 0 ? "SELECT id, initial_model FROM jobs WHERE state IN (?1, ?2) AND "
                     "substr(initial_model, 1, length(?3)) = ?3 ORDER BY id LIMIT 1"
                   : "SELECT id, initial_model FROM jobs WHERE state IN (?1, ?2) AND "
                     "initial_model = ?3 ORDER BY id LIMIT 1");
  select.Bind(v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING, start);
  MLP_ASSIGN_OR_RETURN(const bool needed, select.Step());
  if (!needed) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "model ", select.Bytes(1), ": job ", select.Int(0), " starts from it and has not ended yet"));
}

absl::Status SqliteModels::Purge() {
  bool done = false;
  while (!done) {
    const absl::Status status = database_.WriteUnflushed([&](SqliteConnection& connection)
                                                             -> absl::Status {
      SqliteStatement pieces = connection.Prepare(
          "DELETE FROM artifact_pieces WHERE rowid IN (SELECT artifact_pieces.rowid FROM versions "
          "JOIN artifact_pieces ON artifact_pieces.version_id = versions.id "
          "WHERE versions.model IS NULL LIMIT ?1)");
      pieces.Bind(kPiecesPerPurge);
      MLP_RETURN_IF_ERROR(pieces.Run());
      done = connection.changes() < kPiecesPerPurge;
      if (!done) return absl::OkStatus();
      return connection.Prepare("DELETE FROM versions WHERE model IS NULL").Run();
    });
    MLP_RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Model> SqliteModels::Get(absl::string_view name) {
  return database_.Read([&](SqliteConnection& connection) { return FindModel(connection, name); });
}

absl::StatusOr<v1::Model> SqliteModels::SetServing(absl::string_view name,
                                                   const v1::ServingSettings& settings) {
  return database_.Write([&](SqliteConnection& connection) -> absl::StatusOr<v1::Model> {
    MLP_ASSIGN_OR_RETURN(v1::Model model, FindModel(connection, name));
    model.clear_serving();
    if (settings.ByteSizeLong() > 0) *model.mutable_serving() = settings;
    v1::Model stored = model;
    stored.clear_latest_version();  // of the versions
    stored.clear_version_count();
    const std::string record = EncodeRecord(stored);
    SqliteStatement update = connection.Prepare("UPDATE models SET record = ?2 WHERE name = ?1");
    update.Bind(name, SqliteBlob{record});
    MLP_RETURN_IF_ERROR(update.Run());
    return model;
  });
}

absl::StatusOr<Page<v1::Model>> SqliteModels::List(const PageRequest& page) {
  MLP_RETURN_IF_ERROR(CheckPageSize(page));
  return database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<Page<v1::Model>> {
    Page<v1::Model> models;
    SqliteStatement select =
        connection.Prepare(absl::StrCat(kSelectModels, "AND name > ?1 ORDER BY name LIMIT ?2"));
    select.Bind(page.after, int64_t{page.size} + 1);
    while (true) {
      MLP_ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) break;
      MLP_ASSIGN_OR_RETURN(v1::Model model, ReadModel(select));
      models.items.push_back(std::move(model));
    }
    FinishPage(
        page, [](const v1::Model& model) { return model.name(); }, models);
    return models;
  });
}

absl::Status SqliteModels::Delete(absl::string_view name) {
  const absl::Status status = database_.Write([&](SqliteConnection& connection) -> absl::Status {
    MLP_RETURN_IF_ERROR(CheckNoJobStartsFrom(connection, name, 0));
    SqliteStatement model = connection.Prepare(
        "UPDATE models SET record = NULL WHERE name = ?1 AND record IS NOT NULL");
    model.Bind(name);
    MLP_RETURN_IF_ERROR(model.Run());
    if (connection.changes() == 0) {
      return absl::NotFoundError(absl::StrCat("model ", name, ": not found"));
    }
    SqliteStatement versions =
        connection.Prepare("UPDATE versions SET model = NULL WHERE model = ?1");
    versions.Bind(name);
    return versions.Run();
  });
  MLP_RETURN_IF_ERROR(status);
  // The model is gone. What cannot be cleared now, on a full disk for one, is cleared later.
  Purge().IgnoreError();
  return absl::OkStatus();
}

}  // namespace mlp
