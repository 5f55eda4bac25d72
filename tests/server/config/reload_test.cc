#include "server/config/reload.h"

#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config/setting_table.h"
#include "tests/server/config/config_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;

// A server that is told its options, and may refuse them.
class Reload : public ::testing::Test {
 protected:
  void Start(const std::string& text) {
    file_.Write(text);
    const absl::StatusOr<Configuration> configuration = LoadConfiguration(sources_);
    ASSERT_TRUE(configuration.ok()) << configuration.status();
    running_ = *configuration;
  }
  std::vector<std::string> After(const std::string& text) {
    file_.Write(text);
    return Again();
  }
  std::vector<std::string> Again() {
    return ReloadConfiguration(
        sources_,
        [this](const ServerOptions& options) {
          if (answer_.ok()) applied_.push_back(options);
          return answer_;
        },
        running_);
  }

  TemporaryConfigFile file_;
  ConfigurationSources sources_{.flags = {{"data-dir", "d", "--data-dir"}},
                                .environment = {{"quota-jobs", "8", "MLPD_QUOTA_JOBS"}},
                                .file = file_.path()};
  Configuration running_;
  absl::Status answer_;
  std::vector<ServerOptions> applied_;
};

TEST_F(Reload, AppliesWhatChangedInOneStep) {
  Start("max-queued-jobs: 1000\nmax-dataset-bytes: 1GiB\n");
  EXPECT_THAT(After("max-queued-jobs: 10\nmax-dataset-bytes: 1GiB\ndrain-seconds: 0\n"),
              ElementsAre("max-queued-jobs: 1000 -> 10", "drain-seconds: 10 -> 0"));
  ASSERT_EQ(applied_.size(), 1);
  EXPECT_EQ(applied_[0].max_queued_jobs, 10);
  EXPECT_EQ(applied_[0].max_dataset_bytes, 1 << 30);
  EXPECT_EQ(applied_[0].data_dir, "d");
  EXPECT_EQ(running_.options.drain_seconds, 0);
  // What the file does not say any more is the default again.
  EXPECT_THAT(After(""), ElementsAre("max-queued-jobs: 10 -> 1000",
                                     "max-dataset-bytes: 1073741824 -> 17179869184",
                                     "drain-seconds: 0 -> 10"));
}

TEST_F(Reload, NothingChanged) {
  Start("max-queued-jobs: 10\n");
  EXPECT_THAT(Again(), ElementsAre("configuration read again: nothing changed"));
  EXPECT_THAT(After("# the same\nmax-queued-jobs: 10\nquota-jobs: 9\ndata-dir: e\n"),
              ElementsAre("configuration read again: nothing changed"));  // flags, environment
  EXPECT_TRUE(applied_.empty());
}

TEST_F(Reload, WhatNeedsARestartKeepsItsValueAndIsNamedEachTime) {
  Start("grpc-address: a:1\n");
  const std::string text = "grpc-address: b:2\npreload: m\nmax-queued-jobs: 10\n";
  EXPECT_THAT(After(text),
              ElementsAre("grpc-address: a:1 -> b:2 needs a restart", "max-queued-jobs: 1000 -> 10",
                          "preload: \"\" -> m needs a restart"));
  ASSERT_EQ(applied_.size(), 1);
  EXPECT_EQ(applied_[0].grpc_address, "a:1");
  EXPECT_EQ(applied_[0].preload, "");
  EXPECT_EQ(applied_[0].max_queued_jobs, 10);
  EXPECT_THAT(Again(), ElementsAre("grpc-address: a:1 -> b:2 needs a restart",
                                   "preload: \"\" -> m needs a restart"));
}

TEST_F(Reload, AWrongFileChangesNothing) {
  Start("max-queued-jobs: 10\n");
  EXPECT_THAT(After("max-queued-jobs: 20\nquota-datasets: -1\n"),
              ElementsAre(absl::StrCat("the configuration stays as it is: quota-datasets: expected "
                                       "0 or more, got -1 (from ",
                                       file_.path(), ":2)")));
  EXPECT_THAT(After("max-queued-jobs: 20\ncolour: red\n"),
              ElementsAre(absl::StrCat("the configuration stays as it is: colour: there is no such "
                                       "setting (from ",
                                       file_.path(), ":2)")));
  std::filesystem::remove(file_.path());
  EXPECT_THAT(Again(),
              ElementsAre(absl::StrCat("the configuration stays as it is: config: cannot read ",
                                       file_.path(), ": No such file or directory")));
  EXPECT_TRUE(applied_.empty());
  EXPECT_EQ(running_.options.max_queued_jobs, 10);
  EXPECT_THAT(After("max-queued-jobs: 20\n"), ElementsAre("max-queued-jobs: 10 -> 20"));
}

TEST_F(Reload, AFileThatCouldNotStartTheServerChangesNothing) {
  sources_.flags.clear();
  Start("data-dir: d\nmax-queued-jobs: 10\n");
  EXPECT_THAT(After("max-queued-jobs: 20\n"),
              ElementsAre("the configuration stays as it is: data-dir: expected a folder, got "
                          "nothing"));
  EXPECT_EQ(running_.options.max_queued_jobs, 10);
}

TEST_F(Reload, WhatTheServerRefusesChangesNothing) {
  Start("");
  answer_ = absl::InvalidArgumentError("no");
  EXPECT_THAT(After("drain-seconds: 1\n"), ElementsAre("the configuration stays as it is: no"));
  EXPECT_EQ(running_.options.drain_seconds, 10);
}

TEST_F(Reload, WithoutAFileThereIsNothingToRead) {
  sources_.file.clear();
  EXPECT_THAT(Again(), ElementsAre("there is no configuration file to read again (--config)"));
}

}  // namespace
}  // namespace mlp
