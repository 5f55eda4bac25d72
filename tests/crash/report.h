// What the driver tells the runner.
#pragma once

#include <string>

namespace mlp::crash {

// Writes a line to stdout in one call: into a pipe it goes whole, from any thread, and stays there
// when the process is killed.
void Report(const std::string& line);

}  // namespace mlp::crash
