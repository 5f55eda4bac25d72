// Whether the disk has room for more, and for what must be written when it has none left: deletions
// and the ends of jobs, which give space back.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/status.h>

#include "server/store/sqlite_connection.h"

namespace mlp {

// RESOURCE_EXHAUSTED where `bytes` more would leave too little. What is in the log must fit into
// the database file one day, or the log cannot be used anew, and on a full disk not even a deletion
// has a place to be written to. `path` is the database file's, `connection` the one that writes.
absl::Status CheckDiskSpace(SqliteConnection& connection, const std::string& path, int64_t bytes);

}  // namespace mlp
