#include "core/data/split.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/random.h"
#include "core/base/status_macros.h"
#include "core/data/dataset.h"

namespace mlp {
namespace {

// What separates a split's random numbers from every other use of the same seed: "split" in ASCII.
constexpr uint64_t kSplitStream = 0x73706C6974;

constexpr size_t kParts = 3;
constexpr std::array<const char*, kParts> kPartNames = {"training", "validation", "test"};

template <typename T>
using PerPart = std::array<T, kParts>;

PerPart<double> Fractions(const SplitOptions& options) {
  return {options.training, options.validation, options.test};
}

// `rows` rows shared out by the fractions: whole rows, and what is left over of each part. The
// arithmetic is exact, so 0.7 of 10 is 7 and not a little less.
struct Shares {
  PerPart<int64_t> whole = {};
  PerPart<int64_t> remainder = {};
  int64_t left = 0;  // rows not in `whole`, at most kParts - 1
};

// The fractions as integers in units of 1e-9.
class Weights {
 public:
  explicit Weights(const PerPart<double>& fractions) {
    for (size_t p = 0; p < kParts; ++p) {
      weight_[p] = std::llround(fractions[p] * 1e9);
      sum_ += weight_[p];
    }
  }

  // Requires rows below 2^63 / 1e9, far above what memory holds.
  Shares Of(int64_t rows) const {
    Shares shares;
    shares.left = rows;
    for (size_t p = 0; p < kParts; ++p) {
      shares.whole[p] = weight_[p] * rows / sum_;
      shares.remainder[p] = weight_[p] * rows % sum_;
      shares.left -= shares.whole[p];
    }
    return shares;
  }

 private:
  PerPart<int64_t> weight_ = {};
  int64_t sum_ = 0;
};

// Which parts get one row more than Shares::whole: the largest remainders, the first of equal ones.
PerPart<bool> LargestRemainders(const Shares& shares) {
  PerPart<size_t> order = {0, 1, 2};
  std::stable_sort(order.begin(), order.end(), [&shares](size_t a, size_t b) {
    return shares.remainder[a] > shares.remainder[b];
  });
  PerPart<bool> extra = {};
  for (int64_t i = 0; i < shares.left; ++i) extra[order[static_cast<size_t>(i)]] = true;
  return extra;
}

PerPart<int64_t> LargestRemainderSizes(const Shares& shares) {
  const PerPart<bool> extra = LargestRemainders(shares);
  PerPart<int64_t> sizes = shares.whole;
  for (size_t p = 0; p < kParts; ++p) sizes[p] += extra[p] ? 1 : 0;
  return sizes;
}

// Rounds the table [classes x parts] of exact shares up or down in each cell so that rows and
// columns keep their totals (controlled rounding: Cox 1987, JASA 82:520; with three columns there
// is always a solution). Starts from each class's own largest remainders, then moves single rows
// between parts, through the third part where there is no direct move.
class StratifiedRounding {
 public:
  StratifiedRounding(const Weights& weights, const std::vector<int64_t>& class_sizes)
      : extra_(class_sizes.size()) {
    for (size_t k = 0; k < class_sizes.size(); ++k) {
      shares_.push_back(weights.Of(class_sizes[k]));
      extra_[k] = LargestRemainders(shares_[k]);
    }
  }

  // Makes every part's total what `sizes` says; classes are tried in `order`.
  void MatchTotals(const PerPart<int64_t>& sizes, const std::vector<size_t>& order) {
    PerPart<int64_t> surplus;
    for (size_t p = 0; p < kParts; ++p) {
      surplus[p] = -sizes[p];
      for (size_t k = 0; k < shares_.size(); ++k) surplus[p] += Count(k, p);
    }
    for (size_t from = 0; from < kParts; ++from) {
      for (size_t to = 0; to < kParts; ++to) {
        while (surplus[from] > 0 && surplus[to] < 0 && MoveThrough(from, to, order)) {
          --surplus[from];
          ++surplus[to];
        }
      }
    }
    assert(surplus == PerPart<int64_t>{});
  }

  int64_t Count(size_t k, size_t part) const {
    return shares_[k].whole[part] + (extra_[k][part] ? 1 : 0);
  }

 private:
  bool MoveThrough(size_t from, size_t to, const std::vector<size_t>& order) {
    if (Move(from, to, order)) return true;
    const size_t via = kParts - from - to;
    if (!Move(from, via, order)) return false;
    if (Move(via, to, order)) return true;
    Move(via, from, order);
    return false;
  }

