#include "server/jobs/runner.h"

#include <exception>
#include <future>
#include <memory>
#include <new>
#include <thread>
#include <utility>

#include <absl/functional/function_ref.h>
#include <absl/strings/str_cat.h>

#include "core/artifact/artifact.h"
#include "core/base/hash.h"
#include "core/base/status_macros.h"
#include "core/nn/topology.h"
#include "server/conversion/config_conversion.h"
#include "server/conversion/evaluation_conversion.h"
#include "server/jobs/job_state.h"
#include "server/jobs/provenance.h"

namespace mlp {
namespace {

// The one place where an exception of a run ends.
absl::Status RunCatching(absl::FunctionRef<absl::Status()> run) {
  try {
    return run();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("not enough memory to train this network on this dataset");
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

void AddEvaluation(const std::optional<Evaluation>& evaluation, v1::DatasetPart part,
                   const DatasetSchema& schema, v1::TrainingResult& result) {
  if (!evaluation) return;
  *result.add_evaluations() = EvaluationToApi(*evaluation, part, schema.class_names);
}

void FillResult(const TrainingOutcome& outcome, const DatasetSchema& schema,
                v1::TrainingResult& result) {
  result.set_iterations(outcome.iterations);
  result.set_initial_cost(outcome.initial_cost);
  result.set_final_cost(outcome.final_cost);
  result.set_seconds(outcome.seconds);
  if (outcome.gradient_check_error) {
    result.set_gradient_check_error(*outcome.gradient_check_error);
  }
  AddEvaluation(outcome.training, v1::DATASET_PART_TRAINING, schema, result);
  AddEvaluation(outcome.validation, v1::DATASET_PART_VALIDATION, schema, result);
  AddEvaluation(outcome.test, v1::DATASET_PART_TEST, schema, result);
}

// A run that was cut short has no outcome, but its newest point tells how far it came.
void FillResult(const ProgressPoint& newest, v1::TrainingResult& result) {
  if (newest.iteration < 0) return;
  result.set_iterations(newest.iteration);
  result.set_final_cost(newest.cost);
  result.set_seconds(newest.elapsed_seconds);
}

}  // namespace

// What one run gathers on its way.
struct JobRunner::Attempt {
  v1::TrainingJob job;
  TrainingConfig config;
  v1::Dataset record;
  Dataset dataset;
  std::unique_ptr<ProgressLog::Writer> progress;
  std::optional<TrainingOutcome> outcome;
  std::optional<NewVersion> version;
};

RunEnd JobRunner::Run(const v1::TrainingJob& job, ThreadPool& pool, const JobControl& control) {
  Attempt attempt;
  attempt.job = job;
  attempt.job.clear_result();
  absl::Status status = RunCatching([&] { return TrainInto(attempt, pool, control); });
  if (attempt.progress != nullptr) {
    // However training ended, what it reported is kept.
    const absl::Status stored = attempt.progress->Flush();
    if (status.ok() && !stored.ok() && !control.cancelled()) {
      status = absl::Status(stored.code(), absl::StrCat("the progress could not be stored: ",
                                                        MessageForPeople(stored)));
    }
  }
  const absl::Status finished = RunCatching([&] { return Finish(status, attempt); });
  Conclude(finished, control, attempt);
  return {std::move(attempt.job), std::move(attempt.version)};
}

absl::Status JobRunner::TrainInto(Attempt& attempt, ThreadPool& pool, const JobControl& control) {
  MLP_RETURN_IF_ERROR(LoadDataset(attempt));
  attempt.job.mutable_result()->set_parameters(ParameterCount(attempt.config.topology));
  attempt.progress = log_.Open(attempt.job, control.stop());

  // A thread that went down to SCHED_IDLE may not come up again, and the runner's own thread must
  // not hold the store's locks at that priority: so each training has a thread to itself.
  std::packaged_task<absl::StatusOr<TrainingOutcome>()> task([&] {
    if (idle_priority_) LowerThisThreadToIdle();
    return train_(attempt.dataset, attempt.config, pool, clock_, control.stop().get_token(),
                  attempt.progress.get());
  });
  std::future<absl::StatusOr<TrainingOutcome>> outcome = task.get_future();
  std::thread(std::move(task)).join();
  MLP_ASSIGN_OR_RETURN(attempt.outcome, outcome.get());
  return absl::OkStatus();
}

absl::Status JobRunner::LoadDataset(Attempt& attempt) {
  const v1::TrainingJob& job = attempt.job;
  absl::StatusOr<v1::Dataset> record = store_.GetDataset(job.dataset());
  if (absl::IsNotFound(record.status())) {
    return absl::NotFoundError(
        absl::StrCat("dataset ", job.dataset(), ": was deleted after the job was created"));
  }
  MLP_ASSIGN_OR_RETURN(attempt.record, std::move(record));
  if (attempt.record.sha256() != job.dataset_sha256()) {
    return absl::FailedPreconditionError(
        absl::StrCat("dataset ", job.dataset(),
                     ": was replaced after the job was created: expected "
                     "SHA-256 ",
                     job.dataset_sha256(), ", got ", attempt.record.sha256()));
  }
  MLP_ASSIGN_OR_RETURN(attempt.config,
                       TrainingConfigFromApi(job.config(), attempt.record.feature_type()));
  MLP_ASSIGN_OR_RETURN(attempt.dataset, store_.ReadDataset(job.dataset()));
  return absl::OkStatus();
}

absl::Status JobRunner::Finish(const absl::Status& status, Attempt& attempt) {
  v1::TrainingResult& result = *attempt.job.mutable_result();
  if (attempt.progress != nullptr) FillResult(attempt.progress->newest(), result);
  if (attempt.outcome) FillResult(*attempt.outcome, attempt.dataset.schema, result);
  // A training that diverged is reported as such even where its points could not be stored.
  if (attempt.outcome && attempt.outcome->reason == StopReason::kDiverged) return absl::OkStatus();
  MLP_RETURN_IF_ERROR(status);
  if (attempt.outcome->reason == StopReason::kCancelled) return absl::OkStatus();
  MLP_ASSIGN_OR_RETURN(attempt.version, MakeVersion(attempt));
  return absl::OkStatus();
}

absl::StatusOr<NewVersion> JobRunner::MakeVersion(Attempt& attempt) {
  const v1::TrainingJob& job = attempt.job;
  Artifact artifact;
  MLP_ASSIGN_OR_RETURN(artifact.provenance_json, ProvenanceJson(job, *attempt.outcome));
  artifact.network = std::move(attempt.outcome->network);
  artifact.scaler = attempt.outcome->scaler;
  artifact.schema = attempt.dataset.schema;
  artifact.cost = attempt.config.cost;

  NewVersion made;
  made.artifact = WriteArtifact(artifact);
  v1::ModelVersion& version = made.version;
  version.set_model(job.model());
  version.set_job_id(job.id());
  *version.mutable_config() = job.config();
  version.set_dataset(job.dataset());
  version.set_dataset_sha256(job.dataset_sha256());
  version.set_parameters(job.result().parameters());
  *version.mutable_class_names() = attempt.record.class_names();
  if (attempt.record.has_image()) *version.mutable_image() = attempt.record.image();
  version.set_feature_type(attempt.record.feature_type());
  *version.mutable_training() = job.result();
  version.set_artifact_bytes(static_cast<int64_t>(made.artifact.size()));
  version.set_artifact_sha256(Sha256::Hex(made.artifact));
  return made;
}

void JobRunner::Conclude(const absl::Status& status, const JobControl& control, Attempt& attempt) {
  v1::TrainingJob& job = attempt.job;
  const absl::Time now = clock_.Now();
  if (!status.ok()) {
    EndJob(job, v1::JOB_STATE_FAILED, v1::STOP_REASON_ERROR, MessageForPeople(status), now);
    return;
  }
  const TrainingOutcome& outcome = *attempt.outcome;
  if (outcome.reason == StopReason::kDiverged) {
    EndJob(job, v1::JOB_STATE_FAILED, v1::STOP_REASON_DIVERGED, outcome.message, now);
  } else if (outcome.reason != StopReason::kCancelled) {
    EndJob(job, v1::JOB_STATE_SUCCEEDED, StopReasonToApi(outcome.reason), outcome.message, now);
  } else if (control.cancelled()) {
    EndJob(job, v1::JOB_STATE_CANCELLED, v1::STOP_REASON_CANCELLED,
           absl::StrCat("cancelled at iteration ", outcome.iterations), now);
  } else {
    job.clear_result();
    RequeueJob(job, absl::StrCat("queued again: the server was stopped at iteration ",
                                 outcome.iterations));
  }
}

}  // namespace mlp
