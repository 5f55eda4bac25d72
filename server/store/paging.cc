#include "server/store/paging.h"

#include <limits>

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

namespace mlp {

absl::Status CheckPageSize(const PageRequest& page) {
  if (page.size >= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("page size: expected 1 or more, got ", page.size));
}

absl::StatusOr<int64_t> NumberBound(const PageRequest& page) {
  if (page.after.empty()) return std::numeric_limits<int64_t>::max();
  int64_t bound = 0;
  if (!absl::SimpleAtoi(page.after, &bound)) {
    return absl::InvalidArgumentError("page key: expected a number, got something else");
  }
  return bound;
}

}  // namespace mlp
