#include "client/commands/model_life.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include "client/commands/resource_text.h"
#include "client/commands/subcommand.h"
#include "client/commands/tag_flags.h"
#include "client/readers/quote.h"
#include "client/status_macros.h"
#include "client/terminal/numbers.h"

namespace mlp {
namespace {

constexpr char kServing[] = "serving";

struct AliasFlags {
  std::string model;
  std::string alias = kServing;
  int64_t version = 0;
  std::optional<int64_t> expected;
};

struct RetentionFlags {
  std::string model;
  std::string keep;
};

struct AnnotateFlags {
  std::string reference;
  std::optional<std::string> note;
  std::vector<std::string> tags;
  std::vector<std::string> removed_tags;
};

struct LineageFlags {
  std::string reference;
};

void AddName(CLI::App& app, std::string& model) {
  app.add_option("MODEL", model, "The model's name")->required();
}

void PrintAlias(CommandContext& context, const v1::Model& model, const std::string& alias) {
  if (context.json()) {
    context.PrintJson(model);
    return;
  }
  const auto set = model.aliases().find(alias);
  context.out() << model.name() << "@" << alias;
  if (set == model.aliases().end()) {
    context.out() << " is deleted\n";
  } else {
    context.out() << " is version " << set->second << " now\n";
  }
}

absl::StatusOr<int> SetAlias(CommandContext& context, const AliasFlags& flags) {
  v1::SetModelAliasRequest request;
  request.set_model(flags.model);
  request.set_alias(flags.alias);
  request.set_version(flags.version);
  if (flags.expected) request.set_expected_version(*flags.expected);
  MLP_ASSIGN_OR_RETURN(const v1::Model model, context.client().SetModelAlias(request));
  PrintAlias(context, model, flags.alias);
  return kExitSuccess;
}

absl::StatusOr<int> DeleteAlias(CommandContext& context, const AliasFlags& flags) {
  v1::DeleteModelAliasRequest request;
  request.set_model(flags.model);
  request.set_alias(flags.alias);
  MLP_ASSIGN_OR_RETURN(const v1::Model model, context.client().DeleteModelAlias(request));
  PrintAlias(context, model, flags.alias);
  return kExitSuccess;
}

// The newest version below `version`; 0: none.
absl::StatusOr<int64_t> VersionBefore(CommandContext& context, const std::string& model,
                                      int64_t version) {
  v1::ListModelVersionsRequest request;
  request.set_model(model);
  int64_t before = 0;
  MLP_RETURN_IF_ERROR(ForEachPage(
      request, [&](const auto& page) { return context.client().ListModelVersions(page); },
      [&](const v1::ListModelVersionsResponse& page) {
        for (const v1::ModelVersion& listed : page.versions()) {
          if (listed.version() < version) before = std::max(before, listed.version());
        }
      }));
  return before;
}

absl::StatusOr<int> Rollback(CommandContext& context, const AliasFlags& flags) {
  v1::GetModelRequest get;
  get.set_name(flags.model);
  MLP_ASSIGN_OR_RETURN(const v1::Model model, context.client().GetModel(get));
  const auto set = model.aliases().find(flags.alias);
  const int64_t expected = set == model.aliases().end() ? 0 : set->second;
  // Without the alias `serving` the newest version is what is served.
  const int64_t now = expected == 0 && flags.alias == kServing ? model.served_version() : expected;
  MLP_ASSIGN_OR_RETURN(const int64_t before, VersionBefore(context, flags.model, now));
  if (before == 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "model ", flags.model, ": alias ", flags.alias,
        now == 0 ? " is not set" : absl::StrCat(" is version ", now, ", which none is before")));
  }
  AliasFlags moved = flags;
  moved.version = before;
  moved.expected = expected;
  return SetAlias(context, moved);
}

absl::StatusOr<int> SetRetention(CommandContext& context, const RetentionFlags& flags) {
  v1::SetRetentionRequest request;
  request.set_model(flags.model);
  int64_t keep = 0;
  if (flags.keep != "all" && (!absl::SimpleAtoi(flags.keep, &keep) || keep < 1)) {
    return UsageError(
        "--keep",
        absl::StrCat("expected a number of versions from 1 up, or all, got ", Quote(flags.keep)));
  }
  request.mutable_retention()->set_keep_versions(keep);
  MLP_ASSIGN_OR_RETURN(const v1::Model model, context.client().SetRetention(request));
  if (context.json()) {
    context.PrintJson(model);
  } else {
    context.out() << model.name() << " keeps "
                  << (keep == 0 ? std::string("all its versions")
                                : absl::StrCat("the newest ", FormatCount(keep)))
                  << "; it has " << FormatCount(model.version_count()) << " now\n";
  }
  return kExitSuccess;
}

