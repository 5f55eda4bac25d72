// What the other end of an output can show.
#pragma once

#include <string>

namespace mlp {

struct TerminalStyle {
  // A person watches: lines may be redrawn.
  bool terminal = false;
  // Block and braille characters may be used; otherwise ASCII alone.
  bool utf8 = false;
  // Columns.
  int width = 80;
  // Colours may be used.
  bool color = false;
};

// Asks the system about the file descriptor. UTF-8 is what LC_ALL, LC_CTYPE or LANG, the first that
// is set, says. A terminal has colours unless NO_COLOR is set (https://no-color.org) or TERM is
// dumb.
TerminalStyle DetectTerminal(int file_descriptor);

// Whether a locale's name, such as en_US.UTF-8, asks for UTF-8.
bool IsUtf8Locale(const std::string& name);

}  // namespace mlp
