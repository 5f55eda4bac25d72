// A copy of the whole database as of one moment: made beside it, read once, gone afterwards.
#pragma once

#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "server/store/store.h"

namespace mlp {

// Copies the database `file` into the file `copy`, which is made anew and has no name any more on
// return: nothing is left behind however the process ends. Neither readers nor writers wait.
// RESOURCE_EXHAUSTED: no room.
absl::StatusOr<std::unique_ptr<StoreBackup>> CopyDatabase(const std::string& file,
                                                          const std::string& copy);

}  // namespace mlp
