#include "server/jobs/job_notifier.h"

#include <thread>

#include <gtest/gtest.h>

namespace mlp {
namespace {

constexpr absl::Duration kLongEnough = absl::Seconds(60);

TEST(JobNotifier, WakesOnlyThoseWhoFollowTheJob) {
  JobNotifier notifier(10);
  const auto one = *notifier.Subscribe(1);
  const auto two = *notifier.Subscribe(2);
  const uint64_t seen_one = one->Version();
  const uint64_t seen_two = two->Version();
  notifier.Notify(1);
  EXPECT_EQ(one->Wait(seen_one, kLongEnough), absl::StatusOr<bool>(true));
  EXPECT_EQ(two->Wait(seen_two, absl::ZeroDuration()), absl::StatusOr<bool>(false));
}

TEST(JobNotifier, LosesNoChangeBetweenLookAndWait) {
  JobNotifier notifier(10);
  const auto subscription = *notifier.Subscribe(1);
  const uint64_t seen = subscription->Version();
  notifier.Notify(1);
  notifier.Notify(1);
  EXPECT_EQ(subscription->Wait(seen, absl::ZeroDuration()), absl::StatusOr<bool>(true));
  EXPECT_EQ(subscription->Wait(subscription->Version(), absl::ZeroDuration()),
            absl::StatusOr<bool>(false));
}

TEST(JobNotifier, RefusesMoreThanItsBoundAndTakesPlacesBack) {
  JobNotifier notifier(2);
  auto one = *notifier.Subscribe(1);
  const auto two = *notifier.Subscribe(1);
  const auto refused = notifier.Subscribe(3);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(refused.status().message(), "watchers: expected at most 2 at a time; try again later");
  one.reset();
  EXPECT_TRUE(notifier.Subscribe(3).ok());
}

TEST(JobNotifier, StopEndsWaitsNowAndLater) {
  JobNotifier notifier(10);
  const auto subscription = *notifier.Subscribe(1);
  absl::StatusOr<bool> result;
  std::thread waiter([&] { result = subscription->Wait(subscription->Version(), kLongEnough); });
  notifier.Stop();
  waiter.join();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(subscription->Wait(0, kLongEnough).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(notifier.Subscribe(1).status().code(), absl::StatusCode::kUnavailable);
}

TEST(JobNotifier, NotifyingAboutAJobNobodyFollowsIsNothing) {
  JobNotifier notifier(1);
  notifier.Notify(5);
  const auto subscription = *notifier.Subscribe(5);
  EXPECT_EQ(subscription->Version(), 0u);
}

}  // namespace
}  // namespace mlp
