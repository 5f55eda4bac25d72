#include "client/terminal/bar.h"

#include <algorithm>
#include <cmath>

#include <absl/strings/str_cat.h>

namespace mlp {

std::string RenderBar(double share, int width, const TerminalStyle& style) {
  if (!(share > 0)) return "";
  share = std::min(share, 1.0);
  if (!style.utf8) return std::string(static_cast<size_t>(std::lround(share * width)), '#');
  constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int64_t eighths = std::lround(share * width * 8);
  std::string bar;
  for (int64_t i = 0; i < eighths / 8; ++i) bar += "█";
  return absl::StrCat(bar, kEighths[eighths % 8]);
}

}  // namespace mlp
