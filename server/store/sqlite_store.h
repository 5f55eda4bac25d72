// The Store on SQLite: one database file in the data folder, WAL, synchronous=FULL.
#pragma once

#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "core/base/clock.h"
#include "server/store/store.h"

namespace mlp {

// Opens, or creates, `data_dir`/mlpd.db, applies missing migrations, and deletes what uploads cut
// off by a crash left behind. `clock` outlives the store. FAILED_PRECONDITION: the folder is in use
// by another server (says which process), the file is no mlpd database, or is of a newer schema.
// NOT_FOUND / INTERNAL: the folder cannot be made or opened. No method call may outlive the store.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& data_dir,
                                                       const Clock& clock);

}  // namespace mlp
