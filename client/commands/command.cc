#include "client/commands/command.h"

#include <absl/random/random.h>
#include <absl/strings/str_cat.h>

#include "client/commands/json_output.h"
#include "client/terminal/numbers.h"

namespace mlp {

void CommandContext::PrintJson(const google::protobuf::Message& message) {
  out_ << ToJsonLine(message) << std::endl;  // flushed: whoever reads the pipe follows the work
}

std::string CommandContext::Mlpctl() const {
  if (flags_.server == GlobalFlags().server) return "mlpctl";
  return absl::StrCat("mlpctl --server ", flags_.server);
}

std::string NewRequestId() {
  absl::BitGen generator;
  return absl::StrCat(absl::Hex(absl::Uniform<uint64_t>(generator), absl::kZeroPad16),
                      absl::Hex(absl::Uniform<uint64_t>(generator), absl::kZeroPad16));
}

std::string FormatTimestamp(bool has_time, const google::protobuf::Timestamp& time) {
  if (!has_time) return "-";
  return FormatUtc(absl::FromUnixSeconds(time.seconds()));
}

}  // namespace mlp
