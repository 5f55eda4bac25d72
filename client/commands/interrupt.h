// Ctrl-C as a stop token.
#pragma once

#include <stop_token>
#include <thread>

#include <signal.h>

namespace mlp {

// While it lives, the first SIGINT requests a stop instead of ending the program; the second one
// ends it. One at a time. Thread-compatible.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  bool interrupted() const { return source_.stop_requested(); }

 private:
  int pipe_[2] = {-1, -1};
  struct sigaction previous_ = {};
  std::stop_source source_;
  // Waits on the pipe: a signal handler may write to it, but may not request a stop itself.
  std::thread waiter_;
};

}  // namespace mlp
