// What survives a restart: datasets, jobs with their progress and checkpoints, models with their
// versions and aliases.
//
// The narrow waist between the service and its database. Nothing is acknowledged before it is
// durable: a method that returns OK has survived the loss of power. Names were checked by the
// caller (server/names.h); they are data here, never paths. Records are the API's own messages.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include "core/data/dataset.h"
#include "core/train/progress.h"
#include "mlp/v1/dataset.pb.h"
#include "mlp/v1/model.pb.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// One page of a list. `next` starts the following page; empty on the last one.
template <typename T>
struct Page {
  std::vector<T> items;
  std::string next;
};

// `after` is the key of the last item of the page before, empty for the first page: a name, or a
// decimal number for jobs and versions. The API wraps it into an opaque page token.
struct PageRequest {
  int size = 100;
  std::string after;
};

// Whole rows of a dataset: a label each, and a weight each where the dataset is weighted.
struct DatasetRows {
  absl::string_view features;  // labels.size() rows
  absl::Span<const int32_t> labels;
  absl::Span<const float> weights = {};
};

// A dataset on its way in. Destroying it before Commit leaves nothing behind. Thread-compatible.
class DatasetUpload {
 public:
  virtual ~DatasetUpload() = default;
  // Memory stays bounded by the piece. Values are checked by the caller; INVALID_ARGUMENT where
  // there are not as many of each.
  virtual absl::Status Append(const DatasetRows& rows) = 0;
  // Makes the dataset visible under its name, with counts, bytes, sha256 as given in `dataset`; the
  // time is the store's where it is unset. Called once.
  // ALREADY_EXISTS where the name was taken meanwhile; but where that was by an upload with the
  // same request id and sha256, its dataset is returned: both are attempts of one upload.
  // INVALID_ARGUMENT where `dataset` is not what was appended.
  virtual absl::StatusOr<v1::Dataset> Commit(const v1::Dataset& dataset) = 0;
};

// Which jobs a list holds; defaults mean all.
struct JobFilter {
  std::string model;
  v1::JobState state = v1::JOB_STATE_UNSPECIFIED;
};

inline constexpr int kMaxJobLogLines = 100;
inline constexpr int kKeptCheckpoints = 2;

inline constexpr int kMaxModelAliases = 100;
// The alias that a model's name alone stands for, where it is set.
inline constexpr absl::string_view kServingAlias = "serving";

// A version to publish: its number is given by the store.
struct NewVersion {
  v1::ModelVersion version;
  std::string artifact;
  std::vector<std::string> aliases = {};  // to set to it
};

// How much may be stored; 0 means no limit.
struct StoreQuotas {
  int64_t datasets = 0;
  int64_t bytes = 0;     // of datasets' rows and versions' artifacts together, uploads included
  int64_t jobs = 0;      // ended ones included
  int64_t versions = 0;  // of each model
};

// What opening the store cleared away: what nobody can name (any more).
struct StoreRecovery {
  int64_t datasets = 0;  // uploads that were cut off, and deleted ones
  int64_t versions = 0;
  int64_t checkpoints = 0;
};

// A copy of everything as of one moment. Thread-compatible.
class StoreBackup {
 public:
  virtual ~StoreBackup() = default;
  // In bytes.
  virtual int64_t size() const = 0;
  // The next bytes of it, at most so many; empty at the end.
  virtual absl::StatusOr<std::string> Read(size_t most) = 0;
};

// Thread-safe. Every method: UNAVAILABLE where the database is busy beyond its time-out,
// RESOURCE_EXHAUSTED where the disk is full, DATA_LOSS where stored bytes are damaged, INTERNAL
// else.
class Store {
 public:
  virtual ~Store() = default;

  // --- Quotas ---
  // From now on BeginDatasetUpload, DatasetUpload, CreateJob, PublishVersion and ImportVersion are
  // RESOURCE_EXHAUSTED where there would be more than this. What is stored already stays.
  virtual void SetQuotas(const StoreQuotas& quotas) = 0;

