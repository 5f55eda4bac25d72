#include "core/nn/cost.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>

#include "core/nn/vector_math.h"

namespace mlp {
namespace {

// Exponentials are computed into a small aligned buffer, vectorized, and summed from there in
// double. Factors in [1, 2], so the product of kChunk of them stays under 2^512: far from overflow.
constexpr Eigen::Index kChunk = 512;

template <typename Scalar>
using Chunk = Eigen::Array<Scalar, Eigen::Dynamic, 1, 0, kChunk, 1>;
template <typename Scalar>
using ConstChunkMap = Eigen::Map<const Eigen::Array<Scalar, Eigen::Dynamic, 1>>;

void Exp(Chunk<float>& values) { VectorExp(values.data(), values.data(), values.size()); }
void Exp(Chunk<double>& values) { values = values.exp(); }

// sum of max(z, 0) + log(1 + exp(-|z|)) over `count` logits. The logarithms of a chunk are one
// logarithm of a product; exp(-|z|) keeps its precision because 1 + it is formed in double.
template <typename Scalar>
double SoftplusSum(const Scalar* logits, Eigen::Index count) {
  Chunk<Scalar> exponentials;
  double sum = 0.0;
  for (Eigen::Index begin = 0; begin < count; begin += kChunk) {
    const Eigen::Index size = std::min(kChunk, count - begin);
    const Scalar* z = logits + begin;
    exponentials = -ConstChunkMap<Scalar>(z, size).abs();
    Exp(exponentials);
    // Two chains, for a multiplication waits for the one before it.
    double even = 1.0;
    double odd = 1.0;
    double positive = 0.0;
    for (Eigen::Index i = 0; i < size; ++i) {
      (i % 2 == 0 ? even : odd) *= 1.0 + static_cast<double>(exponentials[i]);
      // Not max(z, 0), which would turn NaN into 0.
      positive += z[i] < 0 ? 0.0 : static_cast<double>(z[i]);
    }
    sum += positive + std::log(even * odd);
  }
  return sum;
}

template <typename Scalar>
Scalar Largest(const Scalar* logits, Eigen::Index classes) {
  Scalar largest = -std::numeric_limits<Scalar>::infinity();
  for (Eigen::Index k = 0; k < classes; ++k) largest = std::max(largest, logits[k]);
  return largest;
}

// log sum_k exp(z_k) of one row, from z - max z.
template <typename Scalar>
double LogSumExp(const Scalar* logits, Eigen::Index classes) {
  const Scalar largest = Largest(logits, classes);
  Chunk<Scalar> exponentials;
  double sum = 0.0;
  for (Eigen::Index begin = 0; begin < classes; begin += kChunk) {
    const Eigen::Index size = std::min(kChunk, classes - begin);
    exponentials = ConstChunkMap<Scalar>(logits + begin, size) - largest;
    Exp(exponentials);
    for (Eigen::Index k = 0; k < size; ++k) sum += static_cast<double>(exponentials[k]);
  }
  return static_cast<double>(largest) + std::log(sum);
}

// The sum of that over rows that lie together: exponentials of as many as there is room for at
// once, and one logarithm of the product of their sums. A sum is in [1, classes] and the product,
// at most classes^(kChunk / classes), under 2^271.
template <typename Scalar>
double LogSumExpOfRows(const Scalar* logits, Eigen::Index rows, Eigen::Index classes) {
  assert(classes <= kChunk);
  const Eigen::Index most_rows = kChunk / classes;
  Chunk<Scalar> exponentials;
  double sum = 0.0;
  for (Eigen::Index begin = 0; begin < rows; begin += most_rows) {
    const Eigen::Index count = std::min(most_rows, rows - begin);
    exponentials.resize(count * classes);
    double shift = 0.0;
    for (Eigen::Index i = 0; i < count; ++i) {
      const Scalar* z = logits + (begin + i) * classes;
      const Scalar largest = Largest(z, classes);
      shift += static_cast<double>(largest);
      for (Eigen::Index k = 0; k < classes; ++k) exponentials[i * classes + k] = z[k] - largest;
    }
    Exp(exponentials);
    double product = 1.0;
    for (Eigen::Index i = 0; i < count; ++i) {
      double of_row = 0.0;
      for (Eigen::Index k = 0; k < classes; ++k) {
        of_row += static_cast<double>(exponentials[i * classes + k]);
      }
      product *= of_row;
    }
    sum += shift + std::log(product);
  }
  return sum;
}

// The cross-entropy of one row of logits.
template <typename Scalar>
double CrossEntropy(CostKind cost, const Scalar* logits, Eigen::Index classes, int32_t label) {
  const double normalizer = cost == CostKind::kSigmoidCrossEntropy ? SoftplusSum(logits, classes)
                                                                   : LogSumExp(logits, classes);
  return normalizer - static_cast<double>(logits[label]);
}

}  // namespace

Activation OutputActivation(CostKind cost) {
  return cost == CostKind::kSigmoidCrossEntropy ? Activation::kSigmoid : Activation::kSoftmax;
}

template <typename Scalar>
double CrossEntropySum(CostKind cost, const Eigen::Ref<const Matrix<Scalar>>& logits,
                       absl::Span<const int32_t> labels, absl::Span<const float> weights) {
  const Eigen::Index rows = logits.rows();
  const Eigen::Index classes = logits.cols();
  assert(static_cast<size_t>(rows) == labels.size());
  assert(weights.empty() || weights.size() == labels.size());
  double sum = 0.0;
  // Rows that lie together take their logarithms together.
  const bool together = weights.empty() && logits.outerStride() == classes;
  if (together && (cost == CostKind::kSigmoidCrossEntropy || classes <= kChunk)) {
    sum += cost == CostKind::kSigmoidCrossEntropy ? SoftplusSum(logits.data(), rows * classes)
                                                  : LogSumExpOfRows(logits.data(), rows, classes);
    for (Eigen::Index i = 0; i < rows; ++i) {
      sum -= static_cast<double>(logits(i, labels[static_cast<size_t>(i)]));
    }
    return sum;
  }
  for (Eigen::Index i = 0; i < rows; ++i) {
    const auto index = static_cast<size_t>(i);
    const double weight = weights.empty() ? 1.0 : static_cast<double>(weights[index]);
    sum += weight * CrossEntropy<Scalar>(cost, logits.row(i).data(), classes, labels[index]);
  }
  return sum;
}

template double CrossEntropySum<float>(CostKind, const Eigen::Ref<const Matrix<float>>&,
                                       absl::Span<const int32_t>, absl::Span<const float>);
template double CrossEntropySum<double>(CostKind, const Eigen::Ref<const Matrix<double>>&,
                                        absl::Span<const int32_t>, absl::Span<const float>);

}  // namespace mlp
