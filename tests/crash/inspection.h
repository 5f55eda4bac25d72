// What there is in a data folder, seen from outside: through Store, and in the tables below it.
#pragma once

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "server/store/store.h"

namespace mlp::crash {

// A line for everything that Store shows, with the SHA-256 of the bytes as they are read back:
//   dataset NAME SHA256 RECORD
//   job ID STATE RECORD | progress ID POINTS | checkpoint ID AGE SHA256 | weights ID SHA256
//   model NAME RECORD | version MODEL NUMBER SHA256 RECORD
// An error of a list; what cannot be read itself has its error in the place of the SHA-256.
absl::StatusOr<std::vector<std::string>> ListThings(Store& store);

// Rows that nobody owns any more, or not yet: what a crash leaves and recovery clears.
absl::StatusOr<int64_t> CountOrphans(const std::string& folder);

// "ok", or what SQLite's own check of the file and of its references finds.
absl::StatusOr<std::string> CheckIntegrity(const std::string& folder);

}  // namespace mlp::crash
