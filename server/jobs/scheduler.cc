#include "server/jobs/scheduler.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/end_of_call.h"
#include "server/jobs/job_state.h"
#include "server/jobs/result_so_far.h"
#include "server/retry_delay.h"

namespace mlp {
namespace {

// A cancel that meets a job on its move from one state to the next looks again this often.
constexpr int kCancelLooks = 10;
constexpr int kPublishTries = 3;

bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
}

absl::Duration TrainingTime(const v1::TrainingJob& job) {
  return absl::Seconds(job.result().seconds());
}

}  // namespace

JobScheduler::JobScheduler(const JobSchedulerOptions& options, Store& store, Metrics& metrics,
                           const Clock& clock)
    : options_(options),
      store_(store),
      metrics_(metrics),
      clock_(clock),
      notifier_(options.max_watchers),
      log_(options.progress, store, metrics, notifier_),
      runner_({.train = options.train,
               .idle_priority = options.idle_priority,
               .checkpoint_interval = options.limits.checkpoint_interval},
              store, log_, clock),
      limits_(options.limits) {}

absl::StatusOr<std::unique_ptr<JobScheduler>> JobScheduler::Start(
    const JobSchedulerOptions& options, Store& store, Metrics& metrics, const Clock& clock) {
  std::unique_ptr<JobScheduler> scheduler(new JobScheduler(options, store, metrics, clock));
  MLP_RETURN_IF_ERROR(scheduler->TakeUpUnfinished());
  if (!options.paused) scheduler->Resume();
  return scheduler;
}

void JobScheduler::Resume() {
  absl::MutexLock stop_lock(&stop_mutex_);
  resumed_ = true;
  int count = 0;
  {
    absl::MutexLock lock(&mutex_);
    count = limits_.max_running_jobs;
  }
  AddRunners(std::max(count, 1));
}

void JobScheduler::SetLimits(const JobLimits& limits) {
  absl::MutexLock stop_lock(&stop_mutex_);
  runner_.SetCheckpointInterval(limits.checkpoint_interval);
  {
    absl::MutexLock lock(&mutex_);
    limits_ = limits;
    if (stopping_) return;
  }
  if (resumed_) AddRunners(limits.max_running_jobs);
}

void JobScheduler::AddRunners(int count) {
  while (static_cast<int>(runners_.size()) < count) {
    ThreadPool& pool = *pools_.emplace_back(std::make_unique<ThreadPool>(
        ThreadPoolOptions{options_.training_threads, options_.idle_priority}));
    try {
      runners_.emplace_back([this, &pool] { RunLoop(pool); });
    } catch (const std::system_error&) {
      if (runners_.empty()) throw;
      pools_.pop_back();
      return;
    }
  }
}

JobScheduler::~JobScheduler() { Stop(); }

void JobScheduler::Stop() {
  absl::MutexLock stop_lock(&stop_mutex_);
  notifier_.Stop();
  std::vector<std::shared_ptr<JobControl>> controls;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    for (const auto& [id, control] : running_) controls.push_back(control);
  }
  for (const auto& control : controls) control->Interrupt();
  for (std::thread& runner : runners_) runner.join();
  runners_.clear();
}

absl::Status JobScheduler::TakeUpUnfinished() {
  MLP_ASSIGN_OR_RETURN(std::vector<v1::TrainingJob> jobs, store_.UnfinishedJobs());
  for (v1::TrainingJob& job : jobs) {
    if (job.state() == v1::JOB_STATE_RUNNING) {
      TakeUp(job);
      MLP_RETURN_IF_ERROR(store_.UpdateJob(job, v1::JOB_STATE_RUNNING));
      if (job.state() == v1::JOB_STATE_QUEUED) LogRequeue(job);
    }
    if (IsEnded(job.state())) {
      metrics_.TrainingEnded(job.id(), job.stop_reason(), TrainingTime(job));
    } else {
      Enqueue(job.id());
    }
  }
  return absl::OkStatus();
}

