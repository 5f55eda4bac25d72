#include "server/store/verify_store.h"

#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

constexpr int kPageSize = 100;

class Verification {
 public:
  Verification(Store& store, absl::FunctionRef<absl::Status(const StoreDamage&)> on_damage)
      : store_(store), on_damage_(on_damage) {}

  absl::StatusOr<VerifiedStore> Run() {
    MLP_RETURN_IF_ERROR(Take("database", store_.CheckStructure()).status());
    MLP_RETURN_IF_ERROR(
        ForEach<v1::Dataset>([this](const PageRequest& page) { return store_.ListDatasets(page); },
                             [this](const v1::Dataset& dataset) { return CheckDataset(dataset); }));
    MLP_RETURN_IF_ERROR(
        ForEach<v1::Model>([this](const PageRequest& page) { return store_.ListModels(page); },
                           [this](const v1::Model& model) { return CheckModel(model.name()); }));
    MLP_RETURN_IF_ERROR(ForEach<v1::TrainingJob>(
        [this](const PageRequest& page) { return store_.ListJobs(page, {}); },
        [this](const v1::TrainingJob& job) { return CheckJob(job.id()); }));
    return verified_;
  }

 private:
  template <typename T, typename List, typename Visit>
  absl::Status ForEach(const List& list, const Visit& visit) {
    PageRequest request = {.size = kPageSize, .after = ""};
    do {
      MLP_ASSIGN_OR_RETURN(const Page<T> page, list(request));
      for (const T& item : page.items) MLP_RETURN_IF_ERROR(visit(item));
      request.after = page.next;
    } while (!request.after.empty());
    return absl::OkStatus();
  }

  // Whether the item is there and well.
  absl::StatusOr<bool> Take(const std::string& item, const absl::Status& status) {
    if (status.ok()) return true;
    if (absl::IsNotFound(status)) return false;
    if (!absl::IsDataLoss(status)) return status;
    ++verified_.damaged;
    MLP_RETURN_IF_ERROR(on_damage_({item, status}));
    return false;
  }

  absl::Status CheckDataset(const v1::Dataset& dataset) {
    ++verified_.datasets;
    MLP_ASSIGN_OR_RETURN(const bool well, Take(absl::StrCat("dataset ", dataset.name()),
                                               store_.ReadDataset(dataset.name()).status()));
    if (well) verified_.bytes += dataset.bytes();
    return absl::OkStatus();
  }

  absl::Status CheckModel(const std::string& name) {
    const absl::Status status = ForEach<v1::ModelVersion>(
        [&](const PageRequest& page) { return store_.ListVersions(name, page); },
        [&](const v1::ModelVersion& version) { return CheckVersion(version); });
    return absl::IsNotFound(status) ? absl::OkStatus() : status;
  }

  absl::Status CheckVersion(const v1::ModelVersion& version) {
    ++verified_.versions;
    MLP_ASSIGN_OR_RETURN(
        const bool well,
        Take(absl::StrCat("model ", version.model(), " version ", version.version()),
             store_.ReadArtifact(version.model(), version.version()).status()));
    if (well) verified_.bytes += version.artifact_bytes();
    return absl::OkStatus();
  }

  absl::Status CheckJob(int64_t id) {
    for (int age = 0; age < kKeptCheckpoints; ++age) {
      MLP_RETURN_IF_ERROR(
          CheckCheckpoint(absl::StrCat("job ", id, " checkpoint"), store_.ReadCheckpoint(id, age)));
    }
    return CheckCheckpoint(absl::StrCat("job ", id, " kept weights"), store_.ReadKeptWeights(id));
  }

  absl::Status CheckCheckpoint(const std::string& item, const absl::StatusOr<std::string>& bytes) {
    if (!absl::IsNotFound(bytes.status())) ++verified_.checkpoints;
    MLP_ASSIGN_OR_RETURN(const bool well, Take(item, bytes.status()));
    if (well) verified_.bytes += static_cast<int64_t>(bytes->size());
    return absl::OkStatus();
  }

  Store& store_;
  const absl::FunctionRef<absl::Status(const StoreDamage&)> on_damage_;
  VerifiedStore verified_;
};

}  // namespace

absl::StatusOr<VerifiedStore> VerifyStore(
    Store& store, absl::FunctionRef<absl::Status(const StoreDamage&)> on_damage) {
  return Verification(store, on_damage).Run();
}

}  // namespace mlp
