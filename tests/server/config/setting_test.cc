#include "server/config/setting.h"

#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config/setting_table.h"
#include "tests/server/config/config_fixture.h"

namespace mlp {
namespace {

TEST(Setting, TakesTheTextsOfItsType) {
  struct Case {
    const char* name;
    const char* text;
    const char* value;  // as ValueText has it
  };
  const std::vector<Case> cases = {
      {"data-dir", "/var/lib/mlpd", "/var/lib/mlpd"},
      {"data-dir", " a: b # c", " a: b # c"},
      {"restore", "", ""},
      {"grpc-address", "0.0.0.0:8001", "0.0.0.0:8001"},
      {"grpc-address", "[::1]:0", "[::1]:0"},
      {"metrics-address", "", ""},
      {"max-running-jobs", "1", "1"},
      {"max-running-jobs", "64", "64"},
      {"max-running-jobs", "007", "7"},
      {"drain-seconds", "0", "0"},
      {"quota-jobs", "9223372036854775807", "9223372036854775807"},
      {"max-message-bytes", "2147483647", "2147483647"},
      {"max-dataset-bytes", "1", "1"},
      {"max-dataset-bytes", "3KiB", "3072"},
      {"max-dataset-bytes", "512MiB", "536870912"},
      {"max-dataset-bytes", "16GiB", "17179869184"},
      {"max-dataset-bytes", "2TiB", "2199023255552"},
      {"max-dataset-bytes", "8388607TiB", "9223370937343148032"},
      {"reflection", "yes", "yes"},
      {"reflection", "True", "yes"},
      {"reflection", "on", "yes"},
      {"reflection", "1", "yes"},
      {"reflection", "no", "no"},
      {"reflection", "FALSE", "no"},
      {"reflection", "off", "no"},
      {"reflection", "0", "no"},
      {"preload", "", ""},
      {"preload", "all", "all"},
      {"preload", "a,b@2,c@stable", "a,b@2,c@stable"},
      {"preload", "all@2", "all@2"},
  };
  for (const Case& c : cases) {
    ProgramOptions options;
    const absl::Status status = SetFromText(*FindSetting(c.name), c.text, options);
    EXPECT_TRUE(status.ok()) << c.name << " " << c.text << ": " << status;
    EXPECT_EQ(ValueText(*FindSetting(c.name), options), c.value) << c.name << " " << c.text;
    EXPECT_TRUE(CheckValue(*FindSetting(c.name), options).ok()) << c.name << " " << c.text;
  }
}

TEST(Setting, RefusesWhatIsNoValueAndLeavesTheOptions) {
  struct Case {
    const char* name;
    const char* text;
    const char* message;
  };
  const char* const jobs = "max-running-jobs: expected an integer, 1 to 64, got ";
  const char* const bytes =
      "max-dataset-bytes: expected a number of bytes, such as 512MiB, 1 or more, got ";
  const std::string too_long(300, 'x');
  const std::vector<std::pair<Case, std::string>> cases = {
      {{"data-dir", "", "data-dir: expected a folder, got nothing"}, ""},
      {{"grpc-address", "", "grpc-address: expected HOST:PORT with a port from 0 to 65535, got "},
       "\"\""},
      {{"metrics-address", "localhost",
        "metrics-address: expected HOST:PORT with a port from 0 to 65535, got "},
       "\"localhost\""},
      {{"max-running-jobs", "0", "max-running-jobs: expected 1 to 64, got 0"}, ""},
      {{"max-running-jobs", "65", "max-running-jobs: expected 1 to 64, got 65"}, ""},
      {{"max-running-jobs", "-1", "max-running-jobs: expected 1 to 64, got -1"}, ""},
      {{"max-running-jobs", "4294967297", "max-running-jobs: expected 1 to 64, got 4294967297"},
       ""},
      {{"max-running-jobs", "", jobs}, "\"\""},
      {{"max-running-jobs", "many", jobs}, "\"many\""},
      {{"max-running-jobs", "2.0", jobs}, "\"2.0\""},
      {{"max-running-jobs", " 2", jobs}, "\" 2\""},
      {{"max-running-jobs", "+2", jobs}, "\"+2\""},
      {{"max-running-jobs", "--2", jobs}, "\"--2\""},
      {{"max-running-jobs", "0x2", jobs}, "\"0x2\""},
      {{"max-running-jobs", "2\n3", jobs}, "\"2\\n3\""},
      {{"max-running-jobs", "2KiB", jobs}, "\"2KiB\""},
      {{"max-running-jobs", "9223372036854775808", jobs}, "\"9223372036854775808\""},
      {{"max-running-jobs", too_long.c_str(), jobs},
       absl::StrCat("\"", too_long.substr(0, 200), "...\"")},
      {{"max-dataset-bytes", "0", "max-dataset-bytes: expected 1 or more, got 0"}, ""},
      {{"max-dataset-bytes", "GiB", bytes}, "\"GiB\""},
      {{"max-dataset-bytes", "1GB", bytes}, "\"1GB\""},
      {{"max-dataset-bytes", "1 GiB", bytes}, "\"1 GiB\""},
      {{"max-dataset-bytes", "1.5GiB", bytes}, "\"1.5GiB\""},
      {{"max-dataset-bytes", "-1GiB", bytes}, "\"-1GiB\""},
      {{"max-dataset-bytes", "8388608TiB", bytes}, "\"8388608TiB\""},
      {{"max-message-bytes", "2GiB",
        "max-message-bytes: expected 2097152 to 2147483647, got 2147483648"},
       ""},
      {{"reflection", "", "reflection: expected yes or no, got "}, "\"\""},
      {{"reflection", "maybe", "reflection: expected yes or no, got "}, "\"maybe\""},
      {{"preload", "a,,b", "preload: expected names separated by commas, got an empty one in a,,b"},
       ""},
      {{"preload", "a,", "preload: expected names separated by commas, got an empty one in a,"},
       ""},
      {{"preload", "a,all", "preload: expected all alone, got it in a list"}, ""},
  };
  const ProgramOptions defaults;
  for (const auto& [c, got] : cases) {
    ProgramOptions options;
    EXPECT_THAT(SetFromText(*FindSetting(c.name), c.text, options),
                IsRefusal(absl::StrCat(c.message, got)));
    EXPECT_EQ(ValueText(*FindSetting(c.name), options), ValueText(*FindSetting(c.name), defaults));
  }
}

TEST(Setting, PreloadTakesModelReferencesOnly) {
  for (const char* list : {"A", "a,b@0", "a b", "a,../x"}) {
    ProgramOptions options;
    const absl::Status status = SetFromText(*FindSetting("preload"), list, options);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << list;
    EXPECT_THAT(std::string(status.message()), ::testing::StartsWith("preload: ")) << list;
  }
}

TEST(Setting, SaysWhatIsAllowed) {
  EXPECT_EQ(AllowedValues(*FindSetting("max-running-jobs")), "1 to 64");
  EXPECT_EQ(AllowedValues(*FindSetting("quota-bytes")), "0 or more");
  EXPECT_EQ(AllowedValues(*FindSetting("reflection")), "yes or no");
  EXPECT_EQ(AllowedValues(*FindSetting("grpc-address")), "HOST:PORT");
}

}  // namespace
}  // namespace mlp
