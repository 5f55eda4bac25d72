// A setting as somebody gave it, before it is known to exist. From the configuration file, the
// environment or a flag -> LoadConfiguration.
#pragma once

#include <string>

namespace mlp {

struct GivenValue {
  std::string name;  // of the setting, spelt right or not
  std::string text;
  std::string origin;  // for people: "--preload", "MLPD_PRELOAD", "mlpd.yaml:3"
};

}  // namespace mlp
