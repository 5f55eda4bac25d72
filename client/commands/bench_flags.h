// The flags of `mlpctl bench`, apart from the command-line parser.
#pragma once

#include <cstdint>
#include <optional>
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
  // By default 16 in a closed loop, 256 in an open one.
  std::optional<int> concurrency;
  int connections = 1;
  int rows = 1;
  // Seconds. By default 10, or without end where `requests` is given.
  std::optional<double> duration;
  double warmup = 1;
  // By default without bound.
  std::optional<int64_t> requests;
  // 0: none.
  int64_t deadline_ms = 0;
  bool pixels = false;
  std::string dataset;
  uint64_t seed = 1;
};

// All but the server and the requests. A usage error names the flag that is wrong.
absl::StatusOr<LoadOptions> MakeLoadOptions(const BenchFlags& flags);

}  // namespace mlp
