// References to what a job kept: `job/12`. Names of models have no '/'.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

namespace mlp {

// "job/12".
std::string JobReference(int64_t id);

// The number of the job; nothing where `reference` does not begin with `job/`. INVALID_ARGUMENT
// naming `field` where what follows is no positive number as JobReference writes it.
absl::StatusOr<std::optional<int64_t>> ParseJobReference(absl::string_view field,
                                                         absl::string_view reference);

}  // namespace mlp
