// Pages of lists. A query asks for one item more than the page holds: if it comes, there is a next
// page. Keys are of items, not positions, so pages hold still while others insert and delete.
#pragma once

#include <cstdint>
#include <utility>

#include <absl/status/statusor.h>

#include "server/store/store.h"

namespace mlp {

// INVALID_ARGUMENT for a page of less than one item.
absl::Status CheckPageSize(const PageRequest& page);

// Of a list of numbers, newest first: what the page's numbers are less than. INVALID_ARGUMENT where
// `after` is no number.
absl::StatusOr<int64_t> NumberBound(const PageRequest& page);

// Cuts what was fetched to the page and sets `next`; key(item) is the item's key.
template <typename T, typename Key>
void FinishPage(const PageRequest& request, Key key, Page<T>& page) {
  const auto size = static_cast<size_t>(request.size);
  if (page.items.size() <= size) return;
  page.items.resize(size);
  page.next = key(page.items.back());
}

}  // namespace mlp
