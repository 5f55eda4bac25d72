// A peer in a process of its own that a benchmark talks to through its standard input and output.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace mlp::bench {

class PipedProcess {
 public:
  // Runs `arguments` (program first, looked up in PATH), with `environment` ("NAME=VALUE") added to
  // this process's own. Aborts the benchmark where that fails.
  PipedProcess(const std::vector<std::string>& arguments,
               const std::vector<std::string>& environment);
  // Closes its input and waits for its end.
  ~PipedProcess();
  PipedProcess(const PipedProcess&) = delete;
  PipedProcess& operator=(const PipedProcess&) = delete;

  void Write(const void* bytes, size_t size);
  // Sends an empty line and returns the one that the process answers, without its end. Aborts the
  // benchmark where there is none.
  std::string Ask();
  std::string ReadLine();
  // What it says next, of a known size. Aborts the benchmark where it says less.
  void Read(void* bytes, size_t size);

 private:
  int pid_ = 0;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace mlp::bench
