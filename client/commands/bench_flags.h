// The flags of `mlpctl bench`, apart from the command-line parser.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/statusor.h>

#include "client/load/load_run.h"

namespace mlp {

struct BenchFlags {
  std::string model;
  std::string mode = "closed";
  std::string api = "unary";
  std::string arrivals = "poisson";
  double rate = 0;
  // 0: 16 in a closed loop, 256 in an open one.
  int concurrency = 0;
  int connections = 1;
  int rows = 1;
  // Seconds. 0: 10, or without end where `requests` is given.
  double duration = 0;
  double warmup = 1;
  // 0: no bound.
  int64_t requests = 0;
  // 0: none.
  int64_t deadline_ms = 0;
  bool pixels = false;
  std::string dataset;
  uint64_t seed = 1;
};

// All but the server and the requests. A usage error names the flag that is wrong.
absl::StatusOr<LoadOptions> MakeLoadOptions(const BenchFlags& flags);

}  // namespace mlp
