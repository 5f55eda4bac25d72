#include "core/optim/stopping_rules.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace mlp {
namespace {

// After how many of `costs` `rule` says that it is time; 0: never.
template <typename Rule>
int StopsAfter(Rule rule, const std::vector<double>& costs) {
  for (size_t i = 0; i < costs.size(); ++i) {
    if (!rule.Add(costs[i]).empty()) return static_cast<int>(i) + 1;
  }
  return 0;
}

const double kNan = std::nan("");

TEST(CostConvergence, ByTable) {
  struct Case {
    const char* what;
    double tolerance;
    int window;
    std::vector<double> costs;
    int stops_after;
  };
  const Case cases[] = {
      {"one cost is no change", 1.0, 1, {5.0}, 0},
      {"within the tolerance of the cost before", 0.1, 1, {10.0, 8.0, 7.3, 7.2}, 3},
      {"exactly the tolerance", 0.25, 1, {8.0, 6.0}, 2},
      {"rising counts as changing", 0.1, 1, {10.0, 12.0, 12.5}, 3},
      {"a tolerance of 0 is met by no change at all", 0.0, 1, {3.0, 2.0, 2.0}, 3},
      {"falls slowly, but over the window it falls", 0.1, 3, {10.0, 9.5, 9.0, 8.5, 8.0}, 0},
      {"flat over the whole window", 0.1, 3, {10.0, 9.9, 9.8, 9.7}, 4},
      {"the window is not full", 0.1, 4, {10.0, 10.0, 10.0, 10.0}, 0},
      {"NaN is not converged", 0.1, 1, {1.0, kNan, 1.0}, 0},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(StopsAfter(CostConvergence(c.tolerance, c.window, "iterations"), c.costs),
              c.stops_after)
        << c.what;
  }
}

TEST(CostConvergence, SaysByHowMuch) {
  CostConvergence one(0.1, 1, "iterations");
  one.Add(10.0);
  EXPECT_EQ(one.Add(9.5), "J changed by 0.5, within the tolerance of 1");
  CostConvergence two(0.1, 2, "iterations");
  two.Add(10.0);
  two.Add(9.75);
  EXPECT_EQ(two.Add(9.5), "J changed by 0.5 over the last 2 iterations, within the tolerance of 1");
}

TEST(CostConvergence, GoesOnWhereItWasLeft) {
  CostConvergence rule(0.1, 2, "iterations");
  rule.Add(10.0);
  rule.Add(9.5);
  CostConvergence restored(0.1, 2, "iterations");
  restored.Restore(rule.recent());
  EXPECT_FALSE(restored.Add(9.4).empty());
}

TEST(EarlyStopping, ByTable) {
  struct Case {
    const char* what;
    int patience;
    double min_improvement;
    std::vector<double> costs;
    int stops_after;
  };
  const Case cases[] = {
      {"falls for ever", 1, 0.0, {5.0, 4.0, 3.0, 2.0}, 0},
      {"rises once", 1, 0.0, {5.0, 4.0, 4.5}, 3},
      {"the same is not lower", 1, 0.0, {5.0, 5.0}, 2},
      {"patience is counted in a row", 2, 0.0, {5.0, 6.0, 4.0, 5.0, 3.0, 4.0, 4.0}, 7},
      {"below the one before, but not below the lowest", 2, 0.0, {5.0, 8.0, 7.0}, 3},
      {"too small an improvement", 2, 1.0, {5.0, 4.5, 4.0}, 3},
      {"small improvements that add up", 2, 1.0, {5.0, 4.5, 3.9, 3.5}, 0},
      {"no patience asked for", 0, 0.0, {5.0, 6.0, 7.0, 8.0}, 0},
      {"NaN is no improvement", 2, 0.0, {5.0, kNan, kNan}, 3},
      {"NaN from the start", 2, 0.0, {kNan, kNan}, 2},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(StopsAfter(EarlyStopping(c.patience, c.min_improvement, "epochs"), c.costs),
              c.stops_after)
        << c.what;
  }
}

TEST(EarlyStopping, GoesOnWhereItWasLeft) {
  EarlyStopping rule(2, 0.0, "epochs");
  rule.Add(5.0);
  rule.Add(6.0);
  EarlyStopping restored(2, 0.0, "epochs");
  restored.Restore(rule.memory());
  EXPECT_EQ(restored.Add(5.5), "the validation cost has not fallen below 5 for 2 epochs");
}

}  // namespace
}  // namespace mlp
