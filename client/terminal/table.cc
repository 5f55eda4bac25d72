#include "client/terminal/table.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

namespace mlp {

size_t DisplayWidth(absl::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;  // not a continuation byte
  }));
}

std::string PadRight(absl::string_view text, size_t width) {
  const size_t used = DisplayWidth(text);
  return absl::StrCat(text, std::string(width > used ? width - used : 0, ' '));
}

std::string PadLeft(absl::string_view text, size_t width) {
  const size_t used = DisplayWidth(text);
  return absl::StrCat(std::string(width > used ? width - used : 0, ' '), text);
}

void Table::AddRow(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::Render() const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t width = DisplayWidth(columns_[c].name);
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[c]));
    widths.push_back(width);
  }
  std::string text;
  const auto add_line = [&](auto cell_at) {
    std::string line;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const std::string& cell = cell_at(c);
      absl::StrAppend(
          &line, c == 0 ? "" : "  ",
          columns_[c].align == Align::kLeft ? PadRight(cell, widths[c]) : PadLeft(cell, widths[c]));
    }
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(line), "\n");
  };
  add_line([&](size_t c) -> const std::string& { return columns_[c].name; });
  for (const auto& row : rows_) {
    add_line([&](size_t c) -> const std::string& { return row[c]; });
  }
  return text;
}

std::vector<std::string> SideBySide(const std::vector<std::vector<std::string>>& blocks,
                                    size_t gap) {
  size_t height = 0;
  for (const auto& block : blocks) height = std::max(height, block.size());
  std::vector<std::string> lines(height);
  for (size_t b = 0; b < blocks.size(); ++b) {
    size_t width = 0;
    for (const std::string& line : blocks[b]) width = std::max(width, DisplayWidth(line));
    for (size_t y = 0; y < height; ++y) {
      const absl::string_view line = y < blocks[b].size() ? blocks[b][y] : absl::string_view();
      absl::StrAppend(&lines[y], PadRight(line, width),
                      std::string(b + 1 < blocks.size() ? gap : 0, ' '));
    }
  }
  for (std::string& line : lines) line = std::string(absl::StripTrailingAsciiWhitespace(line));
  return lines;
}

}  // namespace mlp
