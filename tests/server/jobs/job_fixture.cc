#include "tests/server/jobs/job_fixture.h"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <stop_token>

#include <absl/strings/str_cat.h>
#include <unistd.h>

#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/nn/initialization.h"
#include "core/nn/network.h"
#include "server/store/sqlite_store.h"

namespace mlp {
namespace {

constexpr int kFeatures = 4;
constexpr int kClasses = 3;
constexpr absl::Duration kLongEnough = absl::Seconds(60);

std::string NewFolder() {
  static std::atomic<int> count = 0;
  const std::string folder =
      absl::StrCat(testing::TempDir(), "/mlpd-jobs-", getpid(), "-", count.fetch_add(1));
  std::filesystem::create_directories(folder);
  return folder;
}

std::unique_ptr<Store> OpenStore(const std::string& folder) {
  absl::StatusOr<std::unique_ptr<Store>> store = OpenSqliteStore(folder, Clock::System());
  EXPECT_TRUE(store.ok()) << store.status();
  return *std::move(store);
}

}  // namespace

Dataset ThreeBlobs(int rows, int64_t seed) {
  Dataset dataset;
  dataset.schema.features = kFeatures;
  dataset.schema.feature_type = FeatureType::kFloat32;
  dataset.schema.class_names = {"red", "green", "blue"};
  Random random(seed, 7);
  std::vector<float> features;
  for (int row = 0; row < rows; ++row) {
    const int label = row % kClasses;
    dataset.labels.push_back(label);
    for (int feature = 0; feature < kFeatures; ++feature) {
      const double centre = feature == label ? 2.0 : 0.0;
      features.push_back(static_cast<float>(centre + random.Normal()));
    }
  }
  dataset.features.assign(reinterpret_cast<const char*>(features.data()),
                          features.size() * sizeof(float));
  return dataset;
}

v1::Dataset StoreDataset(Store& store, const std::string& name, const Dataset& dataset) {
  v1::DatasetHeader header;
  header.set_name(name);
  header.set_rows(dataset.rows());
  header.set_features(dataset.schema.features);
  header.set_feature_type(v1::FEATURE_TYPE_FLOAT32);
  header.mutable_class_names()->Add(dataset.schema.class_names.begin(),
                                    dataset.schema.class_names.end());
  auto upload = store.BeginDatasetUpload(header);
  EXPECT_TRUE(upload.ok()) << upload.status();
  EXPECT_TRUE((*upload)->Append({dataset.features, dataset.labels}).ok());

  v1::Dataset record;
  record.set_name(name);
  record.set_rows(dataset.rows());
  record.set_features(header.features());
  record.set_feature_type(header.feature_type());
  *record.mutable_class_names() = header.class_names();
  std::vector<int64_t> counts(dataset.schema.class_names.size());
  for (const int32_t label : dataset.labels) ++counts[static_cast<size_t>(label)];
  record.mutable_class_counts()->Add(counts.begin(), counts.end());
  const absl::string_view labels(reinterpret_cast<const char*>(dataset.labels.data()),
                                 dataset.labels.size() * sizeof(int32_t));
  record.set_bytes(static_cast<int64_t>(dataset.features.size() + labels.size()));
  record.set_sha256(Sha256::Hex(absl::StrCat(dataset.features, labels)));
  auto stored = (*upload)->Commit(record);
  EXPECT_TRUE(stored.ok()) << stored.status();
  return *std::move(stored);
}

v1::TrainingConfig SmallConfig(int64_t seed) {
  v1::TrainingConfig config;
  for (const int units : {kFeatures, 5, kClasses}) config.mutable_network()->add_layers(units);
  config.set_lambda(0.1);
  config.set_seed(seed);
  config.mutable_stopping()->set_max_iterations(60);
  return config;
}

void SteppedTrainer::Allow(int64_t seed, int iteration) {
  absl::MutexLock lock(&mutex_);
  allowed_[seed] = iteration;
}

void SteppedTrainer::AwaitStep(int64_t seed, int iteration) {
  absl::MutexLock lock(&mutex_);
  const auto reported = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = reported_.find(seed);
    return found != reported_.end() && found->second >= iteration;
  };
  EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&reported), kLongEnough));
}

std::vector<int64_t> SteppedTrainer::started() const {
  absl::MutexLock lock(&mutex_);
  return started_;
}

TrainFunction SteppedTrainer::Function(int last_iteration) {
  return [this, last_iteration](const Dataset&, const TrainingConfig& config,
                                const TrainingContext& context) {
    return Run(config, last_iteration, context.stop, *context.observer);
  };
}