  // --- Datasets ---
  // ALREADY_EXISTS where the name is taken (unless request_id matches: see FindDatasetByRequest).
  virtual absl::StatusOr<std::unique_ptr<DatasetUpload>> BeginDatasetUpload(
      const v1::DatasetHeader& header) = 0;
  // The dataset that an upload with this request id made. NOT_FOUND. `request_id` is not empty.
  virtual absl::StatusOr<v1::Dataset> FindDatasetByRequest(absl::string_view request_id) = 0;
  virtual absl::StatusOr<v1::Dataset> GetDataset(absl::string_view name) = 0;
  // By name.
  virtual absl::StatusOr<Page<v1::Dataset>> ListDatasets(const PageRequest& page) = 0;
  // NOT_FOUND; FAILED_PRECONDITION while a queued or running job names it.
  virtual absl::Status DeleteDataset(absl::string_view name) = 0;
  // The whole dataset in memory. NOT_FOUND, DATA_LOSS where the stored rows do not have the
  // recorded SHA-256.
  virtual absl::StatusOr<Dataset> ReadDataset(absl::string_view name) = 0;
  // The given rows alone, in the given order; reads only the pieces that hold them and checks no
  // hash. `rows` rise. OUT_OF_RANGE naming a row that there is not; NOT_FOUND.
  virtual absl::StatusOr<Dataset> ReadRows(absl::string_view name,
                                           absl::Span<const int64_t> rows) = 0;
  // All labels, without features. NOT_FOUND.
  virtual absl::StatusOr<std::vector<int32_t>> ReadLabels(absl::string_view name) = 0;

  // --- Jobs ---
  // Stores `job` with a new id (job.id is ignored), state QUEUED. With a request id that was used
  // before: returns that job instead. RESOURCE_EXHAUSTED where `max_queued` jobs are queued
  // already. NOT_FOUND where job.dataset, or what job.config.initial_model names (NAME@VERSION, or
  // the kept weights of job/NUMBER), is not (or no longer) there.
  virtual absl::StatusOr<v1::TrainingJob> CreateJob(const v1::TrainingJob& job,
                                                    absl::string_view request_id,
                                                    int max_queued) = 0;
  virtual absl::StatusOr<v1::TrainingJob> GetJob(int64_t id) = 0;
  // The job that CreateJob made with this request id, which is not empty. NOT_FOUND.
  virtual absl::StatusOr<v1::TrainingJob> FindJobByRequest(absl::string_view request_id) = 0;
  // Newest first.
  virtual absl::StatusOr<Page<v1::TrainingJob>> ListJobs(const PageRequest& page,
                                                         const JobFilter& filter) = 0;
  // Replaces the stored job where its stored state is `expected`; FAILED_PRECONDITION where it is
  // another, NOT_FOUND where there is none. The newest progress point is kept by AppendProgress and
  // the log by AppendJobLog, not here. A job that has ended has no checkpoints any more.
  virtual absl::Status UpdateJob(const v1::TrainingJob& job, v1::JobState expected) = 0;
  // NOT_FOUND; FAILED_PRECONDITION unless the job has ended, and while a queued or running job
  // starts from its weights.
  virtual absl::Status DeleteJob(int64_t id) = 0;
  // The jobs that are QUEUED or RUNNING, oldest first: what a starting server takes up.
  virtual absl::StatusOr<std::vector<v1::TrainingJob>> UnfinishedJobs() = 0;
  // Jobs by state, for metrics: index = state number.
  virtual absl::StatusOr<std::vector<int64_t>> CountJobs() = 0;

  // Durable on return. The newest kMaxJobLogLines lines are kept, and shown with the job.
  // NOT_FOUND.
  virtual absl::Status AppendJobLog(int64_t id, const v1::JobLogLine& line) = 0;

  // --- Checkpoints ---
  // What a training goes on from after a restart: bytes that the store does not look into. Durable
  // on return; the newest kKeptCheckpoints of a job are kept. Other writers get their turn while a
  // long one is stored. Sets job.crashes back to 0: the job has come on. FAILED_PRECONDITION unless
  // the job is RUNNING, NOT_FOUND.
  virtual absl::Status SaveCheckpoint(int64_t job_id, absl::string_view bytes) = 0;
  // The checkpoint that was saved `age` checkpoints before the newest one; 0 is the newest.
  // NOT_FOUND where there is none, DATA_LOSS where its stored bytes are damaged.
  virtual absl::StatusOr<std::string> ReadCheckpoint(int64_t job_id, int age) = 0;

  // The best weights of a job that ends without publishing them: an artifact's bytes. As
  // SaveCheckpoint, but they stay with the job when it has FAILED or is CANCELLED; those saved
  // before go.
  virtual absl::Status SaveKeptWeights(int64_t job_id, absl::string_view bytes) = 0;
  // NOT_FOUND where the job has none, DATA_LOSS where the stored bytes are damaged.
  virtual absl::StatusOr<std::string> ReadKeptWeights(int64_t job_id) = 0;