void JobScheduler::TakeUp(v1::TrainingJob& job) {
  if (job.cancel_requested()) {
    FillResultSoFar(store_, job);
    EndJob(job, v1::JOB_STATE_CANCELLED, v1::STOP_REASON_CANCELLED,
           "cancelled; the server ended before the job did", clock_.Now());
    return;
  }
  job.set_crashes(job.crashes() + 1);
  if (job.crashes() < options_.max_crashes) {
    RequeueJob(job, "queued again: the server was restarted while the job ran");
    return;
  }
  FillResultSoFar(store_, job);
  EndJob(job, v1::JOB_STATE_FAILED, v1::STOP_REASON_ERROR,
         absl::StrCat("given up: the server ended ", job.crashes(),
                      " times in a row while the job ran, without a new checkpoint of it; look why "
                      "in the server's log, then create the job again"),
         clock_.Now());
}

absl::StatusOr<v1::TrainingJob> JobScheduler::Submit(const v1::TrainingJob& job,
                                                     absl::string_view request_id) {
  int max_queued_jobs = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return WithRetryDelay(ServerStopping(), kRestartDelay);
    max_queued_jobs = limits_.max_queued_jobs;
  }
  v1::TrainingJob record;
  record.set_model(job.model());
  record.set_dataset(job.dataset());
  record.set_dataset_sha256(job.dataset_sha256());
  *record.mutable_config() = job.config();
  if (job.has_publish()) *record.mutable_publish() = job.publish();
  record.set_state(v1::JOB_STATE_QUEUED);
  MLP_ASSIGN_OR_RETURN(record, store_.CreateJob(record, request_id, max_queued_jobs));
  if (record.state() == v1::JOB_STATE_QUEUED) Enqueue(record.id());
  return record;
}

absl::StatusOr<v1::TrainingJob> JobScheduler::Cancel(int64_t id) {
  for (int look = 0; look < kCancelLooks; ++look) {
    MLP_ASSIGN_OR_RETURN(v1::TrainingJob job, store_.GetJob(id));
    if (IsEnded(job.state())) return job;
    if (job.state() == v1::JOB_STATE_RUNNING) {
      const std::shared_ptr<JobControl> control = FindRunning(id);
      if (control == nullptr) continue;  // it ended after we looked
      // The control first: a Stop that comes now must not queue the job again.
      control->Cancel();
      job.set_cancel_requested(true);
      const absl::Status status = store_.UpdateJob(job, v1::JOB_STATE_RUNNING);
      if (absl::IsFailedPrecondition(status)) continue;  // it has ended meanwhile
      MLP_RETURN_IF_ERROR(status);
      return job;
    }
    FillResultSoFar(store_, job);
    EndJob(job, v1::JOB_STATE_CANCELLED, v1::STOP_REASON_CANCELLED, "cancelled while it was queued",
           clock_.Now());
    const absl::Status status = store_.UpdateJob(job, v1::JOB_STATE_QUEUED);
    if (absl::IsFailedPrecondition(status)) continue;  // it was started after we looked
    MLP_RETURN_IF_ERROR(status);
    {
      absl::MutexLock lock(&mutex_);
      queued_.erase(id);
    }
    metrics_.TrainingEnded(id, job.stop_reason(), TrainingTime(job));
    notifier_.Notify(id);
    return job;
  }
  return absl::UnavailableError(absl::StrCat("job ", id, ": is changing its state; try again"));
}

absl::Status JobScheduler::Delete(int64_t id) {
  MLP_RETURN_IF_ERROR(store_.DeleteJob(id));
  notifier_.Notify(id);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<JobWatch>> JobScheduler::Watch(int64_t id, int from_iteration) {
  MLP_ASSIGN_OR_RETURN(v1::TrainingJob job, store_.GetJob(id));
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<JobNotifier::Subscription> subscription,
                       notifier_.Subscribe(id));
  return std::make_unique<JobWatch>(
      std::move(job), from_iteration, store_, log_,
      [this, id] { return FindRunning(id) != nullptr; }, std::move(subscription));
}

