#include "server/jobs/runner.h"

#include <algorithm>
#include <exception>
#include <future>
#include <memory>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include <absl/functional/function_ref.h>
#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "core/nn/topology.h"
#include "core/train/study.h"
#include "server/build_info.h"
#include "server/conversion/config_conversion.h"
#include "server/conversion/evaluation_conversion.h"
#include "server/conversion/study_conversion.h"
#include "server/jobs/initial_model.h"
#include "server/jobs/job_state.h"
#include "server/jobs/quality_gate.h"
#include "server/jobs/result_so_far.h"
#include "server/jobs/resume.h"
#include "server/jobs/run_recorder.h"
#include "server/jobs/seen_rows.h"
#include "server/jobs/study_result.h"
#include "server/jobs/trained_version.h"
#include "server/store/job_reference.h"

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
  result.set_best_iteration(outcome.best_iteration);
  if (outcome.gradient_check_error) {
    result.set_gradient_check_error(*outcome.gradient_check_error);
  }
  AddEvaluation(outcome.training, v1::DATASET_PART_TRAINING, schema, result);
  AddEvaluation(outcome.validation, v1::DATASET_PART_VALIDATION, schema, result);
  AddEvaluation(outcome.test, v1::DATASET_PART_TEST, schema, result);
}

const char* IterationName(const TrainingConfig& config) {
  return OnMiniBatches(config.optimizer.kind) ? "epoch " : "iteration ";
}

}  // namespace

// What one run gathers on its way.
struct JobRunner::Attempt {
  v1::TrainingJob job;
  TrainingConfig config;  // of the network to publish: of a study, once it is known
  std::optional<StudyOptions> study;
  v1::Dataset record;
  Dataset dataset;
  std::optional<WarmStart> start;
  std::string seen_rows;  // what DescribeSeenRows says
  std::optional<Checkpoint> resume;
  std::optional<StudyOutcome> study_resume;
  std::unique_ptr<ProgressLog::Writer> progress;
  std::unique_ptr<RunRecorder> recorder;  // uses `progress`
  std::optional<StudyOutcome> study_outcome;
  // Of the job's network; of a study, of the best one where there is one to publish.
  std::optional<TrainingOutcome> outcome;
  std::string missed_by_gate;  // what MissedByGate says of it
  std::optional<NewVersion> version;
};

std::string JobRunner::WithSeenRows(const std::string& message, const Attempt& attempt) {
  return attempt.seen_rows.empty() ? message : absl::StrCat(message, "; ", attempt.seen_rows);
}

RunEnd JobRunner::Run(const v1::TrainingJob& job, ThreadPool& pool, const JobControl& control) {
  Attempt attempt;
  attempt.job = job;
  attempt.job.clear_result();
  absl::Status status = RunCatching([&] { return TrainInto(attempt, pool, control); });
  attempt.recorder.reset();  // all is stored now, while the job runs still
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
  MLP_RETURN_IF_ERROR(LoadInitialModel(attempt));
  attempt.job.mutable_result()->set_parameters(ParameterCount(attempt.config.topology));
  BeginRecording(control, attempt);
  const TrainingContext context = {
      .pool = pool,
      .clock = clock_,
      .stop = control.stop().get_token(),
      .observer = attempt.progress.get(),
      .log = [&](absl::string_view line) { attempt.recorder->Log(line); },
      .start = attempt.start ? &*attempt.start : nullptr,
      .checkpoints = attempt.recorder.get(),
      .fingerprint = TrainingFingerprint(attempt.job),
      .resume = attempt.resume ? &*attempt.resume : nullptr};

  // A thread that went down to SCHED_IDLE may not come up again, and the runner's own thread must
  // not hold the store's locks at that priority: so each training has a thread to itself.
  std::packaged_task<absl::Status()> task([&] {
    if (options_.idle_priority) LowerThisThreadToIdle();
    MLP_RETURN_IF_ERROR(RunTraining(attempt, context));
    AskGate(attempt, context.pool);
    return absl::OkStatus();
  });
  std::future<absl::Status> status = task.get_future();
  std::thread(std::move(task)).join();
  return status.get();
}

