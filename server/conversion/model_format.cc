#include "server/conversion/model_format.h"

#include <utility>

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

// See docs/artifact-format.md.
constexpr absl::string_view kArtifactMagic = "MLPD";

absl::Status UnknownFormat(v1::ModelFormat format) {
  return absl::InvalidArgumentError(
      absl::StrCat("format: expected 0 to 2, got ", static_cast<int>(format)));
}

}  // namespace

absl::StatusOr<std::string> ArtifactToFile(std::string artifact, v1::ModelFormat format) {
  switch (format) {
    case v1::MODEL_FORMAT_UNSPECIFIED:
    case v1::MODEL_FORMAT_MLPD:
      return artifact;
    default:
      return UnknownFormat(format);
  }
}

absl::StatusOr<ModelFile> FileToArtifact(std::string file, v1::ModelFormat format) {
  if (!v1::ModelFormat_IsValid(format)) return UnknownFormat(format);
  // Of a stored version it would be the store's fault, here it is the sender's.
  absl::StatusOr<Artifact> artifact = ReadArtifact(file);
  if (!artifact.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("data: ", artifact.status().message()));
  }
  return ModelFile{v1::MODEL_FORMAT_MLPD, *std::move(artifact), std::move(file)};
}

}  // namespace mlp
