// Aliases of model versions in SQLite. All functions run inside a transaction of the caller's, who
// knows that the model is there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "server/store/sqlite_connection.h"

namespace mlp {

using AliasMap = std::map<std::string, int64_t>;

// Of all aliases of a model, the version.
absl::StatusOr<AliasMap> ReadAliases(SqliteConnection& connection, absl::string_view model);

// The version that it is set to; 0: none.
absl::StatusOr<int64_t> FindAlias(SqliteConnection& connection, absl::string_view model,
                                  absl::string_view alias);

// Sets it, or moves it, to a version that is there. FAILED_PRECONDITION where it is not set to
// `expected` (0: not set at all); RESOURCE_EXHAUSTED where there are kMaxModelAliases others.
absl::Status WriteAlias(SqliteConnection& connection, absl::string_view model,
                        absl::string_view alias, int64_t version,
                        std::optional<int64_t> expected = std::nullopt);

// NOT_FOUND.
absl::Status EraseAlias(SqliteConnection& connection, absl::string_view model,
                        absl::string_view alias);
absl::Status EraseAliases(SqliteConnection& connection, absl::string_view model);

// FAILED_PRECONDITION where one is set to the version.
absl::Status CheckNoAlias(SqliteConnection& connection, absl::string_view model, int64_t version);

}  // namespace mlp
