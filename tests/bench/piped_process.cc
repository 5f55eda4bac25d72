#include "tests/bench/piped_process.h"

#include <array>
#include <cstdlib>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace mlp::bench {
namespace {

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "the peer of the benchmark %s\n", what);
  std::abort();
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  return pointers;
}

}  // namespace

PipedProcess::PipedProcess(const std::vector<std::string>& arguments,
                           const std::vector<std::string>& environment) {
  std::array<int, 2> in{}, out{};
  if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) Fail("has no pipes");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<std::string> strings = arguments;
  std::vector<char*> argv = Pointers(strings);
  argv.push_back(nullptr);
  // The first of two settings of a variable is the one that counts.
  std::vector<std::string> settings = environment;
  std::vector<char*> all = Pointers(settings);
  for (char** setting = environ; *setting != nullptr; ++setting) all.push_back(*setting);
  all.push_back(nullptr);
  const int error = posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), all.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) Fail("cannot be run");
  signal(SIGPIPE, SIG_IGN);
  close(in[0]);
  close(out[1]);
  to_ = fdopen(in[1], "wb");
  from_ = fdopen(out[0], "rb");
}

PipedProcess::~PipedProcess() {
  std::fclose(to_);
  std::fclose(from_);
  waitpid(pid_, nullptr, 0);
}

void PipedProcess::Write(const void* bytes, size_t size) {
  if (std::fwrite(bytes, 1, size, to_) != size || std::fflush(to_) != 0) Fail("does not listen");
}

std::string PipedProcess::Ask() {
  Write("\n", 1);
  return ReadLine();
}

std::string PipedProcess::ReadLine() {
  std::string line;
  int c = std::fgetc(from_);
  for (; c != EOF && c != '\n'; c = std::fgetc(from_)) line += static_cast<char>(c);
  if (c == EOF) Fail("ended early");
  return line;
}

void PipedProcess::Read(void* bytes, size_t size) {
  if (std::fread(bytes, 1, size, from_) != size) Fail("ended early");
}

}  // namespace mlp::bench
