// Aligned columns of text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <absl/strings/string_view.h>

namespace mlp {

// The columns that UTF-8 text takes, each character one; good for all that mlpctl itself prints.
size_t DisplayWidth(absl::string_view text);

// `text` with spaces after it, or before it, up to `width` columns.
std::string PadRight(absl::string_view text, size_t width);
std::string PadLeft(absl::string_view text, size_t width);

// Thread-compatible.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string name;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Requires as many cells as there are columns.
  void AddRow(std::vector<std::string> cells);

  // A line of names, then one a row; columns two spaces apart, no spaces at the end of a line.
  std::string Render() const;

 private:
  const std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Blocks of lines beside each other, `gap` spaces apart.
std::vector<std::string> SideBySide(const std::vector<std::vector<std::string>>& blocks,
                                    size_t gap);

}  // namespace mlp