  // --- Progress ---
  // Durable on return, all or nothing. A point whose iteration is stored already replaces it. The
  // last of `points` becomes the job's newest one, which GetJob shows. NOT_FOUND.
  virtual absl::Status AppendProgress(int64_t job_id, absl::Span<const ProgressPoint> points) = 0;
  // Points with iteration >= from, in order, at most `limit`. Empty for an unknown job.
  virtual absl::StatusOr<std::vector<ProgressPoint>> ReadProgress(int64_t job_id, int from,
                                                                  int limit) = 0;

  // --- Models ---
  // In one transaction: creates the model where it is new, gives the version the next number (into
  // version.version and job.result.version), stores the artifact, and ends the job as `job` says
  // (it must be RUNNING in the store: FAILED_PRECONDITION). The store fills in job_id,
  // artifact_bytes, artifact_sha256, training.version and, where it is unset, the time, and sets
  // the aliases. Numbers are never given again, not even to a model that comes again after it was
  // deleted. Returns the version as stored. INVALID_ARGUMENT where the version is of another model
  // than the job; RESOURCE_EXHAUSTED where the model would have too many aliases.
  virtual absl::StatusOr<v1::ModelVersion> PublishVersion(NewVersion version,
                                                          v1::TrainingJob job) = 0;
  // The same for a version that no job trained.
  virtual absl::StatusOr<v1::ModelVersion> ImportVersion(NewVersion version) = 0;
  virtual absl::StatusOr<v1::Model> GetModel(absl::string_view name) = 0;
  // By name.
  virtual absl::StatusOr<Page<v1::Model>> ListModels(const PageRequest& page) = 0;
  // Replaces the model's serving settings; they are kept until it is deleted. Returns the model as
  // stored, whose `serving` is unset where all settings are 0. NOT_FOUND.
  virtual absl::StatusOr<v1::Model> SetServingSettings(absl::string_view name,
                                                       const v1::ServingSettings& settings) = 0;
  // Replaces which versions are kept: the caller deletes the others. Returns the model, whose
  // `retention` is unset where all are. NOT_FOUND.
  virtual absl::StatusOr<v1::Model> SetRetention(absl::string_view name,
                                                 const v1::Retention& retention) = 0;
  // Sets or moves an alias in one step. NOT_FOUND names what is missing; FAILED_PRECONDITION where
  // it is not set to `expected` (0: not at all); RESOURCE_EXHAUSTED over kMaxModelAliases.
  virtual absl::StatusOr<v1::Model> SetAlias(absl::string_view model, absl::string_view alias,
                                             int64_t version, std::optional<int64_t> expected) = 0;
  // NOT_FOUND names what is missing.
  virtual absl::StatusOr<v1::Model> DeleteAlias(absl::string_view model,
                                                absl::string_view alias) = 0;
  // With its aliases. NOT_FOUND; FAILED_PRECONDITION while a queued or running job starts from one
  // of its versions.
  virtual absl::Status DeleteModel(absl::string_view name) = 0;
  // `version` 0 is the one that kServingAlias is set to, else the newest one. NOT_FOUND names what
  // is missing: model or version.
  virtual absl::StatusOr<v1::ModelVersion> GetVersion(absl::string_view model, int64_t version) = 0;
  // The version that an alias is set to. NOT_FOUND names what is missing: model or alias.
  virtual absl::StatusOr<v1::ModelVersion> GetAliasedVersion(absl::string_view model,
                                                             absl::string_view alias) = 0;
  // Replaces `note` and `tags` of the stored version by those given; returns it. NOT_FOUND.
  virtual absl::StatusOr<v1::ModelVersion> AnnotateVersion(const v1::ModelVersion& version) = 0;
  // Newest first. NOT_FOUND for an unknown model.
  virtual absl::StatusOr<Page<v1::ModelVersion>> ListVersions(absl::string_view model,
                                                              const PageRequest& page) = 0;
  // NOT_FOUND; FAILED_PRECONDITION while an alias is set to it, or a queued or running job starts
  // from it.
  virtual absl::Status DeleteVersion(absl::string_view model, int64_t version) = 0;
  // The artifact's bytes as published. NOT_FOUND, DATA_LOSS (SHA-256 differs from the record).
  virtual absl::StatusOr<std::string> ReadArtifact(absl::string_view model, int64_t version) = 0;

  // --- All of it ---
  // For RestoreBackup. Neither readers nor writers wait for it. One at a time: RESOURCE_EXHAUSTED
  // where another one is not destroyed yet, and where there is no room for the copy.
  virtual absl::StatusOr<std::unique_ptr<StoreBackup>> Backup() = 0;
  virtual const StoreRecovery& recovery() const = 0;
  // DATA_LOSS where the structure that holds it all together is damaged.
  virtual absl::Status CheckStructure() = 0;
};

}  // namespace mlp
