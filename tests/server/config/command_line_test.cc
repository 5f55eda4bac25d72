#include "server/config/command_line.h"

#include <string>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config/setting_table.h"
#include "tests/server/config/config_fixture.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;
using Action = CommandLine::Action;

absl::StatusOr<CommandLine> Parse(const std::vector<std::string>& arguments,
                                  const char* config_variable = nullptr) {
  return ParseCommandLine(arguments, "mlpd 1.2.3", config_variable);
}

TEST(CommandLine, HasAFlagForEachSetting) {
  for (const Setting& setting : AllSettings()) {
    const std::string flag = absl::StrCat("--", setting.name);
    const bool yes_no = setting.type == SettingType::kYesNo;
    for (const std::string value : {"x", "", "-5"}) {
      if (yes_no && value.empty()) continue;
      const auto line = yes_no ? Parse({absl::StrCat(flag, "=", value)}) : Parse({flag, value});
      ASSERT_TRUE(line.ok()) << flag << ": " << line.status();
      ASSERT_EQ(line->flags.size(), 1) << flag;
      EXPECT_EQ(line->flags[0].name, setting.name);
      EXPECT_EQ(line->flags[0].text, value) << flag;
      EXPECT_EQ(line->flags[0].origin, flag);
    }
  }
  const auto line = Parse({"--data-dir", "d", "--metrics-address", "", "--reflection"});
  ASSERT_TRUE(line.ok()) << line.status();
  ASSERT_EQ(line->flags.size(), 3);
  EXPECT_EQ(line->flags[1].text, "");
  EXPECT_EQ(line->flags[2].text, "true");
}

TEST(CommandLine, SaysWhatToDo) {
  EXPECT_EQ(Parse({})->action, Action::kServe);
  EXPECT_EQ(Parse({"--print-config"})->action, Action::kPrintConfig);
  EXPECT_EQ(Parse({"--check-config"})->action, Action::kCheckConfig);
  EXPECT_EQ(Parse({"--version"})->action, Action::kShowText);
  EXPECT_EQ(Parse({"--version"})->text, "mlpd 1.2.3\n");
  EXPECT_EQ(Parse({"--help"})->action, Action::kShowText);
  for (const Setting& setting : AllSettings()) {
    EXPECT_THAT(Parse({"--help"})->text, HasSubstr(std::string(setting.help)));
  }
}

TEST(CommandLine, NamesTheFileBeforeTheEnvironmentDoes) {
  EXPECT_EQ(Parse({})->config_file, "");
  EXPECT_EQ(Parse({"--config", "a.yaml"})->config_file, "a.yaml");
  EXPECT_EQ(Parse({}, "b.yaml")->config_file, "b.yaml");
  EXPECT_EQ(Parse({"--config", "a.yaml"}, "b.yaml")->config_file, "a.yaml");
  EXPECT_EQ(Parse({"--config", "a.yaml"}, "")->config_file, "a.yaml");
  EXPECT_THAT(Parse({}, "").status(),
              IsRefusal("config: expected a file, got nothing (from MLPD_CONFIG)"));
  EXPECT_THAT(Parse({"--config", ""}).status(),
              IsRefusal("config: expected a file, got nothing (from --config)"));
}

TEST(CommandLine, RefusesWhatIsNone) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--grpc-adress", "a:1"},
       "grpc-adress: there is no such setting (from the command line); did you mean "
       "grpc-address?"},
      {{"--print-conf"},
       "print-conf: there is no such setting (from the command line); did you mean "
       "print-config?"},
      {{"--grpc-adress=a:1"},
       "grpc-adress: there is no such setting (from the command line); did you mean "
       "grpc-address?"},
      {{"serve"}, "expected flags, got \"serve\""},
      {{"-x"}, "expected flags, got \"-x\""},
      {{"--data-dir", "a", "--data-dir", "b"},
       "data-dir: expected once, got it 2 times (from --data-dir)"},
      {{"--data-dir"}, "--data-dir: 1 required TEXT missing"},
      {{"--print-config", "--check-config"}, "--print-config excludes --check-config"},
  };
  for (const auto& [arguments, message] : cases) {
    EXPECT_THAT(Parse(arguments).status(), IsRefusal(message));
  }
}

}  // namespace
}  // namespace mlp
