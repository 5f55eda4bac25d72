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
  // Of the calls that were due in an open loop: not sent, or sent too late.
  int64_t not_in_time() const;
  // False where more than one call of an open loop in twenty was not sent in time, and more than
  // one in twenty of the rate was not answered: the server or this side cannot serve the rate, and
  // what was measured is how much of it they can.
  bool kept_up() const;
  // Whose fault most of the late ones are.
  bool held_up_by_server() const;
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
