// How the Open Inference Protocol names a model version: a name, and a number as text.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

namespace mlp {

// The number that `text` is; 0, which stands for the newest version, where it is empty.
// INVALID_ARGUMENT naming `field`: no number of 1 or more.
absl::StatusOr<int64_t> ParseVersion(absl::string_view field, absl::string_view text);

// Fields `name_field` and `version_field` as NAME or NAME@VERSION in `reference`, whose memory is
// used again. INVALID_ARGUMENT naming the field.
absl::Status MakeReference(absl::string_view name_field, absl::string_view name,
                           absl::string_view version_field, absl::string_view version,
                           std::string& reference);

// Text of a caller for a message: quoted, escaped, cut to 40 characters.
std::string Quoted(absl::string_view text);

}  // namespace mlp