absl::Status JobRunner::RunTraining(Attempt& attempt, const TrainingContext& context) {
  if (!attempt.study) {
    MLP_ASSIGN_OR_RETURN(attempt.outcome, options_.train(attempt.dataset, attempt.config, context));
    return absl::OkStatus();
  }
  MLP_ASSIGN_OR_RETURN(attempt.study_outcome,
                       RunStudy(attempt.dataset, *attempt.study, attempt.config, context,
                                attempt.study_resume ? &*attempt.study_resume : nullptr));
  StudyOutcome& study = *attempt.study_outcome;
  if (study.best) {
    attempt.config = *study.best_config;
    attempt.outcome = std::exchange(study.best, std::nullopt);
    attempt.job.mutable_result()->set_parameters(ParameterCount(attempt.config.topology));
  }
  return absl::OkStatus();
}

void JobRunner::AskGate(Attempt& attempt, ThreadPool& pool) {
  if (!attempt.outcome) return;
  const absl::StatusOr<std::string> missed =
      MissedByGate(attempt.job.publish(), attempt.job.model(), *attempt.outcome, attempt.dataset,
                   attempt.config.split, store_, pool);
  // What cannot be judged is not published; its weights are kept all the same.
  attempt.missed_by_gate = missed.ok() ? *missed : MessageForPeople(missed.status());
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
  MLP_ASSIGN_OR_RETURN(attempt.study, StudyFromApi(job.config()));
  MLP_ASSIGN_OR_RETURN(attempt.dataset, store_.ReadDataset(job.dataset()));
  return absl::OkStatus();
}

absl::Status JobRunner::LoadInitialModel(Attempt& attempt) {
  const std::string& reference = attempt.job.config().initial_model();
  if (reference.empty()) return absl::OkStatus();
  MLP_ASSIGN_OR_RETURN(InitialModel model, ReadInitialModel(reference, store_));
  attempt.start = std::move(model.start);
  attempt.job.mutable_result()->set_initial_version(model.version);
  MLP_ASSIGN_OR_RETURN(attempt.seen_rows, DescribeSeenRows(attempt.job, attempt.config.split,
                                                           attempt.dataset, store_));
  return absl::OkStatus();
}

void JobRunner::BeginRecording(const JobControl& control, Attempt& attempt) {
  std::vector<std::string> lines;
  const bool again = attempt.job.attempts() > 1;
  if (!again && !attempt.seen_rows.empty()) lines.push_back(attempt.seen_rows);
  const auto log = [&lines](absl::string_view line) { lines.emplace_back(line); };
  int last_iteration = -1;
  if (again && attempt.study) {
    attempt.study_resume = FindStudyCheckpoint(attempt.job, store_, log);
    if (attempt.study_resume) last_iteration = static_cast<int>(attempt.study_resume->runs.size());
  } else if (again) {
    attempt.resume = FindCheckpoint(attempt.job, attempt.config, store_, log);
    if (attempt.resume) last_iteration = attempt.resume->iterations;
  }
  attempt.progress = log_.Open(attempt.job, control.stop(), last_iteration);
  attempt.recorder = std::make_unique<RunRecorder>(
      RunRecorderOptions{.job_id = attempt.job.id(),
                         .interval = CheckpointInterval(),
                         .unwanted = [&control] { return control.cancelled(); }},
      store_, *attempt.progress, clock_);
  for (const std::string& line : lines) attempt.recorder->Log(line);
}

absl::Status JobRunner::Finish(const absl::Status& status, Attempt& attempt) {
  const bool has_points = attempt.progress != nullptr && attempt.progress->newest().iteration >= 0;
  if (has_points && !attempt.outcome && !attempt.study_outcome) {
    FillResultSoFar(attempt.progress->newest(), store_, attempt.job);
  }
  v1::TrainingResult& result = *attempt.job.mutable_result();
  if (attempt.outcome) FillResult(*attempt.outcome, attempt.dataset.schema, result);
  if (attempt.study_outcome) FillStudyResult(*attempt.study_outcome, result);
  if (attempt.outcome || attempt.study_outcome) {
    result.set_build(BuildName());
    result.set_cpu_kernel(CpuKernels());
  }
  // A training that diverged is reported as such even where its points could not be stored.
  if (attempt.outcome && attempt.outcome->reason == StopReason::kDiverged) return absl::OkStatus();
  MLP_RETURN_IF_ERROR(status);
  if (!attempt.outcome || attempt.outcome->reason == StopReason::kCancelled ||
      !attempt.missed_by_gate.empty()) {
    return absl::OkStatus();
  }
  const v1::TrainingJob trained = TrainedJob(attempt);
  MLP_ASSIGN_OR_RETURN(
      std::string artifact,
      MakeArtifact(trained, attempt.config.cost, attempt.dataset.schema, *attempt.outcome));
  attempt.version = MakeVersion(trained, attempt.record, std::move(artifact));
  return absl::OkStatus();
}