  // Moves the extra row of one class between two parts, if a class has one there to move.
  bool Move(size_t from, size_t to, const std::vector<size_t>& order) {
    for (const size_t k : order) {
      if (extra_[k][from] && !extra_[k][to] && shares_[k].remainder[to] > 0) {
        std::swap(extra_[k][from], extra_[k][to]);
        return true;
      }
    }
    return false;
  }

  std::vector<Shares> shares_;
  std::vector<PerPart<bool>> extra_;
};

// Deals the rows of `group`, in random order, out to the parts: sizes[p] rows to part p.
void Deal(std::vector<int64_t> group, const PerPart<int64_t>& sizes, Random& random,
          PerPart<std::vector<int64_t>>& parts) {
  random.Shuffle(group);
  auto next = group.cbegin();
  for (size_t p = 0; p < kParts; ++p) {
    parts[p].insert(parts[p].end(), next, next + sizes[p]);
    next += sizes[p];
  }
}

void DealByClass(absl::Span<const int32_t> labels, int classes, const Weights& weights,
                 const PerPart<int64_t>& sizes, Random& random,
                 PerPart<std::vector<int64_t>>& parts) {
  std::vector<std::vector<int64_t>> members(static_cast<size_t>(classes));
  for (size_t row = 0; row < labels.size(); ++row) {
    members[static_cast<size_t>(labels[row])].push_back(static_cast<int64_t>(row));
  }
  std::vector<int64_t> class_sizes;
  std::vector<size_t> order;
  for (size_t k = 0; k < members.size(); ++k) {
    class_sizes.push_back(static_cast<int64_t>(members[k].size()));
    order.push_back(k);
  }
  // In random order, lest the odd rows of low classes always went to the same part.
  random.Shuffle(order);
  StratifiedRounding rounding(weights, class_sizes);
  rounding.MatchTotals(sizes, order);
  for (size_t k = 0; k < members.size(); ++k) {
    Deal(std::move(members[k]), {rounding.Count(k, 0), rounding.Count(k, 1), rounding.Count(k, 2)},
         random, parts);
  }
}

}  // namespace

absl::Status ValidateSplitOptions(const SplitOptions& options) {
  const PerPart<double> fractions = Fractions(options);
  double sum = 0.0;
  for (size_t p = 0; p < kParts; ++p) {
    // Written so that NaN fails.
    if (!(fractions[p] >= 0.0 && fractions[p] <= 1.0)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "split.", kPartNames[p], ": expected a fraction from 0 to 1, got ", fractions[p]));
    }
    sum += fractions[p];
  }
  // A little more than 1e-6, so that 3 x 0.333333 passes whatever way its sum is rounded.
  if (std::abs(sum - 1.0) > 1e-6 + 1e-12) {
    return absl::InvalidArgumentError(absl::StrCat("split: expected fractions that sum to 1, got ",
                                                   options.training, " + ", options.validation,
                                                   " + ", options.test, " = ", sum));
  }
  if (options.training == 0.0) {
    return absl::InvalidArgumentError("split.training: expected a fraction above 0, got 0");
  }
  return absl::OkStatus();
}

absl::StatusOr<Split> SplitRows(absl::Span<const int32_t> labels, int classes,
                                const SplitOptions& options) {
  MLP_RETURN_IF_ERROR(ValidateSplitOptions(options));
  MLP_RETURN_IF_ERROR(CheckLabels(labels, 0, classes));
  const PerPart<double> fractions = Fractions(options);
  const Weights weights(fractions);
  const auto rows = static_cast<int64_t>(labels.size());
  const PerPart<int64_t> sizes = LargestRemainderSizes(weights.Of(rows));
  for (size_t p = 0; p < kParts; ++p) {
    if (fractions[p] > 0.0 && sizes[p] == 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("split.", kPartNames[p], ": expected at least 1 row for the fraction ",
                       fractions[p], ", got none of the dataset's ", rows, " rows"));
    }
  }

  Random random(options.seed, kSplitStream);
  PerPart<std::vector<int64_t>> parts;
  if (options.stratified) {
    DealByClass(labels, classes, weights, sizes, random, parts);
  } else {
    std::vector<int64_t> all(labels.size());
    for (size_t row = 0; row < all.size(); ++row) all[row] = static_cast<int64_t>(row);
    Deal(std::move(all), sizes, random, parts);
  }
  for (std::vector<int64_t>& part : parts) std::sort(part.begin(), part.end());
  return Split{std::move(parts[0]), std::move(parts[1]), std::move(parts[2])};
}

}  // namespace mlp
