// mlpd: reads its flags, starts the server, says where it listens, and stops it on SIGTERM or
// SIGINT.

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

#include <CLI/CLI.hpp>
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
#include "server/heap_trimmer.h"
#include "server/server.h"

namespace mlp {
namespace {

struct Flags {
  ServerOptions server;
  std::string addresses_file;
  int drain_seconds = 10;
};

void AddFlags(CLI::App& app, Flags& flags) {
  ServerOptions& server = flags.server;
  app.add_option("--data-dir", server.data_dir,
                 "Folder of datasets, jobs and models; made where it is missing")
      ->required();
  app.add_option("--grpc-address", server.grpc_address,
                 "HOST:PORT to serve gRPC on; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--metrics-address", server.metrics_address,
                 "HOST:PORT to serve Prometheus metrics on; empty serves none")
      ->capture_default_str();
  app.add_option(
      "--addresses-file", flags.addresses_file,
      "File to write the addresses to, as NAME=HOST:PORT lines, once the server is ready");
  app.add_option("--restore", server.restore,
                 "File of `mlpctl admin backup` to fill the data folder with, which has no data "
                 "yet, before the server starts");
  app.add_option("--max-running-jobs", server.max_running_jobs, "Training jobs at the same time")
      ->capture_default_str();
  app.add_option("--training-threads", server.training_threads,
                 "Threads of each training job; 0 means one a core")
      ->capture_default_str();
  app.add_option("--max-queued-jobs", server.max_queued_jobs,
                 "Training jobs that may wait; more are refused")
      ->capture_default_str();
  app.add_option("--max-job-memory-bytes", server.max_job_memory_bytes,
                 "Memory that a training job may need; 0 means half of the machine's, divided by "
                 "--max-running-jobs")
      ->capture_default_str();
  app.add_option("--checkpoint-seconds", server.checkpoint_seconds,
                 "Time from one checkpoint of a running job to the next: what a crash can cost")
      ->capture_default_str();
  app.add_option("--predict-threads", server.predict_threads, "Threads that answer Predict")
      ->capture_default_str();
  app.add_option("--model-memory-bytes", server.model_memory_bytes,
                 "Memory for the models that are loaded")
      ->capture_default_str();
  app.add_option("--preload", server.preload,
                 "Models to load before the first request: NAME or NAME@VERSION, separated by "
                 "commas, or all");
  app.add_option("--max-dataset-bytes", server.max_dataset_bytes, "Largest dataset")
      ->capture_default_str();
  app.add_flag("--reflection", server.reflection,
               "Serve gRPC server reflection, for tools such as grpcurl");
  app.add_option("--max-message-bytes", server.max_message_bytes, "Largest gRPC message")
      ->capture_default_str();
  app.add_option("--drain-seconds", flags.drain_seconds,
                 "Time for calls in flight to finish when the server stops")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
}

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

// SIGTERM and SIGINT as bytes in a pipe. Not sigwait: that needs the signals blocked in every
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
  signal(SIGPIPE, SIG_IGN);
  return true;
}

void WaitForSignal() {
  char byte = 0;
  while (read(signal_pipe[0], &byte, 1) < 0 && errno == EINTR) {
  }
}

// A second signal while the server drains ends the process at once; the store is safe at any time.
void ExitOnSecondSignal() {
  std::thread([] {
    WaitForSignal();
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

int Run(const Flags& flags) {
  KeepFreedMemory();
  DoNotLookForDeadlocks();
  SilenceGrpcLog();
  if (!CatchSignals()) {
    std::cerr << "mlpd: cannot catch signals\n";
    return 1;
  }
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(flags.server);
  if (!server.ok()) {
    std::cerr << "mlpd: " << server.status().message() << "\n";
    return 1;
  }
  for (const std::string& line : (*server)->recovered()) std::cerr << "mlpd: " << line << "\n";
  const HeapTrimmer trimmer;
  const ServerAddresses& addresses = (*server)->addresses();
  std::cerr << "mlpd " << BuildVersion() << " serves gRPC on " << addresses.grpc;
  if (!addresses.metrics.empty()) {
    std::cerr << ", metrics on http://" << addresses.metrics << "/metrics";
  }
  std::cerr << ", data in " << flags.server.data_dir << "\n";
  if (!flags.addresses_file.empty() && !WriteAddresses(flags.addresses_file, addresses)) {
    std::cerr << "mlpd: cannot write the addresses to " << flags.addresses_file << "\n";
    return 1;
  }

  WaitForSignal();
  std::cerr << "mlpd: stopping\n";
  ExitOnSecondSignal();
  (*server)->Shutdown(absl::Seconds(flags.drain_seconds));
  server->reset();
  std::cerr << "mlpd: stopped\n";
  return 0;
}

}  // namespace
}  // namespace mlp

int main(int argc, char** argv) {
  CLI::App app("mlpd trains multi-layer perceptrons and serves them over gRPC.", "mlpd");
  mlp::Flags flags;
  mlp::AddFlags(app, flags);
  app.set_version_flag("--version", "mlpd " + mlp::BuildName());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return mlp::Run(flags);
}
