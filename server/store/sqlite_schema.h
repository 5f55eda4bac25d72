// The tables of mlpd.db, and how a database of an older server becomes one of this one.
#pragma once

#include <absl/status/status.h>

#include "server/store/sqlite_connection.h"

namespace mlp {

// Checks that the database is empty or ours and not newer than this server, before anything is
// written to it. FAILED_PRECONDITION otherwise.
absl::Status CheckDatabaseIsOurs(SqliteConnection& connection);

// Applies the migrations that are missing, each in a transaction of its own.
absl::Status Migrate(SqliteConnection& connection);

}  // namespace mlp
