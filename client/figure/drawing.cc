#include "client/figure/drawing.h"

#include <utility>

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <cairo-svg.h>
#include <cairo.h>

namespace mlp {
namespace {

constexpr int kPixelsPerPoint = 2;

cairo_status_t Append(void* bytes, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

// The code point that `text` begins with and its length in bytes; length 0 where there is none.
struct CodePoint {
  uint32_t value = 0;
  size_t length = 0;
};

CodePoint FirstCodePoint(absl::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (length == 0 || length > text.size()) return {};
  uint32_t value = lead & (0x7Fu >> length);
  for (const char byte : text.substr(1, length - 1)) {
    if ((static_cast<unsigned char>(byte) & 0xC0) != 0x80) return {};
    value = value << 6 | (static_cast<unsigned char>(byte) & 0x3F);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // less is an overlong form
  return value < kLeast[length] ? CodePoint{} : CodePoint{value, length};
}

// Not a control character, a surrogate, or one of Unicode's noncharacters.
bool IsText(uint32_t value) {
  return value >= 0x20 && value < 0x110000 && (value & 0xFFFFF800) != 0xD800 &&
         (value < 0xFDD0 || value > 0xFDEF) && (value & 0xFFFE) != 0xFFFE;
}

// Cairo refuses all that is drawn after a text with one wrong byte.
std::string ValidUtf8(absl::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const CodePoint first = FirstCodePoint(text);
    if (first.length > 0 && IsText(first.value)) {
      absl::StrAppend(&valid, text.substr(0, first.length));
    }
    text.remove_prefix(first.length > 0 ? first.length : 1);
  }
  return valid;
}

}  // namespace

absl::StatusOr<FigureFormat> FigureFormatOf(absl::string_view path) {
  if (absl::EndsWithIgnoreCase(path, ".png")) return FigureFormat::kPng;
  if (absl::EndsWithIgnoreCase(path, ".svg")) return FigureFormat::kSvg;
  return absl::InvalidArgumentError(
      absl::StrCat("expected a file that ends with .svg or .png, got ", path));
}

// The surface and the pen on it. cairo's objects never are null: a failed one has its status, does
// nothing, and says so in Finish.
class Drawing::State {
 public:
  State(FigureFormat format, int width, int height) : format_(format) {
    if (format == FigureFormat::kSvg) {
      surface_ = cairo_svg_surface_create_for_stream(Append, &bytes_, width, height);
    } else {
      surface_ = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width * kPixelsPerPoint,
                                            height * kPixelsPerPoint);
      cairo_surface_set_device_scale(surface_, kPixelsPerPoint, kPixelsPerPoint);
    }
    pen_ = cairo_create(surface_);
    cairo_set_line_join(pen_, CAIRO_LINE_JOIN_ROUND);
  }
  ~State() {
    cairo_destroy(pen_);
    cairo_surface_destroy(surface_);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  cairo_t* pen() { return pen_; }

  void Use(const Color& color) {
    cairo_set_source_rgba(pen_, (color.rgb >> 16 & 0xFF) / 255.0, (color.rgb >> 8 & 0xFF) / 255.0,
                          (color.rgb & 0xFF) / 255.0, color.opacity);
  }

  void Trace(const Stroke& stroke) {
    Use(stroke.color);
    cairo_set_line_width(pen_, stroke.width);
    cairo_set_dash(pen_, &stroke.dash, stroke.dash > 0.0 ? 1 : 0, 0.0);
    cairo_stroke(pen_);
  }

  absl::StatusOr<std::string> Finish() {
    cairo_status_t status = cairo_status(pen_);
    if (status == CAIRO_STATUS_SUCCESS && format_ == FigureFormat::kPng) {
      status = cairo_surface_write_to_png_stream(surface_, Append, &bytes_);
    }
    cairo_surface_finish(surface_);
    if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(surface_);
    if (status != CAIRO_STATUS_SUCCESS) {
      return absl::InternalError(
          absl::StrCat("the figure cannot be drawn: ", cairo_status_to_string(status)));
    }
    return std::move(bytes_);
  }

 private:
  const FigureFormat format_;
  std::string bytes_;
  cairo_surface_t* surface_;
  cairo_t* pen_;
};

Drawing::Drawing(FigureFormat format, int width, int height)
    : state_(std::make_unique<State>(format, width, height)) {
  Fill({0, 0, static_cast<double>(width), static_cast<double>(height)}, {0xFFFFFF});
}

Drawing::~Drawing() = default;

void Drawing::Fill(const PageBox& box, const Color& color) {
  state_->Use(color);
  cairo_rectangle(state_->pen(), box.x, box.y, box.width, box.height);
  cairo_fill(state_->pen());
}

void Drawing::Outline(const PageBox& box, const Stroke& stroke) {
  cairo_rectangle(state_->pen(), box.x, box.y, box.width, box.height);
  state_->Trace(stroke);
}

void Drawing::Polyline(absl::Span<const PagePoint> points, const Stroke& stroke) {
  for (const PagePoint& point : points) cairo_line_to(state_->pen(), point.x, point.y);
  state_->Trace(stroke);
}

void Drawing::Text(const PagePoint& at, absl::string_view text, const TextStyle& style) {
  cairo_t* pen = state_->pen();
  const std::string valid = ValidUtf8(text);
  cairo_select_font_face(pen, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(pen, style.size);
  cairo_text_extents_t extents;
  cairo_text_extents(pen, valid.c_str(), &extents);
  const double shift = style.anchor == Anchor::kLeft     ? 0.0
                       : style.anchor == Anchor::kMiddle ? extents.x_advance / 2
                                                         : extents.x_advance;
  cairo_save(pen);
  cairo_translate(pen, at.x, at.y);
  if (style.upwards) cairo_rotate(pen, -1.5707963267948966);  // pi / 2
  cairo_move_to(pen, -shift, 0);
  state_->Use(style.color);
  cairo_show_text(pen, valid.c_str());
  cairo_restore(pen);
  cairo_new_path(pen);
}

absl::StatusOr<std::string> Drawing::Finish() { return state_->Finish(); }

}  // namespace mlp
