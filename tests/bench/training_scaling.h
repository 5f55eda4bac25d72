// How the time of training grows with rows, weights, layers and threads.
#pragma once

#include <string>

namespace mlp::bench {

// Prints a line for each point, held against the straight line through its series, for each line
// how straight it is (R^2), and for the second thread how much it speeds up. Writes the figure to
// `plot` (.svg or .png), where it is not empty. Returns whether that could be done.
bool MeasureScaling(bool quick, const std::string& plot);

}  // namespace mlp::bench
