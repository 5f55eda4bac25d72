#include "server/conversion/study_conversion.h"

#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "tests/server/conversion/config_text.h"

namespace mlp {
namespace {

using testing::HasSubstr;

std::string Text(const v1::Study& study) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  EXPECT_TRUE(printer.PrintToString(study, &text));
  return text;
}

// `study` { ... } from text, with its defaults filled in, as text again.
std::string Completed(const std::string& text) {
  const auto study = StudyFromApi(Parse(text));
  EXPECT_TRUE(study.ok() && study->has_value()) << study.status();
  const std::string once = Text(StudyToApi(**study));
  const auto again = StudyFromApi(Parse("study { " + once + " }"));
  EXPECT_EQ(Text(StudyToApi(**again)), once);  // what is complete stays as it is
  return once;
}

TEST(StudyConversion, NoStudyIsNone) {
  const auto study = StudyFromApi(Parse("lambda: 1"));
  ASSERT_TRUE(study.ok());
  EXPECT_FALSE(study->has_value());
}

TEST(StudyConversion, RefusesAStudyOfNoKind) {
  const absl::Status status = StudyFromApi(Parse("study {}")).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("study: expected one of k_fold"));
}

TEST(StudyConversion, RefusesToSearchForTheUnitsOfAnInitialModel) {
  const std::string search = "study { search { parameters { name: 'network.hidden_units' } } }";
  EXPECT_TRUE(StudyFromApi(Parse(search)).ok());
  const absl::Status status = StudyFromApi(Parse(search + " initial_model: 'm@1'")).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("as initial_model brings the layers"));
}

TEST(StudyConversion, FillsInDefaults) {
  EXPECT_EQ(Completed("study { k_fold {} }"), "k_fold { folds: 5 } ");
  EXPECT_EQ(Completed("study { lambda_curve {} }"),
            "lambda_curve { lambdas: 0 lambdas: 0.01 lambdas: 0.03 lambdas: 0.1 lambdas: 0.3 "
            "lambdas: 1 lambdas: 3 lambdas: 10 } ");
  EXPECT_EQ(Completed("study { learning_curve {} }"),
            "learning_curve { fractions: 0.1 fractions: 0.2 fractions: 0.3 fractions: 0.4 "
            "fractions: 0.5 fractions: 0.6 fractions: 0.7 fractions: 0.8 fractions: 0.9 "
            "fractions: 1 } ");
  EXPECT_EQ(Completed("study { search { random: true parameters { name: 'lambda' min: 1 max: 2 } } "
                      "}"),
            "search { parameters { name: \"lambda\" min: 1 max: 2 } max_runs: 20 random: true } ");
  // Of a grid, all combinations.
  EXPECT_THAT(Completed("study { search { parameters { name: 'lambda' values: 1 values: 2 } "
                        "parameters { name: 'l1' values: 1 values: 2 values: 3 } } }"),
              HasSubstr("max_runs: 6"));
}

TEST(StudyConversion, KeepsWhatIsGiven) {
  EXPECT_EQ(Completed("study { k_fold { folds: 7 } }"), "k_fold { folds: 7 } ");
  EXPECT_EQ(Completed("study { lambda_curve { lambdas: 4 } }"), "lambda_curve { lambdas: 4 } ");
  EXPECT_EQ(Completed("study { learning_curve { fractions: 0.5 } }"),
            "learning_curve { fractions: 0.5 } ");
  const std::string search =
      "search { parameters { name: \"lambda\" min: 1 max: 2 logarithmic: true } max_runs: 3 "
      "random: true } ";
  EXPECT_EQ(Completed("study { " + search + "}"), search);
}

TEST(StudyConversion, TellsOfARun) {
  const StudyRun run = {.number = 3,
                        .settings = {{"lambda", 0.3}, {"optimizer.batch_size", 64}},
                        .reason = StopReason::kMaxIterations,
                        .message = "as far as it went",
                        .iterations = 40,
                        .seconds = 1.5,
                        .training_examples = 60,
                        .validation_examples = 30,
                        .training = StudyScore{.cost = 0.2, .accuracy = 0.9},
                        .validation = StudyScore{.cost = 0.4, .accuracy = 0.8}};
  const v1::StudyRun message = StudyRunToApi(run);
  EXPECT_EQ(message.number(), 3);
  ASSERT_EQ(message.settings_size(), 2);
  EXPECT_EQ(message.settings(1).name(), "optimizer.batch_size");
  EXPECT_EQ(message.settings(1).value(), 64);
  EXPECT_EQ(message.stop_reason(), v1::STOP_REASON_MAX_ITERATIONS);
  EXPECT_EQ(message.message(), "as far as it went");
  EXPECT_EQ(message.iterations(), 40);
  EXPECT_EQ(message.seconds(), 1.5);
  EXPECT_EQ(message.training_examples(), 60);
  EXPECT_EQ(message.validation_examples(), 30);
  EXPECT_EQ(message.training_cost(), 0.2);
  EXPECT_EQ(message.validation_cost(), 0.4);
  EXPECT_EQ(message.training_accuracy(), 0.9);
  EXPECT_EQ(message.validation_accuracy(), 0.8);
}

TEST(StudyConversion, ARunThatDivergedHasNoCosts) {
  const v1::StudyRun message = StudyRunToApi({.number = 1,
                                              .settings = {},
                                              .reason = StopReason::kDiverged,
                                              .message = "",
                                              .training = std::nullopt,
                                              .validation = std::nullopt});
  EXPECT_EQ(message.stop_reason(), v1::STOP_REASON_DIVERGED);
  EXPECT_FALSE(message.has_training_cost() || message.has_validation_cost());
  EXPECT_FALSE(message.has_training_accuracy() || message.has_validation_accuracy());
}

}  // namespace
}  // namespace mlp
