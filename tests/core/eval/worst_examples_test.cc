#include "core/eval/worst_examples.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int64_t> Rows(WorstExamples worst) {
  std::vector<int64_t> rows;
  for (const WorstExample& example : worst.Take()) rows.push_back(example.row);
  return rows;
}

WorstExample Of(int64_t row, float label_probability, float predicted_probability = 0.9f) {
  return {.row = row,
          .label = 0,
          .prediction = 1,
          .label_probability = label_probability,
          .predicted_probability = predicted_probability};
}

TEST(WorstExamples, KeepsTheLowestInOrder) {
  WorstExamples worst(3);
  for (const WorstExample& example :
       {Of(0, 0.5f), Of(1, 0.1f), Of(2, 0.9f), Of(3, 0.3f), Of(4, 0.2f)}) {
    worst.Add(example);
  }
  EXPECT_THAT(Rows(worst), ElementsAre(1, 4, 3));
}

TEST(WorstExamples, OfEqualOnesTheSurerMistakeIsWorse) {
  WorstExamples worst(3);
  worst.Add(Of(0, 0.0f, 0.6f));
  worst.Add(Of(2, 0.0f, 0.8f));
  worst.Add(Of(1, 0.0f, 0.8f));
  worst.Add(Of(3, 0.0f, 0.6f));
  EXPECT_THAT(Rows(worst), ElementsAre(1, 2, 0));
}

TEST(WorstExamples, HasWhatThereIs) {
  WorstExamples few(10);
  few.Add(Of(7, 0.4f));
  EXPECT_THAT(Rows(few), ElementsAre(7));
  WorstExamples none(0);
  none.Add(Of(7, 0.4f));
  EXPECT_THAT(Rows(none), IsEmpty());
}

}  // namespace
}  // namespace mlp
