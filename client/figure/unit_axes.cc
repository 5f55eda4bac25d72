#include "client/figure/unit_axes.h"

#include <algorithm>

#include <absl/strings/str_format.h>

#include "client/terminal/table.h"

namespace mlp {
namespace {

constexpr int kTicks = 5;
constexpr double kLegendLine = 13.0;
constexpr double kLetter = 5.6;  // a legend's letters are about this wide

constexpr Color kGrid = {0xE6E6E6};
constexpr Color kFrame = {0x888888};

}  // namespace

UnitAxes::UnitAxes(Drawing& drawing, const PageBox& box, const AxesText& text)
    : drawing_(drawing), box_(box) {
  for (int i = 0; i <= kTicks; ++i) {
    const double share = static_cast<double>(i) / kTicks;
    const PagePoint left = At({0.0, share});
    const PagePoint below = At({share, 0.0});
    drawing_.Polyline({left, At({1.0, share})}, {.color = kGrid});
    drawing_.Polyline({below, At({share, 1.0})}, {.color = kGrid});
    const std::string label = absl::StrFormat("%.1f", share);
    drawing_.Text({left.x - 6, left.y + 4}, label, {.anchor = Anchor::kRight});
    drawing_.Text({below.x, below.y + 15}, label, {.anchor = Anchor::kMiddle});
  }
  drawing_.Outline(box_, {.color = kFrame});
  DrawTitle(drawing_, box_, text.title);
  drawing_.Text({box_.x + box_.width / 2, box_.y + box_.height + 32}, text.x_name,
                {.anchor = Anchor::kMiddle});
  drawing_.Text({box_.x - 32, box_.y + box_.height / 2}, text.y_name,
                {.anchor = Anchor::kMiddle, .upwards = true});
}

PagePoint UnitAxes::At(const UnitPoint& point) const {
  return {box_.x + std::clamp(point.x, 0.0, 1.0) * box_.width,
          box_.y + (1.0 - std::clamp(point.y, 0.0, 1.0)) * box_.height};
}

void UnitAxes::Curve(absl::Span<const UnitPoint> points, const Stroke& stroke) {
  std::vector<PagePoint> on_page;
  on_page.reserve(points.size());
  for (const UnitPoint& point : points) on_page.push_back(At(point));
  drawing_.Polyline(on_page, stroke);
}

void UnitAxes::Diagonal() {
  Curve({{0.0, 0.0}, {1.0, 1.0}}, {.color = kFrame, .width = 1.0, .dash = 4.0});
}

void UnitAxes::Bar(double from, double to, double height, const Color& color) {
  const PagePoint upper = At({from, height});
  const PagePoint lower = At({to, 0.0});
  drawing_.Fill({upper.x + 1, upper.y, lower.x - upper.x - 2, lower.y - upper.y}, color);
}

void UnitAxes::Legend(const std::string& title, absl::Span<const LegendEntry> entries, bool right) {
  size_t letters = DisplayWidth(title);
  for (const LegendEntry& entry : entries) letters = std::max(letters, DisplayWidth(entry.name));
  const double width = 32 + kLetter * static_cast<double>(letters);
  const double height = kLegendLine * static_cast<double>(entries.size() + 1) + 8;
  const double x = right ? box_.x + box_.width - width - 8 : box_.x + 8;
  double y = box_.y + box_.height - height - 8;
  drawing_.Fill({x, y, width, height}, {0xFFFFFF, 0.85});
  y += kLegendLine;
  drawing_.Text({x + 6, y}, title, {.size = 10, .bold = true});
  for (const LegendEntry& entry : entries) {
    y += kLegendLine;
    drawing_.Polyline({{x + 6, y - 3.5}, {x + 22, y - 3.5}}, {.color = entry.color, .width = 2.5});
    drawing_.Text({x + 28, y}, entry.name, {.size = 10});
  }
}

void DrawTitle(Drawing& drawing, const PageBox& box, const std::string& title) {
  drawing.Text({box.x + box.width / 2, box.y - 12}, title,
               {.size = 13, .anchor = Anchor::kMiddle, .bold = true});
}

}  // namespace mlp
