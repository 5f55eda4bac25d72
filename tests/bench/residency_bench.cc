// What models in store and in memory cost: the time until a server with 1,000 stored models is
// ready, and the memory of a model that is loaded.
//   residency_bench start MLPD [--quick]
//   residency_bench memory [--quick]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>
#include <malloc.h>
#include <unistd.h>

#include "core/artifact/artifact.h"
#include "server/inference/resident_models.h"
#include "server/store/sqlite_store.h"
#include "tests/bench/child_process.h"
#include "tests/bench/report.h"

namespace mlp::bench {
namespace {

using Clock = std::chrono::steady_clock;

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::abort();
}

// D-H-10 with made-up weights and as much provenance as a training job leaves.
Artifact MadeUpModel(int features, int hidden) {
  Artifact artifact;
  artifact.network.topology = {features,
                               {{hidden, Activation::kSigmoid}, {10, Activation::kSigmoid}}};
  artifact.network.parameters = VectorF::Random(ParameterCount(artifact.network.topology));
  artifact.scaler = FeatureScaler::Identity(features);
  artifact.schema.features = features;
  for (int k = 0; k < 10; ++k) artifact.schema.class_names.push_back(std::to_string(k));
  artifact.provenance_json = absl::StrCat("{\"note\":\"", std::string(2000, 'x'), "\"}");
  return artifact;
}

// A store in a folder that goes with it.
class Folder {
 public:
  Folder() {
    Open();
    v1::DatasetHeader header;
    header.set_name("data");
    header.set_rows(2);
    header.set_features(1);
    header.set_feature_type(v1::FEATURE_TYPE_UINT8);
    header.add_class_names("a");
    header.add_class_names("b");
    v1::Dataset dataset;
    dataset.set_name("data");
    dataset.set_rows(2);
    dataset.set_features(1);
    dataset.set_feature_type(v1::FEATURE_TYPE_UINT8);
    *dataset.mutable_class_names() = header.class_names();
    const auto upload = store_->BeginDatasetUpload(header).value();
    const std::vector<int32_t> labels = {0, 1};
    Check(upload->Append({"xy", labels}));
    Check(upload->Commit(dataset).status());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return folder_.path(); }
  std::string data_dir() const { return folder_.path() + "/data"; }
  Store& store() { return *store_; }
  void Open() { store_ = OpenSqliteStore(data_dir(), mlp::Clock::System()).value(); }
  void Close() { store_.reset(); }

  void Publish(const std::string& model, const std::string& artifact) {
    v1::TrainingJob job;
    job.set_model(model);
    job.set_dataset("data");
    job.set_state(v1::JOB_STATE_QUEUED);
    job = store_->CreateJob(job, "", 1).value();
    job.set_state(v1::JOB_STATE_RUNNING);
    Check(store_->UpdateJob(job, v1::JOB_STATE_QUEUED));
    job.set_state(v1::JOB_STATE_SUCCEEDED);
    NewVersion version;
    version.version.set_model(model);
    version.artifact = artifact;
    Check(store_->PublishVersion(std::move(version), job).status());
  }

