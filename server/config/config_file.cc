#include "server/config/config_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <utility>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/string_view.h>
#include <yaml-cpp/yaml.h>

#include "core/base/status_macros.h"
#include "server/config/setting_table.h"

namespace mlp {
namespace {

// yaml-cpp lets the end of the input close a quotation mark: the rest of the file would be one
// value. It does not let the end of a document.
constexpr char kEndOfDocument[] = "\n...\n";

std::string At(const std::string& path, const YAML::Mark& mark) {
  return mark.is_null() ? path : absl::StrCat(path, ":", mark.line + 1);
}

absl::Status Wrong(const std::string& origin, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(what, " (from ", origin, ")"));
}

absl::StatusOr<std::string> ReadText(const std::string& path) {
  const auto unreadable = [&path](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("config: cannot read ", path, ": ", why));
  };
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(std::strerror(errno));
  // One more than is allowed: a device or a pipe does not say how much there is.
  std::string text(kMaxConfigFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return unreadable(std::strerror(errno));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxConfigFileBytes) {
    return unreadable(absl::StrCat("expected at most ", kMaxConfigFileBytes, " bytes"));
  }
  return text;
}

absl::StatusOr<std::string> TextOf(const YAML::Node& value, const std::string& key,
                                   const std::string& origin) {
  const Setting* setting = FindSetting(key);
  const std::string name = absl::Utf8SafeCEscape(key);  // a key may be anything
  const bool takes_list = setting != nullptr && setting->type == SettingType::kNames;
  if (value.IsScalar()) return value.Scalar();
  if (value.IsNull()) {
    return Wrong(origin, absl::StrCat(name, ": expected a value, got nothing; \"\" is empty text"));
  }
  if (value.IsMap()) {
    return Wrong(origin, absl::StrCat(name, ": expected one value, got nested ones"));
  }
  if (!takes_list) return Wrong(origin, absl::StrCat(name, ": expected one value, got a list"));
  std::vector<std::string> entries;
  for (const YAML::Node& entry : value) {
    if (!entry.IsScalar()) {
      return Wrong(origin, absl::StrCat(name, ": expected a list of names, got one nested in it"));
    }
    entries.push_back(entry.Scalar());
  }
  return absl::StrJoin(entries, ",");
}

absl::StatusOr<std::vector<GivenValue>> ReadMapping(const YAML::Node& root,
                                                    const std::string& path) {
  std::vector<GivenValue> values;
  if (root.IsNull()) return values;
  if (!root.IsMap()) {
    return Wrong(At(path, root.Mark()), "config: expected lines of NAME: VALUE");
  }
  std::map<std::string, std::string> lines;  // by name
  for (const auto& entry : root) {
    const std::string origin = At(path, entry.first.Mark());
    if (!entry.first.IsScalar()) {
      return Wrong(origin, "config: expected the name of a setting, got nested values");
    }
    const std::string& name = entry.first.Scalar();
    const auto [line, is_new] = lines.emplace(name, origin);
    if (!is_new) {
      return Wrong(origin, absl::StrCat(absl::Utf8SafeCEscape(name),
                                        ": expected once, was given before in ", line->second));
    }
    MLP_ASSIGN_OR_RETURN(std::string text, TextOf(entry.second, name, origin));
    values.push_back({.name = name, .text = std::move(text), .origin = origin});
  }
  return values;
}

}  // namespace

absl::StatusOr<std::vector<GivenValue>> ReadConfigFile(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("config: expected a file, got nothing");
  MLP_ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(absl::StrCat(text, kEndOfDocument));
    if (documents.empty()) return std::vector<GivenValue>();
    if (documents.size() > 1) {
      return Wrong(At(path, documents[1].Mark()), "config: expected one YAML document, got more");
    }
    return ReadMapping(documents.front(), path);
  } catch (const YAML::Exception& error) {
    if (error.msg == YAML::ErrorMsg::DOC_IN_SCALAR) {
      return Wrong(path, "config: expected YAML: a quotation mark is not closed");
    }
    return Wrong(At(path, error.mark),
                 absl::StrCat("config: expected YAML: ", absl::Utf8SafeCEscape(error.msg)));
  }
}

}  // namespace mlp
