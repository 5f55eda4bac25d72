#include "server/store/sqlite_models.h"

#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/store/paging.h"
#include "server/store/record.h"
#include "server/store/sqlite_aliases.h"

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
absl::StatusOr<v1::Model> ReadModel(SqliteConnection& connection, const SqliteStatement& row) {
  v1::Model model;
  MLP_RETURN_IF_ERROR(DecodeRecord(row.Bytes(1), absl::StrCat("model ", row.Bytes(0)), model));
  model.set_latest_version(row.Int(2));  // NULL reads as 0
  model.set_version_count(row.Int(3));
  model.set_served_version(model.latest_version());
  MLP_ASSIGN_OR_RETURN(const AliasMap aliases, ReadAliases(connection, model.name()));
  for (const auto& [alias, version] : aliases) {
    (*model.mutable_aliases())[alias] = version;
    if (alias == kServingAlias) model.set_served_version(version);
  }
  return model;
}

// What is stored of it in other places is left out.
absl::Status ReplaceModel(SqliteConnection& connection, v1::Model model) {
  model.clear_latest_version();
  model.clear_version_count();
  model.clear_served_version();
  model.clear_aliases();
  const std::string record = EncodeRecord(model);
  SqliteStatement update = connection.Prepare("UPDATE models SET record = ?2 WHERE name = ?1");
  update.Bind(model.name(), SqliteBlob{record});
  return update.Run();
}

absl::StatusOr<v1::Model> FindModel(SqliteConnection& connection, absl::string_view name) {
  SqliteStatement select = connection.Prepare(absl::StrCat(kSelectModels, "AND name = ?1"));
  select.Bind(name);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return absl::NotFoundError(absl::StrCat("model ", name, ": not found"));
  return ReadModel(connection, select);
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
    MLP_RETURN_IF_ERROR(ReplaceModel(connection, model));
    return model;
  });
}

absl::StatusOr<v1::Model> SqliteModels::SetRetention(absl::string_view name,
                                                     const v1::Retention& retention) {
  return database_.Write([&](SqliteConnection& connection) -> absl::StatusOr<v1::Model> {
    MLP_ASSIGN_OR_RETURN(v1::Model model, FindModel(connection, name));
    model.clear_retention();
    if (retention.keep_versions() > 0) *model.mutable_retention() = retention;
    MLP_RETURN_IF_ERROR(ReplaceModel(connection, model));
    return model;
  });
}

absl::StatusOr<v1::Model> SqliteModels::SetAlias(absl::string_view model, absl::string_view alias,
                                                 int64_t version, std::optional<int64_t> expected) {
  return database_.Write([&](SqliteConnection& connection) -> absl::StatusOr<v1::Model> {
    MLP_RETURN_IF_ERROR(CheckVersionIsThere(connection, model, version));
    MLP_RETURN_IF_ERROR(WriteAlias(connection, model, alias, version, expected));
    return FindModel(connection, model);
  });
}

absl::StatusOr<v1::Model> SqliteModels::DeleteAlias(absl::string_view model,
                                                    absl::string_view alias) {
  return database_.Write([&](SqliteConnection& connection) -> absl::StatusOr<v1::Model> {
    MLP_RETURN_IF_ERROR(FindModel(connection, model).status());
    MLP_RETURN_IF_ERROR(EraseAlias(connection, model, alias));
    return FindModel(connection, model);
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
      MLP_ASSIGN_OR_RETURN(v1::Model model, ReadModel(connection, select));
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
    MLP_RETURN_IF_ERROR(EraseAliases(connection, name));
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
