#include "server/config/setting_table.h"

#include <algorithm>
#include <limits>

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>

#include "core/base/status_macros.h"
#include "server/config/value_checks.h"

namespace mlp {
namespace {

constexpr Setting kSettings[] = {
    {.name = "data-dir",
     .field = &ProgramOptions::data_dir,
     .allowed = "a folder",
     .help = "Folder of datasets, jobs and models; made where it is missing",
     .required = true},
    {.name = "restore",
     .field = &ProgramOptions::restore,
     .allowed = "a file; empty: none",
     .help = "File of `mlpctl admin backup` to fill the data folder with, which has no data yet, "
             "before the server starts"},
    {.name = "grpc-address",
     .field = &ProgramOptions::grpc_address,
     .allowed = "HOST:PORT",
     .check = CheckAddress,
     .help = "Address to serve gRPC on; port 0 takes a free one"},
    {.name = "metrics-address",
     .field = &ProgramOptions::metrics_address,
     .allowed = "HOST:PORT; empty: none",
     .check = CheckOptionalAddress,
     .help = "Address to serve Prometheus metrics on"},
    {.name = "addresses-file",
     .field = &ProgramOptions::addresses_file,
     .allowed = "a file; empty: none",
     .help = "File to write the addresses to, as NAME=HOST:PORT lines, once the server is ready"},
    {.name = "max-running-jobs",
     .field = &ProgramOptions::max_running_jobs,
     .type = SettingType::kInteger,
     .least = 1,
     .most = 64,
     .help = "Training jobs at the same time",
     .reloadable = true},
    {.name = "training-threads",
     .field = &ProgramOptions::training_threads,
     .type = SettingType::kInteger,
     .most = 1024,
     .help = "Threads of each training job; 0 means one a core"},
    {.name = "max-queued-jobs",
     .field = &ProgramOptions::max_queued_jobs,
     .type = SettingType::kInteger,
     .least = 1,
     .most = 1000000,
     .help = "Training jobs that may wait; more are refused",
     .reloadable = true},
    {.name = "max-job-memory-bytes",
     .field = &ProgramOptions::max_job_memory_bytes,
     .type = SettingType::kBytes,
     .help = "Memory that a training job may need; 0 means half of the machine's, divided by "
             "max-running-jobs",
     .reloadable = true},
    {.name = "checkpoint-seconds",
     .field = &ProgramOptions::checkpoint_seconds,
     .type = SettingType::kInteger,
     .least = 1,
     .most = 86400,
     .help = "Time from one checkpoint of a running job to the next: what a crash can cost",
     .reloadable = true},
    {.name = "predict-threads",
     .field = &ProgramOptions::predict_threads,
     .type = SettingType::kInteger,
     .least = 1,
     .most = 256,
     .help = "Threads that answer Predict"},
    {.name = "model-memory-bytes",
     .field = &ProgramOptions::model_memory_bytes,
     .type = SettingType::kBytes,
     .least = 1,
     .help = "Memory for the models that are loaded",
     .reloadable = true},
    {.name = "preload",
     .field = &ProgramOptions::preload,
     .type = SettingType::kNames,
     .allowed = "NAME, NAME@VERSION or NAME@ALIAS, separated by commas, or all; empty: none",
     .check = CheckPreload,
     .help = "Models to load before the first request"},
    {.name = "max-dataset-bytes",
     .field = &ProgramOptions::max_dataset_bytes,
     .type = SettingType::kBytes,
     .least = 1,
     .help = "Largest dataset",
     .reloadable = true},
    {.name = "quota-datasets",
     .field = &ProgramOptions::quota_datasets,
     .type = SettingType::kInteger,
     .help = "Datasets that may be stored; 0 means no limit",
     .reloadable = true},
    {.name = "quota-bytes",
     .field = &ProgramOptions::quota_bytes,
     .type = SettingType::kBytes,
     .help = "Bytes of datasets and versions that may be stored; 0 means no limit",
     .reloadable = true},
    {.name = "quota-jobs",
     .field = &ProgramOptions::quota_jobs,
     .type = SettingType::kInteger,
     .help = "Jobs that may be stored, ended ones included; 0 means no limit",
     .reloadable = true},
    {.name = "quota-versions",
     .field = &ProgramOptions::quota_versions,
     .type = SettingType::kInteger,
     .help = "Versions that a model may have; 0 means no limit",
     .reloadable = true},
    {.name = "reflection",
     .field = &ProgramOptions::reflection,
     .type = SettingType::kYesNo,
     .help = "Serve gRPC server reflection, for tools such as grpcurl"},
    {.name = "max-message-bytes",
     .field = &ProgramOptions::max_message_bytes,
     .type = SettingType::kBytes,
     .least = 2 << 20,
     .most = std::numeric_limits<int>::max(),
     .help = "Largest gRPC message"},
    {.name = "drain-seconds",
     .field = &ProgramOptions::drain_seconds,
     .type = SettingType::kInteger,
     .most = 3600,
     .help = "Time for calls in flight to finish when the server stops",
     .reloadable = true},
};

}  // namespace

absl::Span<const Setting> AllSettings() { return kSettings; }

const Setting* FindSetting(absl::string_view name) {
  const auto* found = std::find_if(std::begin(kSettings), std::end(kSettings),
                                   [&](const Setting& setting) { return setting.name == name; });
  return found == std::end(kSettings) ? nullptr : found;
}

std::string EnvironmentName(absl::string_view setting) {
  return absl::StrCat("MLPD_", absl::StrReplaceAll(absl::AsciiStrToUpper(setting), {{"-", "_"}}));
}

absl::Status CheckOptions(const ProgramOptions& options) {
  for (const Setting& setting : kSettings) MLP_RETURN_IF_ERROR(CheckValue(setting, options));
  return absl::OkStatus();
}

absl::Status CheckOptions(const ServerOptions& options) {
  ProgramOptions program;
  static_cast<ServerOptions&>(program) = options;
  return CheckOptions(program);
}

}  // namespace mlp
