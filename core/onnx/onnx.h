// Models of other programs, and ours for them: the ONNX file format, as far as dense networks go.
// What maps to what, and what is refused, is in docs/onnx.md.
#pragma once

#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "core/artifact/artifact.h"

namespace mlp {

// The bytes of an ONNX model (IR version 7, operator set 13) that computes what `artifact` does:
// from "input" [N, D] to "output" [N, K], both float32 with any N; feature scaling is part of it.
// What the operators do not express, such as class names, is in its metadata, from which ReadOnnx
// makes the same artifact again, weights to the bit. Requires what WriteArtifact requires.
std::string WriteOnnx(const Artifact& artifact);

// The dense network of an ONNX model. INVALID_ARGUMENT where the bytes are no such file, and where
// the network cannot be represented; says which node, as "node conv1 (Conv): ..." or, of a node
// without a name, by its place in the graph, "node[3] (Conv): ...". RESOURCE_EXHAUSTED: more
// weights than a topology may have. Bytes may be hostile: allocates at most a small multiple of
// bytes.size() and 64 MiB.
absl::StatusOr<Artifact> ReadOnnx(absl::string_view bytes);

}  // namespace mlp
