// mlpctl train.

#include "client/commands/field_flags.h"
#include "client/commands/subcommand.h"
#include "client/commands/training_flags.h"
#include "client/commands/watch_job.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

struct Flags {
  TrainingFlags training;
  bool detach = false;
};

void AddFlags(CLI::App& app, Flags& flags) {
  AddTrainingFlags(app, flags.training);
  app.add_flag("--detach", flags.detach, "Return once the job is queued, without watching it");
  app.footer(R"(Examples:
  The classic digit network, on 70 % of the data, tested on the other 30 %:
    mlpctl train digits --dataset digits --layers 400,25,10 --lambda 1
  Softmax outputs, relu units, a validation part, at most five minutes:
    mlpctl train digits --dataset mnist --layers 784,300,100,10 --activation relu \
        --cost softmax --split 80/10/10 --time-limit 5m
  On mini-batches of elastically distorted images, stopped when the validation cost has not fallen
  for five epochs:
    mlpctl train digits --dataset mnist --layers 784,800,10 --activation relu --cost softmax \
        --lambda 0 --split 80/10/10 --optimizer sgd --batch-size 128 --learning-rate 0.1 \
        --schedule cosine --epochs 40 --elastic 34,4 --patience 5
  On from a trained version, with a lower learning rate:
    mlpctl train digits --dataset mnist --layers 784,800,10 --activation relu --cost softmax \
        --from digits@1 --optimizer adamw --learning-rate 1e-4
  Which lambda is best, and what the costs say about bias and variance:
    mlpctl train digits --dataset digits --layers 400,25,10 --split 60/20/20 --lambda-curve
  The best of 30 settings drawn at random, published:
    mlpctl train digits --dataset digits --layers 400,25,10 --split 60/20/20 \
        --search lambda=0.01..10:log --search hidden-units=10..100 --runs 30
  Served at once, but only if it beats what is served now:
    mlpctl train digits --dataset digits --layers 400,25,10 --better-than serving --alias serving
  In the background, watched later:
    mlpctl train digits --dataset digits --layers 400,25,10 --detach
    mlpctl jobs watch 1

Ctrl-C stops the watching; the job goes on. The exit status is 0 only where the job succeeded.)");
}

absl::StatusOr<int> Train(CommandContext& context, const Flags& flags) {
  MLP_ASSIGN_OR_RETURN(v1::CreateTrainingJobRequest request, MakeTrainingRequest(flags.training));
  if (request.request_id().empty()) request.set_request_id(NewRequestId());
  const absl::StatusOr<v1::TrainingJob> created = context.client().CreateTrainingJob(request);
  if (!created.ok()) return NameTheFlag(created.status());
  const v1::TrainingJob& job = *created;
  if (!flags.detach) return WatchJob(context, job.id(), 0);
  if (context.json()) {
    context.PrintJson(job);
  } else {
    context.out() << "job " << job.id() << " is queued; watch it with: " << context.Mlpctl()
                  << " jobs watch " << job.id() << std::endl;
  }
  return kExitSuccess;
}

}  // namespace

void AddTrainCommand(CLI::App& app, Command& command) {
  AddCommand<Flags>(app, "train", "Train a network and publish it as a version of a model", command,
                    AddFlags, Train);
}

}  // namespace mlp
