#include "core/data/split.h"

#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

SplitOptions Fractions(double training, double validation, double test) {
  return {.training = training, .validation = validation, .test = test};
}

void ExpectInvalid(const SplitOptions& options, const std::string& message) {
  EXPECT_EQ(ValidateSplitOptions(options), absl::InvalidArgumentError(message));
  EXPECT_EQ(SplitRows({0, 1, 0, 1}, 2, options).status(), absl::InvalidArgumentError(message));
}

// From split_golden.py.
TEST(Split, PlainMatchesGoldenRows) {
  SplitOptions options = Fractions(0.7, 0.0, 0.3);
  options.stratified = false;
  const absl::StatusOr<Split> split = SplitRows(std::vector<int32_t>(10, 0), 2, options);
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_THAT(split->training, ElementsAre(0, 1, 3, 5, 6, 7, 9));
  EXPECT_THAT(split->validation, IsEmpty());
  EXPECT_THAT(split->test, ElementsAre(2, 4, 8));
}

// From split_golden.py; by hand, 4 rows of class 0 are shared out 2/1/1 and 8 of class 1 4/2/2.
TEST(Split, StratifiedMatchesGoldenRows) {
  SplitOptions options = Fractions(0.5, 0.25, 0.25);
  options.seed = 5;
  const absl::StatusOr<Split> split = SplitRows({0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1}, 2, options);
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_THAT(split->training, ElementsAre(0, 3, 6, 7, 8, 11));
  EXPECT_THAT(split->validation, ElementsAre(2, 5, 9));
  EXPECT_THAT(split->test, ElementsAre(1, 4, 10));
}

// 7 rows at 50/30/20: 3.5, 2.1, 1.4. Whole rows 3/2/1, and the one left goes to the .5.
TEST(Split, SizesAreByLargestRemainder) {
  const absl::StatusOr<Split> split =
      SplitRows(std::vector<int32_t>(7, 0), 1, Fractions(0.5, 0.3, 0.2));
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_THAT(split->training, SizeIs(4));
  EXPECT_THAT(split->validation, SizeIs(2));
  EXPECT_THAT(split->test, SizeIs(1));
}

// 0.7 * 10 and 0.29 * 100 are a little off in floating point; the sizes must not be.
TEST(Split, FractionsThatDivideEvenlyAreExact) {
  absl::StatusOr<Split> split =
      SplitRows(std::vector<int32_t>(100, 0), 1, Fractions(0.29, 0, 0.71));
  ASSERT_TRUE(split.ok());
  EXPECT_THAT(split->training, SizeIs(29));
  split = SplitRows(std::vector<int32_t>(1000, 0), 1, Fractions(0.1, 0.2, 0.7));
  ASSERT_TRUE(split.ok());
  EXPECT_THAT(split->training, SizeIs(100));
  EXPECT_THAT(split->validation, SizeIs(200));
  EXPECT_THAT(split->test, SizeIs(700));
}

// Each class has one row, so no class can be shared; all the same 7 of 10 rows are for training.
TEST(Split, TotalsHoldWhereEveryClassHasOneRow) {
  std::vector<int32_t> labels(10);
  std::iota(labels.begin(), labels.end(), 0);
  const absl::StatusOr<Split> split = SplitRows(labels, 10, Fractions(0.7, 0.0, 0.3));
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_THAT(split->training, SizeIs(7));
  EXPECT_THAT(split->test, SizeIs(3));
}

// At 50/30/20, 2 classes of 5 rows have 2.5/1.5/1 and can spare a row only between training and
// validation; 5 classes of 2 rows have 1/0.6/0.4 and can only between validation and test. By their
// own largest remainders all give 11/7/2 in place of 10/6/4 (20 rows), so a row must go from
// training to test by way of validation.
TEST(Split, TotalsHoldWhereARowMustMoveThroughAThirdPart) {
  const std::vector<int32_t> labels = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6};
  const absl::StatusOr<Split> split = SplitRows(labels, 7, Fractions(0.5, 0.3, 0.2));
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_THAT(split->training, SizeIs(10));
  EXPECT_THAT(split->validation, SizeIs(6));
  EXPECT_THAT(split->test, SizeIs(4));
}

