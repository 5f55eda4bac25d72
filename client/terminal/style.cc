#include "client/terminal/style.h"

#include <cstdlib>

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace mlp {

bool IsUtf8Locale(const std::string& name) {
  const std::string lower = absl::AsciiStrToLower(name);
  return absl::StrContains(lower, "utf-8") || absl::StrContains(lower, "utf8");
}

TerminalStyle DetectTerminal(int file_descriptor) {
  TerminalStyle style;
  style.terminal = isatty(file_descriptor) == 1;
  winsize size = {};
  if (style.terminal && ioctl(file_descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    style.width = size.ws_col;
  }
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  style.color = style.terminal && (no_color == nullptr || *no_color == '\0') && term != nullptr &&
                std::string(term) != "dumb";
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value != '\0') {
      style.utf8 = IsUtf8Locale(value);
      break;
    }
  }
  return style;
}

}  // namespace mlp