 private:
  const TemporaryFolder folder_;  // goes after the store
  std::unique_ptr<Store> store_;
};

// Resident bytes of a process.
double ResidentBytes(const std::string& pid) {
  std::ifstream statm("/proc/" + pid + "/statm");
  double size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// From spawning the server to the file that says where it listens, which it writes when it serves.
double SecondsToStart(const std::string& mlpd, const Folder& folder, double& resident_bytes) {
  const std::string addresses = folder.path() + "/addresses";
  std::filesystem::remove(addresses);
  const Clock::time_point start = Clock::now();
  const ChildProcess server({mlpd, "--data-dir", folder.data_dir(), "--grpc-address", "127.0.0.1:0",
                             "--metrics-address", "", "--addresses-file", addresses});
  while (!std::filesystem::exists(addresses)) {
    const Clock::duration waited = Clock::now() - start;
    if (waited > std::chrono::seconds(20)) {
      std::fprintf(stderr, "the server did not start\n");
      std::abort();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  resident_bytes = ResidentBytes(std::to_string(server.pid()));
  return seconds;
}

// The time, and that the models stay in the store: what the server has in memory more than one over
// an empty store is held against a tenth of the weights.
void Start(const std::string& mlpd, bool quick) {
  constexpr int kModels = 1000;
  const Artifact model = MadeUpModel(400, 25);
  const std::string artifact = WriteArtifact(model);
  Folder empty, full;
  for (int i = 0; i < kModels; ++i) full.Publish("m" + std::to_string(i), artifact);
  empty.Close();
  full.Close();
  std::vector<double> seconds, growth;
  for (int round = 0; round < (quick ? 3 : 9); ++round) {
    double empty_bytes = 0, full_bytes = 0;
    SecondsToStart(mlpd, empty, empty_bytes);
    seconds.push_back(SecondsToStart(mlpd, full, full_bytes));
    growth.push_back((full_bytes - empty_bytes) / 1e6);
  }
  Print({.bench = "start/1000_models",
         .ours = Median(seconds),
         .against = 0.5,
         .unit = "s",
         .budget = 1.0,
         .higher_is_better = false});
  Print({.bench = "start/1000_models/memory",
         .ours = Median(growth),
         .against = kModels * 4e-6 * static_cast<double>(model.network.parameters.size()),
         .unit = "MB",
         .budget = 0.1,
         .higher_is_better = false});
}

// What the heap holds: in use, without what the allocator keeps for later, so that neither the
// loads' own buffers nor pages not yet given back count; the mapped blocks included.
double HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

struct MemoryCase {
  const char* name;
  int features;
  int hidden;
  int models;
};

void Memory(const MemoryCase& test) {
  const Artifact model = MadeUpModel(test.features, test.hidden);
  const double weights = 4.0 * static_cast<double>(model.network.parameters.size());
  Folder folder;
  {
    const std::string artifact = WriteArtifact(model);
    for (int i = 0; i < test.models; ++i) folder.Publish("m" + std::to_string(i), artifact);
  }
  const auto load_all = [&](ResidentModels& models) {
    for (int i = 0; i < test.models; ++i) Check(models.Load("m" + std::to_string(i)).status());
  };
  // The store's page caches fill with the first reads and stay. The pages that malloc holds free
  // are given back before each look at the resident set.
  {
    ResidentModels before(folder.store(), {});
    load_all(before);
  }
  ResidentModels models(folder.store(), {});
  malloc_trim(0);
  const double heap = HeapBytes();
  const double resident = ResidentBytes("self");
  load_all(models);
  malloc_trim(0);
  const double heap_growth = (HeapBytes() - heap) / test.models;
  const double resident_growth = (ResidentBytes("self") - resident) / test.models;
  const double counted = static_cast<double>(models.bytes()) / test.models;
  const std::string bench = std::string("memory/resident_model/") + test.name;
  const double limit = 1.1 * weights + 65536;
  for (const auto& [kind, bytes] :
       {std::pair{"/resident_set", resident_growth}, std::pair{"/heap", heap_growth}}) {
    Print({.bench = bench + kind,
           .ours = bytes,
           .against = limit,
           .unit = "bytes",
           .budget = 1.0,
           .higher_is_better = false});
  }
  // What the budget counts against what there is.
  Print({.bench = bench + "/heap_against_counted",
         .ours = heap_growth,
         .against = counted,
         .unit = "bytes",
         .budget = 1.1,
         .higher_is_better = false});
}

}  // namespace
}  // namespace mlp::bench

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const bool quick = std::strcmp(argv[argc - 1], "--quick") == 0;
  if (what == "start" && argc > 2) {
    mlp::bench::Start(argv[2], quick);
  } else if (what == "memory") {
    mlp::bench::Memory({"784-800-10", 784, 800, quick ? 50 : 200});
    mlp::bench::Memory({"400-25-10", 400, 25, quick ? 100 : 300});
  } else {
    std::fprintf(stderr, "usage: residency_bench start MLPD | memory, then [--quick]\n");
    return 2;
  }
  return 0;
}
