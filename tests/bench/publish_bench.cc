// What safety costs: publishing a version of 10 MB against writing 10 MB to a file and flushing it.
// Each begins with nothing to write left over from the other: the store's log goes into its
// database in the background.
//   publish_bench [--quick]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <absl/functional/function_ref.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <unistd.h>

#include "server/store/sqlite_store.h"
#include "tests/bench/child_process.h"
#include "tests/bench/report.h"
#include "tests/crash/examples.h"

namespace mlp::bench {
namespace {

constexpr size_t kArtifactBytes = 10'000'000;
constexpr double kBudget = 3.0;

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::abort();
}

double Milliseconds(absl::FunctionRef<void()> body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

// A new file, as a server without a database would keep an artifact.
void WriteAndFlush(const std::string& path, const std::string& bytes) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  size_t written = 0;
  while (file >= 0 && written < bytes.size()) {
    const ssize_t more = write(file, bytes.data() + written, bytes.size() - written);
    if (more <= 0) break;
    written += static_cast<size_t>(more);
  }
  if (written < bytes.size() || fsync(file) != 0 || close(file) != 0) {
    std::perror("publish_bench");
    std::abort();
  }
}

int64_t RunningJob(Store& store, int round) {
  const v1::TrainingJob job =
      crash::CreateJob(store, "digits", "data", absl::StrCat("job-", round)).value();
  Check(crash::MoveJob(store, job.id(), v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING));
  return job.id();
}

void WaitForDisk() {
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  sync();
}

// In turns, so that a disk that slows down does so for both.
void Run(int rounds) {
  const TemporaryFolder folder;
  const auto store = OpenSqliteStore(folder.path() + "/data", mlp::Clock::System()).value();
  Check(crash::Upload(*store, crash::ExampleDataset("data", 1, 4)));
  std::vector<double> publish;
  std::vector<double> write;
  for (int round = 0; round < rounds; ++round) {
    const std::string bytes = crash::MakeBytes(static_cast<uint32_t>(round), kArtifactBytes);
    std::string artifact = bytes;
    const int64_t job = RunningJob(*store, round);
    WaitForDisk();
    publish.push_back(
        Milliseconds([&] { Check(crash::Publish(*store, job, std::move(artifact)).status()); }));
    const std::string path = absl::StrCat(folder.path(), "/plain-", round);
    WaitForDisk();
    write.push_back(Milliseconds([&] { WriteAndFlush(path, bytes); }));
  }
  Print({"publish", Median(publish), Median(write), "ms", kBudget, /*higher_is_better=*/false});
}

}  // namespace
}  // namespace mlp::bench

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  mlp::bench::Run(quick ? 7 : 31);
  return 0;
}
