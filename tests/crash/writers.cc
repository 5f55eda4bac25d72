#include "tests/crash/writers.h"

#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>

#include "core/base/hash.h"
#include "core/base/status_macros.h"
#include "tests/crash/examples.h"
#include "tests/crash/report.h"

namespace mlp::crash {
namespace {

constexpr int kWriters = 8;
constexpr char kModel[] = "shared";

// One client. What it made and may delete again it remembers. Thread-compatible.
class Writer {
 public:
  Writer(Store& store, int round, int number)
      : store_(store),
        number_(number),
        name_(absl::StrCat("r", round, "-w", number)),
        random_(static_cast<uint32_t>(round * kWriters + number)) {}

  // Until an error.
  void Run() {
    absl::Status status;
    while (status.ok()) status = RunOne();
    Report(absl::StrCat("fail ", name_, " ", status.ToString()));
  }

 private:
  absl::Status RunOne() {
    switch (random_() % 5) {
      case 0:
      case 1:
        return UploadOne();
      case 2:
      case 3:
        return PublishOne();
      default:
        MLP_RETURN_IF_ERROR(DeleteOne());
        return UnpublishOne();
    }
  }

  absl::Status UploadOne() {
    const std::string name = absl::StrCat(name_, "-", ++made_);
    const ExampleDataset example(name, random_(), 1 + random_() % 2000);
    Report(absl::StrCat("try upload ", name, " ", example.dataset.sha256()));
    MLP_RETURN_IF_ERROR(Upload(store_, example));
    Report(absl::StrCat("ok upload ", name));
    datasets_.push_back(name);
    return absl::OkStatus();
  }

  absl::Status DeleteOne() {
    if (datasets_.size() < 2) return absl::OkStatus();  // one is for jobs
    const std::string name = std::exchange(datasets_.front(), datasets_.back());
    datasets_.pop_back();
    Report(absl::StrCat("try delete ", name));
    MLP_RETURN_IF_ERROR(store_.DeleteDataset(name));
    Report(absl::StrCat("ok delete ", name));
    return absl::OkStatus();
  }

  absl::Status PublishOne() {
    if (datasets_.empty()) return UploadOne();
    std::string artifact = MakeBytes(random_(), 100 + random_() % 50'000);
    const std::string hash = Sha256::Hex(artifact);
    MLP_ASSIGN_OR_RETURN(const v1::TrainingJob job,
                         CreateJob(store_, kModel, datasets_.front(), ""));
    MLP_RETURN_IF_ERROR(MoveJob(store_, job.id(), v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING));
    MLP_RETURN_IF_ERROR(store_.SaveCheckpoint(job.id(), MakeBytes(random_(), 10'000)));
    Report(absl::StrCat("try publish ", hash));
    MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version,
                         Publish(store_, job.id(), std::move(artifact)));
    Report(absl::StrCat("ok publish ", hash, " ", version.version(), " ", number_));
    versions_.push_back(version.version());
    return absl::OkStatus();
  }

  absl::Status UnpublishOne() {
    if (versions_.empty()) return absl::OkStatus();
    const int64_t version = std::exchange(versions_.front(), versions_.back());
    versions_.pop_back();
    Report(absl::StrCat("try unpublish ", version));
    MLP_RETURN_IF_ERROR(store_.DeleteVersion(kModel, version));
    Report(absl::StrCat("ok unpublish ", version));
    return absl::OkStatus();
  }

  Store& store_;
  const int number_;
  const std::string name_;
  std::mt19937 random_;
  int made_ = 0;
  std::vector<std::string> datasets_;
  std::vector<int64_t> versions_;
};

}  // namespace

void RunWriters(Store& store, int round) {
  std::vector<std::thread> threads;
  for (int number = 0; number < kWriters; ++number) {
    threads.emplace_back([&store, round, number] { Writer(store, round, number).Run(); });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace mlp::crash