absl::StatusOr<int> Annotate(CommandContext& context, const AnnotateFlags& flags) {
  v1::GetModelVersionRequest get;
  get.set_model(flags.reference);
  MLP_ASSIGN_OR_RETURN(v1::ModelVersion version, context.client().GetModelVersion(get));
  v1::AnnotateModelVersionRequest request;
  request.set_model(version.model());
  request.set_version(version.version());
  request.set_note(flags.note.value_or(version.note()));
  *request.mutable_tags() = version.tags();
  MLP_RETURN_IF_ERROR(SetTags(flags.tags, *request.mutable_tags()));
  for (const std::string& key : flags.removed_tags) request.mutable_tags()->erase(key);
  MLP_ASSIGN_OR_RETURN(version, context.client().AnnotateModelVersion(request));
  if (context.json()) {
    context.PrintJson(version);
  } else {
    context.out() << DescribeModelVersion(version);
  }
  return kExitSuccess;
}

// From a version back to what it began from.
absl::StatusOr<int> Lineage(CommandContext& context, const LineageFlags& flags) {
  // Longer chains than that nobody made by hand.
  constexpr int kMostSteps = 1000;
  std::string reference = flags.reference;
  for (int step = 0; step < kMostSteps && !reference.empty(); ++step) {
    if (absl::StartsWith(reference, "job/")) {
      context.out() << (context.json() ? ""
                                       : absl::StrCat("from the weights of ", reference, "\n"));
      return kExitSuccess;
    }
    v1::GetModelVersionRequest request;
    request.set_model(reference);
    const absl::StatusOr<v1::ModelVersion> version = context.client().GetModelVersion(request);
    if (step > 0 && absl::IsNotFound(version.status())) {
      if (!context.json()) context.out() << "from " << reference << ", which is deleted\n";
      return kExitSuccess;
    }
    MLP_RETURN_IF_ERROR(version.status());
    if (context.json()) {
      context.PrintJson(*version);
    } else {
      context.out() << (step == 0 ? "" : "from ") << LineageText(*version) << "\n";
    }
    reference = version->config().initial_model();
  }
  return kExitSuccess;
}

}  // namespace

void AddModelLifeCommands(CLI::App& models, Command& command) {
  AddCommand<AliasFlags>(
      models, "alias", "Set an alias to a version, or move it there", command,
      [](CLI::App& app, AliasFlags& flags) {
        AddName(app, flags.model);
        app.add_option("ALIAS", flags.alias, "`serving` is what the name alone stands for")
            ->required();
        app.add_option("VERSION", flags.version, "The version's number")->required();
        app.add_option("--expect", flags.expected,
                       "Only if the alias is this version now; 0: only if it is not set");
        app.footer(
            R"(Requests for MODEL@ALIAS are answered by the new version from then on, without a gap.

Examples:
  mlpctl models alias digits stable 3
  mlpctl models alias digits serving 4 --expect 3)");
      },
      SetAlias);
  AddCommand<AliasFlags>(
      models, "unalias", "Delete an alias; its version stays", command,
      [](CLI::App& app, AliasFlags& flags) {
        AddName(app, flags.model);
        app.add_option("ALIAS", flags.alias, "The alias")->required();
      },
      DeleteAlias);
  AddCommand<AliasFlags>(
      models, "rollback", "Serve the version before the one that is served now", command,
      [](CLI::App& app, AliasFlags& flags) {
        AddName(app, flags.model);
        app.add_option("--alias", flags.alias, "The alias to move back")->capture_default_str();
      },
      Rollback);
  AddCommand<RetentionFlags>(
      models, "retention", "Say how many versions of a model are kept", command,
      [](CLI::App& app, RetentionFlags& flags) {
        AddName(app, flags.model);
        app.add_option("--keep", flags.keep,
                       "The newest so many, or all; those with an alias, in memory or needed by a "
                       "job stay as well")
            ->required();
      },
      SetRetention);
  AddCommand<AnnotateFlags>(
      models, "annotate", "Give a version a note and tags", command,
      [](CLI::App& app, AnnotateFlags& flags) {
        app.add_option("MODEL", flags.reference, "MODEL@VERSION, MODEL@ALIAS or MODEL")->required();
        app.add_option("--note", flags.note, "What people should know of it; empty removes it");
        app.add_option("--tag", flags.tags, "KEY=VALUE; may be repeated");
        app.add_option("--remove-tag", flags.removed_tags, "KEY; may be repeated");
      },
      Annotate);
  AddCommand<LineageFlags>(
      models, "lineage", "Show what a version was trained from, back to the first", command,
      [](CLI::App& app, LineageFlags& flags) {
        app.add_option("MODEL", flags.reference, "MODEL@VERSION, MODEL@ALIAS or MODEL")->required();
      },
      Lineage);
}

}  // namespace mlp
