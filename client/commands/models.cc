// mlpctl models: list, get, versions, settings, delete; those of model_life and model_files.

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include "client/commands/evaluation_text.h"
#include "client/commands/model_files.h"
#include "client/commands/model_life.h"
#include "client/commands/model_settings.h"
#include "client/commands/resource_text.h"
#include "client/commands/subcommand.h"
#include "client/readers/quote.h"
#include "client/status_macros.h"
#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

struct NoFlags {};
struct ModelFlags {
  std::string model;
};

void AddNoFlags(CLI::App&, NoFlags&) {}

std::string VersionText(int64_t version) { return version > 0 ? absl::StrCat(version) : "-"; }

void AddReferenceFlag(CLI::App& app, ModelFlags& flags) {
  app.add_option("MODEL", flags.model, "MODEL, MODEL@VERSION or MODEL@ALIAS")->required();
}

void AddNameFlag(CLI::App& app, ModelFlags& flags) {
  app.add_option("MODEL", flags.model, "The model's name")->required();
}

void AddSettingsFlags(CLI::App& app, SettingsFlags& flags) {
  app.add_option("MODEL", flags.model, "The model's name")->required();
  app.add_option("--max-batch-rows", flags.max_batch_rows,
                 "Rows that are computed together at most, 1 to 65,536; 1 turns batching off");
  app.add_option("--queue-delay-us", flags.queue_delay_us,
                 "Microseconds that the first request of a batch waits for others, to 1,000,000");
  app.add_option("--max-queued-requests", flags.max_queued_requests,
                 "Requests that may wait, 1 to 1,000,000; more are refused");
  app.add_flag("--reset", flags.reset, "Back to the defaults, but for the other flags");
  app.footer(
      R"(Without a flag it shows the settings; with one it changes those named, at once and for all
versions.

Examples:
  mlpctl models settings digits
  mlpctl models settings digits --queue-delay-us 200 --max-batch-rows 256
  mlpctl models settings digits --reset)");
}

absl::StatusOr<int> List(CommandContext& context, const NoFlags&) {
  using Align = Table::Align;
  Table table({{"model"},
               {"served", Align::kRight},
               {"newest", Align::kRight},
               {"versions", Align::kRight},
               {"aliases"},
               {"created"}});
  MLP_RETURN_IF_ERROR(ForEachPage(
      v1::ListModelsRequest(), [&](const auto& page) { return context.client().ListModels(page); },
      [&](const v1::ListModelsResponse& page) {
        for (const v1::Model& model : page.models()) {
          if (context.json()) {
            context.PrintJson(model);
            continue;
          }
          table.AddRow({model.name(), VersionText(model.served_version()),
                        VersionText(model.latest_version()), FormatCount(model.version_count()),
                        AliasesText(model),
                        FormatTimestamp(model.has_create_time(), model.create_time())});
        }
      }));
  if (!context.json()) context.out() << table.Render();
  return kExitSuccess;
}

absl::StatusOr<int> GetVersion(CommandContext& context, const std::string& reference) {
  v1::GetModelVersionRequest request;
  request.set_model(reference);
  MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version, context.client().GetModelVersion(request));
  if (context.json()) {
    context.PrintJson(version);
  } else {
    context.out() << DescribeModelVersion(version);
  }
  return kExitSuccess;
}

absl::StatusOr<int> Get(CommandContext& context, const ModelFlags& flags) {
  if (flags.model.find('@') != std::string::npos) return GetVersion(context, flags.model);
  v1::GetModelRequest request;
  request.set_name(flags.model);
  MLP_ASSIGN_OR_RETURN(const v1::Model model, context.client().GetModel(request));
  if (context.json()) {
    context.PrintJson(model);
    return kExitSuccess;
  }
  context.out() << model.name() << ": " << FormatCount(model.version_count())
                << (model.version_count() == 1 ? " version" : " versions") << ", created "
                << FormatTimestamp(model.has_create_time(), model.create_time()) << "\n";
  if (model.aliases_size() > 0) context.out() << "Aliases: " << AliasesText(model) << "\n";
  if (model.retention().keep_versions() > 0) {
    context.out() << "Keeps the newest " << FormatCount(model.retention().keep_versions())
                  << " versions\n";
  }
  const std::string settings = UnusualSettings(model.serving());
  if (!settings.empty()) context.out() << "Served with " << settings << "\n";
  if (model.served_version() == 0) return kExitSuccess;
  context.out() << "The version that is served:\n\n";
  return GetVersion(context, absl::StrCat(model.name(), "@", model.served_version()));
}

