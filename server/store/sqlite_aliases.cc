#include "server/store/sqlite_aliases.h"

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/store/store.h"

namespace mlp {
namespace {

std::string SetTo(int64_t version) {
  return version == 0 ? "not set" : absl::StrCat("set to version ", version);
}

absl::Status CheckRoom(SqliteConnection& connection, absl::string_view model) {
  SqliteStatement count = connection.Prepare("SELECT count(*) FROM aliases WHERE model = ?1");
  count.Bind(model);
  MLP_RETURN_IF_ERROR(count.Step().status());
  if (count.Int(0) < kMaxModelAliases) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("model ", model, ": has ", kMaxModelAliases, " aliases, the most that it may"));
}

}  // namespace

absl::StatusOr<AliasMap> ReadAliases(SqliteConnection& connection, absl::string_view model) {
  SqliteStatement select =
      connection.Prepare("SELECT alias, version FROM aliases WHERE model = ?1");
  select.Bind(model);
  AliasMap aliases;
  while (true) {
    MLP_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return aliases;
    aliases.emplace(select.Bytes(0), select.Int(1));
  }
}

absl::StatusOr<int64_t> FindAlias(SqliteConnection& connection, absl::string_view model,
                                  absl::string_view alias) {
  SqliteStatement select =
      connection.Prepare("SELECT version FROM aliases WHERE model = ?1 AND alias = ?2");
  select.Bind(model, alias);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  return found ? select.Int(0) : 0;
}

absl::Status WriteAlias(SqliteConnection& connection, absl::string_view model,
                        absl::string_view alias, int64_t version, std::optional<int64_t> expected) {
  MLP_ASSIGN_OR_RETURN(const int64_t before, FindAlias(connection, model, alias));
  if (expected.has_value() && *expected != before) {
    return absl::FailedPreconditionError(absl::StrCat("model ", model, ": expected alias ", alias,
                                                      " to be ", SetTo(*expected), ", it is ",
                                                      SetTo(before)));
  }
  if (before == 0) MLP_RETURN_IF_ERROR(CheckRoom(connection, model));
  SqliteStatement write = connection.Prepare(
      "INSERT INTO aliases (model, alias, version) VALUES (?1, ?2, ?3) "
      "ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version");
  write.Bind(model, alias, version);
  return write.Run();
}

absl::Status EraseAlias(SqliteConnection& connection, absl::string_view model,
                        absl::string_view alias) {
  SqliteStatement erase = connection.Prepare("DELETE FROM aliases WHERE model = ?1 AND alias = ?2");
  erase.Bind(model, alias);
  MLP_RETURN_IF_ERROR(erase.Run());
  if (connection.changes() > 0) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("model ", model, ": no alias ", alias));
}

absl::Status EraseAliases(SqliteConnection& connection, absl::string_view model) {
  SqliteStatement erase = connection.Prepare("DELETE FROM aliases WHERE model = ?1");
  erase.Bind(model);
  return erase.Run();
}

absl::Status CheckNoAlias(SqliteConnection& connection, absl::string_view model, int64_t version) {
  SqliteStatement select = connection.Prepare(
      "SELECT alias FROM aliases WHERE model = ?1 AND version = ?2 ORDER BY alias LIMIT 1");
  select.Bind(model, version);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("model ", model, " version ", version,
                                                    ": alias ", select.Bytes(0),
                                                    " is set to it; move or delete that first"));
}

}  // namespace mlp
