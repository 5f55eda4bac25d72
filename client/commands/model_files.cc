#include "client/commands/model_files.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include "client/commands/flag_values.h"
#include "client/commands/resource_text.h"
#include "client/commands/subcommand.h"
#include "client/commands/tag_flags.h"
#include "client/figure/pending_file.h"
#include "client/status_macros.h"
#include "client/terminal/numbers.h"

namespace mlp {
namespace {

constexpr Choice<v1::ModelFormat> kFormats[] = {{"mlpd", v1::MODEL_FORMAT_MLPD},
                                                {"onnx", v1::MODEL_FORMAT_ONNX}};

struct ExportFlags {
  std::string reference;
  std::string file;
  std::string format;
};

struct ImportFlags {
  std::string model;
  std::string file;
  std::string format;
  std::vector<std::string> aliases;
  std::string note;
  std::vector<std::string> tags;
};

// By the flag or, without it, by the file's name.
absl::StatusOr<v1::ModelFormat> FormatOf(const std::string& flag, const std::string& file) {
  if (!flag.empty()) return ParseChoice<v1::ModelFormat>("--format", flag, kFormats);
  return absl::EndsWithIgnoreCase(file, ".onnx") ? v1::MODEL_FORMAT_ONNX : v1::MODEL_FORMAT_MLPD;
}

absl::StatusOr<int> Export(CommandContext& context, const ExportFlags& flags) {
  v1::ExportModelRequest request;
  request.set_model(flags.reference);
  MLP_ASSIGN_OR_RETURN(const v1::ModelFormat format, FormatOf(flags.format, flags.file));
  request.set_format(format);
  MLP_ASSIGN_OR_RETURN(PendingFile file, PendingFile::Create(flags.file));
  int64_t bytes = 0;
  MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version,
                       context.client().ExportModel(request, [&](absl::string_view data) {
                         bytes += static_cast<int64_t>(data.size());
                         return file.Append(data);
                       }));
  MLP_RETURN_IF_ERROR(file.Commit());
  if (context.json()) {
    context.PrintJson(version);
  } else {
    context.out() << version.model() << "@" << version.version() << " is in " << flags.file << " ("
                  << FormatBytes(bytes) << ")\n";
  }
  return kExitSuccess;
}

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return absl::InvalidArgumentError(absl::StrCat("expected a file, got the folder ", path));
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
  std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) return absl::DataLossError(absl::StrCat("cannot read ", path));
  return bytes;
}

absl::StatusOr<int> Import(CommandContext& context, const ImportFlags& flags) {
  v1::ImportModelHeader header;
  header.set_model(flags.model);
  if (!flags.format.empty()) {
    MLP_ASSIGN_OR_RETURN(const v1::ModelFormat format, FormatOf(flags.format, flags.file));
    header.set_format(format);
  }
  for (const std::string& alias : flags.aliases) header.add_aliases(alias);
  header.set_note(flags.note);
  MLP_RETURN_IF_ERROR(SetTags(flags.tags, *header.mutable_tags()));
  MLP_ASSIGN_OR_RETURN(const std::string bytes, ReadWhole(flags.file));
  MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version,
                       context.client().ImportModel(std::move(header), bytes));
  if (context.json()) {
    context.PrintJson(version);
  } else {
    context.out() << flags.file << " is " << version.model() << "@" << version.version()
                  << " now\n\n"
                  << DescribeModelVersion(version);
  }
  return kExitSuccess;
}

}  // namespace

void AddModelFileCommands(CLI::App& models, Command& command) {
  AddCommand<ExportFlags>(
      models, "export", "Write a version to a file", command,
      [](CLI::App& app, ExportFlags& flags) {
        app.add_option("MODEL", flags.reference, "MODEL@VERSION, MODEL@ALIAS or MODEL")->required();
        app.add_option("FILE", flags.file, "The file; it is replaced")->required();
        app.add_option("--format", flags.format,
                       "mlpd (everything, for another mlpd) or onnx (for other runtimes); by "
                       "default what the file's name says");
        app.footer(R"(Examples:
  mlpctl models export digits@3 digits-3.mlpd
  mlpctl models export digits@stable digits.onnx)");
      },
      Export);
  AddCommand<ImportFlags>(
      models, "import", "Publish a file as the next version of a model", command,
      [](CLI::App& app, ImportFlags& flags) {
        app.add_option("MODEL", flags.model, "The model's name; created where it is new")
            ->required();
        app.add_option("FILE", flags.file, "What `models export` wrote, or an ONNX file")
            ->required();
        app.add_option("--format", flags.format, "mlpd or onnx; by default found out");
        app.add_option("--alias", flags.aliases,
                       "Alias to set to the new version; may be repeated");
        app.add_option("--note", flags.note, "What people should know of it");
        app.add_option("--tag", flags.tags, "KEY=VALUE; may be repeated");
      },
      Import);
}

}  // namespace mlp
