#include "server/telemetry/process_metrics.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>
#include <sys/resource.h>
#include <unistd.h>

namespace mlp {
namespace {

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

prometheus::MetricFamily Family(std::string name, std::string help, prometheus::MetricType type,
                                double value) {
  prometheus::MetricFamily family{std::move(name), std::move(help), type, {}};
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  metric.gauge.value = value;
  metric.counter.value = value;
  return family;
}

// Seconds since the epoch at which the machine started; 0 where /proc/stat does not tell.
double BootTime() {
  for (absl::string_view line : absl::StrSplit(ReadFile("/proc/stat"), '\n')) {
    double seconds = 0.0;
    if (absl::ConsumePrefix(&line, "btime ") && absl::SimpleAtod(line, &seconds)) return seconds;
  }
  return 0.0;
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessMetrics::Collect() const {
  using prometheus::MetricType;
  std::vector<prometheus::MetricFamily> families;

  // proc(5): the fields after the command name, which is in parentheses and may hold anything.
  const std::string stat = ReadFile("/proc/self/stat");
  const size_t command_end = stat.rfind(')');
  if (command_end != std::string::npos && command_end + 2 < stat.size()) {
    const std::vector<std::string> fields = absl::StrSplit(stat.substr(command_end + 2), ' ');
    const auto field = [&fields](size_t number) {  // numbered as in proc(5); 3 is the first here
      double value = 0.0;
      if (number - 3 < fields.size() && !absl::SimpleAtod(fields[number - 3], &value)) value = 0.0;
      return value;
    };
    const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    families.push_back(Family("process_cpu_seconds_total", "User and system CPU time in seconds.",
                              MetricType::Counter, (field(14) + field(15)) / ticks));
    families.push_back(
        Family("process_threads", "Threads of the process.", MetricType::Gauge, field(20)));
    families.push_back(Family("process_virtual_memory_bytes", "Virtual memory size in bytes.",
                              MetricType::Gauge, field(23)));
    families.push_back(Family("process_resident_memory_bytes", "Resident memory size in bytes.",
                              MetricType::Gauge,
                              field(24) * static_cast<double>(sysconf(_SC_PAGESIZE))));
    families.push_back(Family("process_start_time_seconds",
                              "Start of the process in seconds since the Unix epoch.",
                              MetricType::Gauge, BootTime() + field(22) / ticks));
  }

  std::error_code error;
  const std::filesystem::directory_iterator descriptors("/proc/self/fd", error);
  if (!error) {
    families.push_back(
        Family("process_open_fds", "Open file descriptors.", MetricType::Gauge,
               static_cast<double>(std::distance(begin(descriptors), end(descriptors)))));
  }
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    families.push_back(Family("process_max_fds", "Most file descriptors allowed.",
                              MetricType::Gauge, static_cast<double>(limit.rlim_cur)));
  }
  return families;
}

}  // namespace mlp
