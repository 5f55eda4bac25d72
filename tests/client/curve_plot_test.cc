#include "client/terminal/curve_plot.h"

#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

const TerminalStyle kAscii = {.terminal = false, .utf8 = false, .width = 80};
const TerminalStyle kUtf8 = {.terminal = false, .utf8 = true, .width = 80};

TEST(CurvePlot, MarksThePointsOfEachCurve) {
  EXPECT_EQ(RenderCurves({{.name = "low", .mark = 'a', .points = {{0, 1}, {8, 1}}},
                          {.name = "rising", .mark = 'b', .points = {{0, 1}, {4, 2}, {8, 3}}}},
                         {.columns = 9, .rows = 3, .title = "cost", .x_name = "n"}, kAscii),
            "cost:   a low   b rising\n"
            "3 |       *b\n"
            "  |   *b**\n"
            "1 |b*******a\n"
            "  +---------\n"
            "   0     n 8\n");
}

TEST(CurvePlot, DrawsLinesInBraille) {
  EXPECT_EQ(RenderCurves({{.name = "c", .mark = 'c', .points = {{0, 1}, {3, 1}}}},
                         {.columns = 4, .rows = 1, .title = "t", .x_name = "x"}, kUtf8),
            "t:   c c\n"
            "1 │c⠤⠤c\n"
            "  └────\n"
            "   0x 3\n");
}

TEST(CurvePlot, ALogarithmicAxisHasRoomForZero) {
  EXPECT_EQ(
      RenderCurves({{.name = "c", .mark = 'c', .points = {{0, 1}, {1, 1}, {10, 1}, {100, 1}}}},
                   {.columns = 6, .rows = 1, .title = "t", .x_name = "l", .logarithmic_x = true},
                   kAscii),
      "t:   c c\n"
      "1 |cc*c*c\n"
      "  +------\n"
      "   0l (log scale) 100\n");
}

TEST(CurvePlot, LeavesOutWhatIsNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const CurvePlotOptions options = {.columns = 3, .rows = 1, .title = "t", .x_name = "x"};
  EXPECT_EQ(RenderCurves({{.name = "c", .mark = 'c', .points = {{0, 1}, {1, nan}, {2, 1}}}},
                         options, kAscii),
            "t:   c c\n1 |c*c\n  +---\n   0x 2\n");
  EXPECT_EQ(RenderCurves({{.name = "c", .mark = 'c', .points = {{0, 1}, {1, infinity}}}}, options,
                         kAscii),
            "");
  EXPECT_EQ(RenderCurves({}, options, kAscii), "");
}

}  // namespace
}  // namespace mlp
