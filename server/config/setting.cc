#include "server/config/setting.h"

#include <cstddef>

#include <absl/status/statusor.h>
#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

struct Unit {
  absl::string_view name;
  int shift;
};
constexpr Unit kUnits[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};

bool IsNumber(const Setting& setting) {
  return setting.type == SettingType::kInteger || setting.type == SettingType::kBytes;
}

// What was given, on one line, whatever is in it.
std::string Quoted(absl::string_view text) {
  constexpr size_t kLongest = 200;
  const bool cut = text.size() > kLongest;
  return absl::StrCat("\"", absl::Utf8SafeCEscape(text.substr(0, kLongest)), cut ? "...\"" : "\"");
}

absl::Status Refused(const Setting& setting, absl::string_view expected, absl::string_view got) {
  return absl::InvalidArgumentError(
      absl::StrCat(setting.name, ": expected ", expected, ", got ", got));
}

std::string ExpectedNumber(const Setting& setting) {
  const bool bytes = setting.type == SettingType::kBytes;
  return absl::StrCat(bytes ? "a number of bytes, such as 512MiB, " : "an integer, ",
                      AllowedValues(setting));
}

// Without sign and spaces, which SimpleAtoi would take.
bool ParseDigits(absl::string_view digits, int64_t& number) {
  for (const char c : digits) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  return absl::SimpleAtoi(digits, &number);
}

absl::StatusOr<int64_t> ParseNumber(const Setting& setting, absl::string_view text) {
  absl::string_view digits = text;
  int shift = 0;
  if (setting.type == SettingType::kBytes) {
    for (const Unit& unit : kUnits) {
      if (absl::ConsumeSuffix(&digits, unit.name)) shift = unit.shift;
    }
  }
  const bool negative = shift == 0 && absl::ConsumePrefix(&digits, "-");
  int64_t number = 0;
  if (!ParseDigits(digits, number) || number > std::numeric_limits<int64_t>::max() >> shift) {
    return Refused(setting, ExpectedNumber(setting), Quoted(text));
  }
  return negative ? -number : number << shift;
}

absl::StatusOr<bool> ParseYesNo(const Setting& setting, absl::string_view text) {
  for (const absl::string_view yes : {"yes", "true", "on", "1"}) {
    if (absl::EqualsIgnoreCase(text, yes)) return true;
  }
  for (const absl::string_view no : {"no", "false", "off", "0"}) {
    if (absl::EqualsIgnoreCase(text, no)) return false;
  }
  return Refused(setting, AllowedValues(setting), Quoted(text));
}

absl::Status CheckNumber(const Setting& setting, int64_t number) {
  if (number >= setting.least && number <= setting.most) return absl::OkStatus();
  return Refused(setting, AllowedValues(setting), absl::StrCat(number));
}

absl::Status CheckText(const Setting& setting, absl::string_view text) {
  if (setting.required && text.empty()) return Refused(setting, setting.allowed, "nothing");
  return setting.check == nullptr ? absl::OkStatus() : setting.check(setting.name, text);
}

int64_t NumberIn(const Setting& setting, const ProgramOptions& options) {
  if (const auto* field = std::get_if<int ProgramOptions::*>(&setting.field)) {
    return options.**field;
  }
  return options.*std::get<int64_t ProgramOptions::*>(setting.field);
}

}  // namespace

std::string AllowedValues(const Setting& setting) {
  if (setting.type == SettingType::kYesNo) return "yes or no";
  if (!IsNumber(setting)) return std::string(setting.allowed);
  if (setting.most == std::numeric_limits<int64_t>::max()) {
    return absl::StrCat(setting.least, " or more");
  }
  return absl::StrCat(setting.least, " to ", setting.most);
}

absl::string_view TypeName(SettingType type) {
  switch (type) {
    case SettingType::kText:
      return "text";
    case SettingType::kInteger:
      return "integer";
    case SettingType::kBytes:
      return "bytes";
    case SettingType::kYesNo:
      return "yes/no";
    case SettingType::kNames:
      return "names";
  }
  return "";
}

std::string ValueText(const Setting& setting, const ProgramOptions& options) {
  if (IsNumber(setting)) return absl::StrCat(NumberIn(setting, options));
  if (const auto* field = std::get_if<bool ProgramOptions::*>(&setting.field)) {
    return options.**field ? "yes" : "no";
  }
  return options.*std::get<std::string ProgramOptions::*>(setting.field);
}

absl::Status CheckValue(const Setting& setting, const ProgramOptions& options) {
  if (IsNumber(setting)) return CheckNumber(setting, NumberIn(setting, options));
  if (const auto* field = std::get_if<std::string ProgramOptions::*>(&setting.field)) {
    return CheckText(setting, options.**field);
  }
  return absl::OkStatus();
}

absl::Status SetFromText(const Setting& setting, absl::string_view text, ProgramOptions& options) {
  if (IsNumber(setting)) {
    MLP_ASSIGN_OR_RETURN(const int64_t number, ParseNumber(setting, text));
    MLP_RETURN_IF_ERROR(CheckNumber(setting, number));
    if (const auto* field = std::get_if<int ProgramOptions::*>(&setting.field)) {
      options.** field = static_cast<int>(number);
    } else {
      options.*std::get<int64_t ProgramOptions::*>(setting.field) = number;
    }
  } else if (const auto* field = std::get_if<bool ProgramOptions::*>(&setting.field)) {
    MLP_ASSIGN_OR_RETURN(options.**field, ParseYesNo(setting, text));
  } else {
    MLP_RETURN_IF_ERROR(CheckText(setting, text));
    options.*std::get<std::string ProgramOptions::*>(setting.field) = std::string(text);
  }
  return absl::OkStatus();
}

}  // namespace mlp
