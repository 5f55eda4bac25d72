#include "tests/crash/inspection.h"

#include <memory>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>

#include "core/base/hash.h"
#include "core/base/status_macros.h"
#include "server/store/sqlite_connection.h"

namespace mlp::crash {
namespace {

constexpr int kAll = 1'000'000;

std::string Line(std::string text) { return absl::StrReplaceAll(text, {{"\n", " "}}); }

// Of the bytes, or the error in their place.
std::string HashOf(const absl::StatusOr<std::string>& bytes) {
  return bytes.ok() ? Sha256::Hex(*bytes)
                    : absl::StrCat("error:", absl::StatusCodeToString(bytes.status().code()));
}

std::string HashOf(const absl::StatusOr<Dataset>& dataset) {
  if (!dataset.ok()) return HashOf(absl::StatusOr<std::string>(dataset.status()));
  return HashOf(absl::StatusOr<std::string>(absl::StrCat(
      dataset->features, std::string(reinterpret_cast<const char*>(dataset->labels.data()),
                                     dataset->labels.size() * sizeof(int32_t)))));
}

absl::Status ListJob(Store& store, const v1::TrainingJob& job, std::vector<std::string>& things) {
  things.push_back(Line(absl::StrCat("job ", job.id(), " ", v1::JobState_Name(job.state()), " ",
                                     job.ShortDebugString())));
  MLP_ASSIGN_OR_RETURN(const std::vector<ProgressPoint> points,
                       store.ReadProgress(job.id(), 0, kAll));
  std::string costs;
  for (const ProgressPoint& point : points) {
    absl::StrAppend(&costs, " ", point.iteration, ":", point.cost);
  }
  if (!costs.empty()) things.push_back(absl::StrCat("progress ", job.id(), costs));
  for (int age = 0;; ++age) {
    const absl::StatusOr<std::string> bytes = store.ReadCheckpoint(job.id(), age);
    if (absl::IsNotFound(bytes.status())) break;
    things.push_back(absl::StrCat("checkpoint ", job.id(), " ", age, " ", HashOf(bytes)));
  }
  const absl::StatusOr<std::string> weights = store.ReadKeptWeights(job.id());
  if (!absl::IsNotFound(weights.status())) {
    things.push_back(absl::StrCat("weights ", job.id(), " ", HashOf(weights)));
  }
  return absl::OkStatus();
}

absl::Status ListModel(Store& store, const v1::Model& model, std::vector<std::string>& things) {
  things.push_back(Line(absl::StrCat("model ", model.name(), " ", model.ShortDebugString())));
  MLP_ASSIGN_OR_RETURN(const Page<v1::ModelVersion> versions,
                       store.ListVersions(model.name(), {kAll, ""}));
  for (const v1::ModelVersion& version : versions.items) {
    things.push_back(Line(absl::StrCat("version ", model.name(), " ", version.version(), " ",
                                       HashOf(store.ReadArtifact(model.name(), version.version())),
                                       " ", version.ShortDebugString())));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenDatabase(const std::string& folder) {
  return SqliteConnection::Open(folder + "/mlpd.db");
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ListThings(Store& store) {
  std::vector<std::string> things;
  const PageRequest all = {kAll, ""};
  MLP_ASSIGN_OR_RETURN(const Page<v1::Dataset> datasets, store.ListDatasets(all));
  for (const v1::Dataset& dataset : datasets.items) {
    things.push_back(Line(absl::StrCat("dataset ", dataset.name(), " ",
                                       HashOf(store.ReadDataset(dataset.name())), " ",
                                       dataset.ShortDebugString())));
  }
  MLP_ASSIGN_OR_RETURN(const Page<v1::TrainingJob> jobs, store.ListJobs(all, {}));
  for (const v1::TrainingJob& job : jobs.items) {
    MLP_RETURN_IF_ERROR(ListJob(store, job, things));
  }
  MLP_ASSIGN_OR_RETURN(const Page<v1::Model> models, store.ListModels(all));
  for (const v1::Model& model : models.items) {
    MLP_RETURN_IF_ERROR(ListModel(store, model, things));
  }
  return things;
}

absl::StatusOr<int64_t> CountOrphans(const std::string& folder) {
  MLP_ASSIGN_OR_RETURN(const auto connection, OpenDatabase(folder));
  int64_t orphans = 0;
  for (const char* condition :
       {"datasets WHERE name IS NULL",
        "dataset_pieces WHERE dataset_id NOT IN (SELECT id FROM datasets)",
        "versions WHERE model IS NULL OR model NOT IN (SELECT name FROM models)",
        "artifact_pieces WHERE version_id NOT IN (SELECT id FROM versions)",
        "checkpoints WHERE job_id IS NULL OR complete = 0 OR job_id NOT IN (SELECT id FROM jobs)",
        "checkpoint_pieces WHERE checkpoint_id NOT IN (SELECT id FROM checkpoints)",
        "aliases WHERE model NOT IN (SELECT name FROM models WHERE record IS NOT NULL)",
        "progress WHERE job_id NOT IN (SELECT id FROM jobs)"}) {
    MLP_ASSIGN_OR_RETURN(const int64_t count,
                         connection->QueryInt(absl::StrCat("SELECT count(*) FROM ", condition)));
    orphans += count;
  }
  return orphans;
}

absl::StatusOr<std::string> CheckIntegrity(const std::string& folder) {
  MLP_ASSIGN_OR_RETURN(const auto connection, OpenDatabase(folder));
  SqliteStatement integrity = connection->Prepare("PRAGMA integrity_check(1)");
  MLP_RETURN_IF_ERROR(integrity.Step().status());
  std::string result(integrity.Bytes(0));
  if (result != "ok") return result;
  SqliteStatement references = connection->Prepare("PRAGMA foreign_key_check");
  MLP_ASSIGN_OR_RETURN(const bool broken, references.Step());
  return broken ? absl::StrCat("a broken reference in ", std::string(references.Bytes(0))) : result;
}

}  // namespace mlp::crash
