#include "server/jobs/resume.h"

#include <utility>

#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>

#include "core/base/hash.h"
#include "core/train/study_checkpoint.h"
#include "server/build_info.h"
#include "server/jobs/job_state.h"

namespace mlp {
namespace {

// Of the stored checkpoints of `job`, newest first, the first one that `read` can make sense of.
template <typename Read>
auto FindNewest(const v1::TrainingJob& job, Store& store,
                const std::function<void(absl::string_view)>& log, const Read& read)
    -> std::optional<typename decltype(read(std::string()))::value_type> {
  for (int age = 0; age < kKeptCheckpoints; ++age) {
    const absl::StatusOr<std::string> bytes = store.ReadCheckpoint(job.id(), age);
    if (absl::IsNotFound(bytes.status())) break;
    auto checkpoint = bytes.ok() ? read(*bytes) : bytes.status();
    if (checkpoint.ok()) return *std::move(checkpoint);
    log(absl::StrCat(age == 0 ? "the newest checkpoint" : "the checkpoint before",
                     " cannot be used: ", MessageForPeople(checkpoint.status())));
  }
  log(absl::StrCat("start ", job.attempts(), ": begins anew, without a checkpoint"));
  return std::nullopt;
}

}  // namespace

std::string TrainingFingerprint(const v1::TrainingJob& job) {
  return Sha256::Hex(absl::StrCat(job.config().SerializeAsString(), job.dataset_sha256(),
                                  BuildVersion(), BuildCompiler(), CpuKernels()));
}

std::optional<Checkpoint> FindCheckpoint(const v1::TrainingJob& job, const TrainingConfig& config,
                                         Store& store,
                                         const std::function<void(absl::string_view)>& log) {
  return FindNewest(job, store, log, [&](const std::string& bytes) {
    return ReadCheckpoint(bytes, TrainingFingerprint(job), config);
  });
}

std::optional<StudyOutcome> FindStudyCheckpoint(const v1::TrainingJob& job, Store& store,
                                                const std::function<void(absl::string_view)>& log) {
  return FindNewest(job, store, log, [&](const std::string& bytes) {
    return ReadStudyCheckpoint(bytes, TrainingFingerprint(job));
  });
}

}  // namespace mlp
