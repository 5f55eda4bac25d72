#include "server/config/configuration.h"

#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config/environment.h"
#include "server/config/setting_table.h"
#include "tests/server/config/config_fixture.h"

namespace mlp {
namespace {

using ::testing::EndsWith;
using ::testing::IsEmpty;

class LoadedConfiguration : public ::testing::Test {
 protected:
  TemporaryConfigFile file_;
};

GivenValue Flag(const std::string& name, const std::string& text) {
  return {.name = name, .text = text, .origin = "--" + name};
}

TEST_F(LoadedConfiguration, FlagGoesBeforeEnvironmentBeforeFileBeforeDefault) {
  struct Case {
    const char* name;
    const char* flag;
    const char* environment;
    const char* file;
    const char* fallback;
  };
  const std::vector<Case> cases = {
      {"grpc-address", "a:1", "b:2", "c:3", "127.0.0.1:8001"},       // text
      {"metrics-address", "", "b:2", "c:3", "127.0.0.1:8002"},       // text that is nothing
      {"max-queued-jobs", "1", "2", "3", "1000"},                    // int
      {"quota-jobs", "1", "2", "3", "0"},                            // int64_t
      {"max-dataset-bytes", "1024", "2048", "3072", "17179869184"},  // bytes
      {"reflection", "no", "yes", "no", "no"},                       // yes/no
      {"preload", "a", "b,b@2", "c", ""},                            // names
      {"drain-seconds", "1", "2", "3", "10"},                        // of main.cc
  };
  for (const Case& c : cases) {
    const std::string name = c.name;
    for (int given = 0; given < 8; ++given) {
      const bool flag = (given & 1) != 0;
      const bool environment = (given & 2) != 0;
      const bool file = (given & 4) != 0;
      ConfigurationSources sources;
      if (flag) sources.flags.push_back(Flag(name, c.flag));
      const std::string variable = absl::StrCat(EnvironmentName(name), "=", c.environment);
      const char* const variables[] = {"PATH=/bin", environment ? variable.c_str() : nullptr,
                                       nullptr};
      sources.environment = ReadEnvironment(variables);
      if (file) {
        file_.Write(absl::StrCat("# first\n", name, ": \"", c.file, "\"\n"));
        sources.file = file_.path();
      }
      const absl::StatusOr<Configuration> configuration = LoadConfiguration(sources);
      ASSERT_TRUE(configuration.ok()) << configuration.status();
      EXPECT_EQ(ValueText(*FindSetting(name), configuration->options), flag          ? c.flag
                                                                       : environment ? c.environment
                                                                       : file        ? c.file
                                                                                     : c.fallback)
          << name << " " << given;
      EXPECT_EQ(configuration->Origin(name), flag          ? "--" + name
                                             : environment ? EnvironmentName(name)
                                             : file        ? file_.path() + ":2"
                                                           : "default");
    }
  }
}

TEST_F(LoadedConfiguration, RefusesAWrongValueOfAnySourceThoughAnotherGoesBeforeIt) {
  file_.Write("max-queued-jobs: 0\n");
  const GivenValue good = Flag("max-queued-jobs", "5");
  EXPECT_THAT(LoadConfiguration({.flags = {good}, .file = file_.path()}).status(),
              IsRefusal(absl::StrCat("max-queued-jobs: expected 1 to 1000000, got 0 (from ",
                                     file_.path(), ":1)")));
  const char* const variables[] = {"MLPD_MAX_QUEUED_JOBS=few", nullptr};
  EXPECT_THAT(
      LoadConfiguration({.flags = {good}, .environment = ReadEnvironment(variables)}).status(),
      IsRefusal("max-queued-jobs: expected an integer, 1 to 1000000, got \"few\" (from "
                "MLPD_MAX_QUEUED_JOBS)"));
  EXPECT_THAT(LoadConfiguration({.flags = {Flag("grpc-address", "x")}}).status(),
              IsRefusal("grpc-address: expected HOST:PORT with a port from 0 to 65535, got \"x\" "
                        "(from --grpc-address)"));
}

TEST_F(LoadedConfiguration, RefusesWhatDoesNotExist) {
  file_.Write("reflection: yes\nmax-queud-jobs: 1\n");
  EXPECT_THAT(LoadConfiguration({.file = file_.path()}).status(),
              IsRefusal(absl::StrCat("max-queud-jobs: there is no such setting (from ",
                                     file_.path(), ":2); did you mean max-queued-jobs?")));
  file_.Write("\"max\\nqueued\": 1\n");
  EXPECT_THAT(LoadConfiguration({.file = file_.path()}).status(),
              IsRefusal(absl::StrCat("max\\nqueued: there is no such setting (from ", file_.path(),
                                     ":1)")));
  file_.Write("config: other.yaml\n");
  EXPECT_FALSE(LoadConfiguration({.file = file_.path()}).ok());
  const char* const variables[] = {"MLPD_GRPC_ADRESS=a:1", nullptr};
  EXPECT_THAT(LoadConfiguration({.environment = ReadEnvironment(variables)}).status(),
              IsRefusal("grpc-adress: there is no such setting (from MLPD_GRPC_ADRESS); did you "
                        "mean grpc-address?"));
}

TEST_F(LoadedConfiguration, WhatIsRequiredMayBeMissing) {
  const absl::StatusOr<Configuration> configuration = LoadConfiguration({});
  ASSERT_TRUE(configuration.ok());
  EXPECT_EQ(configuration->options.data_dir, "");
  EXPECT_THAT(LoadConfiguration({.flags = {Flag("data-dir", "")}}).status(),
              IsRefusal("data-dir: expected a folder, got nothing (from --data-dir)"));
}

TEST(Environment, TakesItsOwnVariablesAlone) {
  const char* const variables[] = {"MLPD_RESTORE=a=b",
                                   "MLPD=/bin/mlpd",
                                   "MLPD_CONFIG=x.yaml",
                                   "XMLPD_PRELOAD=a",
                                   "MLPD_PRELOAD=",
                                   "MLPD_",
                                   nullptr};
  const std::vector<GivenValue> values = ReadEnvironment(variables);
  ASSERT_EQ(values.size(), 3);
  EXPECT_EQ(values[0].name, "");
  EXPECT_EQ(values[1].name, "preload");
  EXPECT_EQ(values[1].text, "");
  EXPECT_EQ(values[2].name, "restore");
  EXPECT_EQ(values[2].text, "a=b");
  EXPECT_EQ(values[2].origin, "MLPD_RESTORE");
  const char* const none[] = {nullptr};
  EXPECT_THAT(ReadEnvironment(none), IsEmpty());
}

}  // namespace
}  // namespace mlp
