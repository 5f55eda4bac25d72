#include "core/base/clock.h"

#include <thread>

#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include "tests/testing/fake_clock.h"

namespace mlp {
namespace {

TEST(Clock, SystemWallTimeIsTheMachines) {
  const absl::Time before = absl::Now();
  const absl::Time now = Clock::System().Now();
  const absl::Time after = absl::Now();
  EXPECT_LE(before, now);
  EXPECT_LE(now, after);
}

TEST(Clock, SystemElapsedNeverRunsBackwards) {
  absl::Duration last = Clock::System().Elapsed();
  const absl::Duration first = last;
  for (int i = 0; i < 10'000; ++i) {
    const absl::Duration elapsed = Clock::System().Elapsed();
    ASSERT_GE(elapsed, last);
    last = elapsed;
  }
  EXPECT_GT(last, first);
}

TEST(Clock, SystemIsOneObject) { EXPECT_EQ(&Clock::System(), &Clock::System()); }

TEST(FakeClock, StandsStillUntilAdvanced) {
  FakeClock clock(absl::FromUnixSeconds(100));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(100));
  EXPECT_EQ(clock.Elapsed(), absl::ZeroDuration());
  clock.Advance(absl::Milliseconds(1500));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(100) + absl::Milliseconds(1500));
  EXPECT_EQ(clock.Elapsed(), absl::Milliseconds(1500));
  EXPECT_EQ(clock.Elapsed(), absl::Milliseconds(1500));
}

TEST(FakeClock, CountsEveryAdvanceOfSeveralThreads) {
  FakeClock clock;
  const auto advance = [&clock] {
    for (int i = 0; i < 1000; ++i) clock.Advance(absl::Seconds(1));
  };
  std::thread other(advance);
  advance();
  other.join();
  EXPECT_EQ(clock.Elapsed(), absl::Seconds(2000));
}

}  // namespace
}  // namespace mlp
