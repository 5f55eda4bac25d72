#include "client/readers/text_lines.h"

#include <cstdint>

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include "client/readers/byte_stream.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr size_t kMaxLine = 4096;
constexpr size_t kBufferBytes = 1 << 16;

}  // namespace

absl::Status ForEachLine(const std::string& path, absl::string_view expected,
                         absl::FunctionRef<absl::Status(absl::string_view line)> visit) {
  MLP_ASSIGN_OR_RETURN(ByteStream stream, ByteStream::Open(path));
  std::string line;
  int64_t line_number = 1;
  int64_t empty_line = 0;
  const auto error = [&](int64_t number, absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": line ", number, ": ", what));
  };
  const auto end_line = [&]() -> absl::Status {
    if (absl::StripAsciiWhitespace(line).empty()) {
      if (empty_line == 0) empty_line = line_number;
    } else if (empty_line != 0) {
      return error(empty_line, absl::StrCat("expected ", expected, ", got an empty line"));
    } else if (const absl::Status visited = visit(line); !visited.ok()) {
      return error(line_number, visited.message());
    }
    ++line_number;
    line.clear();
    return absl::OkStatus();
  };
  std::string buffer(kBufferBytes, '\0');
  while (true) {
    MLP_ASSIGN_OR_RETURN(const size_t got, stream.ReadSome(buffer.size(), buffer.data()));
    if (got == 0) break;
    for (size_t i = 0; i < got; ++i) {
      if (buffer[i] == '\n') {
        MLP_RETURN_IF_ERROR(end_line());
      } else if (line.size() < kMaxLine) {
        line.push_back(buffer[i]);
      } else {
        return error(line_number, absl::StrCat("expected ", expected, ", got more than ", kMaxLine,
                                               " characters"));
      }
    }
  }
  return line.empty() ? absl::OkStatus() : end_line();
}

}  // namespace mlp
