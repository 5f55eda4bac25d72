// What mlpd can be told. setting_table.h has a row for each field: its name, range and help.
#pragma once

#include <cstdint>
#include <string>

namespace mlp {

// What Server::Start takes.
struct ServerOptions {
  std::string data_dir;
  // File of `mlpctl admin backup` to fill the folder with first; empty: none.
  std::string restore;
  // HOST:PORT; port 0 takes a free one.
  std::string grpc_address = "127.0.0.1:8001";
  // Empty serves no metrics.
  std::string metrics_address = "127.0.0.1:8002";
  // Jobs that run at the same time, and threads of each; 0 threads means one a core.
  int max_running_jobs = 2;
  int training_threads = 0;
  // Jobs that may wait; more are refused with RESOURCE_EXHAUSTED.
  int max_queued_jobs = 1000;
  // Memory that one job may need, estimated before it is queued; 0 means half of the machine's,
  // divided by max_running_jobs.
  int64_t max_job_memory_bytes = 0;
  // Time from one checkpoint of a running job to the next.
  int checkpoint_seconds = 30;
  // Threads that answer Predict.
  int predict_threads = 1;
  // Memory for the weights of resident models.
  int64_t model_memory_bytes = int64_t{2} << 30;
  // Models to load before the first request: references separated by commas, or `all`.
  std::string preload;
  int64_t max_dataset_bytes = int64_t{16} << 30;
  // Tells callers without .proto files what services and messages there are.
  bool reflection = false;
  // Of one gRPC message; Predict calls with many rows need it.
  int max_message_bytes = 256 << 20;
  // What may be stored; 0 means no limit. Versions are counted by model, all else in all.
  int64_t quota_datasets = 0;
  int64_t quota_bytes = 0;
  int64_t quota_jobs = 0;
  int64_t quota_versions = 0;
};

// And what main.cc sees to itself.
struct ProgramOptions : ServerOptions {
  // File to write the addresses to once the server is ready; empty: none.
  std::string addresses_file;
  // Time for calls in flight to finish when the server stops.
  int drain_seconds = 10;
};

}  // namespace mlp
