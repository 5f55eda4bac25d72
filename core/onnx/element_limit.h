// Guards the parsing of hostile files: two bytes can ask for a message of hundreds.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

namespace mlp {

// What may be in a file besides floats and the bytes of strings: messages, strings, whole numbers.
// A dense network of 64 layers has some thousands.
inline constexpr int kMaxElements = 1 << 16;

// Counts the elements of an ONNX model in its bytes, without making any. INVALID_ARGUMENT: over
// kMaxElements, or the bytes are no such file. After it, parsing takes at most a small multiple of
// bytes.size() and 32 MiB.
absl::Status CheckElements(absl::string_view bytes);

}  // namespace mlp
