// A new data folder from a backup.
#pragma once

#include <string>

#include <absl/status/statusor.h>

#include "core/base/clock.h"
#include "server/store/verify_store.h"

namespace mlp {

// Makes `backup`, which Store::Backup gave, the database of `data_dir`, which has none yet: all of
// it or, where this returns an error, none. Everything in it is verified first; the file stays as
// it is. FAILED_PRECONDITION: the folder has a database, or is in use, or the backup is of a newer
// server; DATA_LOSS: the backup is damaged (says where); NOT_FOUND: no such file.
absl::StatusOr<VerifiedStore> RestoreBackup(const std::string& backup, const std::string& data_dir,
                                            const Clock& clock);

}  // namespace mlp
