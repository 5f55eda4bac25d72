// The picture of how the time of training grows.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/straight_line.h"

namespace mlp::bench {

struct Series {
  std::string x_name;
  std::string name;
  std::vector<LinePoint> points = {};  // y in milliseconds
};

// A panel for each x_name, its series as shares of their largest values, written to `path`, whose
// ending says the format. Returns false, having said why, where that cannot be done.
bool DrawScaling(const std::vector<Series>& all, const std::string& path);

}  // namespace mlp::bench
