// Whether what is stored can still be read: everything that has a checksum is held against it.
#pragma once

#include <cstdint>
#include <string>

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>

#include "server/store/store.h"

namespace mlp {

struct StoreDamage {
  std::string item;  // `dataset digits`, `model digits version 3`, `job 4 checkpoint`, `database`
  absl::Status status;
};

struct VerifiedStore {
  int64_t datasets = 0;
  int64_t versions = 0;
  int64_t checkpoints = 0;  // kept weights too
  int64_t bytes = 0;
  int64_t damaged = 0;
};

// Tells each damaged item to `on_damage`, and goes on unless that returns an error, which is then
// returned. One dataset or artifact at a time is in memory. What is deleted meanwhile is not
// missed. Other errors than damage are returned as they are.
absl::StatusOr<VerifiedStore> VerifyStore(
    Store& store, absl::FunctionRef<absl::Status(const StoreDamage&)> on_damage);

}  // namespace mlp
