// Models of other programs, and ours for them: the ONNX file format, as far as dense networks go.
// What maps to what, and what is refused, is in docs/onnx.md.
#pragma once

#include <string>

#include "core/artifact/artifact.h"

namespace mlp {

// The bytes of an ONNX model (IR version 7, operator set 13) that computes what `artifact` does:
// from "input" [N, D] to "output" [N, K], both float32 with any N; feature scaling is part of it.
// What the operators do not express, such as class names, is in its metadata. Requires
// what WriteArtifact requires.
std::string WriteOnnx(const Artifact& artifact);

}  // namespace mlp
