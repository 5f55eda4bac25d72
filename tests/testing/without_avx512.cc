// Linked into a test, these take the place of core/nn/weighted_sums_avx512: the whole program then
// computes as on a CPU without AVX-512, where OpenBLAS does the products. mlpd_test(WITHOUT_AVX512)
// links it and has OpenBLAS itself use the kernels of such a CPU.

#include <cstdlib>

#include <gtest/gtest.h>

#include "core/nn/weighted_sums.h"
#include "core/nn/weighted_sums_avx512.h"

namespace mlp {

bool HasWeightedSumsAvx512() { return false; }
void WeightedSumsAvx512(const WeightedSumsArguments&) { std::abort(); }

TEST(WithoutAvx512, BlasComputesTheSums) { EXPECT_FALSE(WeightedSumsKeepTheirBits()); }

}  // namespace mlp
