#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/terminal/bar.h"
#include "client/terminal/numbers.h"
#include "client/terminal/picture.h"
#include "client/terminal/plot.h"
#include "client/terminal/progress_line.h"
#include "client/terminal/shade.h"
#include "client/terminal/style.h"
#include "client/terminal/table.h"
#include "client/terminal/unit_plot.h"

namespace mlp {
namespace {

using testing::ElementsAre;

constexpr TerminalStyle kUtf8 = {.terminal = true, .utf8 = true, .width = 80};
constexpr TerminalStyle kAscii = {.terminal = true, .utf8 = false, .width = 80};

TEST(Numbers, ReadWell) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(10285), "10,285");
  EXPECT_EQ(FormatCount(-1234567), "-1,234,567");
  EXPECT_EQ(FormatCount(-123), "-123");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(2'000'000), "1.9 MiB");
  EXPECT_EQ(FormatPercent(0.92312), "92.31 %");
  EXPECT_EQ(FormatSeconds(0.416), "0.42 s");
  EXPECT_EQ(FormatSeconds(12.34), "12.3 s");
  EXPECT_EQ(FormatSeconds(127), "2:07");
  EXPECT_EQ(FormatSeconds(3727), "1:02:07");
  EXPECT_EQ(FormatSeconds(std::numeric_limits<double>::infinity()), "?");
  EXPECT_EQ(FormatUtc(absl::FromUnixSeconds(0)), "1970-01-01 00:00:00");
}

