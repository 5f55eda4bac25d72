// A page to draw on, written as SVG or PNG: the one file that knows cairo.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

namespace mlp {

enum class FigureFormat { kPng, kSvg };

// By the file's ending, .png or .svg in any case. INVALID_ARGUMENT names what was expected.
absl::StatusOr<FigureFormat> FigureFormatOf(absl::string_view path);

// Points of the page, from its upper left corner. A PNG has two pixels to a point.
struct PagePoint {
  double x = 0;
  double y = 0;
};

struct PageBox {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

struct Color {
  uint32_t rgb = 0;  // 0xRRGGBB
  double opacity = 1.0;
};

struct Stroke {
  Color color = {};
  double width = 1.0;
  double dash = 0.0;  // length of dashes and gaps; 0 for a solid line
};

enum class Anchor { kLeft, kMiddle, kRight };

struct TextStyle {
  double size = 11.0;
  Color color = {0x333333};
  Anchor anchor = Anchor::kLeft;
  bool bold = false;
  bool upwards = false;  // turned by 90 degrees
};

// White at first. What lies outside of the page is cut off. Thread-compatible.
class Drawing {
 public:
  // `width` and `height` in points.
  Drawing(FigureFormat format, int width, int height);
  ~Drawing();
  Drawing(const Drawing&) = delete;
  Drawing& operator=(const Drawing&) = delete;

  void Fill(const PageBox& box, const Color& color);
  void Outline(const PageBox& box, const Stroke& stroke);
  void Polyline(absl::Span<const PagePoint> points, const Stroke& stroke);
  // `at` is on the baseline; UTF-8, what is not is left out.
  void Text(const PagePoint& at, absl::string_view text, const TextStyle& style);

  // The bytes of the file. Ends the drawing. INTERNAL: cairo's own reason, such as no memory.
  absl::StatusOr<std::string> Finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace mlp
