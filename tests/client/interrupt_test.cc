#include "client/commands/interrupt.h"

#include <future>

#include <gtest/gtest.h>
#include <signal.h>

namespace mlp {
namespace {

TEST(Interrupt, TheFirstOneRequestsAStop) {
  InterruptScope scope;
  EXPECT_FALSE(scope.interrupted());
  std::promise<void> stopped;
  const std::stop_callback callback(scope.token(), [&] { stopped.set_value(); });
  ASSERT_EQ(raise(SIGINT), 0);
  ASSERT_EQ(stopped.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_TRUE(scope.interrupted());
}

TEST(InterruptDeathTest, TheSecondOneEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        InterruptScope scope;
        raise(SIGINT);
        raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST(Interrupt, RestoresWhatWasBefore) {
  struct sigaction before = {};
  struct sigaction after = {};
  sigaction(SIGINT, nullptr, &before);
  { const InterruptScope scope; }
  sigaction(SIGINT, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
}

}  // namespace
}  // namespace mlp