TrainingOutcome SteppedTrainer::Run(const TrainingConfig& config, int last_iteration,
                                    std::stop_token stop, ProgressObserver& observer) {
  const int64_t seed = config.seed;
  TrainingOutcome outcome;
  outcome.network.topology = config.topology;
  outcome.network.parameters =
      InitialParameters(config.topology, config.initialization, seed).cast<float>();
  outcome.scaler = FeatureScaler::Identity(config.topology.inputs);
  outcome.initial_cost = CostAt(seed, 0);
  {
    absl::MutexLock lock(&mutex_);
    started_.push_back(seed);
    reported_[seed] = -1;
    allowed_.try_emplace(seed, -1);
  }
  // Taking the lock makes the waiting thread look at the token again.
  const std::stop_callback wake(stop, [this] { absl::MutexLock lock(&mutex_); });
  for (int iteration = 0; iteration <= last_iteration; ++iteration) {
    {
      absl::MutexLock lock(&mutex_);
      const auto may_go = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return stop.stop_requested() || allowed_.at(seed) >= iteration;
      };
      mutex_.Await(absl::Condition(&may_go));
    }
    if (stop.stop_requested()) {
      outcome.reason = StopReason::kCancelled;
      return outcome;
    }
    ProgressPoint point;
    point.iteration = iteration;
    point.cost = CostAt(seed, iteration);
    observer.OnProgress(point);
    outcome.iterations = iteration;
    outcome.final_cost = point.cost;
    absl::MutexLock lock(&mutex_);
    reported_[seed] = iteration;
  }
  outcome.reason = StopReason::kConverged;
  outcome.message = "stepped to the end";
  return outcome;
}

JobFixture::JobFixture()
    : folder_(NewFolder()),
      store_(OpenStore(folder_)),
      blobs_(StoreDataset(*store_, "blobs", ThreeBlobs(90, 1))) {}

JobFixture::~JobFixture() {
  store_.reset();
  std::filesystem::remove_all(folder_);
}

JobSchedulerOptions JobFixture::Options() {
  JobSchedulerOptions options;
  options.limits.max_running_jobs = 1;
  options.idle_priority = false;  // tests run on machines that are busy with other things
  options.store_retry_delay = absl::ZeroDuration();
  options.progress.flush_interval = absl::ZeroDuration();
  return options;
}

std::unique_ptr<JobScheduler> JobFixture::StartScheduler(const JobSchedulerOptions& options) {
  auto scheduler = JobScheduler::Start(options, *store_, metrics_, Clock::System());
  EXPECT_TRUE(scheduler.ok()) << scheduler.status();
  return *std::move(scheduler);
}

v1::TrainingJob JobFixture::NewJob(const std::string& model, int64_t seed) {
  v1::TrainingJob job;
  job.set_model(model);
  job.set_dataset(blobs_.name());
  job.set_dataset_sha256(blobs_.sha256());
  *job.mutable_config() = SmallConfig(seed);
  return job;
}

int64_t JobFixture::Submit(JobScheduler& scheduler, const std::string& model, int64_t seed) {
  const auto job = scheduler.Submit(NewJob(model, seed), "");
  EXPECT_TRUE(job.ok()) << job.status();
  return job->id();
}

JobFixture::Watched JobFixture::WatchToEnd(JobScheduler& scheduler, int64_t id, int from) {
  const auto watch = scheduler.Watch(id, from);
  EXPECT_TRUE(watch.ok()) << watch.status();
  Watched watched;
  while (true) {
    auto batch = (*watch)->Next(kLongEnough);
    EXPECT_TRUE(batch.ok()) << batch.status();
    if (!batch.ok()) return watched;
    EXPECT_TRUE(batch->ended || !batch->points.empty()) << "job " << id << " does not go on";
    watched.points.insert(watched.points.end(), batch->points.begin(), batch->points.end());
    if (batch->ended) watched.ended = *batch->ended;
    if (batch->ended || batch->points.empty()) return watched;
  }
}

v1::TrainingJob JobFixture::AwaitEnd(JobScheduler& scheduler, int64_t id) {
  return WatchToEnd(scheduler, id, 0).ended;
}

std::vector<int> JobFixture::Iterations(const std::vector<ProgressPoint>& points) {
  std::vector<int> iterations;
  for (const ProgressPoint& point : points) iterations.push_back(point.iteration);
  return iterations;
}

}  // namespace mlp
