// Model files in the formats that the API speaks <-> artifacts.
#pragma once

#include <string>

#include <absl/status/statusor.h>

#include "core/artifact/artifact.h"
#include "mlp/v1/model.pb.h"

namespace mlp {

// A version's artifact as a file. Errors: the format's, FAILED_PRECONDITION where it cannot
// represent the network; INVALID_ARGUMENT for no format.
absl::StatusOr<std::string> ArtifactToFile(std::string artifact, v1::ModelFormat format);

struct ModelFile {
  v1::ModelFormat format;
  Artifact artifact;
  std::string bytes;  // of the artifact
};

// `format` unspecified: found out. INVALID_ARGUMENT says what is wrong with the file.
absl::StatusOr<ModelFile> FileToArtifact(std::string file, v1::ModelFormat format);

}  // namespace mlp
