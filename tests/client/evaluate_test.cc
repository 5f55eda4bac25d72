// mlpctl evaluate against the fake server: the report, its JSON, and the figure's file.
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/commands/error_line.h"
#include "tests/client/mlpctl_fixture.h"
#include "tests/client/temp_folder.h"

namespace mlp {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class MlpctlEvaluate : public MlpctlFixture {
 protected:
  Outcome Evaluate(std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), {"evaluate", "digits", "--dataset", "cells", "--part", "test"});
    return Run(flags);
  }

  TempFolder folder_;
};

TEST_F(MlpctlEvaluate, ReportsInText) {
  EXPECT_EQ(Evaluate().out,
            "model          digits@3\n"
            "accuracy       75.00 % of 4 examples (test)\n"
            "cross-entropy  0.5\n"
            "log-loss       0.625\n"
            "ROC AUC        0.9000 (macro)\n"
            "calibration    off by 12.50 % on average (ECE)\n"
            "\n"
            "class  precision  recall      F1      AP     AUC  best F1  from output  support\n"
            "a         1.0000  0.5000  0.6667  0.8750  0.9000   0.8000         0.25        3\n"
            "b         1.0000  0.5000  0.6667  0.8750  0.9000   0.8000         0.25        1\n"
            "macro     0.0000  0.0000  0.7333  0.8750  0.9000                              4\n"
            "micro     0.0000  0.0000  0.7500                                              4\n"
            "\n"
            "confusion: a row is a label, a column what was predicted\n"
            "label  a  b\n"
            "a      2  1\n"
            "b      .  1\n"
            "most often: a taken for b (1)\n"
            "\n"
            "curves\n"
            "a: precision, AP 0.8750                  a: true positive rate, AUC 0.9000\n"
            "1 |                                      1 |                       ***       *\n"
            "  |                                        |                   ****    *  *\n"
            "  |********************                    |               ****     *\n"
            "  |                    *****               |           ****   *  *\n"
            "  |                         ******         |       **** *  *\n"
            "  |                               ***      |     **  *\n"
            "  |                                        |  *** *\n"
            "0 |                                      0 |**\n"
            "  +----------------------------------      +----------------------------------\n"
            "   0             recall             1       0      false positive rate       1\n"
            "b: precision, AP 0.8750                  b: true positive rate, AUC 0.9000\n"
            "1 |                                      1 |                       ***       *\n"
            "  |                                        |                   ****    *  *\n"
            "  |********************                    |               ****     *\n"
            "  |                    *****               |           ****   *  *\n"
            "  |                         ******         |       **** *  *\n"
            "  |                               ***      |     **  *\n"
            "  |                                        |  *** *\n"
            "0 |                                      0 |**\n"
            "  +----------------------------------      +----------------------------------\n"
            "   0             recall             1       0      false positive rate       1\n"
            "\n"
            "reliability: how often answers of a confidence are right\n"
            "confidence   examples    mean  accuracy  accuracy; | is the confidence\n"
            "0.50 - 1.00         4  0.8750    0.7500  ####################  |\n"
            "\n"
            "worst examples: the lowest outputs for their own label\n"
            "row  label  output  predicted  output\n"
            " 17  a       0.062  b          0.9375\n");
}

TEST_F(MlpctlEvaluate, JsonHasCurvesWhereTheyAreAskedFor) {
  const auto plain = Evaluate({"--output", "json"}).json_lines().at(0)["evaluation"];
  EXPECT_EQ(plain["confusion"], (std::vector<int>{2, 1, 0, 1}));
  EXPECT_EQ(plain["log_loss"], 0.625);
  EXPECT_EQ(plain["macro_roc_auc"], 0.9);
  EXPECT_EQ(plain["expected_calibration_error"], 0.125);
  EXPECT_EQ(plain["reliability"][1]["mean_confidence"], 0.875);
  EXPECT_EQ(plain["worst_examples"][0]["row"], 17);
  EXPECT_EQ(plain["classes"][0]["best_f1_threshold"], 0.25);
  EXPECT_TRUE(plain["classes"][0]["curve"].empty());
  const auto curves = Evaluate({"--output", "json", "--curves"}).json_lines().at(0)["evaluation"];
  EXPECT_EQ(curves["classes"][0]["curve"][0]["false_positive_rate"], 0.25);
  const auto plotted = Evaluate({"--output", "json", "--plot", folder_.Path("p.svg")});
  EXPECT_TRUE(plotted.json_lines().at(0)["evaluation"]["classes"][0]["curve"].empty());
}

TEST_F(MlpctlEvaluate, DrawsTheFigure) {
  const std::string png = folder_.Write("figure.PNG", "what was there before");
  const Outcome outcome = Evaluate({"--plot", png});
  EXPECT_EQ(outcome.exit_status, kExitSuccess) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("figure         " + png + "\n"));
  EXPECT_THAT(folder_.Read("figure.PNG"), StartsWith("\x89PNG\r\n\x1a\n"));
  EXPECT_EQ(Evaluate({"--plot", folder_.Path("figure.svg")}).exit_status, kExitSuccess);
  EXPECT_THAT(folder_.Read("figure.svg"), StartsWith("<?xml"));
  EXPECT_EQ(folder_.entries(), 2u);
}

TEST_F(MlpctlEvaluate, RefusesAFigureThatItCannotWriteBeforeItAsksTheServer) {
  const Outcome ending = Evaluate({"--plot", folder_.Path("figure.gif")});
  EXPECT_NE(ending.exit_status, kExitSuccess);
  EXPECT_THAT(ending.err, HasSubstr("--plot: expected a file that ends with .svg or .png, got "));
  const Outcome nowhere = Evaluate({"--plot", folder_.Path("none/figure.svg")});
  EXPECT_NE(nowhere.exit_status, kExitSuccess);
  EXPECT_THAT(nowhere.err, HasSubstr("--plot: cannot write "));
  EXPECT_THAT(nowhere.err, HasSubstr("No such file or directory"));
  std::filesystem::create_directory(folder_.Path("folder.svg"));
  const Outcome folder = Evaluate({"--plot", folder_.Path("folder.svg")});
  EXPECT_NE(folder.exit_status, kExitSuccess);
  EXPECT_THAT(folder.err, HasSubstr("it is a folder"));
  EXPECT_EQ(server_.calls("EvaluateModel"), 0);
}

TEST_F(MlpctlEvaluate, LeavesNoFigureOfAFailedEvaluation) {
  const std::string old = folder_.Write("figure.svg", "old");
  server_.FailNext("EvaluateModel", 1, absl::NotFoundError("model digits"));
  EXPECT_NE(Evaluate({"--plot", old}).exit_status, kExitSuccess);
  EXPECT_EQ(folder_.Read("figure.svg"), "old");
  EXPECT_EQ(folder_.entries(), 1u);
}

}  // namespace
}  // namespace mlp
