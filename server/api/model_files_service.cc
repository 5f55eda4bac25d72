#include "server/api/model_files_service.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include <absl/cleanup/cleanup.h>
#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include "core/base/hash.h"
#include "core/base/status_macros.h"
#include "server/api/model_life_service.h"
#include "server/api/model_lookup.h"
#include "server/conversion/imported_version.h"
#include "server/conversion/model_format.h"
#include "server/end_of_call.h"
#include "server/jobs/quality_gate.h"
#include "server/names.h"
#include "server/retry_delay.h"

namespace mlp {
namespace {

constexpr char kService[] = "mlp.v1.ModelService";
constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr size_t kMaxPieceBytes = size_t{4} << 20;
constexpr int64_t kMaxFileBytes = int64_t{4} << 30;
constexpr absl::Duration kRetryDelay = absl::Seconds(5);

absl::Status CheckHeader(const v1::ImportModelHeader& header) {
  MLP_RETURN_IF_ERROR(CheckName("header.model", header.model()));
  if (header.bytes() < 1 || header.bytes() > kMaxFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("header.bytes: expected 1 to ", kMaxFileBytes, ", got ", header.bytes()));
  }
  if (!v1::ModelFormat_IsValid(header.format())) {
    return absl::InvalidArgumentError(
        absl::StrCat("header.format: expected 0 to 2, got ", static_cast<int>(header.format())));
  }
  if (header.aliases_size() > kMaxPublishAliases) {
    return absl::InvalidArgumentError(absl::StrCat(
        "header.aliases: expected at most ", kMaxPublishAliases, ", got ", header.aliases_size()));
  }
  for (const std::string& alias : header.aliases()) {
    MLP_RETURN_IF_ERROR(CheckAlias("header.aliases", alias));
  }
  return CheckNoteAndTags(header.note(), header.tags());
}

class ModelFilesService final : public RpcService {
 public:
  ModelFilesService(ModelFilesOptions options, Store& store)
      : options_(std::move(options)), store_(store) {}

  void AddTo(MethodTable& table) override {
    table.Add(kService, "ExportModel", [this](RpcCall& call) { return Export(call); });
    table.Add(kService, "ImportModel", [this](RpcCall& call) { return Import(call); });
  }

 private:
  absl::Status Export(RpcCall& call) {
    v1::ExportModelRequest request;
    MLP_RETURN_IF_ERROR(ReadRequest(call, request));
    MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version, FindModelVersion(request.model(), store_));
    MLP_RETURN_IF_ERROR(Take(version.artifact_bytes()));
    const absl::Cleanup give_back = [&] { taken_ -= version.artifact_bytes(); };
    MLP_ASSIGN_OR_RETURN(std::string artifact,
                         store_.ReadArtifact(version.model(), version.version()));
    MLP_ASSIGN_OR_RETURN(const std::string file,
                         ArtifactToFile(std::move(artifact), request.format()));
    v1::ExportModelResponse response;
    *response.mutable_version() = version;
    for (size_t at = 0; at < file.size(); at += kPieceBytes) {
      response.set_data(file.substr(at, kPieceBytes));
      if (!call.Write(response)) return CallerGone();
      response.clear_version();
    }
    return absl::OkStatus();
  }

  absl::Status Import(RpcCall& call) {
    v1::ImportModelRequest message;
    MLP_ASSIGN_OR_RETURN(const bool more, call.Read(message));
    if (!more || !message.has_header()) {
      return absl::InvalidArgumentError("header: expected it in the first message");
    }
    const v1::ImportModelHeader header = message.header();
    MLP_RETURN_IF_ERROR(CheckHeader(header));
    MLP_RETURN_IF_ERROR(Take(header.bytes()));
    const absl::Cleanup give_back = [&] { taken_ -= header.bytes(); };
    MLP_ASSIGN_OR_RETURN(std::string file, Receive(call, header, std::move(message)));
    MLP_ASSIGN_OR_RETURN(NewVersion made, VersionFromFile(header, std::move(file)));
    MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version, store_.ImportVersion(std::move(made)));
    if (options_.on_published) options_.on_published(version);
    call.WriteLast(version);
    return absl::OkStatus();
  }

  static absl::StatusOr<std::string> Receive(RpcCall& call, const v1::ImportModelHeader& header,
                                             v1::ImportModelRequest message) {
    const auto wanted = static_cast<size_t>(header.bytes());
    std::string file;
    while (true) {
      if (message.data().size() > kMaxPieceBytes) {
        return absl::ResourceExhaustedError(absl::StrCat("data: expected at most ", kMaxPieceBytes,
                                                         " bytes, got ", message.data().size()));
      }
      if (file.size() + message.data().size() > wanted) {
        return absl::InvalidArgumentError(
            absl::StrCat("data: expected ", wanted, " bytes in all, got more"));
      }
      file += message.data();
      message.Clear();
      MLP_ASSIGN_OR_RETURN(const bool more, call.Read(message));
      if (!more) break;
    }
    // The end of the stream is also what a client that went away looks like.
    if (call.Cancelled()) return absl::CancelledError("the import was cut off");
    if (file.size() != wanted) {
      return absl::InvalidArgumentError(
          absl::StrCat("data: expected ", wanted, " bytes in all, got ", file.size()));
    }
    return file;
  }

  static absl::StatusOr<NewVersion> VersionFromFile(const v1::ImportModelHeader& header,
                                                    std::string file) {
    const std::string sha256 = Sha256::Hex(file);
    if (!header.sha256().empty() && absl::AsciiStrToLower(header.sha256()) != sha256) {
      return absl::InvalidArgumentError(
          absl::StrCat("header.sha256: expected that of the file, ", sha256, ", got another"));
    }
    MLP_ASSIGN_OR_RETURN(ModelFile read, FileToArtifact(std::move(file), header.format()));
    NewVersion made;
    made.version = VersionOf(read.artifact);
    made.version.set_model(header.model());
    made.version.set_note(header.note());
    *made.version.mutable_tags() = header.tags();
    made.version.mutable_imported_from()->set_format(read.format);
    made.version.mutable_imported_from()->set_sha256(sha256);
    made.artifact = std::move(read.bytes);
    made.aliases.assign(header.aliases().begin(), header.aliases().end());
    return made;
  }

  // Memory for a file.
  absl::Status Take(int64_t bytes) {
    if (taken_.fetch_add(bytes) + bytes <= std::max(options_.max_bytes, bytes)) {
      return absl::OkStatus();
    }
    taken_ -= bytes;
    return WithRetryDelay(
        absl::ResourceExhaustedError("too many model files on their way; try again later"),
        kRetryDelay);
  }

  const ModelFilesOptions options_;
  Store& store_;
  std::atomic<int64_t> taken_ = 0;
};

}  // namespace

std::unique_ptr<RpcService> MakeModelFilesService(ModelFilesOptions options, Store& store) {
  return std::make_unique<ModelFilesService>(std::move(options), store);
}

}  // namespace mlp
