// How a model is served: `mlpctl models settings`, and what other commands say about it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/commands/command.h"
#include "mlp/v1/model.pb.h"

namespace mlp {

struct SettingsFlags {
  std::string model;
  std::optional<int32_t> max_batch_rows;
  std::optional<int64_t> queue_delay_us;
  std::optional<int32_t> max_queued_requests;
  // The others go back to their defaults.
  bool reset = false;

  bool change() const { return reset || max_batch_rows || queue_delay_us || max_queued_requests; }
};

// Shows the settings, first changing those that the flags name. Two that change at the same time
// may undo each other.
absl::StatusOr<int> ModelSettings(CommandContext& context, const SettingsFlags& flags);

// Three lines, a setting each.
std::string DescribeSettings(const v1::ServingSettings& settings);

// Those that are not the defaults, in one line without its end; empty where all are.
std::string UnusualSettings(const v1::ServingSettings& settings);

}  // namespace mlp
