// A server in a process of its own for the time of a benchmark: started with a file to write its
// address to, ended by SIGTERM.
#pragma once

#include <string>
#include <vector>

namespace mlp::bench {

class ChildProcess {
 public:
  // Runs `arguments` (program first). Aborts the benchmark where that fails.
  explicit ChildProcess(const std::vector<std::string>& arguments);
  // SIGTERM, then waits for the end.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  int pid() const { return pid_; }

 private:
  int pid_ = 0;
};

// A folder that goes with this object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Waits until `path` holds a line NAME=ADDRESS and returns the address. Aborts after 20 s.
std::string WaitForAddress(const std::string& path, const std::string& name);

}  // namespace mlp::bench
