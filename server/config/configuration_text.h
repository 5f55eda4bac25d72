// The configuration for people: what mlpd --print-config prints, and the table of
// docs/configuration.md.
#pragma once

#include <string>

#include "server/config/configuration.h"

namespace mlp {

// A configuration file that gives `configuration` again: a line for each setting, with a comment of
// where it comes from and what is allowed. A required setting that nobody gave is a comment alone.
std::string ConfigurationYaml(const Configuration& configuration);

// All settings as a Markdown table: name, type, default, what is allowed, whether SIGHUP applies
// it, help.
std::string SettingsMarkdown();

}  // namespace mlp
