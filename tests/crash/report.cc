#include "tests/crash/report.h"

#include <cstdlib>

#include <unistd.h>

namespace mlp::crash {

void Report(const std::string& line) {
  const std::string bytes = line + "\n";
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t more = write(STDOUT_FILENO, bytes.data() + written, bytes.size() - written);
    if (more <= 0) std::_Exit(1);  // the runner has gone
    written += static_cast<size_t>(more);
  }
}

}  // namespace mlp::crash
