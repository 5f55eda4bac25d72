// Page tokens: where a list goes on, opaque to the caller, checked when it comes back.
#pragma once

#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "server/store/store.h"

namespace mlp {

// A token for the page after the item with key `after`; empty where `after` is. `list` names the
// list with its filters, so that a token of one list is refused by another.
std::string EncodePageToken(absl::string_view list, absl::string_view after);

// INVALID_ARGUMENT: a page size outside [0, 1000] (0 means 100), a token that this list never gave.
absl::StatusOr<PageRequest> ReadPage(absl::string_view list, int page_size,
                                     absl::string_view page_token);

}  // namespace mlp
