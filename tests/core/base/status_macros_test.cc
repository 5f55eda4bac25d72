#include "core/base/status_macros.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace mlp {
namespace {

absl::Status Check(bool ok) { return ok ? absl::OkStatus() : absl::InvalidArgumentError("not ok"); }

absl::StatusOr<std::unique_ptr<int>> Make(int value) {
  if (value < 0) return absl::NotFoundError("negative");
  return std::make_unique<int>(value);
}

absl::Status RunChecks(bool first, bool second, int* reached) {
  *reached = 0;
  MLP_RETURN_IF_ERROR(Check(first));
  *reached = 1;
  if (second)
    MLP_RETURN_IF_ERROR(Check(true));
  else
    MLP_RETURN_IF_ERROR(absl::CancelledError("second"));
  *reached = 2;
  return absl::OkStatus();
}

absl::StatusOr<int> Sum(int a, int b) {
  MLP_ASSIGN_OR_RETURN(const std::unique_ptr<int> first, Make(a));
  std::unique_ptr<int> second;
  MLP_ASSIGN_OR_RETURN(second, Make(b));
  return *first + *second;
}

TEST(StatusMacros, ReturnIfErrorGoesOnWhenOk) {
  int reached = -1;
  EXPECT_TRUE(RunChecks(true, true, &reached).ok());
  EXPECT_EQ(reached, 2);
}

TEST(StatusMacros, ReturnIfErrorReturnsTheVeryStatus) {
  int reached = -1;
  EXPECT_EQ(RunChecks(false, true, &reached), absl::InvalidArgumentError("not ok"));
  EXPECT_EQ(reached, 0);
  EXPECT_EQ(RunChecks(true, false, &reached), absl::CancelledError("second"));
  EXPECT_EQ(reached, 1);
}

TEST(StatusMacros, ReturnIfErrorEvaluatesOnce) {
  int calls = 0;
  const auto run = [&calls]() -> absl::Status {
    MLP_RETURN_IF_ERROR((++calls, absl::OkStatus()));
    return absl::OkStatus();
  };
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(calls, 1);
}

TEST(StatusMacros, AssignOrReturnMovesTheValue) {
  const absl::StatusOr<int> sum = Sum(2, 3);
  ASSERT_TRUE(sum.ok());
  EXPECT_EQ(*sum, 5);
}

TEST(StatusMacros, AssignOrReturnReturnsTheError) {
  EXPECT_EQ(Sum(-1, 3).status(), absl::NotFoundError("negative"));
  EXPECT_EQ(Sum(1, -3).status(), absl::NotFoundError("negative"));
}

}  // namespace
}  // namespace mlp
