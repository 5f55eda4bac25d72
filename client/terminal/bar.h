// Bars: how much of something, in a few columns.
#pragma once

#include <string>

#include "client/terminal/style.h"

namespace mlp {

// `share` of `width` columns filled, to an eighth of a column with UTF-8, to a whole one (#)
// without; no spaces behind it. `share` is clamped to [0, 1].
std::string RenderBar(double share, int width, const TerminalStyle& style);

}  // namespace mlp
