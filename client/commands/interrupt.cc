#include "client/commands/interrupt.h"

#include <atomic>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace mlp {
namespace {

std::atomic<int> g_pipe = -1;

constexpr char kInterrupted = 'i';
constexpr char kDone = 'd';

void Send(char what) {
  const int saved = errno;
  [[maybe_unused]] const ssize_t written = write(g_pipe.load(), &what, 1);
  errno = saved;
}

void OnInterrupt(int) { Send(kInterrupted); }

}  // namespace

InterruptScope::InterruptScope() {
  if (pipe2(pipe_, O_CLOEXEC) != 0) return;  // then Ctrl-C ends the program, as without this scope
  g_pipe = pipe_[1];
  waiter_ = std::thread([this] {
    char what = kDone;
    while (read(pipe_[0], &what, 1) < 0 && errno == EINTR) {
    }
    if (what == kInterrupted) source_.request_stop();
  });
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &previous_);
}

InterruptScope::~InterruptScope() {
  if (!waiter_.joinable()) return;
  sigaction(SIGINT, &previous_, nullptr);
  Send(kDone);
  waiter_.join();
  g_pipe = -1;
  close(pipe_[0]);
  close(pipe_[1]);
}

}  // namespace mlp
