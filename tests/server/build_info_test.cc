#include "server/build_info.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/nn/weighted_sums.h"

namespace mlp {
namespace {

using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

TEST(BuildInfo, CommitIsOneOrUnknown) {
  EXPECT_THAT(BuildCommit(), AnyOf(MatchesRegex("[0-9a-f]{12,40}(-dirty)?"), "unknown"));
}

TEST(BuildInfo, NameHasVersionCommitAndCompiler) {
  EXPECT_EQ(BuildName(), BuildVersion() + "+" + BuildCommit() + " (" + BuildCompiler() + ")");
}

TEST(BuildInfo, KernelsAreThoseOfTheServerAndOfOpenBlas) {
  EXPECT_THAT(CpuKernels(), EndsWith("OpenBLAS " + BlasKernel()));
  EXPECT_THAT(CpuKernels(),
              StartsWith(WeightedSumsKeepTheirBits() ? "AVX-512; OpenBLAS " : "OpenBLAS "));
}

}  // namespace
}  // namespace mlp
