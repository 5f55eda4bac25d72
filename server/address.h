// HOST:PORT, as the server's flags take it.
#pragma once

#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

namespace mlp {

struct Address {
  std::string host;
  int port = 0;  // 0: a free one

  std::string ToString() const;
};

// INVALID_ARGUMENT naming `option`: no host, no colon, a port that is none or above 65,535.
absl::StatusOr<Address> ParseAddress(absl::string_view option, absl::string_view text);

}  // namespace mlp
