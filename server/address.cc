#include "server/address.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

namespace mlp {

std::string Address::ToString() const { return absl::StrCat(host, ":", port); }

absl::StatusOr<Address> ParseAddress(absl::string_view option, absl::string_view text) {
  const size_t colon = text.rfind(':');
  Address address;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(text.substr(colon + 1), &address.port) || address.port < 0 ||
      address.port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(
        option, ": expected HOST:PORT with a port from 0 to 65535, got \"", text, "\""));
  }
  address.host = std::string(text.substr(0, colon));
  return address;
}

}  // namespace mlp
