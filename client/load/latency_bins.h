// A LatencyHistogram in a few bins, to be drawn.
#pragma once

#include <vector>

#include "client/load/latency_histogram.h"

namespace mlp {

// Bins side by side from the least latency to the largest, each wider than the one before by about
// the same factor, their ends round numbers of two digits at most: as many as the finest of the
// series 1; 1, 2, 5; E6, E12 and E24 gives within max_bins. A latency within 0.4 % of an end may
// count for its neighbour. Empty where nothing was recorded.
std::vector<LatencyHistogram::Bucket> LogBins(const LatencyHistogram& histogram, int max_bins);

}  // namespace mlp
