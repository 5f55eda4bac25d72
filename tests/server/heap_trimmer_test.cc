#include "server/heap_trimmer.h"

#include <gtest/gtest.h>

namespace mlp {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

TEST(HeapTrimmer, TrimsWhatAPeakLeft) {
  EXPECT_TRUE(IsWorthTrimming({30 * kMiB, 400 * kMiB}, {30 * kMiB, 400 * kMiB}));
}

TEST(HeapTrimmer, LeavesAHeapThatIsInUse) {
  EXPECT_FALSE(IsWorthTrimming({380 * kMiB, 400 * kMiB}, {380 * kMiB, 400 * kMiB}));
  EXPECT_FALSE(IsWorthTrimming({30 * kMiB, 158 * kMiB}, {30 * kMiB, 158 * kMiB}));
}

TEST(HeapTrimmer, WaitsUntilNothingLargeComesOrGoes) {
  EXPECT_FALSE(IsWorthTrimming({34 * kMiB, 400 * kMiB}, {30 * kMiB, 400 * kMiB}));
  EXPECT_FALSE(IsWorthTrimming({30 * kMiB, 400 * kMiB}, {34 * kMiB, 400 * kMiB}));
}

}  // namespace
}  // namespace mlp
