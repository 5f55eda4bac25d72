#include "server/jobs/resume.h"

#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/hash.h"
#include "core/base/status_macros.h"
#include "server/build_info.h"
#include "server/jobs/job_state.h"

namespace mlp {
namespace {

absl::StatusOr<Checkpoint> ReadStored(const v1::TrainingJob& job, int age,
                                      const TrainingConfig& config, Store& store) {
  MLP_ASSIGN_OR_RETURN(const std::string bytes, store.ReadCheckpoint(job.id(), age));
  return ReadCheckpoint(bytes, TrainingFingerprint(job), config);
}

}  // namespace

std::string TrainingFingerprint(const v1::TrainingJob& job) {
  return Sha256::Hex(absl::StrCat(job.config().SerializeAsString(), job.dataset_sha256(),
                                  BuildVersion(), BuildCompiler(), CpuKernels()));
}

std::optional<Checkpoint> FindCheckpoint(const v1::TrainingJob& job, const TrainingConfig& config,
                                         Store& store,
                                         const std::function<void(absl::string_view)>& log) {
  for (int age = 0; age < kKeptCheckpoints; ++age) {
    absl::StatusOr<Checkpoint> checkpoint = ReadStored(job, age, config, store);
    if (checkpoint.ok()) return *std::move(checkpoint);
    if (absl::IsNotFound(checkpoint.status())) break;
    log(absl::StrCat(age == 0 ? "the newest checkpoint" : "the checkpoint before",
                     " cannot be used: ", MessageForPeople(checkpoint.status())));
  }
  log(absl::StrCat("start ", job.attempts(), ": begins anew, without a checkpoint"));
  return std::nullopt;
}

}  // namespace mlp
