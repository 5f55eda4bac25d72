#include "server/config/configuration_text.h"

#include <string>

#include <absl/strings/str_split.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config/setting_table.h"
#include "tests/server/config/config_fixture.h"

namespace mlp {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

Configuration Loaded(const ConfigurationSources& sources) {
  absl::StatusOr<Configuration> configuration = LoadConfiguration(sources);
  EXPECT_TRUE(configuration.ok()) << configuration.status();
  return *std::move(configuration);
}

TEST(ConfigurationText, GivesTheSameConfigurationAgain) {
  const std::vector<std::vector<GivenValue>> all = {
      {{"data-dir", "d", "--data-dir"}},
      {{"data-dir", "/a b/\"c\": # d\\e'f", "--data-dir"},
       {"restore", "~", "--restore"},
       {"addresses-file", "null", "--addresses-file"},
       {"grpc-address", "[::1]:0", "--grpc-address"},
       {"metrics-address", "", "--metrics-address"},
       {"max-dataset-bytes", "16MiB", "--max-dataset-bytes"},
       {"quota-bytes", "9223372036854775807", "--quota-bytes"},
       {"reflection", "yes", "--reflection"},
       {"preload", "a,b@2", "--preload"}},
      {{"data-dir", "two\nlines\tand \xC3\xA9", "--data-dir"},
       {"restore", "- x", "--restore"},
       {"addresses-file", "!x", "--addresses-file"}},
      {{"data-dir", "&x", "--data-dir"}, {"restore", "*x", "--restore"}},
      {{"data-dir", "{x", "--data-dir"}, {"restore", "[", "--restore"}},
      {{"data-dir", "yes", "--data-dir"}, {"restore", "1e3", "--restore"}},
      {{"data-dir", " x ", "--data-dir"}, {"restore", "...", "--restore"}},
      {},  // without the data folder
  };
  for (const std::vector<GivenValue>& flags : all) {
    const Configuration given = Loaded({.flags = flags});
    const std::string yaml = ConfigurationYaml(given);
    TemporaryConfigFile file;
    file.Write(yaml);
    const Configuration again = Loaded({.file = file.path()});
    for (const Setting& setting : AllSettings()) {
      EXPECT_EQ(ValueText(setting, again.options), ValueText(setting, given.options)) << yaml;
    }
    EXPECT_EQ(again.origins.size(), AllSettings().size() - (flags.empty() ? 1 : 0));
  }
}

TEST(ConfigurationText, SaysWhereEachSettingComesFromAndWhatIsAllowed) {
  TemporaryConfigFile file;
  file.Write("\nmax-queued-jobs: 7\n");
  const Configuration configuration =
      Loaded({.flags = {{"data-dir", "d", "--data-dir"}},
              .environment = {{"reflection", "yes", "MLPD_REFLECTION"}},
              .file = file.path()});
  const std::vector<std::string> lines = absl::StrSplit(ConfigurationYaml(configuration), '\n');
  EXPECT_THAT(lines, Contains("data-dir: d  # --data-dir; a folder"));
  EXPECT_THAT(lines, Contains("reflection: yes  # MLPD_REFLECTION; yes or no"));
  EXPECT_THAT(lines, Contains("max-queued-jobs: 7  # " + file.path() + ":2; 1 to 1000000"));
  EXPECT_THAT(lines, Contains("drain-seconds: 10  # default; 0 to 3600"));
  EXPECT_THAT(ConfigurationYaml(Loaded({})), HasSubstr("# data-dir: required: a folder\n"));
}

TEST(ConfigurationText, TheTableHasARowForEachSetting) {
  const std::vector<std::string> lines = absl::StrSplit(SettingsMarkdown(), '\n');
  EXPECT_EQ(lines.size(), AllSettings().size() + 3);
  EXPECT_THAT(lines, Contains("| `max-queued-jobs` | integer | `1000` | 1 to 1000000 | yes | "
                              "Training jobs that may wait; more are refused |"));
  EXPECT_THAT(lines, Contains(HasSubstr("| `data-dir` | text | required | a folder | restart |")));
}

}  // namespace
}  // namespace mlp
