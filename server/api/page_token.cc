#include "server/api/page_token.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include "core/base/hash.h"

namespace mlp {
namespace {

constexpr int kDefaultPageSize = 100;
constexpr int kMaxPageSize = 1000;
constexpr size_t kCheckLength = 8;

// Tells a token that was cut, changed or made for another list from one of ours; it is no secret.
std::string Check(absl::string_view list, absl::string_view after) {
  return absl::StrFormat("%08x", Crc32c(absl::StrCat(list, "\n", after)));
}

}  // namespace

std::string EncodePageToken(absl::string_view list, absl::string_view after) {
  if (after.empty()) return "";
  return absl::WebSafeBase64Escape(absl::StrCat(Check(list, after), after));
}

absl::StatusOr<PageRequest> ReadPage(absl::string_view list, int page_size,
                                     absl::string_view page_token) {
  if (page_size < 0 || page_size > kMaxPageSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size: expected 0 to ", kMaxPageSize, ", got ", page_size));
  }
  PageRequest page;
  page.size = page_size == 0 ? kDefaultPageSize : page_size;
  if (page_token.empty()) return page;

  std::string token;
  if (!absl::WebSafeBase64Unescape(page_token, &token) || token.size() <= kCheckLength ||
      token.substr(0, kCheckLength) != Check(list, token.substr(kCheckLength))) {
    return absl::InvalidArgumentError(
        "page_token: expected next_page_token of an earlier response to the same list, got "
        "something else");
  }
  page.after = token.substr(kCheckLength);
  return page;
}

}  // namespace mlp