void JobScheduler::Enqueue(int64_t id) {
  absl::MutexLock lock(&mutex_);
  if (!running_.contains(id)) queued_.insert(id);
}

std::shared_ptr<JobControl> JobScheduler::FindRunning(int64_t id) {
  absl::MutexLock lock(&mutex_);
  const auto running = running_.find(id);
  return running == running_.end() ? nullptr : running->second;
}

bool JobScheduler::IsStopping() {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

bool JobScheduler::PauseBeforeRetry() {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&stopping_), options_.store_retry_delay);
  return !stopping_;
}

std::optional<int64_t> JobScheduler::NextJob(std::shared_ptr<JobControl>& control) {
  absl::MutexLock lock(&mutex_);
  const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto most = static_cast<size_t>(std::max(limits_.max_running_jobs, 1));
    return stopping_ || (!queued_.empty() && running_.size() < most);
  };
  mutex_.Await(absl::Condition(&has_work));
  if (stopping_) return std::nullopt;
  const int64_t id = *queued_.begin();
  queued_.erase(queued_.begin());
  control = std::make_shared<JobControl>();
  running_[id] = control;
  return id;
}

void JobScheduler::RunLoop(ThreadPool& pool) {
  std::shared_ptr<JobControl> control;
  while (const std::optional<int64_t> id = NextJob(control)) {
    if (const std::optional<v1::TrainingJob> job = MarkRunning(*id)) {
      notifier_.Notify(*id);
      StoreEnd(runner_.Run(*job, pool, *control));
    }
    {
      absl::MutexLock lock(&mutex_);
      running_.erase(*id);
    }
    notifier_.Notify(*id);
  }
}

std::optional<v1::TrainingJob> JobScheduler::MarkRunning(int64_t id) {
  absl::Status status;
  do {
    absl::StatusOr<v1::TrainingJob> job = store_.GetJob(id);
    status = job.status();
    if (status.ok()) {
      if (job->state() != v1::JOB_STATE_QUEUED) return std::nullopt;
      StartJob(*job, clock_.Now());
      status = store_.UpdateJob(*job, v1::JOB_STATE_QUEUED);
    }
    if (status.ok()) return *std::move(job);
  } while (MayPass(status) && PauseBeforeRetry());
  return std::nullopt;  // cancelled meanwhile, or the next start takes it up
}

void JobScheduler::StoreEnd(RunEnd end) {
  absl::Status status;
  bool published = false;
  if (end.version) {
    status = Publish(end);
    published = status.ok();
    if (absl::IsUnavailable(status) && IsStopping()) return;  // the next start trains it again
    if (!published) {
      end.job.set_state(v1::JOB_STATE_RUNNING);  // as it is in the store
      EndJob(end.job, v1::JOB_STATE_FAILED, v1::STOP_REASON_ERROR,
             absl::StrCat("the trained network could not be stored: ", MessageForPeople(status)),
             clock_.Now());
    }
  }
  if (!published) {
    do {
      status = store_.UpdateJob(end.job, v1::JOB_STATE_RUNNING);
    } while (MayPass(status) && PauseBeforeRetry());
    if (status.ok() && end.job.state() == v1::JOB_STATE_QUEUED) LogRequeue(end.job);
  }
  if (IsEnded(end.job.state())) {
    metrics_.TrainingEnded(end.job.id(), end.job.stop_reason(), TrainingTime(end.job));
  }
}

void JobScheduler::LogRequeue(const v1::TrainingJob& job) {
  // Worth no error.
  store_.AppendJobLog(job.id(), MakeLogLine(job.message(), clock_.Now())).IgnoreError();
}

absl::Status JobScheduler::Publish(const RunEnd& end) {
  absl::StatusOr<v1::ModelVersion> published;
  for (int tries = 1; true; ++tries) {
    published = store_.PublishVersion(*end.version, end.job);
    const bool again = absl::IsUnavailable(published.status()) && tries < kPublishTries;
    if (!again || !PauseBeforeRetry()) break;
  }
  if (published.ok() && options_.on_published) options_.on_published(*published);
  return published.status();
}

}  // namespace mlp
