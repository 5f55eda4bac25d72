// mlpctl jobs: list, get, watch, cancel, delete.

#include <absl/strings/str_cat.h>

#include "client/commands/resource_text.h"
#include "client/commands/study_text.h"
#include "client/commands/subcommand.h"
#include "client/commands/training_flags.h"
#include "client/commands/watch_job.h"
#include "client/status_macros.h"
#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

struct ListFlags {
  std::string model;
  std::string state;
};

struct JobFlags {
  int64_t id = 0;
  int32_t from = 0;
};

void AddListFlags(CLI::App& app, ListFlags& flags) {
  app.add_option("--model", flags.model, "Only the jobs of this model");
  app.add_option("--state", flags.state,
                 "Only jobs in this state: queued, running, succeeded, failed, cancelled");
}

void AddJobFlag(CLI::App& app, JobFlags& flags) {
  app.add_option("JOB", flags.id, "The job's number")->required()->check(CLI::PositiveNumber);
}

void AddWatchFlags(CLI::App& app, JobFlags& flags) {
  AddJobFlag(app, flags);
  app.add_option("--from", flags.from, "First iteration to show; 0 shows all")
      ->check(CLI::NonNegativeNumber);
  app.footer(
      "Ctrl-C stops the watching; the job goes on. The exit status is 0 only where the job\n"
      "succeeded.");
}

absl::StatusOr<int> List(CommandContext& context, const ListFlags& flags) {
  v1::ListTrainingJobsRequest request;
  request.set_model(flags.model);
  if (!flags.state.empty()) {
    MLP_ASSIGN_OR_RETURN(const v1::JobState state, ParseJobState(flags.state));
    request.set_state(state);
  }
  using Align = Table::Align;
  Table table({{"job", Align::kRight},
               {"state"},
               {"stop reason"},
               {"model"},
               {"dataset"},
               {"layers"},
               {"iteration", Align::kRight},
               {"cost", Align::kRight},
               {"created"}});
  MLP_RETURN_IF_ERROR(ForEachPage(
      request, [&](const auto& page) { return context.client().ListTrainingJobs(page); },
      [&](const v1::ListTrainingJobsResponse& page) {
        for (const v1::TrainingJob& job : page.jobs()) {
          if (context.json()) {
            context.PrintJson(job);
            continue;
          }
          const bool begun = job.has_progress();
          table.AddRow({absl::StrCat(job.id()), StateName(job.state()),
                        StopReasonName(job.stop_reason()), job.model(), job.dataset(),
                        LayersText(job.config().network()),
                        begun ? FormatCount(job.progress().iteration()) : "-",
                        begun ? FormatValue(job.progress().cost()) : "-",
                        FormatTimestamp(job.has_create_time(), job.create_time())});
        }
      }));
  if (!context.json()) context.out() << table.Render();
  return kExitSuccess;
}

void PrintJob(CommandContext& context, const v1::TrainingJob& job) {
  if (context.json()) {
    context.PrintJson(job);
  } else {
    const std::string runs = DescribeRuns(job, context.style());
    context.out() << DescribeJob(job) << (runs.empty() ? "" : "\n") << runs;
  }
}

absl::StatusOr<int> Get(CommandContext& context, const JobFlags& flags) {
  v1::GetTrainingJobRequest request;
  request.set_id(flags.id);
  MLP_ASSIGN_OR_RETURN(const v1::TrainingJob job, context.client().GetTrainingJob(request));
  PrintJob(context, job);
  return kExitSuccess;
}

absl::StatusOr<int> Watch(CommandContext& context, const JobFlags& flags) {
  return WatchJob(context, flags.id, flags.from);
}

absl::StatusOr<int> Cancel(CommandContext& context, const JobFlags& flags) {
  v1::CancelTrainingJobRequest request;
  request.set_id(flags.id);
  MLP_ASSIGN_OR_RETURN(const v1::TrainingJob job, context.client().CancelTrainingJob(request));
  if (context.json()) {
    context.PrintJson(job);
  } else if (HasEnded(job.state())) {
    context.out() << "job " << job.id() << ": " << StateName(job.state()) << "\n";
  } else {
    context.out() << "job " << job.id() << ": " << StateName(job.state()) << ", asked to stop\n";
  }
  return kExitSuccess;
}

absl::StatusOr<int> Delete(CommandContext& context, const JobFlags& flags) {
  v1::DeleteTrainingJobRequest request;
  request.set_id(flags.id);
  MLP_RETURN_IF_ERROR(context.client().DeleteTrainingJob(request));
  if (!context.json()) context.out() << "job " << flags.id << " deleted\n";
  return kExitSuccess;
}

}  // namespace

void AddJobsCommands(CLI::App& app, Command& command) {
  auto* jobs = app.add_subcommand("jobs", "See, watch, cancel and delete training jobs");
  jobs->require_subcommand(1);
  AddCommand<ListFlags>(*jobs, "list", "List the jobs, newest first", command, AddListFlags, List);
  AddCommand<JobFlags>(*jobs, "get", "Show one job", command, AddJobFlag, Get);
  AddCommand<JobFlags>(*jobs, "watch", "Follow a job's cost, iteration by iteration", command,
                       AddWatchFlags, Watch);
  AddCommand<JobFlags>(*jobs, "cancel", "Ask a job to stop; it publishes nothing", command,
                       AddJobFlag, Cancel);
  AddCommand<JobFlags>(*jobs, "delete", "Forget an ended job; its model version stays", command,
                       AddJobFlag, Delete);
}

}  // namespace mlp
