// One setting of mlpd: what it is called, what it may be, and which field of the options it is.
// Text from a flag, the environment or a file -> SetFromText -> ProgramOptions.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <variant>

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include "server/config/server_options.h"

namespace mlp {

enum class SettingType {
  kText,
  kInteger,
  kBytes,  // an integer that may have a unit: 16GiB
  kYesNo,
  kNames,  // separated by commas
};

// A row of the table: constant, its texts live as long as the program.
struct Setting {
  using Field = std::variant<std::string ProgramOptions::*, int ProgramOptions::*,
                             int64_t ProgramOptions::*, bool ProgramOptions::*>;
  // INVALID_ARGUMENT naming the setting where `text` is none of its values.
  using TextCheck = absl::Status (*)(absl::string_view name, absl::string_view text);

  absl::string_view name;
  Field field;
  SettingType type = SettingType::kText;
  // Of integers and bytes; within the field's type.
  int64_t least = 0;
  int64_t most = std::numeric_limits<int64_t>::max();
  // Of texts and names: what is allowed, and its check; null allows all.
  absl::string_view allowed = {};
  TextCheck check = nullptr;
  absl::string_view help;
  // Applied to a running server by SIGHUP; others need a restart.
  bool reloadable = false;
  // Has no default that could be used.
  bool required = false;
};

// For messages and tables: "1 to 64", "0 or more", "yes or no", "HOST:PORT".
std::string AllowedValues(const Setting& setting);

// "text", "integer", "bytes", "yes/no", "names".
absl::string_view TypeName(SettingType type);

// As SetFromText takes it.
std::string ValueText(const Setting& setting, const ProgramOptions& options);

// INVALID_ARGUMENT naming the setting: the value in `options` is not allowed.
absl::Status CheckValue(const Setting& setting, const ProgramOptions& options);

// INVALID_ARGUMENT naming the setting, and `options` unchanged: `text` is of another type, or not
// allowed. Integers are decimal; bytes may end in KiB, MiB, GiB or TiB; yes/no is also true/false,
// on/off, 1/0.
absl::Status SetFromText(const Setting& setting, absl::string_view text, ProgramOptions& options);

}  // namespace mlp
