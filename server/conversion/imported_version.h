// What the API says about a version that came as a file.
#pragma once

#include "core/artifact/artifact.h"
#include "mlp/v1/model.pb.h"

namespace mlp {

// Network, inputs and classes as `artifact` has them; configuration, dataset and seed as far as its
// provenance tells. Name, number and what people say of it are the caller's.
v1::ModelVersion VersionOf(const Artifact& artifact);

}  // namespace mlp
