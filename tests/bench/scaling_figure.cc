#include "tests/bench/scaling_figure.h"

#include <cstdio>
#include <map>
#include <utility>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include "client/figure/drawing.h"
#include "client/figure/pending_file.h"
#include "client/figure/unit_axes.h"

namespace mlp::bench {
namespace {

constexpr double kSide = 260;
constexpr double kLeft = 60;
constexpr double kTop = 50;
constexpr double kPanelWidth = 330;
constexpr int kPageHeight = 370;
constexpr uint32_t kColors[] = {0x1F77B4, 0xD62728};

void DrawSeries(const Series& series, const Color& color, UnitAxes& axes, Drawing& drawing) {
  const LinePoint last = series.points.back();
  std::vector<UnitPoint> points;
  for (const LinePoint& point : series.points) {
    points.push_back({point.x / last.x, point.y / last.y});
    const PagePoint at = axes.At(points.back());
    drawing.Fill({at.x - 3, at.y - 3, 6, 6}, color);
  }
  axes.Curve(points, {.color = color, .width = 1.5});
}

absl::Status Draw(const std::vector<Series>& all, const std::string& path) {
  const auto format = FigureFormatOf(path);
  if (!format.ok()) return format.status();
  std::map<std::string, std::vector<const Series*>> panels;
  for (const Series& series : all) panels[series.x_name].push_back(&series);
  Drawing drawing(*format, static_cast<int>(kPanelWidth * static_cast<double>(panels.size())) + 20,
                  kPageHeight);
  double left = kLeft;
  for (const auto& [x_name, of_panel] : panels) {
    UnitAxes axes(drawing, {left, kTop, kSide, kSide},
                  {.title = "time against " + x_name,
                   .x_name = absl::StrCat("of ", of_panel.front()->points.back().x, " ", x_name),
                   .y_name = "of the longest time"});
    axes.Diagonal();
    std::vector<LegendEntry> entries;
    for (const Series* series : of_panel) {
      const Color color = {kColors[entries.size() % std::size(kColors)]};
      DrawSeries(*series, color, axes, drawing);
      entries.push_back(
          {absl::StrFormat("%s: %.1f ms", series->name, series->points.back().y), color});
    }
    axes.Legend("the longest time", entries, /*right=*/true);
    left += kPanelWidth;
  }
  const auto bytes = drawing.Finish();
  if (!bytes.ok()) return bytes.status();
  auto file = PendingFile::Create(path);
  if (!file.ok()) return file.status();
  return file->Commit(*bytes);
}

}  // namespace

bool DrawScaling(const std::vector<Series>& all, const std::string& path) {
  const absl::Status status = Draw(all, path);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok();
}

}  // namespace mlp::bench
