// A life of a store in one thread: upload, train, checkpoint, publish, set aliases, delete. Each
// operation is acknowledged once, and a crash leaves the store as it was before it or after it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <absl/status/status.h>

#include "server/store/store.h"

namespace mlp::crash {

struct Operation {
  std::string name;  // no spaces
  std::function<absl::Status(Store&)> run;
};

enum class Sizes {
  kSmall,  // a few pages each: every system call can be a test
  kLarge,  // pieces of a MiB, more than a WAL holds before it goes into the database file
};

// In order; the same each time.
std::vector<Operation> MakeOperations(Sizes sizes);

}  // namespace mlp::crash
