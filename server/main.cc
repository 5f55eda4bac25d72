// mlpd: reads its configuration, starts the server, says where it listens, reads the configuration
// again on SIGHUP, and stops on SIGTERM or SIGINT.

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>
#include <fcntl.h>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "server/build_info.h"
#include "server/config/command_line.h"
#include "server/config/configuration.h"
#include "server/config/configuration_text.h"
#include "server/config/environment.h"
#include "server/config/reload.h"
#include "server/config/setting_table.h"
#include "server/heap_trimmer.h"
#include "server/server.h"

namespace mlp {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

// Whole or not at all: whoever waits for the file never reads half of it.
bool WriteAddresses(const std::string& path, const ServerAddresses& addresses) {
  const std::string temporary = absl::StrCat(path, ".new");
  {
    std::ofstream file(temporary, std::ios::trunc);
    file << "grpc=" << addresses.grpc << "\n";
    if (!addresses.metrics.empty()) file << "metrics=" << addresses.metrics << "\n";
    file.flush();
    if (!file) return false;
  }
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  return !error;
}

// Signals as bytes in a pipe. Not sigwait: that needs the signals blocked in every
// thread, and OpenBLAS starts threads of its own before main. A handler can reach a global only.
int signal_pipe[2];

void WriteSignal(int signal) {
  const char byte = static_cast<char>(signal);
  [[maybe_unused]] const ssize_t written = write(signal_pipe[1], &byte, 1);
}

bool CatchSignals() {
  if (pipe2(signal_pipe, O_CLOEXEC) != 0) return false;
  struct sigaction action = {};
  action.sa_handler = WriteSignal;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGHUP, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return true;
}

int WaitForSignal() {
  char byte = 0;
  while (read(signal_pipe[0], &byte, 1) < 0 && errno == EINTR) {
  }
  return byte;
}

// A second signal to stop while the server drains ends the process at once; the store is safe at
// any time.
void ExitOnSecondSignal() {
  std::thread([] {
    while (WaitForSignal() == SIGHUP) {
    }
    std::cerr << "mlpd: second signal, exiting at once\n";
    std::_Exit(1);
  }).detach();
}

// gRPC's own lines on stderr are for its developers: what matters comes back as a status. Who wants
// them sets GRPC_VERBOSITY.
void SilenceGrpcLog() {
  if (std::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_function([](gpr_log_func_args*) {});
  // Protocol Buffers complains of every string that is no UTF-8: callers could fill the log.
  google::protobuf::SetLogHandler(nullptr);
}

// A message of a megabyte is read in pieces that the C library would give back to the system after
// every call, and fetch again, page by page, for the next one: that costs more than all the rest of
// the call (tests/bench/predict_bench, 1,024 rows). What datasets and jobs take is larger, and does
// go back; of what a peak leaves, HeapTrimmer sees to it.
void KeepFreedMemory() {
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_MMAP_THRESHOLD, 16 << 20);
}

// Debian builds absl with its detector of deadlocks, which makes each lock cost several times what
// it should. The tests run with it; the server need not.
void DoNotLookForDeadlocks() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

void Reload(const ConfigurationSources& sources, Server& server, Configuration& running) {
  const auto apply = [&server](const ServerOptions& options) {
    return server.Reconfigure(options);
  };
  for (const std::string& line : ReloadConfiguration(sources, apply, running)) {
    std::cerr << "mlpd: " << line << "\n";
  }
}

int Serve(const ConfigurationSources& sources, Configuration configuration) {
  KeepFreedMemory();
  DoNotLookForDeadlocks();
  SilenceGrpcLog();
  if (!CatchSignals()) {
    std::cerr << "mlpd: cannot catch signals\n";
    return kExitFailure;
  }
  const std::string addresses_file = configuration.options.addresses_file;
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(configuration.options);
  if (!server.ok()) {
    std::cerr << "mlpd: " << server.status().message() << "\n";
    return kExitFailure;
  }
  for (const std::string& line : (*server)->recovered()) std::cerr << "mlpd: " << line << "\n";
  const HeapTrimmer trimmer;
  const ServerAddresses& addresses = (*server)->addresses();
  std::cerr << "mlpd " << BuildVersion() << " serves gRPC on " << addresses.grpc;
  if (!addresses.metrics.empty()) {
    std::cerr << ", metrics on http://" << addresses.metrics << "/metrics";
  }
  std::cerr << ", data in " << configuration.options.data_dir << "\n";
  if (!addresses_file.empty() && !WriteAddresses(addresses_file, addresses)) {
    std::cerr << "mlpd: cannot write the addresses to " << addresses_file << "\n";
    return kExitFailure;
  }

  while (WaitForSignal() == SIGHUP) Reload(sources, **server, configuration);
  std::cerr << "mlpd: stopping\n";
  ExitOnSecondSignal();
  (*server)->Shutdown(absl::Seconds(configuration.options.drain_seconds));
  server->reset();
  std::cerr << "mlpd: stopped\n";
  return 0;
}

int RefuseUsage(const absl::Status& status) {
  std::cerr << "mlpd: " << status.message() << "\n";
  return kExitUsage;
}

int Run(const std::vector<std::string>& arguments) {
  using Action = CommandLine::Action;
  const absl::StatusOr<CommandLine> line = ParseCommandLine(
      arguments, absl::StrCat("mlpd ", BuildName()), std::getenv(kConfigFileVariable));
  if (!line.ok()) return RefuseUsage(line.status());
  if (line->action == Action::kShowText) {
    std::cout << line->text;
    return 0;
  }
  const ConfigurationSources sources{
      .flags = line->flags, .environment = ReadEnvironment(environ), .file = line->config_file};
  const absl::StatusOr<Configuration> configuration = LoadConfiguration(sources);
  if (!configuration.ok()) return RefuseUsage(configuration.status());
  if (line->action == Action::kPrintConfig) {
    std::cout << ConfigurationYaml(*configuration);
    return 0;
  }
  const absl::Status complete = CheckOptions(configuration->options);
  if (!complete.ok()) return RefuseUsage(complete);
  if (line->action == Action::kCheckConfig) {
    std::cout << "configuration is valid\n";
    return 0;
  }
  return Serve(sources, *configuration);
}

}  // namespace
}  // namespace mlp

int main(int argc, char** argv) {
  return mlp::Run(std::vector<std::string>(argv + 1, argv + argc));
}