// What trains the best network of a study again.
v1::TrainingConfig JobRunner::ConfigOfBestRun(const Attempt& attempt) {
  v1::TrainingConfig config = TrainingConfigToApi(attempt.config);
  const std::string& start = attempt.job.config().initial_model();
  if (!start.empty()) SetInitialModel(start, config);
  return config;
}

// What the job trained, with the configuration that trains it again.
v1::TrainingJob JobRunner::TrainedJob(const Attempt& attempt) {
  v1::TrainingJob job = attempt.job;
  if (attempt.study) *job.mutable_config() = ConfigOfBestRun(attempt);
  return job;
}

std::string JobRunner::KeepWeights(Attempt& attempt) {
  TrainingOutcome& outcome = *attempt.outcome;
  // Those of the start are known already.
  if (outcome.best_iteration == 0 || !outcome.network.parameters.allFinite()) return "";
  absl::StatusOr<std::string> artifact =
      MakeArtifact(attempt.job, attempt.config.cost, attempt.dataset.schema, outcome);
  absl::Status status = artifact.status();
  if (status.ok()) status = store_.SaveKeptWeights(attempt.job.id(), *artifact);
  if (status.ok()) return absl::StrCat("; weights kept: --from ", JobReference(attempt.job.id()));
  return absl::StrCat("; the weights could not be kept: ", MessageForPeople(status));
}

void JobRunner::Conclude(const absl::Status& status, const JobControl& control, Attempt& attempt) {
  v1::TrainingJob& job = attempt.job;
  const absl::Time now = clock_.Now();
  if (!status.ok()) {
    EndJob(job, v1::JOB_STATE_FAILED, v1::STOP_REASON_ERROR, MessageForPeople(status), now);
    return;
  }
  if (!attempt.missed_by_gate.empty()) {
    EndJob(job, v1::JOB_STATE_FAILED, v1::STOP_REASON_QUALITY_GATE,
           absl::StrCat(attempt.missed_by_gate, KeepWeights(attempt)), now);
    return;
  }
  if (attempt.study) return ConcludeStudy(control, attempt);
  const TrainingOutcome& outcome = *attempt.outcome;
  if (outcome.reason == StopReason::kDiverged) {
    EndJob(job, v1::JOB_STATE_FAILED, v1::STOP_REASON_DIVERGED,
           absl::StrCat(outcome.message, KeepWeights(attempt)), now);
  } else if (outcome.reason != StopReason::kCancelled) {
    EndJob(job, v1::JOB_STATE_SUCCEEDED, StopReasonToApi(outcome.reason),
           WithSeenRows(outcome.message, attempt), now);
  } else {
    const std::string done = absl::StrCat(IterationName(attempt.config), outcome.iterations);
    ConcludeStopped(absl::StrCat(done, control.cancelled() ? KeepWeights(attempt) : ""), control,
                    job);
  }
}

void JobRunner::ConcludeStudy(const JobControl& control, Attempt& attempt) {
  const StudyOutcome& outcome = *attempt.study_outcome;
  v1::TrainingJob& job = attempt.job;
  if (outcome.cancelled) {
    ConcludeStopped(absl::StrCat("run ", outcome.runs.size() + 1), control, job);
    return;
  }
  const bool learned = std::any_of(outcome.runs.begin(), outcome.runs.end(),
                                   [](const StudyRun& run) { return run.validation.has_value(); });
  EndJob(job, learned ? v1::JOB_STATE_SUCCEEDED : v1::JOB_STATE_FAILED,
         learned ? v1::STOP_REASON_COMPLETED : v1::STOP_REASON_DIVERGED,
         WithSeenRows(StudyMessage(*attempt.study, outcome), attempt), clock_.Now());
}

void JobRunner::ConcludeStopped(absl::string_view done, const JobControl& control,
                                v1::TrainingJob& job) {
  if (control.cancelled()) {
    EndJob(job, v1::JOB_STATE_CANCELLED, v1::STOP_REASON_CANCELLED,
           absl::StrCat("cancelled at ", done), clock_.Now());
    return;
  }
  job.clear_result();
  job.clear_crashes();
  RequeueJob(job, absl::StrCat("queued again: the server was stopped at ", done));
}

}  // namespace mlp
