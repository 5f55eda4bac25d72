#include "core/eval/class_ranking.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/eval/ratio.h"

namespace mlp {
namespace {

struct ScoredExample {
  float score;
  bool positive;
};

struct ScoredExamples {
  std::vector<ScoredExample> falling;  // by score, without NaN
  int64_t positives = 0;               // NaN included
  int64_t negatives = 0;
};

ScoredExamples SortByScore(const MatrixF& outputs, absl::Span<const int32_t> labels, int32_t k) {
  ScoredExamples examples;
  examples.falling.reserve(labels.size());
  for (size_t row = 0; row < labels.size(); ++row) {
    const float score = outputs(static_cast<Eigen::Index>(row), k);
    const bool positive = labels[row] == k;
    ++(positive ? examples.positives : examples.negatives);
    if (!std::isnan(score)) examples.falling.push_back({score, positive});
  }
  std::sort(examples.falling.begin(), examples.falling.end(),
            [](const ScoredExample& a, const ScoredExample& b) { return a.score > b.score; });
  return examples;
}

// The counts at one threshold.
struct Cut {
  float threshold = 0.0f;
  int64_t true_positives = 0;
  int64_t false_positives = 0;
};

// Lowers the threshold from output to output, all examples of one output at a time.
template <typename Visit>
void ForEachCut(const ScoredExamples& examples, Visit visit) {
  Cut cut;
  for (size_t i = 0; i < examples.falling.size();) {
    cut.threshold = examples.falling[i].score;
    for (; i < examples.falling.size() && examples.falling[i].score == cut.threshold; ++i) {
      ++(examples.falling[i].positive ? cut.true_positives : cut.false_positives);
    }
    visit(cut);
  }
}

// Returns the number of cuts.
size_t Measure(const ScoredExamples& examples, ClassRanking& ranking) {
  size_t cuts = 0;
  Cut previous;
  double ordered_pairs = 0.0;
  const auto count_pairs = [&](int64_t new_positives, int64_t new_negatives) {
    ordered_pairs +=
        static_cast<double>(new_negatives) *
        (static_cast<double>(previous.true_positives) + 0.5 * static_cast<double>(new_positives));
  };
  ForEachCut(examples, [&](const Cut& cut) {
    ++cuts;
    const int64_t new_positives = cut.true_positives - previous.true_positives;
    const int64_t predicted = cut.true_positives + cut.false_positives;
    ranking.average_precision +=
        Ratio(new_positives, examples.positives) * Ratio(cut.true_positives, predicted);
    // F1 = 2 P R / (P + R) = 2 TP / (2 TP + FP + FN), and predicted + positives is that.
    const double f1 = Ratio(2 * cut.true_positives, predicted + examples.positives);
    if (f1 > ranking.best_f1) {
      ranking.best_f1 = f1;
      ranking.best_f1_threshold = cut.threshold;
    }
    count_pairs(new_positives, cut.false_positives - previous.false_positives);
    previous = cut;
  });
  // Those that are NaN tie among themselves, below all others.
  count_pairs(examples.positives - previous.true_positives,
              examples.negatives - previous.false_positives);
  if (examples.positives > 0 && examples.negatives > 0) {
    ranking.roc_auc = ordered_pairs / static_cast<double>(examples.positives) /
                      static_cast<double>(examples.negatives);
  }
  return cuts;
}

// How far along the curves a cut is: it rises from cut to cut, as much over all recall as over all
// precision that is left to lose once everything is found, -log P = log(1 + FP / positives). Points
// that are evenly spaced in it follow both the steep part of a curve and its tail, however rare the
// class is.
double Progress(const Cut& cut, const ScoredExamples& examples) {
  const double positives = static_cast<double>(std::max<int64_t>(examples.positives, 1));
  const double lost = std::log1p(static_cast<double>(cut.false_positives) / positives);
  const double most = std::log1p(static_cast<double>(examples.negatives) / positives);
  return static_cast<double>(cut.true_positives) / positives + (most > 0.0 ? lost / most : 0.0);
}

OperatingPoint PointOf(const Cut& cut, const ScoredExamples& examples) {
  return {.threshold = cut.threshold,
          .precision = Ratio(cut.true_positives, cut.true_positives + cut.false_positives),
          .recall = Ratio(cut.true_positives, examples.positives),
          .false_positive_rate = Ratio(cut.false_positives, examples.negatives)};
}

// The first cut of each of `max_points` equal stretches of Progress, and the last cut of all.
std::vector<OperatingPoint> CurveOf(const ScoredExamples& examples, size_t cuts,
                                    size_t max_points) {
  std::vector<OperatingPoint> curve;
  curve.reserve(std::min(cuts, max_points));
  const double per_progress = static_cast<double>(max_points - 1) / 2.0;
  int64_t last_stretch = -1;
  size_t seen = 0;
  ForEachCut(examples, [&](const Cut& cut) {
    const bool last = ++seen == cuts;
    if (cuts > max_points) {
      const auto stretch = static_cast<int64_t>(Progress(cut, examples) * per_progress);
      if (stretch == last_stretch && !last) return;
      last_stretch = stretch;
      if (curve.size() == max_points) curve.pop_back();  // room for the last one
    }
    curve.push_back(PointOf(cut, examples));
  });
  return curve;
}

}  // namespace

ClassRanking RankClass(const MatrixF& outputs, absl::Span<const int32_t> labels, int32_t k,
                       size_t max_curve_points) {
  assert(max_curve_points != 1);
  const ScoredExamples examples = SortByScore(outputs, labels, k);
  ClassRanking ranking;
  const size_t cuts = Measure(examples, ranking);
  if (max_curve_points > 0) ranking.curve = CurveOf(examples, cuts, max_curve_points);
  return ranking;
}

}  // namespace mlp
