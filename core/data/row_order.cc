#include "core/data/row_order.h"

#include <functional>
#include <queue>
#include <utility>

#include "core/base/random.h"
#include "core/data/class_rows.h"

namespace mlp {
namespace {

// What separates the order's random numbers from other uses of the same seed: "order" in ASCII.
constexpr uint64_t kOrderStream = 0x6F72646572;

// A class and the place, or the last place, that its next row may take.
using Event = std::pair<double, size_t>;
using Earliest = std::priority_queue<Event, std::vector<Event>, std::greater<>>;

// The solution of the chairman assignment problem by Tijdeman, Discrete Mathematics 32 (1980) 323:
// row j (from 0) of a class with the share w of all rows may come from place (j + d) / w on, and
// must come by place (j + 1 - d) / w, d = 1 / (2 K - 2); taking the most urgent one at each place
// keeps every class within 1 - d of its share of every beginning. By heaps: N log K.
std::vector<int64_t> Interleave(const std::vector<std::vector<int64_t>>& groups) {
  double rows = 0.0;
  double present = 0.0;
  for (const std::vector<int64_t>& group : groups) {
    rows += static_cast<double>(group.size());
    present += group.empty() ? 0.0 : 1.0;
  }
  const double delay = present > 1.0 ? 1.0 / (2.0 * present - 2.0) : 0.0;
  const auto place = [&](size_t k, double taken) {
    return taken * rows / static_cast<double>(groups[k].size());
  };

  Earliest releases;
  Earliest deadlines;
  std::vector<size_t> taken(groups.size(), 0);
  for (size_t k = 0; k < groups.size(); ++k) {
    if (!groups[k].empty()) releases.emplace(place(k, delay), k);
  }
  std::vector<int64_t> order;
  while (!releases.empty() || !deadlines.empty()) {
    const auto at = static_cast<double>(order.size() + 1);
    // Rounding may leave a place that no class may have yet: the first that may gets it.
    while (!releases.empty() && (releases.top().first <= at || deadlines.empty())) {
      const size_t k = releases.top().second;
      releases.pop();
      deadlines.emplace(place(k, static_cast<double>(taken[k]) + 1.0 - delay), k);
    }
    const size_t k = deadlines.top().second;
    deadlines.pop();
    order.push_back(groups[k][taken[k]++]);
    if (taken[k] < groups[k].size()) {
      releases.emplace(place(k, static_cast<double>(taken[k]) + delay), k);
    }
  }
  return order;
}

}  // namespace

std::vector<int64_t> OrderRows(absl::Span<const int64_t> rows, absl::Span<const int32_t> labels,
                               int classes, const RowOrderOptions& options) {
  Random random(options.seed, kOrderStream);
  std::vector<int64_t> shuffled(rows.begin(), rows.end());
  random.Shuffle(shuffled);
  if (!options.stratified) return shuffled;
  std::vector<std::vector<int64_t>> groups = RowsByClass(shuffled, labels, classes);
  // In random order, lest low classes always came first.
  random.Shuffle(groups);
  return Interleave(groups);
}

}  // namespace mlp