TEST(Split, EverythingMayBeForTraining) {
  const absl::StatusOr<Split> split = SplitRows({0, 1, 0}, 2, Fractions(1.0, 0.0, 0.0));
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_THAT(split->training, ElementsAre(0, 1, 2));
  EXPECT_THAT(split->validation, IsEmpty());
  EXPECT_THAT(split->test, IsEmpty());
}

TEST(Split, ClassesWithoutRowsDoNotMatter) {
  const absl::StatusOr<Split> split = SplitRows({4, 4, 4, 4}, 9, Fractions(0.5, 0.0, 0.5));
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_THAT(split->training, SizeIs(2));
  EXPECT_THAT(split->test, SizeIs(2));
}

TEST(Split, RejectsFractionsThatDoNotSumToOne) {
  ExpectInvalid(Fractions(0.6, 0.0, 0.3),
                "split: expected fractions that sum to 1, got 0.6 + 0 + 0.3 = 0.9");
  ExpectInvalid(Fractions(0.7, 0.5, 0.3),
                "split: expected fractions that sum to 1, got 0.7 + 0.5 + 0.3 = 1.5");
  ExpectInvalid(Fractions(0.0, 0.0, 0.0),
                "split: expected fractions that sum to 1, got 0 + 0 + 0 = 0");
}

TEST(Split, AcceptsASumWithinOneMillionth) {
  EXPECT_TRUE(ValidateSplitOptions(Fractions(0.7, 0.0, 0.3000009)).ok());
  EXPECT_TRUE(ValidateSplitOptions(Fractions(0.333333, 0.333333, 0.333333)).ok());
  EXPECT_FALSE(ValidateSplitOptions(Fractions(0.7, 0.0, 0.300002)).ok());
}

TEST(Split, RejectsFractionsOutOfRange) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ExpectInvalid(Fractions(1.5, 0.0, -0.5),
                "split.training: expected a fraction from 0 to 1, got 1.5");
  ExpectInvalid(Fractions(0.9, -0.2, 0.3),
                "split.validation: expected a fraction from 0 to 1, got -0.2");
  ExpectInvalid(Fractions(0.7, 0.0, kNan), "split.test: expected a fraction from 0 to 1, got nan");
  ExpectInvalid(Fractions(kNan, kNan, kNan),
                "split.training: expected a fraction from 0 to 1, got nan");
  ExpectInvalid(Fractions(0.5, kInfinity, -kInfinity),
                "split.validation: expected a fraction from 0 to 1, got inf");
  ExpectInvalid(Fractions(1e300, 0, 0),
                "split.training: expected a fraction from 0 to 1, got 1e+300");
}

TEST(Split, RejectsNoTraining) {
  ExpectInvalid(Fractions(0.0, 0.5, 0.5), "split.training: expected a fraction above 0, got 0");
}

// 3 rows at 80/10/10: 2.4, 0.3, 0.3, so 3/0/0 by largest remainder.
TEST(Split, RefusesAPartWithoutRows) {
  EXPECT_EQ(SplitRows({0, 0, 0}, 1, Fractions(0.8, 0.1, 0.1)).status(),
            absl::FailedPreconditionError(
                "split.validation: expected at least 1 row for the fraction 0.1, got none of the "
                "dataset's 3 rows"));
  EXPECT_EQ(SplitRows({0}, 1, Fractions(0.1, 0.0, 0.9)).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(Split, RefusesADatasetWithoutRows) {
  const absl::Status status = SplitRows({}, 2, Fractions(1.0, 0.0, 0.0)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("0 rows"));
}

TEST(Split, RefusesAFractionTooSmallForAnyRow) {
  const absl::Status status =
      SplitRows(std::vector<int32_t>(1000, 0), 1, Fractions(1.0, 0.0, 1e-300)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("split.test"));
}

TEST(Split, RejectsLabelsOutsideTheClasses) {
  EXPECT_EQ(SplitRows({0, 2, 0}, 2, Fractions(1.0, 0.0, 0.0)).status(),
            absl::InvalidArgumentError("labels: row 1: expected 0 to 1, got 2"));
  EXPECT_EQ(SplitRows({0, -1}, 2, Fractions(1.0, 0.0, 0.0)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace mlp
