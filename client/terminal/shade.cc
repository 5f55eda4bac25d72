#include "client/terminal/shade.h"

#include <absl/strings/str_cat.h>

namespace mlp {
namespace {

// From which share on, and the backgrounds from there: entries of xterm's 256 colours, all dark
// enough for white letters.
constexpr double kFrom[] = {0.0, 0.02, 0.05, 0.15, 0.5, 0.9};
constexpr int kBlue[] = {17, 17, 18, 24, 25, 26};
constexpr int kOrange[] = {236, 58, 94, 130, 166, 160};

}  // namespace

std::string Shade(absl::string_view text, double share, Hue hue, const TerminalStyle& style) {
  if (!style.color || !(share > 0)) return std::string(text);
  size_t level = 0;
  while (level + 1 < std::size(kFrom) && share >= kFrom[level + 1]) ++level;
  return absl::StrCat("\x1b[38;5;231;48;5;", hue == Hue::kRight ? kBlue[level] : kOrange[level],
                      "m", text, "\x1b[0m");
}

}  // namespace mlp
