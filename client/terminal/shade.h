// Backgrounds that tell at a glance how much a cell of a table has.
#pragma once

#include <string>

#include <absl/strings/string_view.h>

#include "client/terminal/style.h"

namespace mlp {

enum class Hue { kRight, kWrong };  // blue, orange: told apart by the colour-blind too

// `text` on a background that is the stronger the larger `share` (of 1) is; as it is where share is
// 0 or the terminal has no colours. The escape codes take no columns but count in DisplayWidth: pad
// first.
std::string Shade(absl::string_view text, double share, Hue hue, const TerminalStyle& style);

}  // namespace mlp
