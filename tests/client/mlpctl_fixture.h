// Runs mlpctl in this process against the fake server.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include <absl/strings/str_split.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "client/commands/mlpctl_app.h"
#include "tests/client/fake_mlpd.h"

namespace mlp {

struct Outcome {
  int exit_status = 0;
  std::string out;
  std::string err;

  std::vector<nlohmann::json> json_lines() const {
    std::vector<nlohmann::json> lines;
    for (const absl::string_view line : absl::StrSplit(out, '\n', absl::SkipEmpty())) {
      lines.push_back(nlohmann::json::parse(std::string(line)));
    }
    return lines;
  }
};

class MlpctlFixture : public testing::Test {
 protected:
  Outcome Run(std::vector<std::string> arguments, TerminalStyle style = {}) {
    arguments.insert(arguments.begin(), {"--server", server_.address()});
    std::ostringstream out;
    std::ostringstream err;
    const int exit_status = RunMlpctl(arguments, out, err, style);
    return {exit_status, out.str(), err.str()};
  }

  FakeMlpd server_;
};

}  // namespace mlp
