#include "server/config/setting_table.h"

#include <limits>
#include <set>
#include <string>
#include <variant>

#include <absl/strings/ascii.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config/unknown_setting.h"
#include "tests/server/config/config_fixture.h"

namespace mlp {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Name(const Setting& setting) { return std::string(setting.name); }

TEST(SettingTable, EveryRowIsWhole) {
  std::set<std::string> names;
  for (const Setting& setting : AllSettings()) {
    EXPECT_TRUE(names.insert(Name(setting)).second) << setting.name;
    EXPECT_EQ(FindSetting(setting.name), &setting);
    EXPECT_FALSE(setting.help.empty()) << setting.name;
    EXPECT_FALSE(AllowedValues(setting).empty()) << setting.name;
    const bool text = std::holds_alternative<std::string ProgramOptions::*>(setting.field);
    const bool yes_no = std::holds_alternative<bool ProgramOptions::*>(setting.field);
    EXPECT_EQ(text, setting.type == SettingType::kText || setting.type == SettingType::kNames)
        << setting.name;
    EXPECT_EQ(yes_no, setting.type == SettingType::kYesNo) << setting.name;
    if (std::holds_alternative<int ProgramOptions::*>(setting.field)) {
      EXPECT_LE(setting.most, std::numeric_limits<int>::max()) << setting.name;
      EXPECT_GE(setting.least, 0) << setting.name;
    }
  }
  EXPECT_EQ(FindSetting("config"), nullptr);
  EXPECT_EQ(FindSetting(""), nullptr);
}

// A row for one field twice would leave another field without one.
TEST(SettingTable, EveryRowHasAFieldOfItsOwn) {
  for (const Setting& changed : AllSettings()) {
    ProgramOptions options;
    const ProgramOptions defaults;
    const bool yes_no = changed.type == SettingType::kYesNo;
    const bool text = std::holds_alternative<std::string ProgramOptions::*>(changed.field);
    const bool message = changed.name == "max-message-bytes";
    const char* value = yes_no ? "yes" : message ? "4000000" : text ? "a:7" : "17";
    if (changed.name == "preload") value = "a7";
    ASSERT_TRUE(SetFromText(changed, value, options).ok()) << changed.name;
    for (const Setting& setting : AllSettings()) {
      EXPECT_EQ(ValueText(setting, options) != ValueText(setting, defaults), &setting == &changed)
          << changed.name << " -> " << setting.name;
    }
  }
}

TEST(SettingTable, DefaultsAreAllowedButForWhatIsRequired) {
  ProgramOptions options;
  EXPECT_THAT(CheckOptions(options), IsRefusal("data-dir: expected a folder, got nothing"));
  options.data_dir = "x";
  EXPECT_TRUE(CheckOptions(options).ok());
  options.max_queued_jobs = 0;
  EXPECT_THAT(CheckOptions(options), IsRefusal("max-queued-jobs: expected 1 to 1000000, got 0"));
  EXPECT_THAT(CheckOptions(static_cast<const ServerOptions&>(options)),
              IsRefusal("max-queued-jobs: expected 1 to 1000000, got 0"));
}

TEST(SettingTable, WhatCanBeReadAgainIsWhatTheServerTakes) {
  std::set<std::string> names;
  for (const Setting& setting : AllSettings()) {
    if (setting.reloadable) names.insert(Name(setting));
  }
  EXPECT_THAT(names,
              ::testing::ElementsAre("checkpoint-seconds", "drain-seconds", "max-dataset-bytes",
                                     "max-job-memory-bytes", "max-queued-jobs", "max-running-jobs",
                                     "model-memory-bytes", "quota-bytes", "quota-datasets",
                                     "quota-jobs", "quota-versions"));
}

TEST(SettingTable, NamesOfTheEnvironment) {
  EXPECT_EQ(EnvironmentName("grpc-address"), "MLPD_GRPC_ADDRESS");
}

TEST(UnknownSetting, NamesTheOneThatMayBeMeant) {
  const auto message = [](const char* name) {
    return std::string(UnknownSetting(name, "mlpd.yaml:3").message());
  };
  EXPECT_EQ(message("grpc-adress"),
            "grpc-adress: there is no such setting (from mlpd.yaml:3); did you mean grpc-address?");
  EXPECT_THAT(message("max_queued_jobs"), EndsWith("did you mean max-queued-jobs?"));
  EXPECT_THAT(message("checkpoint-second"), EndsWith("did you mean checkpoint-seconds?"));
  EXPECT_THAT(message("GRPC-ADDRESS"), Not(HasSubstr("did you mean")));
  EXPECT_THAT(message("colour"), Not(HasSubstr("did you mean")));
  EXPECT_THAT(message(""), Not(HasSubstr("did you mean")));
  EXPECT_EQ(message("a\nb"), "a\\nb: there is no such setting (from mlpd.yaml:3)");
  EXPECT_THAT(std::string(UnknownSetting("pint-config", "x", {"print-config"}).message()),
              EndsWith("did you mean print-config?"));
}

}  // namespace
}  // namespace mlp
