// What an artifact holds beyond the operators of an ONNX graph, as the entries of a model's
// metadata_props that only mlpd knows.
#pragma once

#include <absl/status/status.h>
#include <onnx/onnx_pb.h>

#include "core/artifact/artifact.h"

namespace mlp {

// Adds the entries mlpd.header, the text of core/artifact/artifact_header (topology, cost, class
// names, feature type, image shape), and mlpd.provenance.
void WriteMetadata(const Artifact& artifact, onnx::ModelProto& model);

// Puts what the entries say into `artifact`, whose network and schema were read from the graph;
// leaves alone what has no entry. INVALID_ARGUMENT naming the entry: it is there twice, cannot be
// read, or describes another network than the graph has.
absl::Status ReadMetadata(const onnx::ModelProto& model, Artifact& artifact);

}  // namespace mlp
