#include "server/conversion/model_format.h"

#include <utility>

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "core/onnx/onnx.h"

namespace mlp {
namespace {

absl::Status UnknownFormat(v1::ModelFormat format) {
  return absl::InvalidArgumentError(
      absl::StrCat("format: expected 0 to 2, got ", static_cast<int>(format)));
}

// Of a stored version it would be the store's fault, here it is the sender's.
absl::Status OfFile(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) return status;
  return absl::InvalidArgumentError(absl::StrCat("data: ", status.message()));
}

absl::StatusOr<ModelFile> ReadOwn(std::string file) {
  absl::StatusOr<Artifact> artifact = ReadArtifact(file);
  if (!artifact.ok()) return OfFile(artifact.status());
  return ModelFile{v1::MODEL_FORMAT_MLPD, *std::move(artifact), std::move(file)};
}

absl::StatusOr<ModelFile> ReadOther(const std::string& file) {
  absl::StatusOr<Artifact> artifact = ReadOnnx(file);
  if (!artifact.ok()) return OfFile(artifact.status());
  std::string bytes = WriteArtifact(*artifact);
  return ModelFile{v1::MODEL_FORMAT_ONNX, *std::move(artifact), std::move(bytes)};
}

}  // namespace

absl::StatusOr<std::string> ArtifactToFile(std::string artifact, v1::ModelFormat format) {
  switch (format) {
    case v1::MODEL_FORMAT_UNSPECIFIED:
    case v1::MODEL_FORMAT_MLPD:
      return artifact;
    case v1::MODEL_FORMAT_ONNX: {
      MLP_ASSIGN_OR_RETURN(const Artifact read, ReadArtifact(artifact));
      return WriteOnnx(read);
    }
    default:
      return UnknownFormat(format);
  }
}

absl::StatusOr<ModelFile> FileToArtifact(std::string file, v1::ModelFormat format) {
  switch (format) {
    case v1::MODEL_FORMAT_UNSPECIFIED:
      return IsArtifact(file) ? ReadOwn(std::move(file)) : ReadOther(file);
    case v1::MODEL_FORMAT_MLPD:
      return ReadOwn(std::move(file));
    case v1::MODEL_FORMAT_ONNX:
      return ReadOther(file);
    default:
      return UnknownFormat(format);
  }
}

}  // namespace mlp
