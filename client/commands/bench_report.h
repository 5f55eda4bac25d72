// What `mlpctl bench` prints.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "client/load/load_run.h"
#include "client/terminal/style.h"

namespace mlp {

struct BenchReport {
  // NAME@VERSION.
  std::string model;
  // Of each call.
  int rows = 1;
  bool pixels = false;
  // Those of `result`.
  const LoadOptions& options;
  const LoadResult& result;

  int64_t failed() const;
};

// Throughput of the calls without an error, their latencies and a drawing of these, and the errors.
// Lines of at most 80 columns.
std::string BenchText(const BenchReport& report, const TerminalStyle& style);

// The same figures in full; the histogram's buckets as recorded.
nlohmann::ordered_json BenchJson(const BenchReport& report);

// How far the load has come: one line without its end, of less than style.width columns.
std::string BenchProgress(const LoadProgress& progress, const LoadOptions& options,
                          const TerminalStyle& style);

}  // namespace mlp
