// What a file said, fit for an error message.
#pragma once

#include <string>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

namespace mlp {

// In double quotes, unprintable bytes escaped, cut after 40 bytes.
inline std::string Quote(absl::string_view text) {
  constexpr size_t kLongest = 40;
  const bool cut = text.size() > kLongest;
  return absl::StrCat("\"", absl::Utf8SafeCHexEscape(text.substr(0, kLongest)), cut ? "..." : "",
                      "\"");
}

}  // namespace mlp
