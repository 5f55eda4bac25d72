#include "core/nn/weighted_sums.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/nn/gemm.h"

namespace mlp {
namespace {

// A layer and rows for it, `shift` floats from the boundary that the allocator gives.
struct Case {
  Case(int64_t row_count, int64_t unit_count, int64_t input_count, int64_t shift = 0)
      : rows(row_count), units(unit_count), inputs(input_count), offset(shift) {
    Fill(weights, units * inputs);
    Fill(biases, units);
    Fill(values, rows * inputs);
  }

  void Fill(std::vector<float>& to, int64_t count) {
    to.resize(static_cast<size_t>(count + offset));
    for (float& value : to) value = std::sin(seed += 0.7f);
  }

  LayerUnits<float> layer() const {
    return {.weights = weights.data() + offset,
            .biases = biases.data() + offset,
            .units = units,
            .inputs = inputs};
  }

  double Naive(int64_t row, int64_t unit) const {
    double sum = biases[static_cast<size_t>(offset + unit)];
    for (int64_t i = 0; i < inputs; ++i) {
      sum += static_cast<double>(weights[static_cast<size_t>(offset + unit * inputs + i)]) *
             static_cast<double>(values[static_cast<size_t>(offset + row * inputs + i)]);
    }
    return sum;
  }

  const int64_t rows, units, inputs, offset;
  float seed = 0.1f;
  std::vector<float> weights, biases, values;
};

// The error of any order of summation of products of values within [-1, 1]: at most n roundings of
// a sum of at most n; sqrt(n) of them are what is seen.
double Tolerance(int64_t inputs) {
  const auto n = static_cast<double>(inputs + 1);
  return 4.0 * n * std::numeric_limits<float>::epsilon();
}

void ExpectAgreesWithNaive(const Case& c) {
  SCOPED_TRACE(testing::Message() << c.rows << " rows, " << c.units << " units, " << c.inputs
                                  << " inputs, offset " << c.offset);
  // Space between the rows, which must stay as it is.
  const int64_t stride = c.units + 3;
  std::vector<float> sums(static_cast<size_t>(c.rows * stride), -99.0f);
  WeightedSums<float>(c.layer(), c.values.data() + c.offset, c.rows, sums.data(), stride);
  for (int64_t i = 0; i < c.rows; ++i) {
    for (int64_t j = 0; j < stride; ++j) {
      const float sum = sums[static_cast<size_t>(i * stride + j)];
      if (j < c.units) {
        ASSERT_NEAR(sum, c.Naive(i, j), Tolerance(c.inputs)) << "row " << i << ", unit " << j;
      } else {
        ASSERT_EQ(sum, -99.0f) << "row " << i << ", behind its units";
      }
    }
  }
}

TEST(WeightedSums, AgreeWithNaiveLoopsForOddShapes) {
  for (int64_t rows = 1; rows <= 17; ++rows) {
    for (int64_t units = 1; units <= 33; ++units) {
      for (const int64_t inputs : {1, 7, 15, 16, 17, 25, 33}) {
        ExpectAgreesWithNaive(Case(rows, units, inputs));
      }
    }
  }
}

TEST(WeightedSums, AgreeWithNaiveLoopsBeyondABlockAndASlice) {
  for (const int64_t rows : {1, 2, 64, 65, 129}) {
    for (const int64_t inputs : {1023, 1024, 1025, 2049}) {
      ExpectAgreesWithNaive(Case(rows, 13, inputs));
    }
  }
}

TEST(WeightedSums, TakeMemoryOfAnyAlignment) {
  for (int64_t offset = 0; offset < 16; ++offset) {
    for (const int64_t inputs : {32, 45}) ExpectAgreesWithNaive(Case(19, 20, inputs, offset));
  }
}

TEST(WeightedSums, OfDoublesAgreeWithNaiveLoops) {
  const Case c(5, 6, 37);
  const std::vector<double> weights(c.weights.begin(), c.weights.end());
  const std::vector<double> biases(c.biases.begin(), c.biases.end());
  for (const int64_t rows : {int64_t{1}, c.rows}) {
    const std::vector<double> values(c.values.begin(), c.values.end());
    std::vector<double> sums(static_cast<size_t>(rows * c.units));
    WeightedSums<double>(
        {.weights = weights.data(), .biases = biases.data(), .units = c.units, .inputs = c.inputs},
        values.data(), rows, sums.data(), c.units);
    for (int64_t i = 0; i < rows * c.units; ++i) {
      EXPECT_NEAR(sums[static_cast<size_t>(i)], c.Naive(i / c.units, i % c.units), 1e-13);
    }
  }
}

// What every CPU without AVX-512 uses, and some shapes of it with vectors in place of matrices.
TEST(WeightedSums, ThroughBlasAgreeWithNaiveLoops) {
  for (const int64_t rows : {1, 2, 4, 5, 17, 130}) {
    const Case c(rows, 13, 45);
    const int64_t stride = c.units + 2;
    std::vector<float> sums(static_cast<size_t>(rows * stride), 1.0f);
    AddProductWithTranspose<float>(
        ConstMatrixMap<float>(c.values.data(), rows, c.inputs),
        ConstMatrixMap<float>(c.weights.data(), c.units, c.inputs),
        StridedMatrixMap<float>(sums.data(), rows, c.units, Eigen::OuterStride<>(stride)));
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < stride; ++j) {
        const double expected =
            j < c.units
                ? 1.0 + c.Naive(i, j) - static_cast<double>(c.biases[static_cast<size_t>(j)])
                : 1.0;
        ASSERT_NEAR(sums[static_cast<size_t>(i * stride + j)], expected, Tolerance(c.inputs));
      }
    }
  }
}

