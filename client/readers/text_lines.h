// Text files with one thing a line.
#pragma once

#include <string>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/strings/string_view.h>

namespace mlp {

// Calls `visit` with every line, without its end; empty lines at the end do not count. `expected`
// says what a line is: `a label`. INVALID_ARGUMENT naming file and line: an error of `visit`, an
// empty line in between, one of more than 4,096 bytes.
absl::Status ForEachLine(const std::string& path, absl::string_view expected,
                         absl::FunctionRef<absl::Status(absl::string_view line)> visit);

}  // namespace mlp
