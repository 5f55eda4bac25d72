#include "client/commands/watch_job.h"

#include "client/commands/interrupt.h"
#include "client/commands/job_display.h"

namespace mlp {
namespace {

void SayHowToGoOn(CommandContext& context, int64_t id, int64_t next_iteration) {
  const std::string mlpctl = context.Mlpctl();
  context.err() << "Stopped watching; job " << id << " goes on.\n"
                << "  watch it again:  " << mlpctl << " jobs watch " << id;
  if (next_iteration > 0) context.err() << " --from " << next_iteration;
  context.err() << "\n  cancel it:       " << mlpctl << " jobs cancel " << id << std::endl;
}

}  // namespace

absl::StatusOr<int> WatchJob(CommandContext& context, int64_t id, int32_t from_iteration) {
  const InterruptScope interrupt;
  JobDisplay display(context);
  WatchOptions options;
  options.from_iteration = from_iteration;
  options.stop = interrupt.token();
  options.on_job = [&display](const v1::TrainingJob& job) { display.OnJob(job); };
  const absl::StatusOr<v1::TrainingJob> job = context.client().WatchTrainingJob(
      id, options, [&display](const v1::ProgressPoint& point) { display.OnProgress(point); });
  if (!job.ok()) {
    display.OnStop();
    if (!interrupt.interrupted()) return job.status();
    SayHowToGoOn(context, id, display.next_iteration());
    return kExitInterrupted;
  }
  display.OnEnd(*job);
  return job->state() == v1::JOB_STATE_SUCCEEDED ? kExitSuccess : kExitFailure;
}

}  // namespace mlp
