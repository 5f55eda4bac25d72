// A configuration file in a temporary folder, and matchers for statuses.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <absl/status/status.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace mlp {

// INVALID_ARGUMENT with exactly this message.
MATCHER_P(IsRefusal, message, "") {
  *result_listener << arg;
  return absl::IsInvalidArgument(arg) && std::string(arg.message()) == message;
}

class TemporaryConfigFile {
 public:
  TemporaryConfigFile() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/mlpd.yaml";
  }
  ~TemporaryConfigFile() { std::filesystem::remove_all(folder_); }
  TemporaryConfigFile(const TemporaryConfigFile&) = delete;
  TemporaryConfigFile& operator=(const TemporaryConfigFile&) = delete;

  void Write(const std::string& text) const {
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    file << text;
  }
  const std::string& path() const { return path_; }
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_ = ::testing::TempDir() + "mlpd-config-XXXXXX";
  std::string path_;
};

}  // namespace mlp
