// One line that tells how far long work has come, to be drawn over and over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/terminal/style.h"

namespace mlp {

struct Progress {
  // Written first.
  std::string name = {};
  int64_t done = 0;
  // 0 where it is not known: then the line has no bar and no time left.
  int64_t total = 0;
  // Of the work, after "done/total"; may be empty.
  std::string detail = {};
  // What a second brings, such as "it/s" or "rows/s"; and how much. 0 where it is not known.
  std::string rate_unit = {};
  double rate = 0;
  double elapsed_seconds = 0;
  // Where it is known otherwise than from total and rate.
  std::optional<double> seconds_left = {};
};

// At most style.width - 1 columns, without line end or escape codes.
std::string RenderProgress(const Progress& progress, const TerminalStyle& style);

// How a line is drawn over the last one: back to its start, and the rest of it erased.
inline constexpr char kRedraw[] = "\r\x1b[K";

}  // namespace mlp