absl::StatusOr<int> Versions(CommandContext& context, const ModelFlags& flags) {
  v1::ListModelVersionsRequest request;
  request.set_model(flags.model);
  using Align = Table::Align;
  Table table({{"version"},
               {"layers"},
               {"weights", Align::kRight},
               {"dataset"},
               {"job", Align::kRight},
               {"cost", Align::kRight},
               {"accuracy"},
               {"aliases"},
               {"created"}});
  MLP_RETURN_IF_ERROR(ForEachPage(
      request, [&](const auto& page) { return context.client().ListModelVersions(page); },
      [&](const v1::ListModelVersionsResponse& page) {
        for (const v1::ModelVersion& version : page.versions()) {
          if (context.json()) {
            context.PrintJson(version);
            continue;
          }
          table.AddRow({absl::StrCat(version.model(), "@", version.version()),
                        LayersText(version.config().network()), FormatCount(version.parameters()),
                        version.dataset(), VersionText(version.job_id()),
                        version.has_training() ? FormatValue(version.training().final_cost()) : "-",
                        AccuracyByPart(version.training().evaluations()),
                        absl::StrJoin(version.aliases(), ", "),
                        FormatTimestamp(version.has_create_time(), version.create_time())});
        }
      }));
  if (!context.json()) context.out() << table.Render();
  return kExitSuccess;
}

absl::Status DeleteVersion(CommandContext& context, absl::string_view model,
                           absl::string_view version) {
  v1::DeleteModelVersionRequest request;
  int64_t number = 0;
  if (!absl::SimpleAtoi(version, &number) || number < 1) {
    return UsageError("MODEL", absl::StrCat("expected MODEL, or MODEL@VERSION with the version's "
                                            "number, got ",
                                            Quote(absl::StrCat(model, "@", version))));
  }
  request.set_model(std::string(model));
  request.set_version(number);
  return context.client().DeleteModelVersion(request);
}

absl::StatusOr<int> Delete(CommandContext& context, const ModelFlags& flags) {
  const std::pair<absl::string_view, absl::string_view> reference =
      absl::StrSplit(flags.model, absl::MaxSplits('@', 1));
  if (flags.model.find('@') != std::string::npos) {
    MLP_RETURN_IF_ERROR(DeleteVersion(context, reference.first, reference.second));
    if (!context.json()) context.out() << "version " << flags.model << " deleted\n";
    return kExitSuccess;
  }
  v1::DeleteModelRequest request;
  request.set_name(flags.model);
  MLP_RETURN_IF_ERROR(context.client().DeleteModel(request));
  if (!context.json()) context.out() << "model " << flags.model << " deleted\n";
  return kExitSuccess;
}

}  // namespace

void AddModelsCommands(CLI::App& app, Command& command) {
  auto* models = app.add_subcommand("models", "See, set up and delete models and their versions");
  models->require_subcommand(1);
  AddCommand<NoFlags>(*models, "list", "List the models", command, AddNoFlags, List);
  AddCommand<ModelFlags>(*models, "get", "Show a model with its newest version, or one version",
                         command, AddReferenceFlag, Get);
  AddCommand<ModelFlags>(*models, "versions", "List a model's versions, newest first", command,
                         AddNameFlag, Versions);
  AddCommand<SettingsFlags>(*models, "settings", "Show or change how a model is served", command,
                            AddSettingsFlags, ModelSettings);
  AddModelLifeCommands(*models, command);
  AddModelFileCommands(*models, command);
  AddCommand<ModelFlags>(*models, "delete", "Delete a model with all its versions, or one version",
                         command, AddReferenceFlag, Delete);
}

}  // namespace mlp
