#include "server/jobs/initial_model.h"

#include <optional>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/artifact/artifact.h"
#include "core/base/status_macros.h"
#include "server/jobs/job_state.h"
#include "server/names.h"
#include "server/store/find_version.h"
#include "server/store/job_reference.h"

namespace mlp {
namespace {

constexpr absl::string_view kField = "initial_model";

// Of an artifact's bytes.
absl::StatusOr<WarmStart> ReadStart(absl::string_view bytes) {
  MLP_ASSIGN_OR_RETURN(Artifact artifact, ReadArtifact(bytes));
  return WarmStart{std::move(artifact.network), std::move(artifact.scaler)};
}

absl::StatusOr<InitialModel> ReadVersion(const ModelReference& reference, Store& store) {
  MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version, FindVersion(reference, store));
  MLP_ASSIGN_OR_RETURN(const std::string bytes,
                       store.ReadArtifact(reference.model, version.version()));
  MLP_ASSIGN_OR_RETURN(WarmStart start, ReadStart(bytes));
  return InitialModel{absl::StrCat(reference.model, "@", version.version()), version.version(),
                      std::move(start)};
}

// Whether `job` is one that may have kept weights.
absl::Status CheckEndedWithoutVersion(const v1::TrainingJob& job) {
  const auto refuse = [&job](const auto&... text) {
    return absl::FailedPreconditionError(absl::StrCat("job ", job.id(), ": ", text...));
  };
  if (!IsEnded(job.state())) {
    return refuse("expected one that has ended, got state ", v1::JobState_Name(job.state()));
  }
  if (job.state() != v1::JOB_STATE_SUCCEEDED) return absl::OkStatus();
  if (job.result().version() == 0) return refuse("succeeded and has nothing to start from");
  return refuse("succeeded: use ", job.model(), "@", job.result().version(),
                ", which it published");
}

absl::StatusOr<InitialModel> ReadKept(int64_t job_id, Store& store) {
  MLP_ASSIGN_OR_RETURN(const v1::TrainingJob job, store.GetJob(job_id));
  MLP_RETURN_IF_ERROR(CheckEndedWithoutVersion(job));
  MLP_ASSIGN_OR_RETURN(const std::string bytes, store.ReadKeptWeights(job_id));
  MLP_ASSIGN_OR_RETURN(WarmStart start, ReadStart(bytes));
  return InitialModel{JobReference(job_id), 0, std::move(start)};
}

}  // namespace

absl::StatusOr<InitialModel> ReadInitialModel(absl::string_view reference, Store& store) {
  MLP_ASSIGN_OR_RETURN(const std::optional<int64_t> job_id, ParseJobReference(kField, reference));
  absl::StatusOr<InitialModel> model;
  if (job_id) {
    model = ReadKept(*job_id, store);
  } else {
    MLP_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference(kField, reference));
    model = ReadVersion(parsed, store);
  }
  if (model.ok()) return model;
  return absl::Status(model.status().code(), absl::StrCat(kField, ": ", model.status().message()));
}

}  // namespace mlp
