#include "client/commands/study_flags.h"

#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "client/commands/error_line.h"

namespace mlp {
namespace {

using testing::HasSubstr;

// The study that the flags make, as text.
std::string Study(const StudyFlags& flags) {
  v1::TrainingConfig config;
  const absl::Status status = SetStudy(flags, config);
  if (!status.ok()) return std::string(status.message());
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  printer.PrintToString(config.study(), &text);
  return config.has_study() ? text : "none";
}

std::string Error(const StudyFlags& flags) {
  v1::TrainingConfig config;
  const absl::Status status = SetStudy(flags, config);
  EXPECT_TRUE(IsUsageError(status)) << status;
  return std::string(status.message());
}

TEST(StudyFlags, NoneMakeNoStudy) { EXPECT_EQ(Study({}), "none"); }

TEST(StudyFlags, MakeEachKind) {
  EXPECT_EQ(Study({.k_fold = 5, .lambda_curve = "", .learning_curve = "", .search = {}}),
            "k_fold { folds: 5 } ");
  StudyFlags flags;
  flags.lambda_curve = "true";
  EXPECT_EQ(Study(flags), "lambda_curve { } ");
  flags.lambda_curve = "0,0.1,1";
  EXPECT_EQ(Study(flags), "lambda_curve { lambdas: 0 lambdas: 0.1 lambdas: 1 } ");
  flags = {};
  flags.learning_curve = "0.5,1";
  EXPECT_EQ(Study(flags), "learning_curve { fractions: 0.5 fractions: 1 } ");
}

TEST(StudyFlags, ValuesMakeAGridAndRangesARandomSearch) {
  StudyFlags flags;
  flags.search = {"lambda=0,1", "hidden-units=10,20"};
  EXPECT_EQ(Study(flags),
            "search { parameters { name: \"lambda\" values: 0 values: 1 } parameters { name: "
            "\"network.hidden_units\" values: 10 values: 20 } } ");
  flags.random = true;
  flags.runs = 3;
  EXPECT_THAT(Study(flags), HasSubstr("max_runs: 3 random: true"));
  flags = {};
  flags.search = {"learning-rate=1e-4..0.1:log", "optimizer.momentum=0.5..0.9"};
  EXPECT_EQ(Study(flags),
            "search { parameters { name: \"optimizer.learning_rate\" min: 0.0001 max: 0.1 "
            "logarithmic: true } parameters { name: \"optimizer.momentum\" min: 0.5 max: 0.9 } "
            "random: true } ");
}

TEST(StudyFlags, RefuseWhatCannotBeRead) {
  for (const char* text : {"lambda", "=1", "lambda=", "lambda=1,x", "lambda=1..", "lambda=a..2",
                           "lambda=1..2:lin", "lambda=nan"}) {
    StudyFlags flags;
    flags.search = {text};
    EXPECT_THAT(Error(flags), HasSubstr("--search: expected NAME=V1,V2,... or NAME=MIN..MAX"))
        << text;
  }
  StudyFlags flags;
  flags.lambda_curve = "1;2";
  EXPECT_THAT(Error(flags), HasSubstr("--lambda-curve: expected values separated by commas"));
  flags = {};
  flags.learning_curve = "all";
  EXPECT_THAT(Error(flags), HasSubstr("--learning-curve: expected values"));
}

TEST(StudyFlags, RefuseWhatDoesNotGoTogether) {
  StudyFlags flags;
  flags.k_fold = 5;
  flags.search = {"lambda=1"};
  EXPECT_THAT(Error(flags), HasSubstr("expected one kind of study"));
  flags = {};
  flags.runs = 3;
  EXPECT_EQ(Error(flags), "--runs: expected --search as well");
  flags.random = true;
  EXPECT_EQ(Error(flags), "--random: expected --search as well");
}

}  // namespace
}  // namespace mlp