TEST(WeightedSums, OfARowAreTouchedByNoOtherRow) {
  Case c(6, 7, 20);
  std::vector<float> sums(42);
  WeightedSums<float>(c.layer(), c.values.data(), 6, sums.data(), 7);
  for (int64_t i = 0; i < c.inputs; ++i) {
    c.values[static_cast<size_t>(3 * c.inputs + i)] = std::numeric_limits<float>::quiet_NaN();
  }
  std::vector<float> with_nan(42);
  WeightedSums<float>(c.layer(), c.values.data(), 6, with_nan.data(), 7);
  for (size_t i = 0; i < sums.size(); ++i) {
    if (i / 7 == 3) {
      EXPECT_TRUE(std::isnan(with_nan[i]));
    } else {
      EXPECT_EQ(with_nan[i], sums[i]);
    }
  }
}

// docs/numerics.md, 1: the order of summation, written out.
TEST(WeightedSums, InAvx512AddUpInTheDocumentedOrder) {
  if (!WeightedSumsKeepTheirBits()) GTEST_SKIP() << "BLAS adds up, in an order of its own";
  for (const int64_t inputs : {5, 16, 100, 784, 1500, 3000}) {
    const Case c(9, 8, inputs);
    std::vector<float> sums(static_cast<size_t>(c.rows * c.units));
    WeightedSums<float>(c.layer(), c.values.data(), c.rows, sums.data(), c.units);
    const int64_t slices = (inputs + 1023) / 1024;
    const int64_t depth = ((inputs + slices - 1) / slices + 15) / 16 * 16;
    for (int64_t row = 0; row < c.rows; ++row) {
      for (int64_t unit = 0; unit < c.units; ++unit) {
        float sum = c.biases[static_cast<size_t>(unit)];
        for (int64_t begin = 0; begin < inputs; begin += depth) {
          float lanes[16] = {};
          for (int64_t i = begin; i < std::min(begin + depth, inputs); ++i) {
            float& lane = lanes[(i - begin) % 16];
            lane = std::fma(c.values[static_cast<size_t>(row * inputs + i)],
                            c.weights[static_cast<size_t>(unit * inputs + i)], lane);
          }
          for (const int half : {8, 4, 2, 1}) {
            for (int l = 0; l < half; ++l) lanes[l] += lanes[l + half];
          }
          sum += lanes[0];
        }
        ASSERT_EQ(sums[static_cast<size_t>(row * c.units + unit)], sum)
            << inputs << " inputs, row " << row << ", unit " << unit;
      }
    }
  }
}

}  // namespace
}  // namespace mlp
