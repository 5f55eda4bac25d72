// mlpctl admin: backup, verify.

#include <absl/strings/str_cat.h>

#include "client/commands/subcommand.h"
#include "client/figure/pending_file.h"
#include "client/status_macros.h"
#include "client/terminal/numbers.h"

namespace mlp {
namespace {

struct BackupFlags {
  std::string file;
};
struct VerifyFlags {};

absl::StatusOr<int> Backup(CommandContext& context, const BackupFlags& flags) {
  MLP_ASSIGN_OR_RETURN(PendingFile file, PendingFile::Create(flags.file));
  MLP_ASSIGN_OR_RETURN(
      const BackupSummary summary,
      context.client().Backup([&file](absl::string_view data) { return file.Append(data); }));
  MLP_RETURN_IF_ERROR(file.Commit());
  if (context.json()) {
    v1::BackupResponse response;
    response.set_total_bytes(summary.bytes);
    response.set_sha256(summary.sha256);
    context.PrintJson(response);
  } else {
    context.out() << "everything up to now is in " << flags.file << " ("
                  << FormatBytes(summary.bytes) << ", sha256 " << summary.sha256
                  << ")\nrestore it with: mlpd --data-dir NEW_FOLDER --restore " << flags.file
                  << "\n";
  }
  return kExitSuccess;
}

absl::StatusOr<int> Verify(CommandContext& context, const VerifyFlags&) {
  MLP_ASSIGN_OR_RETURN(const v1::VerifySummary summary,
                       context.client().Verify([&context](const v1::Damage& damage) {
                         if (context.json()) {
                           context.PrintJson(damage);
                         } else {
                           context.out() << damage.item() << ": " << damage.message() << "\n";
                         }
                       }));
  if (context.json()) {
    context.PrintJson(summary);
  } else {
    context.out() << FormatCount(summary.datasets()) << " datasets, "
                  << FormatCount(summary.versions()) << " versions, "
                  << FormatCount(summary.checkpoints()) << " checkpoints, "
                  << FormatBytes(summary.bytes()) << " read: "
                  << (summary.damaged() == 0
                          ? std::string("all undamaged")
                          : absl::StrCat(FormatCount(summary.damaged()), " damaged"))
                  << "\n";
  }
  return summary.damaged() == 0 ? kExitSuccess : kExitFailure;
}

}  // namespace

void AddAdminCommands(CLI::App& app, Command& command) {
  auto* admin = app.add_subcommand("admin", "Back up a server, and verify what it stores");
  admin->require_subcommand(1);
  AddCommand<BackupFlags>(
      *admin, "backup", "Write a copy of everything that is stored to a file, while it serves",
      command,
      [](CLI::App& command_app, BackupFlags& flags) {
        command_app.add_option("FILE", flags.file, "The file; it is replaced")->required();
      },
      Backup);
  AddCommand<VerifyFlags>(
      *admin, "verify", "Read everything that is stored and hold it against its checksums", command,
      [](CLI::App&, VerifyFlags&) {}, Verify);
}

}  // namespace mlp