TEST(Numbers, LatenciesHaveThreeDigits) {
  EXPECT_EQ(FormatNanoseconds(0), "0 ns");
  EXPECT_EQ(FormatNanoseconds(62.4), "62 ns");
  EXPECT_EQ(FormatNanoseconds(1'000), "1.00 us");
  EXPECT_EQ(FormatNanoseconds(62'140), "62.1 us");
  EXPECT_EQ(FormatNanoseconds(99'960), "100 us");
  EXPECT_EQ(FormatNanoseconds(847'400), "847 us");
  EXPECT_EQ(FormatNanoseconds(999'600), "1.00 ms");
  EXPECT_EQ(FormatNanoseconds(1.24e9), "1.24 s");
  EXPECT_EQ(FormatNanoseconds(3.6e12), "3600 s");
}

TEST(Style, KnowsUtf8Locales) {
  EXPECT_TRUE(IsUtf8Locale("en_US.UTF-8"));
  EXPECT_TRUE(IsUtf8Locale("C.utf8"));
  EXPECT_FALSE(IsUtf8Locale("C"));
  EXPECT_FALSE(IsUtf8Locale("de_DE.ISO-8859-1"));
}

TEST(Table, AlignsColumnsByWhatIsSeen) {
  Table table({{"name"}, {"rows", Table::Align::kRight}, {"note"}});
  table.AddRow({"é", "5,000", "x"});
  table.AddRow({"digits", "12", ""});
  EXPECT_EQ(table.Render(),
            "name     rows  note\n"
            "é       5,000  x\n"
            "digits     12\n");
}

TEST(Table, PutsBlocksSideBySide) {
  EXPECT_THAT(SideBySide({{"ab", "█"}, {"c"}, {"d", "e"}}, 2), ElementsAre("ab  c  d", "█      e"));
}

TEST(Bar, FillsByEighthsOrWholeColumns) {
  EXPECT_EQ(RenderBar(1, 3, kUtf8), "███");
  EXPECT_EQ(RenderBar(0.5, 3, kUtf8), "█▌");
  EXPECT_EQ(RenderBar(0.5, 4, kAscii), "##");
  EXPECT_EQ(RenderBar(0, 4, kUtf8), "");
  EXPECT_EQ(RenderBar(7, 2, kAscii), "##");
  EXPECT_EQ(RenderBar(std::numeric_limits<double>::quiet_NaN(), 2, kAscii), "");
}

TEST(Plot, DrawsALineInAscii) {
  EXPECT_EQ(RenderPlot({4.0, 3.0, 2.0, 1.0},
                       {.columns = 4, .rows = 4, .title = "cost", .x_name = "iteration"}, kAscii),
            "cost\n"
            "4 |*\n"
            "  | *\n"
            "  |  *\n"
            "1 |   *\n"
            "  +----\n"
            "   0iteration 3\n");
}

TEST(Plot, DrawsALineInBraille) {
  // A falling diagonal of 4 x 4 dots.
  EXPECT_EQ(RenderPlot({4.0, 3.0, 2.0, 1.0},
                       {.columns = 2, .rows = 1, .title = "cost", .x_name = "i"}, kUtf8),
            "cost\n"
            "4 │⠑⢄\n"
            "  └──\n"
            "   0i 3\n");
}

TEST(Plot, TakesALogarithmicScaleForWideRanges) {
  EXPECT_EQ(
      RenderPlot({100.0, 10.0, 1.0},
                 {.columns = 3, .rows = 3, .title = "cost", .x_name = "", .first_x = 7}, kAscii),
      "cost (log scale)\n"
      "100 |*\n"
      "    | *\n"
      "  1 |  *\n"
      "    +---\n"
      "     7 9\n");
}

TEST(Plot, LeavesOutWhatIsNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(RenderPlot({1.0, nan}, {}, kUtf8), "");
  EXPECT_EQ(RenderPlot({}, {}, kUtf8), "");
  EXPECT_EQ(
      RenderPlot({2.0, nan, 2.0}, {.columns = 3, .rows = 1, .title = "", .x_name = ""}, kAscii),
      "\n2 |* *\n  +---\n   0 2\n");
}

TEST(UnitPlot, DrawsACurveInAscii) {
  const std::vector<UnitPoint> curve = {{0, 0}, {0, 1}, {1, 1}};
  EXPECT_THAT(RenderUnitPlot(curve, {.columns = 6, .rows = 3, .title = "y", .x_name = "x"}, kAscii),
              ElementsAre("y",          //
                          "1 |******",  //
                          "  |*",       //
                          "0 |*",       //
                          "  +------",  //
                          "   0 x  1"));
}

TEST(UnitPlot, DrawsInBrailleWithADottedDiagonal) {
  const std::vector<UnitPoint> curve = {{0, 1}, {1, 1}};
  EXPECT_THAT(RenderUnitPlot(curve, {.columns = 4, .rows = 2, .title = "y", .x_name = "x"}, kUtf8),
              ElementsAre("y", "1 │⠉⠉⠉⠉", "0 │", "  └────", "   0x 1"));
  // 8 x 8 dots, of which (0, 7), (3, 4) and (6, 1) are on the diagonal's dots.
  EXPECT_THAT(RenderUnitPlot({}, {.columns = 4, .rows = 2, .diagonal = true}, kUtf8),
              ElementsAre("", "1 │   ⠂", "0 │⡀⠈", "  └────", "   0  1"));
}

TEST(UnitPlot, LimitsWhatIsOutside) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_THAT(RenderUnitPlot({{-5, -infinity}, {infinity, 7}}, {.columns = 3, .rows = 3}, kAscii),
              ElementsAre("", "1 |  *", "  | *", "0 |*", "  +---", "   0 1"));
}

TEST(Shade, IsStrongerTheLargerTheShare) {
  const TerminalStyle color = {.terminal = true, .utf8 = true, .width = 80, .color = true};
  EXPECT_EQ(Shade(" 7", 0.95, Hue::kRight, color), "\x1b[38;5;231;48;5;26m 7\x1b[0m");
  EXPECT_EQ(Shade(" 7", 0.06, Hue::kWrong, color), "\x1b[38;5;231;48;5;94m 7\x1b[0m");
  EXPECT_EQ(Shade(" 7", 0.001, Hue::kWrong, color), "\x1b[38;5;231;48;5;236m 7\x1b[0m");
  EXPECT_EQ(Shade(" .", 0, Hue::kWrong, color), " .");
  EXPECT_EQ(Shade(" 7", 0.95, Hue::kRight, kUtf8), " 7");
}

TEST(Picture, DrawsTwoRowsOfPixelsALine) {
  const std::vector<uint8_t> pixels = {0, 255, 0,   255,  //
                                       0, 0,   255, 255};
  EXPECT_THAT(DrawPicture(pixels, 4, 2, kUtf8), ElementsAre(" ▀▄█"));
  EXPECT_THAT(DrawPicture(pixels, 4, 2, kAscii), ElementsAre(" ==@"));
  EXPECT_THAT(DrawPicture({pixels.data(), 4}, 1, 4, kUtf8), ElementsAre("▄", "▄"));
  EXPECT_THAT(DrawPicture({pixels.data(), 3}, 1, 3, kUtf8), ElementsAre("▄", " "));
}

TEST(Picture, ThinsWhatIsTooWide) {
  const std::vector<uint8_t> pixels(100 * 100, 255);
  const auto lines = DrawPicture(pixels, 100, 100, kAscii, 50);
  EXPECT_EQ(lines.size(), 25u);
  EXPECT_EQ(lines[0], std::string(50, '@'));
}

TEST(ProgressLine, ShowsBarRateAndTimeLeft) {
  EXPECT_EQ(RenderProgress({.name = "training",
                            .done = 250,
                            .total = 1000,
                            .detail = "cost 0.5",
                            .rate_unit = "it/s",
                            .rate = 50,
                            .elapsed_seconds = 5},
                           kAscii),
            "training  [######                ]  250/1,000  cost 0.5  50.0 it/s  15.0 s left");
}

TEST(ProgressLine, ShowsTheTimeGoneWhereTheEndIsUnknown) {
  EXPECT_EQ(
      RenderProgress(
          {.name = "training", .done = 3, .detail = "", .rate_unit = "", .elapsed_seconds = 5},
          kAscii),
      "training  3  5.00 s");
}

TEST(ProgressLine, NeverWrapsAround) {
  for (int width = 1; width < 120; ++width) {
    const TerminalStyle style = {.terminal = true, .utf8 = true, .width = width};
    const std::string line = RenderProgress({.name = "training",
                                             .done = 250,
                                             .total = 1000,
                                             .detail = "cost 0.5",
                                             .rate_unit = "it/s",
                                             .rate = 50,
                                             .elapsed_seconds = 5},
                                            style);
    EXPECT_LE(DisplayWidth(line), static_cast<size_t>(std::max(1, width - 1))) << width;
  }
}

}  // namespace
}  // namespace mlp
